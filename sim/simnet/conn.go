package simnet

import (
	"hash/crc32"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// state is how far an end has got.
type state uint8

const (
	dialing state = iota
	open
	closing // CloseAfterSend: sends nothing new, receives nothing
	dead    // the end's process heard, or will hear, nothing more of it
)

// end is one process's side of a connection.
type end struct {
	stack *Stack
	id    env.ConnID
	class env.Class
	addr  string // dialed
	peer  *end   // nil while the dial is under way, or when there never was one
	state state
	// lost: what is sent from now on arrives nowhere, though the process may not know.
	lost bool
	// orphan: the other host lost power; it will answer with a reset once it can.
	orphan bool
	// told: the end of the connection is on its way to the process, or never will be.
	told bool
	// heard: the end of the connection has reached this host; no cut can stop it any more.
	heard bool
	// severed: a cut dropped bytes that this end sent, so that the rest is lost as well.
	severed bool
	// passive: the other end dialed.
	passive bool
	replies uint64 // that could have been lost, and
	frames  uint64 // that could have been corrupted: ordinals
	// harm is the fault that this end suffers from, if one does.
	harm *engine.Fault

	// sending
	link     *link
	jitter   engine.Choice
	out      fifo // sent, and not taken by the other end
	outBytes int  // of out, and of what was sent into a lost connection
	full     bool // Send said false; ConnWritable is owed
	sent     uint64
	arrives  env.Instant // of the last frame
	openAt   env.Instant // nothing sent leaves earlier: the handshake, or a clog
	dialedAt env.Instant
	clog     *engine.Fault // that moved openAt
	unacked  int           // of outBytes: taken by the other end, but this one does not know
	waits    uint64        // number of the wait for an acknowledgement; 0: none
	// closeOnOpen: CloseAfterSend came during the dial.
	closeOnOpen bool

	// receiving
	paused   bool
	grace    int  // frames that are delivered in spite of the pause
	held     int  // arrivals that wait for Resume
	closeDue bool // an orderly close waits for Resume
	pauses   uint64
	// lateUntil keeps what arrives: the stream of an old connection that lingers.
	lateUntil env.Instant
}

// frame is on its way. Its chunks are the sender's memory.
type frame struct {
	chunks  []env.Chunk
	size    int
	sum     uint32
	leaves  env.Instant // its last byte enters the link
	arrives env.Instant
}

// prefix is the length field in front of a frame.
const prefix = 4

// Operations of an end's events. All but opSyn are for the end's own host.
const (
	opSyn uint32 = iota
	opAccepted
	opDialed
	opDialFailed
	opArrived
	opWritable
	opClosed // arg: index into closeErrs
	opReset  // the fault of a connection's life
	opSent   // CloseAfterSend is done
	opGiveUp // arg: number of the wait
	opClog   // arg: ordinal
	opLate   // arg: number of connections on the link when the old one was closed
)

// atHost is the argument of an opArrived that no link can hold up any more.
const atHost = 1

var closeErrs = [...]error{ErrClosed, ErrReset, ErrFrame, ErrRefused, ErrTimeout, ErrNoHost}

const (
	errClosed uint64 = iota
	errReset
	errFrame
	errRefused
	errTimeout
	errNoHost
)

// Fire is an event of this end.
func (e *end) Fire(op uint32, arg uint64) {
	switch op {
	case opSyn:
		e.synArrived()
	case opReset:
		e.resetDue()
	case opAccepted:
		e.accepted()
	case opDialed:
		e.dialed()
	case opDialFailed:
		e.dialFailed(closeErrs[arg])
	case opArrived:
		if e.peer.link.mode < Jam || arg == atHost || !e.heldUp(op, arg) {
			e.arrived()
		}
	case opWritable:
		if e.state == open && !e.lost {
			e.stack.net.stats.Writable++
			e.stack.handler.ConnWritable(e.id)
		}
	case opClosed:
		if e.heard || e.peer.link.mode < Jam || e.state == dead || !e.heldUp(op, arg) {
			e.heard = true
			e.closed(closeErrs[arg])
		}
	case opSent:
		e.closed(nil)
	default:
		e.fireFault(op, arg)
	}
}

// fireFault is an event that only a fault brings.
func (e *end) fireFault(op uint32, arg uint64) {
	switch op {
	case opGiveUp:
		e.giveUp(arg)
	case opClog:
		e.clogDue(arg)
	case opLate:
		e.lingered(arg)
	}
}

// heldUp reports that the link to e keeps or drops what would arrive now.
func (e *end) heldUp(op uint32, arg uint64) bool {
	l := e.peer.link
	if !l.blocked(event{e, op, arg}) {
		return false
	}
	switch {
	case l.mode == Stop:
		e.stoppedAtArrival(op)
	case op == opDialed:
		e.post(e.dialedAt.Add(e.stack.net.cfg.DialTimeout), opDialFailed, errTimeout)
	}
	return true
}

// post queues an event for the host of e.
func (e *end) post(at env.Instant, op uint32, arg uint64) {
	s := e.stack
	s.net.engine.Post(engine.Event{
		At: at, Target: e, Op: op, Arg: arg, Host: s.node.index, Life: s.life})
}

// postWorld queues an event that happens whatever becomes of the host.
func (e *end) postWorld(at env.Instant, op uint32, arg uint64) {
	e.stack.net.engine.Post(engine.Event{At: at, Target: e, Op: op, Arg: arg, Host: engine.NoHost})
}

// send puts a frame on the way and reports whether the queue has room for more.
func (e *end) send(f env.Frame) bool {
	size := f.Len()
	e.outBytes += size + prefix
	switch {
	case e.lost:
		release(f.Chunks)
		e.sentIntoNowhere()
	case !readFiles(f.Chunks):
		release(f.Chunks)
		e.abort()
		return true
	default:
		e.out.push(frame{chunks: f.Chunks, size: size, sum: sum(f.Chunks)})
		switch {
		case e.state == dialing:
		case e.link.mode == Stop:
			e.sever(e.out.len() - 1)
		case e.passive && e.stack.net.losesReply(e):
		default:
			e.put(e.out.last())
		}
	}
	if e.outBytes > e.link.buffer {
		e.stack.net.stats.FullQueues++
		e.stack.net.faults().Observed(e.link.narrow)
		e.full = true
		return false
	}
	return true
}

// put decides when f arrives.
func (e *end) put(f *frame) {
	n := e.stack.net
	t := e.stack.clock.Now()
	if t < e.openAt {
		t = e.openAt
		n.faults().Fired(e.clog)
	}
	f.leaves = n.depart(e.link, t, f.size+prefix)
	e.sent++
	at := f.leaves.Add(n.delay(e.link, e.jitter, e.sent))
	e.arrives = max(e.arrives, at)
	f.arrives = e.arrives
	e.peer.post(f.arrives, opArrived, 0)
	if ack := e.peer.link; ack.mode == Stop && !ack.cut.AckOpen {
		e.waitForAck(ack.cut)
	}
}

// arrived takes the next frame of the other end's stream. The event does not name it: a
// fault may have shortened the stream, and then the surplus events find nothing.
func (e *end) arrived() {
	switch {
	case e.state != open:
	case e.lateUntil > 0 && e.stack.net.engine.Now() < e.lateUntil: // comes again
	case e.paused && e.grace == 0:
		e.held++
	case e.peer.out.len() > 0:
		if e.paused {
			e.grace--
		}
		e.deliver(e.peer.take())
	}
}

// take removes the first frame of e.out because it arrived, and tells a sender that waits
// for room, one way later.
func (e *end) take() frame {
	f := e.out.pop()
	n := e.stack.net
	if ack := e.peer.link; ack.mode == Stop && !ack.cut.AckOpen {
		e.unacked += f.size + prefix
	} else {
		e.outBytes -= f.size + prefix
		e.roomAgain()
	}
	if e.state == closing && e.out.len() == 0 {
		e.post(n.engine.Now().Add(e.peer.link.base), opSent, 0)
	}
	return f
}

// roomAgain tells a sender that waits for room, if there is enough.
func (e *end) roomAgain() {
	if e.full && e.outBytes <= e.link.buffer/2 && e.state == open {
		e.full = false
		e.post(e.stack.net.engine.Now().Add(e.peer.link.base), opWritable, 0)
	}
}

func (e *end) deliver(f frame) {
	s, n := e.stack, e.stack.net
	if f.size == 0 || f.size > n.cfg.FrameMax {
		release(f.chunks)
		e.hangUp()
		s.handler.ConnClosed(e.id, ErrFrame)
		return
	}
	buffer := s.buffers.Get(f.size)
	into, crc := buffer.Bytes(), uint32(0)
	for i := range f.chunks {
		c := &f.chunks[i]
		crc = crc32.Update(crc, castagnoli, c.Bytes)
		into = into[copy(into, c.Bytes):]
	}
	if crc != f.sum {
		// Send takes a frame for good: whoever changes its bytes, or releases a buffer
		// that Send has yet to release, sends another frame than it meant to.
		invariant.Violated("simnet.frame-unchanged", "from=%s conn=%d size=%d",
			e.peer.stack.node.name, e.peer.id, f.size)
	}
	release(f.chunks)
	n.stats.Frames++
	n.stats.Bytes += uint64(f.size)
	if n.cfg.Corrupt > 0 {
		e.corrupt(buffer.Bytes())
	}
	received := env.Received{Buffer: buffer}
	if s.decode != nil {
		received.Decoded = s.decode(e.class, buffer.Bytes())
	}
	s.handler.FrameReceived(e.id, received)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sum(chunks []env.Chunk) uint32 {
	crc := uint32(0)
	for i := range chunks {
		crc = crc32.Update(crc, castagnoli, chunks[i].Bytes)
	}
	return crc
}

func release(chunks []env.Chunk) {
	for i := range chunks {
		if o := chunks[i].Owner; o != nil {
			chunks[i].Owner = nil
			o.Release()
		}
	}
}

// fifo is a queue of frames.
type fifo struct {
	frames []frame
	head   int
}

func (q *fifo) len() int     { return len(q.frames) - q.head }
func (q *fifo) last() *frame { return &q.frames[len(q.frames)-1] }
func (q *fifo) all() []frame { return q.frames[q.head:] }

func (q *fifo) push(f frame) {
	if q.head > 32 && q.head*2 > len(q.frames) {
		n := copy(q.frames, q.frames[q.head:])
		clear(q.frames[n:])
		q.frames, q.head = q.frames[:n], 0
	}
	q.frames = append(q.frames, f)
}

func (q *fifo) pop() frame {
	f := q.frames[q.head]
	q.frames[q.head] = frame{}
	q.head++
	if q.head == len(q.frames) {
		q.frames, q.head = q.frames[:0], 0
	}
	return f
}

// cut keeps the first n frames and releases the others.
func (q *fifo) cut(n int) (lost int) {
	rest := q.frames[q.head+n:]
	for i := range rest {
		release(rest[i].chunks)
	}
	clear(rest)
	q.frames = q.frames[:q.head+n]
	return len(rest)
}
