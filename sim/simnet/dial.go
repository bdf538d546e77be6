package simnet

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
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
	l := n.addrs[addr]
	if l == nil {
		e.post(now.Add(unknownHostDelay), opDialFailed, errNoHost)
		return e
	}
	e.link = n.link(s.node, l.node, class)
	e.link.conns++
	e.jitter = e.link.choice.Num(e.link.conns)
	e.openAt = now
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
	l := n.addrs[e.addr]
	back := n.link(l.node, e.stack.node, e.class)
	c, cfg, now := e.jitter.Of("net.dial"), &n.cfg, n.engine.Now()
	server := l.node.stack
	switch {
	case l.node.off:
		e.post(e.openAt.Add(cfg.DialTimeout), opDialFailed, errTimeout)
	case server == nil || server.handler == nil || len(server.conns) >= ConnsMax:
		e.post(now.Add(back.base), opDialFailed, errRefused)
	case c.Chance(choiceRefused, cfg.DialRefused):
		e.traceDial("refused")
		e.post(now.Add(back.base), opDialFailed, errRefused)
	case c.Chance(choiceSilent, cfg.DialSilent):
		e.traceDial("silent")
		e.post(e.openAt.Add(cfg.DialTimeout), opDialFailed, errTimeout)
	default:
		e.establish(server, back)
	}
}

func (e *end) traceDial(what string) {
	e.stack.node.trace(trace.Event{Kind: kindDial, N: [4]int64{int64(e.id)}, Text: what})
}

// establish makes the other end. What it sends arrives after the dialer knows that the
// connection is open.
func (e *end) establish(server *Stack, back *link) {
	n, now := e.stack.net, e.stack.net.engine.Now()
	server.last++
	p := &end{
		stack: server, id: server.last, class: e.class, addr: e.addr, state: open,
		peer: e, link: back, jitter: e.jitter.Of("back"), openAt: now,
	}
	server.conns[p.id] = p
	e.peer = p
	e.openAt = now.Add(n.delay(back, p.jitter, 0))
	p.arrives = e.openAt
	p.post(now, opAccepted, 0)
	e.post(e.openAt, opDialed, 0)
	c := e.jitter.Of("net.dial")
	if c.Chance(choiceReset, n.cfg.DialReset) {
		e.traceDial("reset")
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
	if e.state == dead {
		return
	}
	e.state = open
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
	if e.state == dead {
		return
	}
	e.finish()
	e.out.cut(0)
	e.stack.net.stats.DialsFailed++
	e.stack.handler.ConnDialed(e.id, err)
}
