package checker

import (
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// # A repetition must be recognised
//
// A producer that got no answer sends the batch again under the same sequence, and the broker
// owes it the offset of the first time. If it answers that the sequence is out of order
// instead, nothing is lost and nothing stands twice, so no other check complains; but the
// producer can never learn what became of its batch. That is a broken promise where the batch
// must have been among the last five of its producer when the repetition came:
//
//	first attempt … the log was seen to reach beyond it … repetition sent … refused
//
// The order matters. A first attempt may arrive after its repetition, which was then refused
// for a good reason. So it takes an operation that was over before the repetition was sent.

// repeatWindow is how many batches of a producer a broker remembers: as many as a client may
// have in flight.
const repeatWindow = 5

// knownEnd says that when the event seq happened the log reached end at least.
type knownEnd struct {
	seq, end int64
	op       int
}

// repeats is H29.
func (c *check) repeats(p *partition) {
	var known []knownEnd
	for i := range p.units {
		o := p.units[i].op
		if !o.Idempotent || len(o.Attempts) < 2 || identities(o.Attempts) != 1 {
			continue
		}
		if known == nil {
			known = p.knownEnds()
		}
		for j := 1; j < len(o.Attempts); j++ {
			c.repeat(p, known, i, &o.Attempts[j])
		}
	}
}

// repeat judges one repetition of the i-th unit.
func (c *check) repeat(p *partition, known []knownEnd, i int, a *history.Attempt) {
	u := &p.units[i]
	witness, ok := reached(known, a.Invoke.Seq, u.end)
	switch life := a.Return.At - u.op.Attempts[0].Invoke.At; {
	case !ok, a.Error != "", a.Return.Seq == 0: // not known to be there yet, or not answered
		return
	case life > int64(c.opt.ProducerExpiry), p.laterOf(i, a) >= repeatWindow: // forgotten, lawfully
		return
	}
	c.saw("H29", 1)
	switch code := kafka.ErrorCode(a.Code); code {
	case kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerID:
		c.report("H29", p.name, fmt.Sprintf("%s stands at offset %d, among the last %d batches of producer %d, "+
			"and its repetition with sequence %d was refused with %s", describeValues(u.op), u.base, repeatWindow,
			a.ProducerID, a.Sequence, code), u.op.ID, witness)
	}
}

// knownEnds lists what acknowledgements, polls and end offsets prove of the log's end, in the
// order in which they were over; the ends rise.
func (p *partition) knownEnds() []knownEnd {
	var all []knownEnd
	for _, o := range p.sends {
		if base := ackedBase(o); base >= 0 {
			all = append(all, knownEnd{o.Return.Seq, base + int64(len(o.Records)), o.ID})
		}
	}
	for _, o := range p.polls {
		if n := len(o.Records); n > 0 {
			all = append(all, knownEnd{o.Return.Seq, o.Records[n-1].Offset + 1, o.ID})
		}
	}
	for _, o := range p.lists {
		if o.Timestamp == latest {
			all = append(all, knownEnd{o.Return.Seq, o.Offset, o.ID})
		}
	}
	slices.SortFunc(all, func(a, b knownEnd) int { return int(a.seq - b.seq) })
	kept := all[:0]
	for _, k := range all {
		if n := len(kept); n == 0 || kept[n-1].end < k.end {
			kept = append(kept, k)
		}
	}
	return kept
}

// reached finds the first operation that proves that the log reached end, if it was over
// before seq.
func reached(known []knownEnd, seq, end int64) (op int, ok bool) {
	i, _ := slices.BinarySearchFunc(known, end, func(k knownEnd, end int64) int { return int(k.end - end) })
	if i == len(known) || known[i].seq >= seq {
		return 0, false
	}
	return known[i].op, true
}

// laterOf counts the batches of the same producer behind the i-th unit that may have been in
// the log when the attempt was answered.
func (p *partition) laterOf(i int, a *history.Attempt) int {
	n := 0
	for _, u := range p.units[i+1:] {
		for j := range u.op.Attempts {
			b := &u.op.Attempts[j]
			if b.ProducerID == a.ProducerID && b.Invoke.Before(a.Return) {
				n++
				break
			}
		}
		if n >= repeatWindow {
			break
		}
	}
	return n
}
