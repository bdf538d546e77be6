package simnet

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// Mode is what a disruption does to frames on a link. When several disrupt one link, the
// greatest rules.
type Mode uint8

const (
	passing Mode = iota
	// Slow multiplies the delay.
	Slow
	// Jam keeps frames, in order, and delivers them in a burst at the heal.
	Jam
	// Stop drops frames. A stream that lost one never recovers: what is sent into it after
	// the heal is lost too, as when a router forgot the connection.
	Stop
)

func (m Mode) String() string { return [...]string{"passing", "slow", "jam", "stop"}[m] }

// Disruption is how links suffer. The zero value is Stop, of all classes, until healed.
type Disruption struct {
	// Mode is Stop, Jam or Slow. Default: Stop.
	Mode Mode
	// Factor multiplies the delay in mode Slow. Default: 100.
	Factor int
	// AckOpen lets acknowledgements through where frames are stopped: the other direction
	// never notices. By default they are lost with the frames, so that the other end's send
	// buffer fills, and GiveUp applies to it as well.
	AckOpen bool
	// GiveUp is when a kernel that gets no acknowledgement ends the connection with
	// ErrTimeout; 0: never.
	GiveUp time.Duration
	// For is how long it lasts; 0: until Heal.
	For time.Duration
	// Classes are the classes of listeners whose connections suffer. Default: all.
	Classes []env.Class

	key string
}

// Cut disrupts the links from some hosts to others: by default, one way.
type Cut struct {
	From, To []string // names of hosts; empty: all others
	Both     bool     // and back
	Disruption
}

// Narrow makes links a thin pipe.
type Narrow struct {
	From, To       []string // as in Cut
	Both           bool
	BytesPerSecond int64 // 0: as before
	Buffer         int   // bytes a connection may have under way; 0: as before
	For            time.Duration
}

var (
	faultCut    = engine.DefineFault("net.cut")
	faultNarrow = engine.DefineFault("net.narrow")
)

// cut is an active disruption of directed pairs of hosts.
type cut struct {
	Disruption
	fault *engine.Fault
	pairs map[pair]bool
	off   bool // flapping, and passing just now
	// of a Narrow
	rate   int64
	buffer int
}

type pair struct{ from, to int32 }

// Cut disrupts links from now on. It returns nil when that would change nothing, or when
// it was vetoed.
func (n *Network) Cut(c Cut) *engine.Fault {
	from, to := n.named(c.From), n.named(c.To)
	scope := names(from) + ">" + names(to)
	if c.Both {
		scope = names(from) + "|" + names(to)
	}
	return n.disrupt(faultCut, scope, across(from, to, c.Both), c.Disruption)
}

// Narrow makes links a thin pipe from now on.
func (n *Network) Narrow(c Narrow) *engine.Fault {
	from, to := n.named(c.From), n.named(c.To)
	f := n.faults().Offer(engine.Fault{
		Kind: faultNarrow, Scope: names(from) + ">" + names(to), From: n.engine.Now(), To: n.until(c.For),
		Params: fmt.Sprintf("rate=%d buffer=%d", c.BytesPerSecond, c.Buffer),
	})
	if f != nil {
		n.begin(&cut{fault: f, pairs: across(from, to, c.Both), rate: c.BytesPerSecond, buffer: c.Buffer})
	}
	return f
}

// Heal ends a disruption. Links go back to what they were; only what a jam kept is left.
func (n *Network) Heal(f *engine.Fault) { n.faults().End(f) }

// HealAll ends all disruptions of links.
func (n *Network) HealAll() {
	for _, c := range slices.Clone(n.cuts) {
		n.faults().End(c.fault)
	}
}

func (n *Network) faults() *engine.Faults { return &n.engine.Faults }

// until is the end of something that lasts for d; 0 if it has none.
func (n *Network) until(d time.Duration) env.Instant {
	if d <= 0 {
		return 0
	}
	return n.engine.Now().Add(d)
}

func (d Disruption) withDefaults() Disruption {
	if d.Mode == passing {
		d.Mode = Stop
	}
	if d.Factor == 0 {
		d.Factor = 100
	}
	return d
}

func (d Disruption) String() string {
	s := "mode=" + d.Mode.String()
	if d.Mode == Slow {
		s += " factor=" + strconv.Itoa(d.Factor)
	}
	if d.AckOpen {
		s += " ack=open"
	}
	if d.GiveUp > 0 {
		s += " give-up=" + d.GiveUp.String()
	}
	for _, class := range d.Classes {
		s += " class=" + class.String()
	}
	return s
}

// disrupt offers and begins a disruption of pairs, if it changes anything.
func (n *Network) disrupt(
	kind engine.FaultKind, scope string, pairs map[pair]bool, d Disruption,
) *engine.Fault {
	d = d.withDefaults()
	if !n.changes(pairs, d) {
		return nil
	}
	f := n.faults().Offer(engine.Fault{
		Kind: kind, Scope: scope, From: n.engine.Now(), To: n.until(d.For), Params: d.String(), Key: d.key})
	if f != nil {
		n.begin(&cut{Disruption: d, fault: f, pairs: pairs})
	}
	return f
}

