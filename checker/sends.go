package checker

import (
	"fmt"

	"github.com/tidemark-log/tidemark/checker/history"
)

// sends checks what became of the appends of a partition.
func (c *check) sends(p *partition) {
	for _, o := range p.sends {
		switch {
		case o.Result == history.Fail:
			c.failedStaysAway(p, o)
		case o.Result == history.Ok && o.Acks != 0 && p.oracle:
			c.ackedIsThere(p, o)
		case o.Result == history.Ok && o.Acks != 0:
			c.ackedIsNotPassedOver(p, o)
		}
		c.onceOnly(p, o)
	}
	c.wholeBatches(p)
	c.ownRecords(p)
	c.sendOrder(p)
}

// ackedIsThere is H1: an acknowledged record stands in the final log at its offset.
func (c *check) ackedIsThere(p *partition, o *history.Op) {
	c.saw("H1", 1)
	base := ackedBase(o)
	if base < 0 {
		if p.whole[o.ID] == 0 {
			c.report("H1", p.name, describeValues(o)+" acknowledged without offset and nowhere in the final log", o.ID)
		}
		return
	}
	for i, r := range o.Records {
		at := base + int64(i)
		if at < p.log.Start {
			continue
		}
		got, ok := p.log.At(at)
		if ok && got.Value == r.Value {
			continue
		}
		detail := fmt.Sprintf("%s acknowledged at offset %d, ", r.Value, at)
		ops := []int{o.ID}
		switch {
		case ok:
			detail += fmt.Sprintf("where the final log has %s", got.Value)
			if other, known := p.values[got.Value]; known {
				ops = append(ops, other.op.ID)
			}
		default:
			detail += fmt.Sprintf("which the final log [%d,%d) does not have", p.log.Start, p.log.End)
		}
		c.report("H1", p.name, detail, ops...)
		return
	}
}

// ackedIsNotPassedOver is H1 without an oracle: readers from below that went past the offset
// must have seen the record.
func (c *check) ackedIsNotPassedOver(p *partition, o *history.Op) {
	base := ackedBase(o)
	if base < 0 {
		return
	}
	for _, poll := range p.polls {
		n := len(poll.Records)
		if n == 0 || poll.Position > base || poll.Records[n-1].Offset < base {
			continue
		}
		c.saw("H1", 1)
		if j := p.log.Index(base); p.log.Records[j].Offset == base && p.seen[j] == notSeen {
			c.report("H1", p.name, fmt.Sprintf("%s acknowledged at offset %d and passed over by a reader",
				o.Records[0].Value, base), o.ID, poll.ID)
		}
		return
	}
}

// failedStaysAway is H5: what was refused for certain is nowhere.
func (c *check) failedStaysAway(p *partition, o *history.Op) {
	c.saw("H5", 1)
	for _, u := range p.units {
		if u.op == o {
			c.report("H5", p.name, fmt.Sprintf("%s refused by every attempt, yet at offset %d",
				describeValues(o), u.base), o.ID)
			return
		}
	}
}

// onceOnly is H3: at most one place per record, or per attempt where nothing forbids it.
func (c *check) onceOnly(p *partition, o *history.Op) {
	if len(o.Attempts) > 1 {
		c.saw("H3", 1)
	}
	n := p.whole[o.ID]
	if n <= 1 {
		return
	}
	lawful := len(o.Attempts)
	if o.Idempotent {
		lawful = identities(o.Attempts)
	}
	if n > max(1, lawful) {
		c.report("H3", p.name, fmt.Sprintf("%s is in the log %d times after %d attempts with %d identities",
			describeValues(o), n, len(o.Attempts), identities(o.Attempts)), o.ID)
	}
}

// identities counts the producers an operation was tried as: a producer created anew between
// two attempts cannot know the first.
func identities(attempts []history.Attempt) int {
	n := 0
	for i := range attempts {
		if i == 0 || attempts[i].ProducerID != attempts[i-1].ProducerID ||
			attempts[i].ProducerEpoch != attempts[i-1].ProducerEpoch {
			n++
		}
	}
	return n
}

// wholeBatches is H28: a batch is in the log whole or not at all.
func (c *check) wholeBatches(p *partition) {
	if !p.oracle {
		return
	}
	for i := range p.units {
		u := &p.units[i]
		if len(u.op.Records) > 1 {
			c.saw("H28", 1)
		}
		if n := int(u.end - u.base); n != len(u.op.Records) && (u.base > p.log.Start || u.base == 0) {
			c.report("H28", p.name, fmt.Sprintf("%d of the %d records of %s stand at offset %d",
				n, len(u.op.Records), describeValues(u.op), u.base), u.op.ID)
		}
	}
}

// ownRecords is H4 for the final log: every record was sent, to here, as it is.
func (c *check) ownRecords(p *partition) {
	for i := range p.log.Records {
		r := &p.log.Records[i]
		s, ok := p.values[r.Value]
		switch {
		case !ok || r.Value == 0:
			c.report("H4", p.name, fmt.Sprintf("offset %d holds %s, which nobody sent here", r.Offset, r.Value))
		case s.op.Records[s.i].Timestamp >= 0 && r.Timestamp != s.op.Records[s.i].Timestamp:
			c.report("H4", p.name, fmt.Sprintf("offset %d holds %s with timestamp %d, sent with %d",
				r.Offset, r.Value, r.Timestamp, s.op.Records[s.i].Timestamp), s.op.ID)
		}
	}
	c.saw("H4", len(p.log.Records))
}

// sendOrder is H11: what one process sent earlier and got acknowledged stands earlier. Only
// sends without idempotence, several in flight and tried again, may overtake each other.
func (c *check) sendOrder(p *partition) {
	last := map[int32]*history.Op{}
	for _, o := range p.sends {
		base := ackedBase(o)
		if base < 0 {
			continue
		}
		a := last[o.Process]
		last[o.Process] = o
		if a == nil {
			continue
		}
		c.saw("H11", 1)
		retried := len(a.Attempts) > 1 || len(o.Attempts) > 1
		lawful := !o.Idempotent && retried && o.Invoke.Before(a.Return)
		if base < ackedBase(a) && !lawful {
			c.report("H11", p.name, fmt.Sprintf("process %d sent %s (offset %d), then %s (offset %d)", o.Process,
				describeValues(a), ackedBase(a), describeValues(o), base), a.ID, o.ID)
		}
	}
}

// describeValues names the records of a send.
func describeValues(o *history.Op) string {
	switch n := len(o.Records); n {
	case 0:
		return "nothing"
	case 1:
		return o.Records[0].Value.String()
	default:
		return fmt.Sprintf("%s…%d", o.Records[0].Value, o.Records[n-1].Value.Counter())
	}
}
