package checker

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/checker/model"
)

// # Why no search is needed
//
// With effects resolved, the order of the appends of a partition is the order of their
// offsets. Unit i takes effect at some moment t(i) within its operation, t(0) ≤ t(1) ≤ …
// An observation that saw the end at lo at least happened after the unit that reached lo, one
// that saw it at hi at most happened before the unit that went past hi. So every operation
// gives some unit a lower or an upper bound, and a linearization exists exactly if no lower
// bound of a unit is above an upper bound of it or of a later one. One pass decides that, and
// the two operations whose bounds clash are the contradiction. Porcupine searches a sample of
// the same histories and must agree: a check on the check.

// bounds are the moments a unit may take effect at, and who says so.
type bounds struct {
	low, high     int64
	lowBy, highBy *history.Op
}

func (b *bounds) notBefore(at int64, by *history.Op) {
	if at > b.low || b.lowBy == nil {
		b.low, b.lowBy = at, by
	}
}

func (b *bounds) notAfter(at int64, by *history.Op) {
	if at < b.high || b.highBy == nil {
		b.high, b.highBy = at, by
	}
}

// clash finds pairs of operations whose bounds contradict.
func clash(units []bounds, found func(early, late *history.Op, unit int)) {
	var top bounds
	for i := range units {
		if b := &units[i]; b.lowBy != nil {
			top.notBefore(b.low, b.lowBy)
		}
		if b := &units[i]; b.highBy != nil && top.lowBy != nil && top.low > b.high {
			found(b.highBy, top.lowBy, i)
		}
	}
}

// observation is what an operation saw of the log's visible end: at least lo, at most hi.
type observation struct {
	op     *history.Op
	lo, hi int64
}

// realTime checks the order of appends (H12), then appends and observations together (C1,
// H14, H4).
func (c *check) realTime(p *partition) {
	appends := make([]bounds, len(p.units))
	visible := make([]bounds, len(p.units))
	for i := range p.units {
		u := &p.units[i]
		appends[i].notBefore(u.op.Invoke.Seq, u.op)
		visible[i].notBefore(u.op.Invoke.Seq, u.op)
		if u.acked {
			appends[i].notAfter(u.op.Return.Seq, u.op)
		}
		// Only acks=all promises that the record is visible when it is acknowledged.
		if u.acked && u.op.Acks == -1 {
			visible[i].notAfter(u.op.Return.Seq, u.op)
		}
	}
	c.saw("H12", max(0, len(p.units)-1))
	clash(appends, func(early, late *history.Op, _ int) {
		c.report("H12", p.name, fmt.Sprintf("%s was acknowledged before %s was sent, and stands behind it",
			describeValues(early), describeValues(late)), early.ID, late.ID)
	})
	for _, o := range c.observations(p) {
		c.saw("C1", 1)
		c.observe(p, visible, o)
	}
	clash(visible, func(early, late *history.Op, i int) {
		p.clashes++
		c.contradiction(p, early, late, i)
	})
}

// observations are the bounds on the visible end that polls and end offsets give.
func (c *check) observations(p *partition) []observation {
	recs := p.log.Records
	obs := make([]observation, 0, len(p.polls)+len(p.lists))
	for _, o := range p.polls {
		x := observation{op: o, lo: 0, hi: math.MaxInt64}
		if n := len(o.Records); n > 0 {
			x.lo = o.Records[n-1].Offset + 1
		} else if i := p.log.Index(o.Position); c.opt.Fresh && i < len(recs) {
			x.hi = recs[i].Offset
		}
		if x.lo > 0 || x.hi < math.MaxInt64 {
			obs = append(obs, x)
		}
	}
	for _, o := range p.lists {
		if o.Timestamp != latest {
			continue
		}
		// Slots without data at the end (control records; without an oracle, unknown ones)
		// may or may not count.
		x := observation{op: o, lo: 0, hi: math.MaxInt64}
		if i := p.log.Index(o.Offset); i > 0 {
			x.lo = recs[i-1].Offset + 1
		}
		if c.opt.Fresh {
			x.hi = o.Offset
		}
		obs = append(obs, x)
	}
	return obs
}

