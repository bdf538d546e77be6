package simnet

import (
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// Shape is who can talk to whom in a partition.
type Shape uint8

const (
	// Isolate cuts one host from all others.
	Isolate Shape = iota
	// Halves splits the servers into two; each client sees one half, the other or both.
	Halves
	// Bridge is Halves, and one server sees both.
	Bridge
	// Ring lets each server see its neighbours on a drawn ring: a majority, itself
	// included, and no two the same. It cuts nothing among fewer than four.
	Ring
	// Minority cuts one server, with less than half of the servers, from the rest.
	Minority
	// Controllers cuts servers that listen to peers only from those that serve clients.
	Controllers
	// Clients cuts clients from a drawn side of the servers.
	Clients
	// Sides cuts Partition.Side from all others.
	Sides
)

func (s Shape) String() string {
	return [...]string{"isolate", "halves", "bridge", "ring", "minority", "controllers", "clients", "sides"}[s]
}

// Partition disrupts links among sets of hosts.
type Partition struct {
	Shape Shape
	// Node is the host that Isolate isolates, Bridge keeps in both halves, Minority keeps
	// among few. Default: drawn.
	Node string
	// Side is the one side of Sides.
	Side []string
	// OneWay lets the frames of one drawn direction through, where there are two sides.
	OneWay bool
	// Flap heals and cuts again, each for this long.
	Flap time.Duration
	Disruption
}

var (
	faultPartition = engine.DefineFault("net.partition")
	faultClog      = engine.DefineFault("net.clog")
	faultSwizzle   = engine.DefineFault("net.swizzle")
)

// Partition disrupts links from now on. What is left open is drawn. It returns nil when
// that would change nothing, or when it was vetoed.
func (n *Network) Partition(p Partition) *engine.Fault {
	n.partitions++
	c := n.engine.Choice.Of("net.partition").Num(n.partitions)
	pairs, scope := n.shape(p, c)
	f := n.disrupt(faultPartition, p.Shape.String()+":"+scope, pairs, p.Disruption)
	if f != nil && p.Flap > 0 {
		n.flapAfter(f, p.Flap)
	}
	return f
}

// Prefer sets a function that names the host to which partitions shall happen half of the
// time: the leader. Its answer "" means none.
func (n *Network) Prefer(host func() string) { n.prefer = host }

// shape returns the directed pairs that are cut.
func (n *Network) shape(p Partition, c engine.Choice) (map[pair]bool, string) {
	servers, clients := n.servers(c), n.clients()
	switch p.Shape {
	case Ring:
		return ring(servers), names(servers)
	case Controllers:
		inner, outer := n.byRole(servers)
		return n.twoSides(inner, outer, p, c)
	case Clients:
		return n.twoSides(clients, servers[:len(servers)-len(servers)/2], p, c)
	case Sides:
		side := n.named(p.Side)
		return n.twoSides(side, n.others(side), p, c)
	}
	servers = n.first(servers, p, c)
	cutoff := 1
	switch p.Shape {
	case Halves, Bridge:
		cutoff = (len(servers) + 1) / 2
	case Minority:
		cutoff = 1 + int(c.Below(4, uint64(max(1, (len(servers)-1)/2))))
	}
	if len(servers) == 0 {
		return nil, ""
	}
	a, b := slices.Clone(servers[:cutoff]), slices.Clone(servers[cutoff:])
	switch p.Shape {
	case Isolate:
		b = append(b, clients...)
	case Bridge:
		a = a[1:]
		fallthrough
	default:
		for i, nd := range clients {
			switch c.Of("client").Below(uint64(i), 3) {
			case 0:
				a = append(a, nd)
			case 1:
				b = append(b, nd)
			}
		}
	}
	return n.twoSides(a, b, p, c)
}

// twoSides are the pairs between two sets.
func (n *Network) twoSides(a, b []*Node, p Partition, c engine.Choice) (map[pair]bool, string) {
	if p.OneWay && c.Chance(5, 0.5) {
		a, b = b, a
	}
	sign := "|"
	if p.OneWay {
		sign = ">"
	}
	return across(a, b, !p.OneWay), names(a) + sign + names(b)
}

// ring lets each see k neighbours on both sides.
func ring(nodes []*Node) map[pair]bool {
	size := len(nodes)
	k := (size/2 + 1) / 2
	pairs := make(map[pair]bool)
	for i, a := range nodes {
		for j, b := range nodes {
			if d := (j - i + size) % size; d > k && size-d > k {
				pairs[pair{a.index, b.index}] = true
			}
		}
	}
	return pairs
}

// servers returns the hosts with listeners in drawn order.
func (n *Network) servers(c engine.Choice) []*Node {
	var out []*Node
	for _, nd := range n.nodes {
		if nd.serves {
			out = append(out, nd)
		}
	}
	return shuffle(out, c.Of("order"))
}

func (n *Network) clients() []*Node {
	var out []*Node
	for _, nd := range n.nodes {
		if !nd.serves {
			out = append(out, nd)
		}
	}
	return out
}

func (n *Network) others(side []*Node) []*Node {
	var out []*Node
	for _, nd := range n.nodes {
		if !slices.Contains(side, nd) {
			out = append(out, nd)
		}
	}
	return out
}

// byRole parts servers that only peers reach from those that clients reach.
func (n *Network) byRole(servers []*Node) (inner, outer []*Node) {
	for _, nd := range servers {
		if slices.Contains(nd.classes, env.ClassClient) {
			outer = append(outer, nd)
		} else {
			inner = append(inner, nd)
		}
	}
	return inner, outer
}

// first puts the host that the partition is about to the front.
func (n *Network) first(servers []*Node, p Partition, c engine.Choice) []*Node {
	name := p.Node
	if name == "" && n.prefer != nil && c.Chance(6, 0.5) {
		name = n.prefer()
	}
	if name == "" {
		return servers
	}
	front := n.node(name)
	out := []*Node{front}
	for _, nd := range servers {
		if nd != front {
			out = append(out, nd)
		}
	}
	return out
}

// shuffle brings nodes into a drawn order.
func shuffle(nodes []*Node, c engine.Choice) []*Node {
	for i := len(nodes) - 1; i > 0; i-- {
		j := c.Below(uint64(i), uint64(i+1))
		nodes[i], nodes[j] = nodes[j], nodes[i]
	}
	return nodes
}

// flapAfter turns an active disruption off and on.
func (n *Network) flapAfter(f *engine.Fault, period time.Duration) {
	n.flaps = append(n.flaps, flap{f, period})
	n.post(n.engine.Now().Add(period), opFlap, uint64(len(n.flaps)-1))
}

type flap struct {
	fault  *engine.Fault
	period time.Duration
}

func (n *Network) flapDue(i uint64) {
	fl := n.flaps[i]
	for _, c := range n.cuts {
		if c.fault == fl.fault {
			c.off = !c.off
			n.refresh()
			n.post(n.engine.Now().Add(fl.period), opFlap, i)
		}
	}
}

// Clog stops what a host sends, or what it receives: all is kept, in order, and comes in a
// burst at the end.
type Clog struct {
	Host    string
	Receive bool          // what it receives; default: what it sends
	For     time.Duration // 0: until Heal
}

// Clog stops one direction of a host from now on.
func (n *Network) Clog(c Clog) *engine.Fault {
	nd := n.node(c.Host)
	pairs, scope := across([]*Node{nd}, n.nodes, false), c.Host+">"
	if c.Receive {
		pairs, scope = across(n.nodes, []*Node{nd}, false), ">"+c.Host
	}
	return n.disrupt(faultClog, scope, pairs, Disruption{Mode: Jam, For: c.For})
}

// Swizzle clogs half of the hosts, one after another over the first half of the time, and
// unclogs them in another order over the second.
func (n *Network) Swizzle(d time.Duration) *engine.Fault { return n.swizzle(d, "") }

func (n *Network) swizzle(d time.Duration, key string) *engine.Fault {
	n.partitions++
	c := n.engine.Choice.Of("net.swizzle").Num(n.partitions)
	nodes := shuffle(slices.Clone(n.nodes), c)
	nodes = nodes[:(len(nodes)+1)/2]
	if len(n.nodes) < 2 {
		return nil
	}
	f := n.faults().Offer(engine.Fault{Kind: faultSwizzle, Scope: names(nodes), From: n.engine.Now(),
		To: n.until(d), Key: key})
	if f == nil {
		return nil
	}
	s := &swizzle{fault: f}
	for _, nd := range nodes {
		s.cuts = append(s.cuts, &cut{fault: f, Disruption: Disruption{Mode: Jam}, off: true,
			pairs: across([]*Node{nd}, n.nodes, true)})
	}
	n.cuts = append(n.cuts, s.cuts...)
	n.faults().Begin(f, func() {
		n.cuts = slices.DeleteFunc(n.cuts, func(x *cut) bool { return x.fault == f })
		n.refresh()
	})
	n.swizzles = append(n.swizzles, s)
	number, size := uint64(len(n.swizzles)-1)<<32, len(nodes)
	order := shuffled(size, c.Of("unclog"))
	for i := range size {
		step := d / 2 * time.Duration(i) / time.Duration(size)
		n.post(n.engine.Now().Add(step), opSwizzle, number|uint64(i))
		n.post(n.engine.Now().Add(d/2+step), opSwizzle, number|uint64(order[i]))
	}
	return f
}

type swizzle struct {
	fault *engine.Fault
	cuts  []*cut
}

// swizzleDue clogs or unclogs one host.
func (n *Network) swizzleDue(arg uint64) {
	s := n.swizzles[arg>>32]
	if c := s.cuts[uint32(arg)]; !s.fault.Ended {
		c.off = !c.off
		n.refresh()
	}
}

func shuffled(size int, c engine.Choice) []int {
	out := make([]int, size)
	for i := range out {
		out[i] = i
	}
	for i := size - 1; i > 0; i-- {
		j := c.Below(uint64(i), uint64(i+1))
		out[i], out[j] = out[j], out[i]
	}
	return out
}
