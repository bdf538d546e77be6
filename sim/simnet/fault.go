package simnet

import (
	"maps"
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/engine"
)

var (
	faultReset    = engine.DefineFault("net.reset")
	faultHalfOpen = engine.DefineFault("net.half-open")
	faultRefused  = engine.DefineFault("net.dial-refused")
	faultSilent   = engine.DefineFault("net.dial-silent")
)

// finish ends e for its own process: nothing more is received or reported.
func (e *end) finish() {
	e.state = dead
	delete(e.stack.conns, e.id)
	if e.peer != nil {
		e.stack.net.stats.FramesLost += uint64(e.peer.out.cut(0))
		e.peer.lost = true
	}
}

// hangUp is Close by e's process. Like a kernel, it sends what is left in order if all
// that came in was read, and a reset otherwise; netx may drop what it had not written.
func (e *end) hangUp() {
	p := e.peer
	e.stack.net.faults().Observed(e.blame())
	unread := p != nil && p.out.len() > 0
	e.finish()
	if p == nil || p.state == dead {
		e.out.cut(0)
		return
	}
	if p.told {
		return
	}
	c := e.jitter.Of("net.close")
	if e.lingers(c) {
		return
	}
	if unread || c.Chance(0, 0.5) {
		e.cutInFlight(c.Uint64(1))
		e.tellPeer(0, errReset)
	} else {
		e.tellPeer(0, errClosed)
	}
}

// closeAfterSend leaves the stream to run dry; the peer then sees an orderly close.
func (e *end) closeAfterSend() {
	e.state = closing
	if !e.peer.told {
		e.tellPeer(0, errClosed)
	}
	if e.out.len() == 0 {
		e.post(e.stack.clock.Now(), opSent, 0)
	}
}

// abort is an error that e's own side ran into: both ends hear of it.
func (e *end) abort() {
	if e.peer != nil && !e.peer.told {
		e.cutInFlight(e.jitter.Of("net.abort").Uint64(0))
		e.tellPeer(0, errReset)
	}
	e.lost, e.told, e.heard = true, true, true
	e.post(e.stack.clock.Now(), opClosed, errReset)
}

// cutInFlight keeps of what e has sent and the peer has not got a prefix of bytes: a frame
// cut inside is lost, and so is all that follows. Decision 0 keeps everything.
func (e *end) cutInFlight(decision uint64) (lost int) {
	now := e.stack.net.engine.Now()
	total := 0
	for i := range e.out.all() {
		f := &e.out.all()[i]
		if f.leaves <= now {
			total += f.size + prefix
		}
	}
	keep, bytes := 0, total-below(decision, total+1)
	for i := range e.out.all() {
		f := &e.out.all()[i]
		bytes -= f.size + prefix
		if f.leaves > now || bytes < 0 {
			break
		}
		keep++
	}
	lost = e.out.cut(keep)
	e.stack.net.stats.FramesLost += uint64(lost)
	return lost
}

// tellPeer lets the peer see the end of the connection, after all that still arrives.
func (e *end) tellPeer(extra time.Duration, why uint64) {
	p, now := e.peer, e.stack.clock.Now()
	at := max(now.Add(e.link.base), e.stack.net.engine.Now().Add(extra), p.openAt)
	if e.out.len() > 0 {
		at = max(at, e.out.last().arrives)
	}
	if e.severed {
		why = errReset // what was sent has not all arrived
	}
	p.lost, p.told = true, true
	p.post(at, opClosed, why)
}

// closed is the end of the connection as e's process sees it.
func (e *end) closed(err error) {
	if e.state == dead {
		return
	}
	if err == ErrClosed && e.state == open {
		if e.paused {
			e.closeDue = true
			return
		}
		if e.peer.out.len() > 0 { // held by a pause until just now
			e.post(e.stack.net.engine.Now(), opClosed, errClosed)
			return
		}
	}
	e.finish()
	if err != nil && err != ErrClosed {
		e.harmed()
	}
	e.stack.handler.ConnClosed(e.id, err)
}

// resetDue is N3 or N4: both streams end now. The ends learn of it at a drawn delay each,
// or only one of them ever does.
func (e *end) resetDue() {
	p := e.peer
	if e.state == dead || p.state == dead || e.told || p.told {
		return
	}
	n := e.stack.net
	c := e.jitter.Of("net.reset")
	half := c.Chance(2, n.cfg.HalfOpen)
	kind := faultReset
	if half {
		kind = faultHalfOpen
	}
	f := n.faults().Offer(e.drawn(kind, "net.reset"))
	if f == nil {
		return
	}
	lost := e.cutInFlight(c.Uint64(0)) + p.cutInFlight(c.Uint64(1))
	arrived := e.out.len() + p.out.len()
	tellE, tellP := !half || c.Chance(3, 0.5), true
	if half && tellE {
		tellP = false
	}
	e.lost, p.lost, e.told, p.told = true, true, true, true
	n.faults().Fired(f)
	e.harm, p.harm = f, f
	if tellE {
		p.tellPeer(c.Between(4, 0, n.cfg.ResetTellMax), errReset)
	}
	if tellP {
		e.tellPeer(c.Between(5, 0, n.cfg.ResetTellMax), errReset)
	}
	n.stats.Resets++
	halfOpen := int64(0)
	if half {
		n.stats.HalfOpen++
		halfOpen = 1
	}
	e.stack.node.trace(trace.Event{Kind: kindReset, Text: p.stack.node.name,
		N: [4]int64{int64(e.id), halfOpen, int64(arrived), int64(lost)}})
}

// ProcessEnded resets the connections of the process; the kernel tells the peers.
func (nd *Node) ProcessEnded() {
	for _, e := range nd.endAll() {
		e.tellPeer(0, errReset)
	}
}

// PowerLost ends the connections without telling anybody.
func (nd *Node) PowerLost() {
	for _, e := range nd.endAll() {
		e.peer.lost, e.peer.orphan, e.peer.told = true, true, true
		nd.orphans = append(nd.orphans, e.peer)
	}
	nd.off = true
}

// endAll ends all connections of the process in order of their ids and returns those
// whose peers are still there.
func (nd *Node) endAll() []*end {
	s := nd.stack
	if s == nil {
		return nil
	}
	nd.stack, s.ended = nil, true
	var told []*end
	for _, id := range slices.Sorted(maps.Keys(s.conns)) {
		e := s.conns[id]
		e.finish()
		if e.peer == nil || e.peer.state == dead {
			e.out.cut(0)
			continue
		}
		if e.peer.told {
			continue
		}
		e.cutInFlight(e.jitter.Of("net.killed").Uint64(0))
		told = append(told, e)
	}
	return told
}

// PoweredOn lets the machine answer again: with a reset to whoever still sends into a
// connection from before, as soon as the sender's kernel tries again.
func (nd *Node) PoweredOn() {
	if !nd.off {
		return
	}
	nd.off = false
	waiting := nd.orphans[:0]
	for _, o := range nd.orphans {
		switch {
		case o.state == dead || !o.orphan:
		case o.outBytes > 0:
			o.retransmit()
		default:
			waiting = append(waiting, o)
		}
	}
	clear(nd.orphans[len(waiting):])
	nd.orphans = waiting
}

func below(decision uint64, n int) int {
	return int((decision >> 32) * uint64(n) >> 32)
}