// changes reports whether some pair is not disrupted as much already.
func (n *Network) changes(pairs map[pair]bool, d Disruption) bool {
	for _, a := range n.nodes {
		for _, b := range n.nodes {
			if p := (pair{a.index, b.index}); pairs[p] && !n.covered(p, d.Mode) {
				return true
			}
		}
	}
	return false
}

func (n *Network) covered(p pair, mode Mode) bool {
	for _, c := range n.cuts {
		if c.pairs[p] && !c.off && c.Mode >= mode && mode != Slow && len(c.Classes) == 0 {
			return true
		}
	}
	return false
}

func (n *Network) begin(c *cut) {
	n.cuts = append(n.cuts, c)
	n.faults().Begin(c.fault, func() {
		n.cuts = slices.DeleteFunc(n.cuts, func(x *cut) bool { return x == c })
		n.refresh()
	})
	n.refresh()
}

// refresh brings all links up to date with the active cuts.
func (n *Network) refresh() {
	for _, l := range n.all {
		was := *l
		n.apply(l)
		if was.mode != Stop && l.mode == Stop {
			n.stopped(l)
		}
		if was.mode >= Jam && l.mode < Jam {
			l.flush()
		}
		if was.mode == Stop && l.mode != Stop {
			n.passes(l)
		}
	}
}

// apply computes what the active cuts make of a link.
func (n *Network) apply(l *link) {
	l.mode, l.cut, l.rate, l.buffer, l.narrow = passing, nil, l.pipe, n.cfg.SendBuffer, l.born
	if l.thin > 0 {
		l.buffer = min(l.buffer, l.thin)
	}
	for _, c := range n.cuts {
		if c.off || !c.pairs[l.pair] || !c.suits(l.class) {
			continue
		}
		if c.Mode > l.mode {
			l.mode, l.cut = c.Mode, c
		}
		if c.rate > 0 && (l.rate == 0 || c.rate < l.rate) {
			l.rate, l.narrow = c.rate, c.fault
		}
		if c.buffer > 0 && c.buffer < l.buffer {
			l.buffer, l.narrow = c.buffer, c.fault
		}
	}
}

func (d *Disruption) suits(class env.Class) bool {
	return len(d.Classes) == 0 || slices.Contains(d.Classes, class)
}

// event is one that a jam keeps.
type event struct {
	end *end
	op  uint32
	arg uint64
}

// blocked is asked when something reaches the far end of the link. It reports true if the
// thing goes no further: it is lost, or kept for the heal.
func (l *link) blocked(ev event) bool {
	if l.mode < Jam {
		return false
	}
	l.net.faults().Fired(l.cut.fault)
	if l.mode == Jam {
		l.kept = append(l.kept, ev)
		ev.end.harm = l.cut.fault
	}
	return true
}

// flush lets go, in order, what a jam kept.
func (l *link) flush() {
	now := l.net.engine.Now()
	for _, ev := range l.kept {
		ev.end.harm = nil
		if ev.op == opSyn {
			ev.end.postWorld(now, ev.op, ev.arg)
		} else {
			ev.end.post(now, ev.op, ev.arg)
		}
	}
	l.kept = nil
}

// named returns the nodes of those names; all for none.
func (n *Network) named(hosts []string) []*Node {
	if len(hosts) == 0 {
		return n.nodes
	}
	out := make([]*Node, len(hosts))
	for i, name := range hosts {
		out[i] = n.node(name)
	}
	return out
}

func (n *Network) node(name string) *Node {
	for _, nd := range n.nodes {
		if nd.name == name {
			return nd
		}
	}
	panic("simnet: no host " + name)
}

func names(nodes []*Node) string {
	var b strings.Builder
	for i, nd := range nodes {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(nd.name)
	}
	return b.String()
}

// across are the pairs from one set to the other, but none from a host to itself.
func across(from, to []*Node, both bool) map[pair]bool {
	pairs := make(map[pair]bool)
	for _, a := range from {
		for _, b := range to {
			if a != b {
				pairs[pair{a.index, b.index}] = true
				if both {
					pairs[pair{b.index, a.index}] = true
				}
			}
		}
	}
	return pairs
}

// ends returns the connections whose frames or acknowledgements go over l, in order.
func (n *Network) ends(l *link) []*end {
	var out []*end
	for _, nd := range n.nodes {
		if nd.stack == nil || nd.index != l.from && nd.index != l.to {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(nd.stack.conns)) {
			if e := nd.stack.conns[id]; e.peer != nil && (e.link == l || e.peer.link == l) {
				out = append(out, e)
			}
		}
	}
	return out
}

// Passes reports that nothing stops or jams frames from one host to another just now, of
// connections to listeners of that class.
func (n *Network) Passes(from, to string, class env.Class) bool {
	p := pair{n.node(from).index, n.node(to).index}
	for _, c := range n.cuts {
		if !c.off && c.pairs[p] && c.Mode >= Jam && c.suits(class) {
			return false
		}
	}
	return true
}
