package broker

import (
	"errors"
	"io"
	"slices"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/env"
)

// # Calls of a connection
//
// Requests are started in the order they came in, several at a time, and their replies go
// out in that order: a reply that is ready early waits for those before it. So produces are
// applied in order while a slow fetch holds nobody's disk up. How many may be under way is
// bounded by number and bytes; then the connection is read no further.

// ClosedByPeer is why most connections end: the client closed it.
const ClosedByPeer = "closed by the client"

// conn is a client's connection.
type conn struct {
	id   env.ConnID
	info env.ConnInfo

	calls   []*api.Call // between arrival and reply, oldest first
	started int         // of calls
	bytes   int         // of calls' requests
	unsent  int         // bytes of replies that wait for older ones or for the network

	paused  bool // we asked not to be read
	blocked bool // the network's send queue is full
	closing bool // nothing is read or started any more
	dirty   bool // in Broker.dirty

	active env.Instant // when it last did something
	timer  env.Instant // when its timer is due, 0 if it is not armed
}

// ConnAccepted implements env.Handler.
func (b *Broker) ConnAccepted(id env.ConnID, info env.ConnInfo) {
	if b.stopped || b.leaving || info.Class != env.ClassClient || len(b.conns) >= b.settings.connsMax {
		b.counters.ConnsRefused++
		b.env.Net.Close(id)
		if b.cfg.Gone != nil {
			b.cfg.Gone(info, "refused: "+b.refusal(info))
		}
		return
	}
	b.counters.ConnsAccepted++
	c := &conn{id: id, info: info, active: b.env.Clock.Now()}
	b.conns[id] = c
	b.trace(traceConnOpen, [4]int64{int64(id)}, "")
	b.arm(c)
}

func (b *Broker) refusal(info env.ConnInfo) string {
	switch {
	case b.stopped || b.leaving:
		return "the broker is stopping"
	case info.Class != env.ClassClient:
		return "not a client listener"
	}
	return "max.connections are open"
}

// ConnClosed implements env.Handler.
func (b *Broker) ConnClosed(id env.ConnID, err error) {
	if c := b.conns[id]; c != nil {
		why := ClosedByPeer
		if err != nil && !errors.Is(err, io.EOF) {
			why = err.Error()
		}
		b.forget(c, why)
	}
}

// ConnWritable implements env.Handler.
func (b *Broker) ConnWritable(id env.ConnID) {
	if c := b.conns[id]; c != nil {
		c.blocked = false
		b.mark(c)
	}
}

// FrameReceived implements env.Handler.
func (b *Broker) FrameReceived(id env.ConnID, f env.Received) {
	c := b.conns[id]
	if c == nil || c.closing || b.stopped {
		f.Buffer.Release()
		return
	}
	if len(f.Buffer.Bytes()) > b.settings.requestMax {
		f.Buffer.Release()
		b.env.Net.Close(id)
		b.forget(c, "frame above socket.request.max.bytes")
		return
	}
	b.callID++
	call := api.NewCall(f)
	call.ID, call.Conn, call.Listener = b.callID, id, c.info.Listener
	c.calls = append(c.calls, call)
	c.bytes += call.RequestBytes
	c.active = b.env.Clock.Now()
	b.start(c)
	b.throttle(c)
}

// start begins the calls whose turn has come, and tells whether there was one.
func (b *Broker) start(c *conn) (any bool) {
	for b.ready && c.started < len(c.calls) && b.mayStart(c) {
		call := c.calls[c.started]
		c.started++
		any = true
		b.api.Start(call)
		c.closing = call.Closing() != nil // what follows a broken request means nothing
	}
	if any {
		b.arm(c)
	}
	return any
}

// mayStart holds a connection's next call back while it does not take the replies it has:
// what nobody reads must not fill the memory of all.
func (b *Broker) mayStart(c *conn) bool {
	switch {
	case c.closing || c.blocked || c.unsent > UnsentBytesMax:
		return false
	case c.started > 0 && b.cfg.Crowded != nil && b.cfg.Crowded():
		return false
	}
	return true
}

