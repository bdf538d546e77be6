package simnet

import (
	"slices"
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// Faults of single connections.
var (
	faultClogConn  = engine.DefineFault("net.clog-conn")
	faultLate      = engine.DefineFault("net.late")
	faultReplyLost = engine.DefineFault("net.reply-lost")
	faultCorrupt   = engine.DefineFault("net.corrupt")
)

// trap is a fault that a plan ordered and that waits for its occasion.
type trap struct {
	fault    *engine.Fault
	from, to *Node
	linger   time.Duration // of a late close
}

// LoseReply makes the next frame that a process on server sends to client, over a
// connection that client dialed, get lost with a reset: the server has acted, and the
// client does not know.
func (n *Network) LoseReply(server, client string) *engine.Fault {
	return n.setTrap(faultReplyLost, &trap{from: n.node(server), to: n.node(client)})
}

// LateClose makes what is under way when a process on from next closes a connection to to
// arrive only after linger, beside newer connections.
func (n *Network) LateClose(from, to string, linger time.Duration) *engine.Fault {
	return n.setTrap(faultLate, &trap{from: n.node(from), to: n.node(to), linger: linger})
}

// ClogConn stops what a host sends on one of its connections for d. Nothing is lost.
func (n *Network) ClogConn(host string, conn env.ConnID, d time.Duration) *engine.Fault {
	s := n.node(host).stack
	if s == nil || s.conns[conn] == nil || s.conns[conn].state == dialing {
		return nil
	}
	e := s.conns[conn]
	f := e.drawn(faultClogConn, "")
	f.Key = ""
	return e.clogFor(f, d)
}

func (n *Network) setTrap(kind engine.FaultKind, t *trap) *engine.Fault {
	if len(n.traps) >= TrapsMax {
		return nil
	}
	params := ""
	if t.linger > 0 {
		params = "linger=" + t.linger.String()
	}
	t.fault = n.faults().Offer(engine.Fault{
		Kind: kind, Scope: t.from.name + ">" + t.to.name, From: n.engine.Now(), Params: params})
	if t.fault != nil {
		n.traps = append(n.traps, t)
		n.faults().Begin(t.fault, func() {
			n.traps = slices.DeleteFunc(n.traps, func(x *trap) bool { return x == t })
		})
	}
	return t.fault
}

// sprung returns the trap of that kind that e steps into, and removes it.
func (n *Network) sprung(kind engine.FaultKind, e *end) *trap {
	for _, t := range n.traps {
		if t.fault.Kind == kind && t.from == e.stack.node && t.to == e.peer.stack.node {
			n.faults().Fired(t.fault)
			n.faults().End(t.fault)
			return t
		}
	}
	return nil
}

// losesReply decides about the frame that e, a dialed end, has just been given. It reports
// true if that one is lost and the connection with it.
func (n *Network) losesReply(e *end) bool {
	if len(n.traps) == 0 && n.cfg.ReplyLost == 0 || e.told || e.peer.told || e.peer.state == dead {
		return false
	}
	var f *engine.Fault
	e.replies++
	if t := n.sprung(faultReplyLost, e); t != nil {
		f = t.fault
	} else if e.jitter.Of("net.reply").Chance(e.replies, n.cfg.ReplyLost) {
		f = n.faults().Offer(e.drawn(faultReplyLost, "net.reply"))
	}
	if f == nil {
		return false
	}
	n.faults().Fired(f)
	n.stats.FramesLost += uint64(e.out.cut(e.out.len() - 1))
	p, c := e.peer, e.jitter.Of("net.reply-lost")
	p.cutInFlight(c.Uint64(0))
	e.lost, p.lost, e.told, p.told = true, true, true, true
	e.harm, p.harm = f, f
	p.tellPeer(c.Between(1, 0, n.cfg.ResetTellMax), errReset)
	e.tellPeer(c.Between(2, 0, n.cfg.ResetTellMax), errReset)
	return true
}

// lingers decides, when e's process closes, whether what is under way comes late. What it
// keeps arrives whole, with an orderly close behind it.
func (e *end) lingers(c engine.Choice) bool {
	n, p := e.stack.net, e.peer
	if len(n.traps) == 0 && n.cfg.Linger == 0 || e.out.len() <= p.held || e.link.mode >= Jam || p.lateUntil > 0 {
		return false
	}
	var f *engine.Fault
	var linger time.Duration
	if t := n.sprung(faultLate, e); t != nil {
		f, linger = t.fault, t.linger
	} else if c.Chance(2, n.cfg.Linger) {
		linger = c.LogBetween(3, time.Millisecond, n.cfg.LingerMax)
		drawn := e.drawn(faultLate, "net.late")
		drawn.Params = "linger=" + linger.String()
		f = n.faults().Offer(drawn)
	}
	if f == nil {
		return false
	}
	n.faults().Fired(f)
	p.lateUntil = max(n.engine.Now().Add(linger), e.out.last().arrives)
	p.harm = f
	e.out.last().arrives = p.lateUntil
	p.post(p.lateUntil, opLate, e.link.conns)
	for range e.out.len() - p.held {
		p.post(p.lateUntil, opArrived, 0)
	}
	e.tellPeer(0, errClosed)
	return true
}

// lingered is the moment at which late frames arrive. If the other host has dialed again by
// then, a process sees an old connection speak after a new one.
func (e *end) lingered(conns uint64) {
	if e.state == open && e.peer.link.conns > conns {
		e.stack.net.faults().Observed(e.harm)
	}
	e.harm = nil
}

// corrupt may flip a bit of a frame that arrived at e.
func (e *end) corrupt(b []byte) {
	n := e.stack.net
	e.frames++
	c := e.jitter.Of("net.corrupt")
	if len(b) <= CorruptFrom || !c.Chance(2*e.frames, n.cfg.Corrupt) {
		return
	}
	bit := CorruptFrom*8 + c.Below(2*e.frames+1, uint64(len(b)-CorruptFrom)*8)
	drawn := e.drawn(faultCorrupt, "net.corrupt")
	drawn.Params = "bit=" + strconv.FormatUint(bit, 10)
	if f := n.faults().Offer(drawn); f != nil {
		b[bit/8] ^= 1 << (bit % 8)
		n.faults().Fired(f)
	}
}

// clogAgain waits for the next clog of what e sends.
func (e *end) clogAgain(ordinal uint64) {
	n := e.stack.net
	e.postWorld(n.engine.Now().Add(e.jitter.Of("net.clog").Until(2*ordinal, n.cfg.ClogMean)), opClog, ordinal)
}

func (e *end) clogDue(ordinal uint64) {
	n := e.stack.net
	if e.state == dead || e.lost || n.faults().IsCalm() {
		return
	}
	d := e.jitter.Of("net.clog").Exp(2*ordinal+1, n.cfg.ClogFor)
	e.clogFor(e.drawn(faultClogConn, "net.clog"), d)
	e.clogAgain(ordinal + 1)
}

func (e *end) clogFor(record engine.Fault, d time.Duration) *engine.Fault {
	n := e.stack.net
	record.To = n.engine.Now().Add(d)
	f := n.faults().Offer(record)
	if f != nil {
		was := e.openAt
		e.openAt, e.clog = max(e.openAt, record.To), f
		n.faults().Begin(f, func() {
			if e.clog == f {
				e.openAt, e.clog = was, nil
			}
		})
	}
	return f
}

// widths makes a link as wide as it is for good.
func (n *Network) widths(l *link, scope string) {
	l.pipe = n.cfg.BytesPerSecond
	c := l.choice.Of("net.narrow")
	if n.cfg.NarrowChance == 0 || !c.Chance(0, n.cfg.NarrowChance) {
		return
	}
	rate := int64(c.LogBetween(1, 10<<10, 1<<30))
	buffer := int(c.LogBetween(2, 4<<10, 4<<20))
	scope += "/" + l.class.String()
	l.born = n.faults().Offer(engine.Fault{
		Kind: faultNarrow, Scope: scope, From: n.engine.Now(), Key: "net.narrow/" + scope,
		Params: "rate=" + strconv.FormatInt(rate, 10) + " buffer=" + strconv.Itoa(buffer)})
	if l.born == nil {
		return
	}
	l.pipe, l.thin = rate, buffer
	n.faults().Begin(l.born, func() {
		l.pipe, l.thin, l.born = n.cfg.BytesPerSecond, 0, nil
		n.apply(l)
	})
}

// slow is a delay on a link in mode Slow.
func (l *link) slow(d time.Duration) time.Duration {
	l.net.faults().Fired(l.cut.fault)
	return d * time.Duration(l.cut.Factor)
}
