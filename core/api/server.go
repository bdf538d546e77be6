package api

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/trace"
)

// Server answers calls from what the broker serves. It owns no connection and no timer:
// the broker starts calls, reports what happened, and collects what was answered.
type Server struct {
	Counters Counters

	cfg Config

	// The committed metadata, and its topics as they are served here.
	image *metadata.Image
	names map[string]*Topic
	ids   map[kafka.TopicID]*Topic

	answered []*Call
	reads    map[env.Tag]readWaiter
	stamp    uint64 // of the request that looks for repetitions

	recompressor *record.Recompressor

	producerIDs producerIDs
	sessions    fetchSessions
	spareParts  []fetchPart
	creating    map[string]bool // topics whose creation Metadata started
}

// Config is what a Server is made of.
type Config struct {
	Env      *env.Env
	NodeID   kafka.BrokerID
	Admin    Admin
	LogDirs  LogDirs
	Resolver *metadata.Resolver
	// AutoCreate is auto.create.topics.enable.
	AutoCreate bool
	// Crowded, if set, tells that memory for record bytes runs short: until it does not, a
	// fetch is answered with one batch, which is always allowed.
	Crowded func() bool
	// FetchBytes is fetch.max.bytes.
	FetchBytes int
	// FetchSessions is max.incremental.fetch.session.cache.slots.
	FetchSessions int
	// PartitionsPerPage is max.request.partition.size.limit.
	PartitionsPerPage int
}

// readWaiter gets the result of a log read that went to the disk.
type readWaiter interface {
	readDone(tag env.Tag, done log.ReadDone)
}

// NewServer makes a server without topics.
func NewServer(cfg Config) *Server {
	return &Server{
		cfg:   cfg,
		image: metadata.NewImage(),
		names: map[string]*Topic{},
		ids:   map[kafka.TopicID]*Topic{},
		reads: map[env.Tag]readWaiter{},

		recompressor: record.NewRecompressor(record.Limits{}),

		creating: map[string]bool{},
		sessions: fetchSessions{slots: cfg.FetchSessions, byID: map[int32]*fetchSession{}},
	}
}

// Start begins a call. Calls of one connection are started in the order of their arrival.
func (s *Server) Start(c *Call) {
	d := c.decoded
	if d.Err != nil {
		s.Counters.Closed++
		s.close(c, d.Err)
		return
	}
	s.Counters.Requests[d.api.Key]++
	s.Counters.BytesIn += uint64(len(c.frame.Bytes()))
	c.started = s.now()
	d.api.start(s, c)
}

// Expire answers a call whose deadline has passed.
func (s *Server) Expire(c *Call) {
	if c.answered || c.waiting == nil {
		return
	}
	s.Counters.Expired++
	c.Deadline = 0
	c.waiting.expire()
}

// Abandon forgets a call whose connection is gone.
func (s *Server) Abandon(c *Call) {
	if c.answered {
		c.Drop()
		return
	}
	if w := c.waiting; w != nil {
		w.abandon()
	}
	c.silent = true
	c.settle()
}

// Answered takes the calls that were answered since it was last asked.
func (s *Server) Answered(into []*Call) []*Call {
	into = append(into, s.answered...)
	clear(s.answered)
	s.answered = s.answered[:0]
	return into
}

// ReadDone hands over the result of a log read from disk.
func (s *Server) ReadDone(done log.ReadDone) {
	w := s.reads[done.Tag]
	if w == nil {
		releaseChunks(done.Result.Chunks)
		return
	}
	delete(s.reads, done.Tag)
	w.readDone(done.Tag, done)
}

func (s *Server) now() env.Instant { return s.cfg.Env.Clock.Now() }

func (s *Server) trace(ev trace.Event) {
	ev.At = int64(s.cfg.Env.Clock.Now())
	ev.Node = int32(s.cfg.NodeID)
	s.cfg.Env.Tracer.Trace(ev)
}
