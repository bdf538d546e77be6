package simnet

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// # A stream that lost bytes
//
// Over TCP nothing is lost from the middle of a stream. So a frame that a cut drops takes
// with it all that is sent after it, for ever: the stream is severed. Its sender goes on
// until its buffer is full, or until its kernel gives up. The other direction works, but
// what it delivers is not acknowledged while the cut lasts: its buffer fills as well, and
// its kernel may give up too. A kernel that has given up answers later bytes with a reset,
// once those and the reset can pass.

// sever ends the stream that e sends, because the cut of its link dropped bytes of it. What
// has reached the other host, and waits there, stays.
func (e *end) sever(keep int) {
	n := e.stack.net
	n.stats.FramesLost += uint64(e.out.cut(keep))
	cut := e.link.cut
	n.faults().Fired(cut.fault)
	e.harm = cut.fault
	if e.severed {
		return
	}
	e.lost, e.severed = true, true
	e.waitForAck(cut)
}

// waitForAck starts the clock of a kernel that gets no acknowledgement.
func (e *end) waitForAck(cut *cut) {
	if cut.GiveUp > 0 && e.waits == 0 {
		e.stack.net.waits++
		e.waits = e.stack.net.waits
		e.harm = cut.fault
		e.post(e.stack.net.engine.Now().Add(cut.GiveUp), opGiveUp, e.waits)
	}
}

// giveUp is the end of the kernel's patience, unless an acknowledgement came.
func (e *end) giveUp(wait uint64) {
	if e.state == dead || e.waits != wait {
		return
	}
	n := e.stack.net
	p := e.peer
	n.stats.GaveUp++
	if p.state != dead && !p.told {
		p.told, p.orphan = true, true
	}
	e.closed(ErrTimeout)
	if p.orphan {
		p.harm = e.harm
		p.retransmit()
	}
}

// stopped is the begin of a stop: senders whose acknowledgements go over l wait for them.
func (n *Network) stopped(l *link) {
	for _, e := range n.ends(l) {
		if e.peer.link == l && e.state != dialing && e.out.len() > 0 && !l.cut.AckOpen {
			e.waitForAck(l.cut)
		}
	}
}

// passes is the heal of a stop: acknowledgements of what was delivered come through, and
// kernels that were silent answer.
func (n *Network) passes(l *link) {
	for _, e := range n.ends(l) {
		if e.peer.link == l && !e.severed {
			e.waits = 0
			e.outBytes -= e.unacked
			e.unacked = 0
			e.roomAgain()
		}
		if e.orphan {
			e.retransmit()
		}
	}
}

// retransmit is another try of the kernel of an orphan: it learns of the end if it has
// something to send, and both that and the answer pass.
func (e *end) retransmit() {
	if e.outBytes > 0 && e.answered() {
		again := e.jitter.Of("net.retransmit").LogBetween(0, time.Millisecond, time.Second)
		e.toldByReboot(e.stack.net.engine.Now().Add(again))
	}
}

// answered reports that a kernel is there to answer e with a reset.
func (e *end) answered() bool {
	return !e.peer.stack.node.off && e.link.mode < Jam && e.peer.link.mode < Jam
}

// sentIntoNowhere is a frame sent on a lost connection. If the other machine rebooted, it
// answers with a reset; otherwise nobody does.
func (e *end) sentIntoNowhere() {
	if e.orphan && e.answered() {
		e.toldByReboot(e.stack.clock.Now().Add(e.link.base + e.peer.link.base))
	}
}

func (e *end) toldByReboot(at env.Instant) {
	e.orphan = false
	e.post(at, opClosed, errReset)
}

// stoppedAtArrival handles what a stopped link drops just before e. The arrivals of a
// severed stream find nothing.
func (e *end) stoppedAtArrival(op uint32) {
	switch op {
	case opArrived:
		if e.peer.out.len() > e.held {
			e.peer.sever(e.held)
		}
	case opClosed: // the end of the connection is not heard
		e.orphan = true
		e.harm = e.peer.link.cut.fault
	case opDialed:
		e.unheard()
	}
}

// unheard is a handshake whose answer is lost: the dialer never gets to know that the other
// end is open.
func (e *end) unheard() {
	p := e.peer
	e.harm = p.link.cut.fault
	e.out.cut(0)
	p.lost, p.told, p.orphan = true, true, true
	e.post(e.dialedAt.Add(e.stack.net.cfg.DialTimeout), opDialFailed, errTimeout)
}

// harmed tells the fault that hurt e, if one did, that a process feels it.
func (e *end) harmed() {
	if e.harm != nil {
		e.stack.net.faults().Observed(e.harm)
		e.harm = nil
	}
}

// harm returns the fault that is to blame when a process gives up a connection.
func (e *end) blame() *engine.Fault {
	switch {
	case e.harm != nil:
		return e.harm
	case e.peer != nil && e.peer.harm != nil:
		return e.peer.harm
	case e.peer != nil && e.peer.stack.node.trouble != nil:
		return e.peer.stack.node.trouble
	}
	return nil
}
