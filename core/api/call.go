package api

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// A Call is one request from its arrival to its answer. The broker makes it, hands it to
// Server.Start in the order of arrival, and sends its reply when its turn has come.
type Call struct {
	// Set by the broker before Start.
	ID       uint64
	Conn     env.ConnID
	Listener string

	// RequestBytes and ReplyBytes are the sizes of the frames; the second is known once
	// the call is answered.
	RequestBytes int
	ReplyBytes   int

	// Deadline, if not 0, is when the broker must call Server.Expire unless the call is
	// answered before.
	Deadline env.Instant

	decoded *Decoded
	frame   env.Buffer
	waiting waiting
	started env.Instant

	answered bool
	silent   bool  // no reply goes out: acks=0
	closing  error // the connection is closed instead of a reply
	reply    env.Frame
}

// waiting is what an open call waits for.
type waiting interface {
	// expire answers the call, for its deadline has passed.
	expire()
	// abandon forgets the call: nobody is there to be answered.
	abandon()
}

var errNotDecoded = errors.New("api: frame was not decoded")

// NewCall makes the call of a frame. It takes over the reference to the frame's buffer and
// decodes the frame if no hook did.
func NewCall(f env.Received) *Call {
	c := &Call{frame: f.Buffer, RequestBytes: len(f.Buffer.Bytes())}
	switch d := f.Decoded.(type) {
	case *Decoded:
		c.decoded = d
	case nil:
		c.decoded = Decode(env.ClassClient, f.Buffer.Bytes())
	default:
		c.decoded = &Decoded{Err: errNotDecoded}
	}
	return c
}

// API is the row of the call, nil when the frame could not be understood.
func (c *Call) API() *API { return c.decoded.api }

// Version is the request's version.
func (c *Call) Version() int16 { return c.decoded.version }

// Answered tells that the call has its outcome.
func (c *Call) Answered() bool { return c.answered }

// Closing is why the call ends its connection, nil if it does not.
func (c *Call) Closing() error { return c.closing }

// Outcome is what to do on the connection: close it for a reason; or send a reply; or, with
// neither, nothing. The reply's chunks belong to the caller.
func (c *Call) Outcome() (reply env.Frame, send bool, closing error) {
	reply = c.reply
	c.reply = env.Frame{}
	return reply, !c.silent && c.closing == nil, c.closing
}

// Drop gives up an answered call's reply.
func (c *Call) Drop() {
	releaseChunks(c.reply.Chunks)
	c.reply = env.Frame{}
}

func (c *Call) settle() {
	// An answer must be the only one: a second would shift all later replies by one.
	if c.answered {
		invariant.Violated("api.one-answer", "conn=%d call=%d %s", c.Conn, c.ID, c.decoded.name())
	}
	c.answered = true
	c.waiting = nil
	c.Deadline = 0
	c.frame.Release()
	c.frame = nil
}

// header starts a reply: correlation id, and no tagged fields where a header has them.
func (c *Call) header(sizeHint int) []byte {
	b := make([]byte, 0, 5+sizeHint)
	b = appendInt32(b, c.decoded.correlation)
	// ApiVersions always answers with the old header: its client does not know yet what
	// the broker understands.
	if a := c.decoded.api; a.flexible(c.decoded.version) && a.Key != apiVersionsKey {
		b = append(b, 0)
	}
	return b
}

// answer ends the call with a message.
func (s *Server) answer(c *Call, msg kmsg.Response) {
	msg.SetVersion(c.decoded.version)
	s.answerBytes(c, msg.AppendTo(c.header(128)))
}

func (s *Server) answerBytes(c *Call, b []byte) {
	s.answerChunks(c, []env.Chunk{{Bytes: b}})
}

func (s *Server) answerChunks(c *Call, chunks []env.Chunk) {
	c.reply = env.Frame{Chunks: chunks}
	c.ReplyBytes = c.reply.Len()
	s.Counters.BytesOut += uint64(c.ReplyBytes)
	s.finish(c)
}

// answerNothing ends a call that has no reply.
func (s *Server) answerNothing(c *Call) {
	c.silent = true
	s.finish(c)
}

// close ends a call by ending its connection.
func (s *Server) close(c *Call, why error) {
	c.closing = why
	s.finish(c)
}

func (s *Server) finish(c *Call) {
	if c.closing == nil {
		s.Counters.Took[c.decoded.api.Key].Add(s.now().Sub(c.started))
	}
	c.settle()
	s.answered = append(s.answered, c)
}

func (s *Server) countError(c *Call, code kafka.ErrorCode) {
	if code != kafka.None {
		s.Counters.error(c.decoded.api.Key)
	}
}

func releaseChunks(chunks []env.Chunk) {
	for i := range chunks {
		if o := chunks[i].Owner; o != nil {
			o.Release()
		}
	}
}
