package simnet

import (
	"errors"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// What a connection or a dial ends with, as ConnClosed and ConnDialed tell it.
var (
	ErrReset   = errors.New("connection reset by peer")
	ErrRefused = errors.New("connection refused")
	ErrTimeout = errors.New("connection timed out")
	ErrNoHost  = errors.New("no such host")
	// ErrClosed: the other end closed in order, and all it had sent has arrived.
	ErrClosed = errors.New("connection closed by peer")
	// ErrFrame: the other end sent a frame that is empty or too long.
	ErrFrame = errors.New("bad frame length")
)

// Network joins the hosts of a world.
type Network struct {
	engine *engine.Engine
	cfg    Config
	nodes  []*Node
	addrs  map[string]*listener
	links  map[linkKey]*link
	stats  Stats
}

// Stats counts what happened, for coverage goals.
type Stats struct {
	Dials, DialsFailed   uint64
	Frames, Bytes        uint64 // delivered
	FramesLost           uint64 // sent, and cut off by the end of the connection
	Resets, HalfOpen     uint64 // faults
	FullQueues, Writable uint64 // times Send said false, and ConnWritable
}

// New returns a network without hosts.
func New(e *engine.Engine, cfg Config) *Network {
	return &Network{
		engine: e, cfg: cfg.withDefaults(),
		addrs: make(map[string]*listener), links: make(map[linkKey]*link),
	}
}

// Stats returns the counts so far.
func (n *Network) Stats() Stats { return n.stats }

type listener struct {
	Listener
	node *Node
}

// Node is a host's place in the network. It outlives the host's processes.
type Node struct {
	net   *Network
	index int32
	name  string
	off   bool   // the machine has no power: it answers nothing
	stack *Stack // the running process's; nil: the kernel answers alone
	port  int    // of the last dial, for ConnInfo.Remote

	// ends on other hosts whose other end died here without their being told
	orphans []*end
}

// AddNode puts a host into the network. Its index tells its events from others'.
func (n *Network) AddNode(index int32, name string, listen []Listener) *Node {
	nd := &Node{net: n, index: index, name: name, port: 32768}
	n.nodes = append(n.nodes, nd)
	for _, l := range listen {
		if n.addrs[l.Addr] != nil {
			panic("simnet: two listeners at " + l.Addr)
		}
		n.addrs[l.Addr] = &listener{Listener: l, node: nd}
	}
	return nd
}

// Open gives a new process its network. It can dial at once and is dialed after Serve.
func (nd *Node) Open(life uint32, clock Clock, buffers env.Buffers) *Stack {
	nd.stack = &Stack{
		node: nd, net: nd.net, life: life, clock: clock, buffers: buffers,
		conns: make(map[env.ConnID]*end),
	}
	return nd.stack
}

// Clock is the time of the process: that of the world and what its running handler was
// charged. What a handler sends leaves at its own time.
type Clock interface {
	Now() env.Instant
}

// linkKey names a link: one direction between two hosts for one class of listener.
type linkKey struct {
	from, to int32
	class    env.Class
}

// link is where frames take time.
type link struct {
	choice engine.Choice
	base   time.Duration
	freeAt env.Instant // when the pipe has swallowed what was sent, if it is narrow
	conns  uint64      // opened so far: the number of a connection is part of its key
}

func (n *Network) link(from, to *Node, class env.Class) *link {
	key := linkKey{from.index, to.index, class}
	l := n.links[key]
	if l == nil {
		c := n.engine.Choice.Of("net.delay").Of(from.name).Of(to.name).Num(uint64(class))
		l = &link{choice: c, base: c.Between(0, n.cfg.DelayMin, n.cfg.DelayMax)}
		n.links[key] = l
	}
	return l
}

// delay is the way of frame number i of a connection: one decision gives both jitter and
// tail, from its two halves.
func (n *Network) delay(l *link, c engine.Choice, i uint64) time.Duration {
	d := l.base
	if n.cfg.Jitter == 0 && n.cfg.TailChance == 0 {
		return d
	}
	v := c.Uint64(i)
	d += time.Duration((v >> 32) * uint64(n.cfg.Jitter) >> 32)
	if tail := n.cfg.TailChance; tail > 0 && float64(uint32(v))/(1<<32) >= 1-tail {
		d += c.Of("tail").LogBetween(i, n.cfg.TailMin, n.cfg.TailMax)
	}
	return d
}

// depart returns when the last byte of n bytes sent at t has entered the link.
func (n *Network) depart(l *link, t env.Instant, size int) env.Instant {
	if n.cfg.BytesPerSecond == 0 {
		return t
	}
	t = max(t, l.freeAt).Add(time.Duration(int64(size) * int64(time.Second) / n.cfg.BytesPerSecond))
	l.freeAt = t
	return t
}

var (
	kindReset = trace.Define("net-reset", "conn", "half-open", "arrived", "lost")
	kindDial  = trace.Define("net-dial-fault", "conn")
)

func (nd *Node) trace(ev trace.Event) {
	ev.Node, ev.Topic, ev.Partition = -1, nd.name, -1
	nd.net.engine.Trace(ev)
}
