package checker

import (
	"fmt"

	"github.com/tidemark-log/tidemark/checker/history"
)

// reader follows one process through one partition.
type reader struct {
	last *history.Op // last poll with records since the seek
	next int64       // where the next poll must go on
	any  bool
}

// polls checks what readers were given.
func (c *check) polls(p *partition) {
	readers := map[int32]*reader{}
	for _, o := range p.polls {
		r := readers[o.Process]
		if r == nil {
			r = &reader{}
			readers[o.Process] = r
		}
		if o.Seek || !r.any {
			*r = reader{next: o.Position, any: true}
		}
		c.onePoll(p, r, o)
	}
	if c.opt.Healed {
		c.allSeen(p, readers)
	}
}

// onePoll compares a poll with the log and with the poll before.
func (c *check) onePoll(p *partition, r *reader, o *history.Op) {
	n := len(o.Records)
	if n == 0 {
		return
	}
	before := []int{o.ID}
	if r.last != nil {
		before = append(before, r.last.ID)
		c.saw("H8", 1)
	}
	c.saw("H9", 1)
	first := o.Records[0].Offset
	switch {
	case first < r.next:
		c.report("H8", p.name, fmt.Sprintf("process %d was at offset %d and got %d", o.Process, r.next, first),
			before...)
	case p.firstBetween(r.next, first) >= 0:
		c.report("H9", p.name, fmt.Sprintf("process %d was at offset %d and got %d: offset %d was skipped",
			o.Process, r.next, first, p.firstBetween(r.next, first)), before...)
	}
	c.sameBytes(p, o)
	c.saw("H10", n-1)
	for i := 1; i < n; i++ {
		a, b := o.Records[i-1].Offset, o.Records[i].Offset
		if b <= a {
			c.report("H10", p.name, fmt.Sprintf("offset %d follows %d in one poll", b, a), o.ID)
		} else if skipped := p.firstBetween(a+1, b); skipped >= 0 {
			c.report("H10", p.name, fmt.Sprintf("offset %d is missing between %d and %d in one poll", skipped, a,
				b), o.ID)
		}
	}
	r.last, r.next = o, o.Records[n-1].Offset+1
}

// firstBetween is the offset of the first record of the log in [from, to), or −1.
func (p *partition) firstBetween(from, to int64) int64 {
	if from >= to {
		return -1
	}
	if i := p.log.Index(from); i < len(p.log.Records) && p.log.Records[i].Offset < to {
		return p.log.Records[i].Offset
	}
	return -1
}

// sameBytes is H2 and H4 for what was polled: the log has it, there, and somebody sent it.
func (c *check) sameBytes(p *partition, o *history.Op) {
	c.saw("H2", len(o.Records))
	for _, r := range o.Records {
		s, known := p.values[r.Value]
		if !known || r.Value == 0 {
			c.report("H4", p.name, fmt.Sprintf("offset %d was read as %s, which nobody sent here", r.Offset,
				r.Value), o.ID)
			return
		}
		got, ok := p.log.At(r.Offset)
		same := r.Offset < p.log.Start || ok && got.Value == r.Value || !p.oracle
		if want := s.op.Records[s.i].Timestamp; same && want >= 0 && r.Timestamp != want {
			c.report("H4", p.name, fmt.Sprintf("%s was read with timestamp %d, sent with %d", r.Value, r.Timestamp,
				want),
				o.ID, s.op.ID)
			return
		}
		if same {
			continue
		}
		detail := fmt.Sprintf("offset %d was read as %s, ", r.Offset, r.Value)
		if ok {
			detail += fmt.Sprintf("the final log has %s there", got.Value)
		} else {
			detail += fmt.Sprintf("the final log [%d,%d) has nothing there", p.log.Start, p.log.End)
		}
		c.report("H2", p.name, detail, o.ID, s.op.ID)
		return
	}
}

// allSeen is H13: the readers that follow the log have got every acknowledged record.
func (c *check) allSeen(p *partition, readers map[int32]*reader) {
	for _, proc := range c.h.Processes {
		r := readers[proc.ID]
		if proc.Role != history.RoleTail || r == nil {
			continue
		}
		for _, o := range p.sends {
			base := ackedBase(o)
			if base < 0 {
				continue
			}
			c.saw("H13", 1)
			if base < r.next {
				continue
			}
			ops := []int{o.ID}
			if r.last != nil {
				ops = append(ops, r.last.ID)
			}
			c.report("H13", p.name, fmt.Sprintf("process %d stands at offset %d and never got %s, acknowledged at %d",
				proc.ID, r.next, describeValues(o), base), ops...)
			break
		}
	}
}
