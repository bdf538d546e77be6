package broker

import (
	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/coordinator"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/trace"
)

// Broker is one shard's logic. It implements env.Handler; calls never overlap.
type Broker struct {
	cfg      Config
	env      *env.Env
	resolver *metadata.Resolver
	settings settings

	// machines
	api       *api.Server
	dirs      []*directory
	metalog   *log.Log
	metaEpoch kafka.LeaderEpoch
	runtime   *coordinator.Runtime[metadata.Record, ticket]
	control   *controller.Controller // the runtime's machine
	snapshots snapshots

	// this life of the broker
	incarnation metadata.IncarnationID
	epoch       kafka.BrokerEpoch
	ready       bool // registered: calls are started
	stopped     bool
	removed     map[kafka.TopicID]bool // topics that the metadata log removes, until Boot is through
	leaving     bool                   // no client is let in
	quiet       func()                 // what Quiesce was given, until told
	failure     error

	// connections
	agenda   agenda
	sweepAt  env.Instant // what the sweep's timer is set to, 0: not set
	conns    map[env.ConnID]*conn
	callID   uint64
	dirty    []*conn // with something to send or start, in the order it came
	ticking  bool
	counters Counters

	// scratch
	spare    []*conn
	answered []*api.Call
}

// directory is a log directory with what the loop knows of it.
type directory struct {
	*log.Dir
	path       string
	number     int
	partitions int
	failed     bool
	recovery   log.Recovery
	strays     []Stray
}

// Counters are what the loop itself counts; Server.Counters has the requests.
type Counters struct {
	ConnsAccepted uint64
	ConnsRefused  uint64
	ConnsClosed   uint64
	ConnsIdle     uint64 // closed for idleness
	Paused        uint64 // times a connection was read no further
}

var _ env.Handler = (*Broker)(nil)

var (
	traceConnOpen   = trace.Define("conn-open", "conn")
	traceConnClosed = trace.Define("conn-closed", "conn")
	traceReady      = trace.Define("ready", "epoch", "partitions")
	traceDirFailed  = trace.Define("dir-failed", "dir")
	traceStray      = trace.Define("stray", "dir")
)

// New makes a broker that does nothing before Boot.
func New(cfg Config) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	resolver, err := metadata.NewResolver(cfg.NodeID, cfg.Static)
	if err != nil {
		return nil, err
	}
	image := metadata.NewImage()
	b := &Broker{
		cfg: cfg, env: cfg.Env, resolver: resolver,
		settings: readSettings(resolver, image),
		conns:    map[env.ConnID]*conn{},
		removed:  map[kafka.TopicID]bool{},
		agenda:   agenda{visits: map[visitKey]*visit{}},
		snapshots: newSnapshots(cfg.LogDirs[0],
			resolver.BrokerInt(image, "metadata.log.max.record.bytes.between.snapshots")),
	}
	b.api = api.NewServer(api.Config{
		Env: cfg.Env, NodeID: cfg.NodeID, Admin: b, LogDirs: b, Resolver: resolver,
		AutoCreate: resolver.Broker(image, "auto.create.topics.enable").Value == "true",
		Crowded:    cfg.Crowded,
		FetchBytes: int(resolver.BrokerInt(image, "fetch.max.bytes")),

		FetchSessions:     int(resolver.BrokerInt(image, "max.incremental.fetch.session.cache.slots")),
		PartitionsPerPage: int(resolver.BrokerInt(image, "max.request.partition.size.limit")),
	})
	return b, nil
}

// Decode is the hook for env.Received.Decoded: pure, for any goroutine.
func Decode(class env.Class, frame []byte) any {
	if class != env.ClassClient {
		return nil
	}
	return api.Decode(class, frame)
}

// NewDecoder makes a Decode hook that keeps its buffers from frame to frame, for one
// caller at a time, within these limits.
func NewDecoder(limits record.Limits) func(class env.Class, frame []byte) any {
	d := api.Decoder{Limits: limits}
	return func(class env.Class, frame []byte) any {
		if class != env.ClassClient {
			return nil
		}
		return d.Decode(class, frame)
	}
}

