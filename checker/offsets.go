package checker

import (
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/checker/history"
)

// Timestamps with a meaning in ListOffsets.
const (
	latest       = -1
	earliest     = -2
	maxTimestamp = -3
)

// offsets checks the answers of ListOffsets.
func (c *check) offsets(p *partition) {
	c.neverBack(p, latest)
	c.neverBack(p, earliest)
	// completed[i] is when record i was certainly visible: acknowledged, or polled.
	completed := slices.Clone(p.seen)
	for _, u := range p.units {
		if u.acked {
			for j := p.log.Index(u.base); j < len(completed) && p.log.Records[j].Offset < u.end; j++ {
				completed[j] = min(completed[j], u.op.Return.Seq)
			}
		}
	}
	for _, o := range p.lists {
		switch {
		case o.Timestamp >= 0:
			c.byTimestamp(p, o, completed)
		case o.Timestamp == maxTimestamp:
			c.largestTimestamp(p, o, completed)
		}
	}
}

// neverBack is H15: among requests that did not overlap, with leader epochs that did not
// fall, the log's start and end do not fall.
func (c *check) neverBack(p *partition, which int64) {
	var asked []*history.Op
	for _, o := range p.lists {
		if o.Timestamp == which {
			asked = append(asked, o)
		}
	}
	byReturn := slices.Clone(asked)
	slices.SortFunc(byReturn, func(a, b *history.Op) int { return int(a.Return.Seq - b.Return.Seq) })
	done, highest := 0, map[int32]*history.Op{}
	for _, o := range asked { // in order of invocation
		for done < len(byReturn) && byReturn[done].Return.Before(o.Invoke) {
			d := byReturn[done]
			if h := highest[d.LeaderEpoch]; h == nil || d.Offset > h.Offset {
				highest[d.LeaderEpoch] = d
			}
			done++
		}
		if done > 0 {
			c.saw("H15", 1)
		}
		var worst *history.Op
		for epoch, d := range highest {
			if epoch <= o.LeaderEpoch && d.Offset > o.Offset && (worst == nil || d.ID < worst.ID) {
				worst = d
			}
		}
		if worst != nil {
			c.report("H15", p.name, fmt.Sprintf("offset for %d was %d, later %d", which, worst.Offset, o.Offset),
				worst.ID, o.ID)
		}
	}
}

// byTimestamp is H16: the answer is the first record with at least that timestamp. If a
// record was visible then all before it were, so an earlier match is wrong in any case; that
// there is none is wrong only if one was visible before the question.
func (c *check) byTimestamp(p *partition, o *history.Op, completed []int64) {
	if !p.oracle {
		return
	}
	c.saw("H16", 1)
	for i, r := range p.log.Records {
		if r.Timestamp < o.Timestamp || r.Offset < p.log.Start {
			continue
		}
		switch {
		case r.Offset == o.Offset:
			if o.FoundTimestamp != r.Timestamp {
				c.report("H16", p.name, fmt.Sprintf("timestamp %d: offset %d has %d, the answer said %d",
					o.Timestamp, r.Offset, r.Timestamp, o.FoundTimestamp), o.ID)
			}
		case o.Offset >= 0 || completed[i] < o.Invoke.Seq:
			c.report("H16", p.name, fmt.Sprintf("timestamp %d: offset %d has %d, the answer was offset %d",
				o.Timestamp, r.Offset, r.Timestamp, o.Offset), o.ID)
		}
		return
	}
	if o.Offset >= 0 {
		c.report("H16", p.name, fmt.Sprintf("timestamp %d: no record has it, the answer was offset %d",
			o.Timestamp, o.Offset), o.ID)
	}
}

// largestTimestamp is H16 for the record with the largest timestamp.
func (c *check) largestTimestamp(p *partition, o *history.Op, completed []int64) {
	if !p.oracle {
		return
	}
	c.saw("H16", 1)
	if o.Offset >= 0 {
		if r, ok := p.log.At(o.Offset); !ok || r.Timestamp != o.FoundTimestamp {
			c.report("H16", p.name, fmt.Sprintf("largest timestamp: offset %d has not timestamp %d",
				o.Offset, o.FoundTimestamp), o.ID)
			return
		}
	}
	if o.Offset < 0 && appending(p, o) {
		return
	}
	for i, r := range p.log.Records {
		if completed[i] < o.Invoke.Seq && (o.Offset < 0 || r.Timestamp > o.FoundTimestamp) {
			c.report("H16", p.name, fmt.Sprintf(
				"largest timestamp: the answer was offset %d with %d, offset %d had %d",
				o.Offset, o.FoundTimestamp, r.Offset, r.Timestamp), o.ID)
			return
		}
	}
}

// appending tells whether a send was under way beside o. If its record had the largest
// timestamp and was not visible yet, the answer is none: Kafka does not look for the next
// smaller one.
func appending(p *partition, o *history.Op) bool {
	for _, s := range p.sends {
		if s.Invoke.Before(o.Return) && (o.Invoke.Before(s.Return) || s.Result == history.Info) {
			return true
		}
	}
	return false
}