// observe turns an observation into bounds of units.
func (c *check) observe(p *partition, units []bounds, o observation) {
	if i := p.unitReaching(o.lo); o.lo > 0 && i < len(units) {
		units[i].notAfter(o.op.Return.Seq, o.op)
	}
	if o.hi < math.MaxInt64 {
		c.saw("H14", 1)
		if j := p.unitReaching(o.hi + 1); j < len(units) {
			units[j].notBefore(o.op.Invoke.Seq, o.op)
		}
	}
}

// unitReaching is the first unit after which the log's end is at least end.
func (p *partition) unitReaching(end int64) int {
	i, _ := slices.BinarySearchFunc(p.units, end, func(u unit, end int64) int {
		if u.end < end {
			return -1
		}
		return 1
	})
	return i
}

// contradiction names a clash by what the two operations are.
func (c *check) contradiction(p *partition, early, late *history.Op, i int) {
	u := &p.units[i]
	isEarly, isLate := early.Kind == history.Produce, late.Kind == history.Produce
	ops := []int{early.ID, late.ID, u.op.ID}
	switch {
	case isEarly && isLate:
		return // H12 has it
	case !isEarly && isLate:
		c.report("H4", p.name, fmt.Sprintf("an operation saw the log up to offset %d and was over before "+
			"%s, which is not behind that, was sent",
			u.end, describeValues(late)), ops...)
	case isEarly && late.Kind == history.Fetch:
		c.report("H14", p.name, fmt.Sprintf(
			"%s (offset %d) was acknowledged, then a read from offset %d found nothing",
			describeValues(early), u.base, late.Position), ops...)
	default:
		c.report("C1", p.name, fmt.Sprintf("one operation saw the log with offset %d, a later one without",
			u.base), ops...)
	}
}

// search runs porcupine on a share of the partitions, or on all when something is wrong.
func (c *check) search(partitions []*partition) {
	suspect := len(c.anomalies) > 0
	for _, p := range partitions {
		if !suspect && percentile(p.key) >= c.opt.ModelPercent || c.voids(p) {
			continue // a log that lost its newest records is no object that takes appends only
		}
		r := model.CheckPartition(c.modelOps(p), c.opt.SearchTimeout)
		c.saw("C1", r.Windows)
		switch {
		case r.Outcome == model.Unknown:
			c.notes = append(c.notes, fmt.Sprintf("%s: the search among %d operations took longer than %s",
				p.name, len(r.Ops), c.opt.SearchTimeout))
		case (r.Outcome == model.Illegal) != (p.clashes > 0):
			c.notes = append(c.notes, fmt.Sprintf("%s: the checks disagree: %d contradictions among intervals, "+
				"porcupine says %s, operations %v", p.name, p.clashes, r.Outcome, r.Ops))
		}
	}
}

// percentile spreads partitions evenly over 0..99, the same way in every run.
func percentile(k history.Key) int {
	h := fnv.New32a()
	h.Write([]byte(k.String()))
	return int(h.Sum32() % 100)
}

// modelOps are a partition's operations as porcupine wants them.
func (c *check) modelOps(p *partition) []model.Op {
	var ops []model.Op
	end := c.h.End.Seq
	for i := range p.units {
		u := &p.units[i]
		ret := min(u.seen, end)
		if u.acked && u.op.Acks == -1 {
			ret = u.op.Return.Seq
		}
		if ret == end {
			ret = end + int64(i) + 1 // open operations, unique stamps
		}
		ops = append(ops, model.Op{ID: u.op.ID, Append: true, Lo: u.base, Hi: u.end, Invoke: u.op.Invoke.Seq,
			Return: ret})
	}
	for _, o := range c.observations(p) {
		ops = append(ops, model.Op{ID: o.op.ID, Lo: o.lo, Hi: o.hi, Invoke: o.op.Invoke.Seq,
			Return: o.op.Return.Seq})
	}
	return ops
}
