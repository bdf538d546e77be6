package checker

import (
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// repeated is a send of producer 7 that was tried twice: first at the event 1, then from
// invoke to ret, with that answer.
func (s *story) repeated(invoke, ret int64, code kafka.ErrorCode, base int64) *history.Op {
	const first = 1
	o := s.send(first, ret+1, 1, base)
	o.Idempotent = true
	at := func(seq int64) history.Stamp { return history.Stamp{At: seq * 1e6, Seq: seq} }
	o.Attempts = []history.Attempt{
		{Invoke: at(first), Return: at(invoke), Error: "connection closed", ProducerID: 7},
		{Invoke: at(invoke), Return: at(ret), Code: int16(code), Result: history.ClassifyProduce(code),
			ProducerID: 7},
	}
	return o
}

// later adds n further batches of producer 7, from the event at on.
func (s *story) later(at int64, n int) {
	for i := range n {
		o := s.send(at+2*int64(i), at+2*int64(i)+1, uint64(i+2), int64(i+1))
		o.Idempotent, o.Attempts[0].ProducerID = true, 7
		o.Attempts[0].Invoke = o.Invoke
	}
}

// What a broker may refuse stands beside what it may not.
func TestRefusedRepetitionIsHeldAgainstTheBrokerOnlyIfItMustKnowIt(t *testing.T) {
	const refused = kafka.OutOfOrderSequenceNumber
	for _, c := range []struct {
		name  string
		tell  func(s *story)
		opt   Options
		wrong bool
	}{
		{"it was read before the repetition was sent", func(s *story) {
			s.repeated(10, 11, refused, -1)
			s.poll(3, 4, 0, 0, 1)
			s.log(1)
		}, Options{}, true},
		{"it was read while the repetition was on its way, which may have come first", func(s *story) {
			s.repeated(10, 14, refused, -1)
			s.poll(3, 12, 0, 0, 1)
			s.log(1)
		}, Options{}, false},
		{"four batches stand behind it", func(s *story) {
			s.repeated(20, 21, refused, -1)
			s.later(2, 4)
			s.log(1, 2, 3, 4, 5)
		}, Options{}, true},
		{"five batches stand behind it", func(s *story) {
			s.repeated(20, 21, refused, -1)
			s.later(2, 5)
			s.log(1, 2, 3, 4, 5, 6)
		}, Options{}, false},
		{"the producer is unknown, and yet wrote it", func(s *story) {
			s.repeated(10, 11, kafka.UnknownProducerID, -1)
			s.list(3, 4, -1, 1)
			s.log(1)
		}, Options{}, true},
		{"the producer has expired", func(s *story) {
			s.repeated(10, 11, refused, -1)
			s.poll(3, 4, 0, 0, 1)
			s.log(1)
		}, Options{ProducerExpiry: 5 * time.Millisecond}, false},
		{"it is not in the log", func(s *story) {
			s.repeated(10, 11, refused, -1)
			s.log()
		}, Options{}, false},
	} {
		var s story
		c.tell(&s)
		c.opt.Final, c.opt.Fresh = s.final, true
		v := Check(s.history(), c.opt)
		if has(v, "H29") != c.wrong || (v.Outcome == Violated) != c.wrong {
			t.Errorf("%s:\n%s", c.name, v.Render(s.history()))
		}
	}
}
