package simnet

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// unknownHostDelay is what it takes to learn that a name leads nowhere.
const unknownHostDelay = time.Millisecond

// dial sends the first packet of a connection.
func (s *Stack) dial(class env.Class, addr string) *end {
	s.last++
	e := &end{stack: s, id: s.last, class: class, addr: addr}
	s.conns[e.id] = e
	n := s.net
	n.stats.Dials++
	now := s.clock.Now()
	e.dialedAt = now
	l := n.addrs[addr]
	if l == nil {
		e.link = &n.nowhere
		e.post(now.Add(unknownHostDelay), opDialFailed, errNoHost)
		return e
	}
	e.link = n.link(s.node, l.node, class)
	e.link.conns++
	e.jitter = e.link.choice.Num(e.link.conns)
	e.openAt = now
	if e.link.mode >= Jam {
		e.harm = e.link.cut.fault
		e.post(now.Add(n.cfg.DialTimeout), opDialFailed, errTimeout)
	}
	if e.link.mode == Stop {
		n.faults().Fired(e.harm)
		return e
	}
	e.postWorld(now.Add(n.delay(e.link, e.jitter, 0)), opSyn, 0)
	return e
}

// Ordinals of the decisions about one dial.
const (
	choiceRefused uint64 = iota
	choiceSilent
	choiceReset
	choiceLife
)

// synArrived is the first packet at the dialed machine. It happens even if the dialing
// process has died since.
func (e *end) synArrived() {
	if e.state == dead {
		return
	}
	n := e.stack.net
	if e.link.mode >= Jam && e.synHeldUp() {
		return
	}
	l := n.addrs[e.addr]
	back := n.link(l.node, e.stack.node, e.class)
	c, cfg, now := e.jitter.Of("net.dial"), &n.cfg, n.engine.Now()
	server := l.node.stack
	switch {
	case l.node.off || l.node.asleep:
		e.harm = l.node.trouble
		e.post(e.openAt.Add(cfg.DialTimeout), opDialFailed, errTimeout)
	case back.mode == Stop:
		n.faults().Fired(back.cut.fault)
		e.harm = back.cut.fault
		e.post(e.openAt.Add(cfg.DialTimeout), opDialFailed, errTimeout)
	case server == nil || server.handler == nil || len(server.conns) >= ConnsMax:
		e.post(now.Add(back.base), opDialFailed, errRefused)
	case c.Chance(choiceRefused, cfg.DialRefused) && e.dialFault(faultRefused):
		e.post(now.Add(back.base), opDialFailed, errRefused)
	case c.Chance(choiceSilent, cfg.DialSilent) && e.dialFault(faultSilent):
		e.post(e.openAt.Add(cfg.DialTimeout), opDialFailed, errTimeout)
	default:
		e.establish(server, back)
	}
}

// synHeldUp is the first packet at a link that is cut. A jam keeps it.
func (e *end) synHeldUp() bool {
	l, timeout := e.link, e.stack.net.cfg.DialTimeout
	l.blocked(event{e, opSyn, 0})
	if e.harm == nil || l.mode == Stop {
		e.harm = l.cut.fault
	}
	e.post(e.dialedAt.Add(timeout), opDialFailed, errTimeout)
	return true
}

// dialFault is a fault of one dial: it fires at once, unless it is vetoed.
func (e *end) dialFault(kind engine.FaultKind) bool {
	n := e.stack.net
	f := n.faults().Offer(e.drawn(kind, "net.dial"))
	n.faults().Fired(f)
	e.harm = f
	return f != nil
}

// drawn is the record of an instant fault of this connection.
func (e *end) drawn(kind engine.FaultKind, purpose string) engine.Fault {
	now, far := e.stack.net.engine.Now(), "?"
	if e.peer != nil {
		far = e.peer.stack.node.name
	} else if l := e.stack.net.addrs[e.addr]; l != nil {
		far = l.node.name
	}
	scope := e.stack.node.name + ">" + far
	return engine.Fault{Kind: kind, Scope: scope, From: now, To: now,
		Key: purpose + "/" + scope + "/conn" + strconv.FormatUint(uint64(e.id), 10)}
}

// establish makes the other end. What it sends arrives after the dialer knows that the
// connection is open.
func (e *end) establish(server *Stack, back *link) {
	n, now := e.stack.net, e.stack.net.engine.Now()
	server.last++
	p := &end{
		stack: server, id: server.last, class: e.class, addr: e.addr, state: open, passive: true,
		peer: e, link: back, jitter: e.jitter.Of("back"), openAt: now,
	}
	server.conns[p.id] = p
	e.peer = p
	e.openAt = now.Add(n.delay(back, p.jitter, 0))
	p.arrives = e.openAt
	p.post(now, opAccepted, 0)
	e.post(e.openAt, opDialed, 0)
	c := e.jitter.Of("net.dial")
	if n.cfg.ClogMean > 0 {
		e.clogAgain(0)
		p.clogAgain(0)
	}
	if c.Chance(choiceReset, n.cfg.DialReset) {
		e.postWorld(e.openAt, opReset, 0)
	} else if n.cfg.ResetMean > 0 {
		e.postWorld(e.openAt.Add(c.Until(choiceLife, n.cfg.ResetMean)), opReset, 0)
	}
}

func (e *end) accepted() {
	if e.state != open {
		return
	}
	peer := e.peer.stack.node
	peer.port++
	e.stack.handler.ConnAccepted(e.id, env.ConnInfo{
		Class:    e.class,
		Listener: e.stack.net.addrs[e.addr].Name,
		Remote:   peer.name + ":" + strconv.Itoa(peer.port),
	})
}

func (e *end) dialed() {
	if e.state == dead || e.peer.link.mode >= Jam && e.heldUp(opDialed, 0) {
		return
	}
	e.state = open
	if e.link.mode == Stop && e.out.len() > 0 {
		e.sever(0)
	}
	frames := e.out.all()
	for i := range frames {
		e.put(&frames[i])
	}
	if e.closeOnOpen {
		e.closeAfterSend()
	}
	e.stack.handler.ConnDialed(e.id, nil)
}

func (e *end) dialFailed(err error) {
	if e.state != dialing {
		return
	}
	if p := e.peer; p != nil && !p.told {
		p.told, p.orphan, p.harm = true, true, e.harm
	}
	e.finish()
	e.out.cut(0)
	e.harmed()
	e.stack.net.stats.DialsFailed++
	e.stack.handler.ConnDialed(e.id, err)
}
