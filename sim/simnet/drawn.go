package simnet

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// Operations of the network's own events.
const (
	opDrawPartition uint32 = iota
	opDrawCut
	opDrawSwizzle
	opFlap
	opSwizzle
)

func (n *Network) post(at env.Instant, op uint32, arg uint64) {
	n.engine.Post(engine.Event{At: at, Target: n, Op: op, Arg: arg, Host: engine.NoHost})
}

// plan waits for the first of each kind of fault that is drawn.
func (n *Network) plan() {
	for op := opDrawPartition; op <= opDrawSwizzle; op++ {
		n.drawAgain(op, 0)
	}
}

func (n *Network) drawAgain(op uint32, ordinal uint64) {
	mean := [...]time.Duration{n.cfg.PartitionMean, n.cfg.CutMean, n.cfg.SwizzleMean}[op]
	if mean > 0 && !n.faults().IsCalm() {
		n.post(n.engine.Now().Add(n.drawing(op).Until(10*ordinal, mean)), op, ordinal)
	}
}

// drawing is the scope of the decisions about one kind of drawn faults; each instance has
// ten ordinals, the first is when it begins.
func (n *Network) drawing(op uint32) engine.Choice {
	return n.engine.Choice.Of([...]string{"net.partitions", "net.cuts", "net.swizzles"}[op])
}

// Fire is an event of the network itself.
func (n *Network) Fire(op uint32, arg uint64) {
	switch op {
	case opFlap:
		n.flapDue(arg)
		return
	case opSwizzle:
		n.swizzleDue(arg)
		return
	}
	if n.faults().IsCalm() {
		return
	}
	c, i := n.drawing(op), 10*arg
	switch op {
	case opDrawPartition:
		n.drawPartition(c, i)
	case opDrawCut:
		n.drawCut(c, i)
	case opDrawSwizzle:
		n.swizzle(c.LogBetween(i+1, time.Second, 20*time.Second), "net.swizzles/"+strconv.FormatUint(arg, 10))
	}
	n.drawAgain(op, arg+1)
}

func (n *Network) drawPartition(c engine.Choice, i uint64) {
	p := Partition{Shape: Shape(c.Below(i+6, uint64(Sides))), Disruption: n.drawDisruption(c, i)}
	p.key = "net.partitions/" + strconv.FormatUint(i/10, 10)
	p.OneWay = c.Chance(i+7, 0.2)
	if c.Chance(i+8, 0.2) {
		p.Flap = c.LogBetween(i+9, 200*time.Millisecond, 5*time.Second)
	}
	n.Partition(p)
}

func (n *Network) drawCut(c engine.Choice, i uint64) {
	if len(n.nodes) < 2 {
		return
	}
	a := c.Below(i+6, uint64(len(n.nodes)))
	b := (a + 1 + c.Below(i+7, uint64(len(n.nodes)-1))) % uint64(len(n.nodes))
	d := n.drawDisruption(c, i)
	d.key = "net.cuts/" + strconv.FormatUint(i/10, 10)
	n.Cut(Cut{From: []string{n.nodes[a].name}, To: []string{n.nodes[b].name}, Disruption: d})
}

// drawDisruption uses the ordinals i+1 to i+5.
func (n *Network) drawDisruption(c engine.Choice, i uint64) Disruption {
	d := Disruption{
		Mode:    Slow + Mode(c.Below(i+1, 3)),
		For:     c.LogBetween(i+2, n.cfg.CutMin, n.cfg.CutMax),
		AckOpen: c.Chance(i+4, 0.25),
	}
	d.Factor = int(c.LogBetween(i+3, 10, 1000))
	if c.Of("give-up").Chance(i+5, 0.75) {
		d.GiveUp = c.Between(i+5, 5*time.Second, 30*time.Second)
	}
	return d
}
