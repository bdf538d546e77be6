package checker

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/checker/history"
)

// partition is everything the history says about one partition of one topic id.
type partition struct {
	key   history.Key
	name  string
	sends []*history.Op
	polls []*history.Op // answered fetches
	lists []*history.Op // answered list-offsets

	// log is the oracle, or without one the union of what clients saw.
	log    *history.FinalPartition
	oracle bool

	values map[history.Value]sent
	// seen is, for each record of log, the earliest completion of a poll that returned it,
	// or notSeen.
	seen []int64
	// units are the appends that took effect, with their place, in order of offset.
	units []unit
	// whole counts, per send, how many whole units it has.
	whole map[int]int
	// clashes counts the contradictions among the intervals.
	clashes int
}

// sent points to the record of a send.
type sent struct {
	op *history.Op
	i  int
}

// unit is one append that is in the log: an acknowledged send, or one of unknown effect that
// left a trace. A send without idempotence may have several.
type unit struct {
	op    *history.Op
	base  int64
	end   int64
	acked bool  // this place is the one that was acknowledged
	seen  int64 // completion of the first poll that returned a record of it, or notSeen
}

const notSeen = math.MaxInt64

// index sorts the operations by partition and resolves unknown effects. An append that left
// no trace in any read nor in the final log cannot be told from none, so it is dropped; one
// that did took effect, at the place found.
func (c *check) index() []*partition {
	byKey := map[history.Key]*partition{}
	var all []*partition
	get := func(k history.Key) *partition {
		p := byKey[k]
		if p == nil {
			p = &partition{key: k, name: k.String(), values: map[history.Value]sent{}, whole: map[int]int{}}
			byKey[k] = p
			all = append(all, p)
		}
		return p
	}
	deleted := map[[2]string]bool{}
	for i := range c.h.Ops {
		o := &c.h.Ops[i]
		switch {
		case o.Kind == history.Produce:
			p := get(o.Key())
			p.sends = append(p.sends, o)
			for j := range o.Records {
				p.values[o.Records[j].Value] = sent{o, j}
			}
		case o.Kind == history.Fetch && o.Result == history.Ok:
			p := get(o.Key())
			p.polls = append(p.polls, o)
		case o.Kind == history.ListOffsets && o.Result == history.Ok:
			p := get(o.Key())
			p.lists = append(p.lists, o)
		case o.Kind == history.DeleteTopic && o.Result != history.Fail:
			deleted[[2]string{o.Topic, o.TopicID}] = true
		}
	}
	if c.opt.Final != nil {
		for i := range c.opt.Final.Partitions {
			f := &c.opt.Final.Partitions[i]
			p := get(f.Key())
			p.log, p.oracle = f, true
		}
	}
	slices.SortFunc(all, func(a, b *partition) int { return compareKeys(a.key, b.key) })
	c.voided = map[string]bool{}
	for _, p := range all {
		name := p.key.Topic + "-" + strconv.Itoa(int(p.key.Partition))
		if slices.Contains(c.opt.Voided, name) {
			c.voided[p.name] = true
		}
		if p.log == nil {
			c.withoutOracle(p, deleted[[2]string{p.key.Topic, p.key.TopicID}])
		}
		c.resolve(p)
	}
	return all
}

func compareKeys(a, b history.Key) int {
	if d := strings.Compare(a.Topic, b.Topic); d != 0 {
		return d
	}
	if d := strings.Compare(a.TopicID, b.TopicID); d != 0 {
		return d
	}
	return int(a.Partition) - int(b.Partition)
}

// withoutOracle makes the log from what clients saw. Where two of them saw different things
// at one offset, that is H2 and the first one stands.
func (c *check) withoutOracle(p *partition, deleted bool) {
	if c.opt.Final != nil && !deleted {
		for _, o := range p.sends {
			if o.Result == history.Ok && o.Acks != 0 {
				c.report("H1", p.name, "the partition is not there any more, and nobody deleted its topic", o.ID)
				break
			}
		}
		for _, o := range p.polls {
			if len(o.Records) > 0 {
				c.report("H2", p.name, fmt.Sprintf("offset %d was read, and the partition is not there any more",
					o.Records[0].Offset), o.ID)
				break
			}
		}
	}
	type place struct {
		rec history.Record
		op  int
	}
	at := map[int64]place{}
	add := func(r history.Record, op int) {
		old, ok := at[r.Offset]
		if !ok {
			at[r.Offset] = place{r, op}
		} else if old.rec.Value != r.Value {
			c.report("H2", p.name, fmt.Sprintf("offset %d is %s to one and %s to another",
				r.Offset, old.rec.Value, r.Value), old.op, op)
		}
	}
	for _, o := range p.polls {
		for _, r := range o.Records {
			add(r, o.ID)
		}
	}
	for _, o := range p.sends {
		if base := ackedBase(o); base >= 0 {
			for i, r := range o.Records {
				r.Offset = base + int64(i)
				add(r, o.ID)
			}
		}
	}
	p.log = &history.FinalPartition{Topic: p.key.Topic, TopicID: p.key.TopicID, Partition: p.key.Partition}
	for _, pl := range at {
		p.log.Records = append(p.log.Records, pl.rec)
	}
	slices.SortFunc(p.log.Records, func(a, b history.Record) int { return int(a.Offset - b.Offset) })
	if n := len(p.log.Records); n > 0 {
		p.log.End = p.log.Records[n-1].Offset + 1
	}
}

// ackedBase is the offset a send was acknowledged at, or −1.
func ackedBase(o *history.Op) int64 {
	if o.Result != history.Ok || o.Acks == 0 || len(o.Records) == 0 {
		return -1
	}
	return o.Records[0].Offset
}

// resolve finds the place of every send, and when its records were first seen.
func (c *check) resolve(p *partition) {
	recs := p.log.Records
	p.seen = make([]int64, len(recs))
	for i := range p.seen {
		p.seen[i] = notSeen
	}
	for _, o := range p.polls {
		for i := range o.Records {
			j := p.log.Index(o.Records[i].Offset)
			if j < len(recs) && recs[j].Offset == o.Records[i].Offset && recs[j].Value == o.Records[i].Value {
				p.seen[j] = min(p.seen[j], o.Return.Seq)
			}
		}
	}
	for i := 0; i < len(recs); {
		s, ok := p.values[recs[i].Value]
		if !ok {
			i++
			continue
		}
		n := sameBatch(recs[i:], s)
		u := unit{op: s.op, base: recs[i].Offset, end: recs[i].Offset + int64(n), seen: notSeen}
		u.acked = s.i == 0 && ackedBase(s.op) == u.base
		for j := i; j < i+n; j++ {
			u.seen = min(u.seen, p.seen[j])
		}
		p.units = append(p.units, u)
		if s.i == 0 && n == len(s.op.Records) {
			p.whole[s.op.ID]++
		}
		i += n
	}
}

// sameBatch counts the records from the first on that continue the send s at consecutive
// offsets.
func sameBatch(recs []history.Record, s sent) int {
	n := 1
	for n < len(recs) && s.i+n < len(s.op.Records) &&
		recs[n].Value == s.op.Records[s.i+n].Value && recs[n].Offset == recs[0].Offset+int64(n) {
		n++
	}
	return n
}