// throttle reads the connection on or not, by what is under way.
func (b *Broker) throttle(c *conn) {
	full := len(c.calls) >= PipelineCallsMax || c.bytes >= PipelineBytesMax ||
		len(c.calls) > 0 && !c.paused && b.env.Rare.Rare("broker.pause-early")
	switch {
	case c.closing:
	case full && !c.paused:
		c.paused = true
		b.counters.Paused++
		b.env.Net.Pause(c.id)
	case c.paused && len(c.calls) <= PipelineCallsMax/2 && c.bytes <= PipelineBytesMax/2:
		c.paused = false
		b.env.Net.Resume(c.id)
	}
}

// mark has a connection looked at when events have drained.
func (b *Broker) mark(c *conn) {
	if !c.dirty {
		c.dirty = true
		b.dirty = append(b.dirty, c)
	}
}

// flush sends what was answered, and starts what was held up by it. It tells whether
// something was started, which may have made new work for the disk.
func (b *Broker) flush() (started bool) {
	b.collect()
	dirty := b.dirty
	b.dirty = b.spare[:0]
	for _, c := range dirty {
		c.dirty = false
		if b.conns[c.id] == c && b.send(c) {
			started = true
		}
	}
	clear(dirty)
	b.spare = dirty
	return started
}

// collect notes which connections have answers.
func (b *Broker) collect() {
	b.answered = b.api.Answered(b.answered[:0])
	for _, call := range b.answered {
		c := b.conns[call.Conn]
		if c == nil {
			call.Drop()
			continue
		}
		c.unsent += call.ReplyBytes
		b.mark(c)
	}
	clear(b.answered)
}

// send takes the answered calls from the front of the line, then starts the next.
func (b *Broker) send(c *conn) (started bool) {
	n := 0
	for n < len(c.calls) && c.calls[n].Answered() && !c.blocked {
		call := c.calls[n]
		n++
		c.bytes -= call.RequestBytes
		c.unsent -= call.ReplyBytes
		reply, send, closing := call.Outcome()
		if closing != nil {
			b.env.Net.CloseAfterSend(c.id)
			c.calls = slices.Delete(c.calls, 0, n)
			b.forget(c, closing.Error())
			return false
		}
		if send {
			c.blocked = !b.env.Net.Send(c.id, reply)
		}
	}
	if n == 0 {
		return b.start(c)
	}
	c.calls = slices.Delete(c.calls, 0, n)
	c.started -= n
	c.active = b.env.Clock.Now()
	started = b.start(c)
	b.throttle(c)
	return started
}

// forget drops a connection and its open calls.
func (b *Broker) forget(c *conn, why string) {
	b.counters.ConnsClosed++
	b.trace(traceConnClosed, [4]int64{int64(c.id)}, why)
	if b.cfg.Gone != nil {
		b.cfg.Gone(c.info, why)
	}
	c.closing = true
	for _, call := range c.calls {
		b.api.Abandon(call)
	}
	c.calls, c.started, c.bytes = nil, 0, 0
	if c.timer != 0 {
		b.env.Clock.ClearTimer(env.TimerKey{Kind: timerConn, ID: int64(c.id)})
	}
	delete(b.conns, c.id)
}

// arm sets the connection's timer to the next deadline, if that is earlier than what it is
// set to. A timer that fires too early costs less than one moved with every call.
func (b *Broker) arm(c *conn) {
	if len(c.calls) > 0 {
		c.active = b.env.Clock.Now() // who waits for an answer is not idle
	}
	next := c.active.Add(b.settings.idle)
	for _, call := range c.calls[:c.started] {
		if d := call.Deadline; d != 0 && !call.Answered() && d < next {
			next = d
		}
	}
	if c.timer == 0 || next < c.timer {
		c.timer = next
		b.env.Clock.SetTimer(env.TimerKey{Kind: timerConn, ID: int64(c.id)}, next)
	}
}

// connTimer expires what is due.
func (b *Broker) connTimer(id env.ConnID) {
	c := b.conns[id]
	if c == nil {
		return
	}
	c.timer = 0
	now := b.env.Clock.Now()
	for _, call := range slices.Clone(c.calls[:c.started]) {
		if d := call.Deadline; d != 0 && d <= now && !call.Answered() {
			b.api.Expire(call)
		}
	}
	if len(c.calls) == 0 && now >= c.active.Add(b.settings.idle) {
		b.counters.ConnsIdle++
		b.env.Net.Close(c.id)
		b.forget(c, "idle")
		return
	}
	b.arm(c)
}
