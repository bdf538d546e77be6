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
	all    []*link // in the order in which they were first used
	stats  Stats

	// faults
	cuts    []*cut
	traps   []*trap
	waits   uint64        // for acknowledgements, so far
	nowhere link          // of dials to a name that leads nowhere
	prefer  func() string // the host to which partitions shall happen
	// numbers for keys, and what events name
	partitions uint64
	flaps      []flap
	swizzles   []*swizzle
}

// Stats counts what happened, for coverage goals.
type Stats struct {
	Dials, DialsFailed   uint64
	Frames, Bytes        uint64 // delivered
	FramesLost           uint64 // sent, and cut off by the end of the connection
	Resets, HalfOpen     uint64 // faults
	GaveUp               uint64 // connections that a kernel ended without an answer
	FullQueues, Writable uint64 // times Send said false, and ConnWritable
}

// New returns a network without hosts.
func New(e *engine.Engine, cfg Config) *Network {
	n := &Network{
		engine: e, cfg: cfg.withDefaults(),
		addrs: make(map[string]*listener), links: make(map[linkKey]*link),
	}
	n.nowhere.buffer = n.cfg.SendBuffer
	n.plan()
	return n
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
	off   bool // the machine has no power: it answers nothing
	// asleep: the machine is suspended. It answers no dial; connections wait.
	asleep bool
	// trouble is the fault that keeps the process from answering, for who gives up on it.
	trouble *engine.Fault
	serves  bool // has listeners: no mere client
	classes []env.Class
	stack   *Stack // the running process's; nil: the kernel answers alone
	port    int    // of the last dial, for ConnInfo.Remote

	// ends on other hosts whose other end died here without their being told
	orphans []*end
}

// AddNode puts a host into the network. Its index tells its events from others'.
func (n *Network) AddNode(index int32, name string, listen []Listener) *Node {
	nd := &Node{net: n, index: index, name: name, port: 32768, serves: len(listen) > 0}
	n.nodes = append(n.nodes, nd)
	for _, l := range listen {
		if n.addrs[l.Addr] != nil {
			panic("simnet: two listeners at " + l.Addr)
		}
		nd.classes = append(nd.classes, l.Class)
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

// Off reports that the machine has no power.
func (nd *Node) Off() bool { return nd.off }

// SetAsleep says whether the machine is suspended.
func (nd *Node) SetAsleep(asleep bool) { nd.asleep = asleep }

// SetTrouble names the fault that is observed when a peer gives up a connection to this
// host; nil for none.
func (nd *Node) SetTrouble(f *engine.Fault) { nd.trouble = f }

// linkKey names a link: one direction between two hosts for one class of listener.
type linkKey struct {
	pair
	class env.Class
}

// link is where frames take time.
type link struct {
	linkKey
	net    *Network
	choice engine.Choice
	base   time.Duration
	freeAt env.Instant // when the pipe has swallowed what was sent, if it is narrow
	conns  uint64      // opened so far: the number of a connection is part of its key
	pipe   int64       // bytes per second as it was made; 0: without bound
	thin   int         // bytes a connection may have under way, as it was made; 0: as configured
	born   *engine.Fault

	// what faults make of it, by refresh
	mode   Mode
	rate   int64         // bytes per second just now
	buffer int           // bytes a connection may have under way
	cut    *cut          // the reason of mode
	narrow *engine.Fault // the reason of rate and buffer
	kept   []event       // by a jam
}

func (n *Network) link(from, to *Node, class env.Class) *link {
	key := linkKey{pair{from.index, to.index}, class}
	l := n.links[key]
	if l == nil {
		c := n.engine.Choice.Of("net.delay").Of(from.name).Of(to.name).Num(uint64(class))
		l = &link{linkKey: key, net: n, choice: c, base: c.Between(0, n.cfg.DelayMin, n.cfg.DelayMax)}
		n.widths(l, from.name+">"+to.name)
		n.apply(l)
		n.links[key] = l
		n.all = append(n.all, l)
	}
	return l
}

// delay is the way of frame number i of a connection: one decision gives both jitter and
// tail, from its two halves.
func (n *Network) delay(l *link, c engine.Choice, i uint64) time.Duration {
	d := l.base
	if l.mode == Slow {
		d = l.slow(d)
	}
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
	if l.rate == 0 {
		return t
	}
	n.faults().Fired(l.narrow)
	t = max(t, l.freeAt).Add(time.Duration(int64(size) * int64(time.Second) / l.rate))
	l.freeAt = t
	return t
}

var (
	kindReset = trace.Define("net-reset", "conn", "half-open", "arrived", "lost")
)

func (nd *Node) trace(ev trace.Event) {
	ev.Node, ev.Topic, ev.Partition = -1, nd.name, -1
	nd.net.engine.Trace(ev)
}