// InflatesTooLarge tells of what a Decode hook gave that larger limits may change it.
func InflatesTooLarge(decoded any) bool {
	d, ok := decoded.(*api.Decoded)
	return ok && d.InflatesTooLarge()
}

// Ready tells that the broker is registered and serves.
func (b *Broker) Ready() bool { return b.ready }

// Failure is why the broker cannot go on, or nil.
func (b *Broker) Failure() error { return b.failure }

// ClusterID is the id of the cluster, known after Boot.
func (b *Broker) ClusterID() string { return b.control.Image().ClusterID() }

// Counters is a copy of the loop's numbers.
func (b *Broker) Counters() Counters { return b.counters }

// APICounters is a copy of the requests' numbers.
func (b *Broker) APICounters() api.Counters { return b.api.Counters }

// DiskDone implements env.Handler.
func (b *Broker) DiskDone(done env.Completion) {
	if b.stopped {
		return
	}
	i := int(done.Tag>>tagShift) - 1
	if i < 0 {
		b.snapshotDone(done)
		return
	}
	if i >= len(b.dirs) {
		return
	}
	b.carryOut(b.dirs[i], b.dirs[i].DiskDone(done))
}

// Drained implements env.Handler: collected work goes out.
func (b *Broker) Drained() {
	if b.stopped {
		return
	}
	for again := true; again; again = b.flush() {
		for _, d := range b.dirs {
			b.carryOut(d, d.Drained())
		}
	}
	b.keepTicking()
	b.keepSweeping()
	b.tellQuiet()
}

// TimerFired implements env.Handler.
func (b *Broker) TimerFired(key env.TimerKey) {
	switch {
	case b.stopped:
	case key.Kind == timerConn:
		b.connTimer(env.ConnID(key.ID))
	case key.Kind == timerSnapshot:
		b.snapshotTimer()
	case key.Kind == timerRetention:
		b.retain()
	case key.Kind == timerTick || key.Kind == timerSweep:
		b.ticking = b.ticking && key.Kind != timerTick
		if key.Kind == timerSweep {
			b.sweepAt = 0
		}
		for _, d := range b.dirs {
			d.Tick(b.env.Clock.Now())
		}
	}
}

// The kinds of timers. There are as many as connections, and four.
const (
	timerConn      = "conn"
	timerTick      = "tick"
	timerSweep     = "sweep" // age asks for something, though nothing else happens
	timerRetention = "retention"
	timerSnapshot  = "snapshot" // of the metadata: time asks for one
)

// keepTicking arms the one timer of background work while some directory has any.
func (b *Broker) keepTicking() {
	if b.ticking {
		return
	}
	for _, d := range b.dirs {
		if !d.Idle() || d.WantsRoom() {
			b.ticking = true
			b.env.Clock.SetTimer(env.TimerKey{Kind: timerTick}, b.env.Clock.Now().Add(tickInterval))
			return
		}
	}
}

// keepSweeping arms the timer of what age asks for first, though nothing else is due.
func (b *Broker) keepSweeping() {
	for _, d := range b.dirs {
		at, ok := d.DueAt()
		if ok && (b.sweepAt == 0 || at < b.sweepAt) {
			b.sweepAt = at
			b.env.Clock.SetTimer(env.TimerKey{Kind: timerSweep}, at)
		}
	}
}

// ConnDialed implements env.Handler; this broker dials nobody.
func (b *Broker) ConnDialed(env.ConnID, error) {}

func (b *Broker) trace(kind trace.Kind, n [4]int64, text string) {
	b.env.Tracer.Trace(trace.Event{
		At: int64(b.env.Clock.Now()), Node: int32(b.cfg.NodeID), Kind: kind, Partition: -1, N: n, Text: text,
	})
}
