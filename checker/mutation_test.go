package checker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidemark-log/tidemark/checker/history"
)

// A correct log with concurrent clients writes a history; it must be accepted. Then one thing
// in it is falsified in a way that no correct log could have produced; it must be refused.
// This is the check on the checkers.
func TestFalsifiedHistoriesAreRefused(t *testing.T) {
	for seed := range uint64(60) {
		h, final := soundHistory(seed)
		opt := Options{Final: final, Fresh: true, Healed: true, ModelPercent: 100}
		if v := Check(h, opt); v.Outcome != Holds {
			t.Fatalf("seed %d: a sound history is refused:\n%s", seed, v.Render(h))
		}
		for _, f := range falsifications {
			rng := rand.New(rand.NewPCG(seed, 7))
			h, final := soundHistory(seed)
			if !f.apply(rng, h, final) {
				continue
			}
			if v := Check(h, Options{Final: final, Fresh: true, Healed: true,
				ModelPercent: 100}); v.Outcome != Violated {
				t.Errorf("seed %d: %s is not refused: %s %v", seed, f.name, v.Outcome, v.Notes)
			}
		}
	}
}

// Without the oracle the same sound histories must be accepted too.
func TestSoundHistoriesAreAcceptedWithoutOracle(t *testing.T) {
	for seed := range uint64(100) {
		h, _ := soundHistory(seed)
		if v := Check(h, Options{ModelPercent: 100}); v.Outcome != Holds {
			t.Fatalf("seed %d: %s", seed, v.Render(h))
		}
	}
}

// soundHistory lets clients use a log that is one slice: each operation takes effect at one
// moment between its two events.
func soundHistory(seed uint64) (*history.History, *history.Final) {
	rng := rand.New(rand.NewPCG(seed, 1))
	now := int64(0)
	rec := history.NewRecorder(fmt.Sprint("sound-", seed), seed, func() int64 { return now })
	const writers, readers = 4, 3
	w := &soundWorld{rng: rng, rec: rec, position: map[int32]int64{}}
	for i := range writers + readers {
		role := history.RoleProducer
		if i == writers {
			role = history.RoleTail
		} else if i > writers {
			role = history.RoleLister
		}
		w.clients = append(w.clients, &soundClient{id: rec.Process(role, "client"), role: role})
	}
	for range 400 {
		now += int64(rng.IntN(1000))
		w.step(w.clients[rng.IntN(len(w.clients))])
	}
	for _, c := range w.clients { // let all finish, the reader last
		for c.open && c.role != history.RoleTail {
			w.step(c)
		}
	}
	tail := w.clients[writers]
	for tail.open || w.position[tail.id] < int64(len(w.log)) {
		w.step(tail)
	}
	final := history.FinalPartition{Topic: "t", End: int64(len(w.log)), Records: w.log}
	return rec.Finish(), &history.Final{Partitions: []history.FinalPartition{final}}
}

type soundClient struct {
	id      int32
	role    history.Role
	op      int
	open    bool
	done    bool // took effect
	counter uint64
}

type soundWorld struct {
	rng      *rand.Rand
	rec      *history.Recorder
	clients  []*soundClient
	log      []history.Record
	position map[int32]int64
}

// step begins an operation, lets it take effect, or ends it.
func (w *soundWorld) step(c *soundClient) {
	switch {
	case !c.open:
		c.open, c.done = true, false
		c.op = w.begin(c)
	case !c.done:
		c.done = true
		w.takeEffect(c, w.rec.Op(c.op))
	default:
		c.open = false
		result := history.Ok
		o := w.rec.Op(c.op)
		if o.Kind == history.Produce && w.rng.IntN(8) == 0 {
			// The answer is lost.
			result = history.Info
			for i := range o.Records {
				o.Records[i].Offset = -1
			}
		}
		w.rec.End(c.op, result)
	}
}

func (w *soundWorld) begin(c *soundClient) int {
	o := history.Op{Process: c.id, Topic: "t"}
	switch c.role {
	case history.RoleProducer:
		o.Kind, o.Acks, o.Attempts = history.Produce, -1, make([]history.Attempt, 1)
		for range 1 + w.rng.IntN(3) {
			c.counter++
			o.Records = append(o.Records, history.Record{Offset: -1, Value: history.NewValue(c.id, c.counter),
				Timestamp: int64(c.counter)})
		}
	case history.RoleTail:
		o.Kind, o.Position = history.Fetch, w.position[c.id]
	case history.RoleLister:
		o.Kind, o.Timestamp = history.ListOffsets, -1
	}
	return w.rec.Begin(o)
}

func (w *soundWorld) takeEffect(c *soundClient, o *history.Op) {
	switch o.Kind {
	case history.Produce:
		if w.rng.IntN(20) == 0 {
			o.Acks = 0 // the request is lost; nobody waits for an answer
			return
		}
		for i := range o.Records {
			o.Records[i].Offset = int64(len(w.log))
			w.log = append(w.log, o.Records[i])
		}
	case history.Fetch:
		n := min(int64(len(w.log)), o.Position+int64(1+w.rng.IntN(10)))
		o.Records = slices.Clone(w.log[o.Position:n])
		w.position[c.id] = n
	case history.ListOffsets:
		o.Offset = int64(len(w.log))
	}
}

// falsifications each change a history to one that cannot be. They report false where the
// history offers no place for it.
var falsifications = []struct {
	name  string
	apply func(rng *rand.Rand, h *history.History, final *history.Final) bool
}{
	{"swapping the offsets of two acknowledged sends", func(rng *rand.Rand, h *history.History,
		_ *history.Final) bool {
		a, b := pick(rng, h, acked), pick(rng, h, acked)
		if a == nil || b == nil || a == b {
			return false
		}
		shift(a, b.Records[0].Offset-a.Records[0].Offset)
		return true
	}},
	{"dropping an acknowledged append from the log", func(rng *rand.Rand, h *history.History,
		f *history.Final) bool {
		a := pick(rng, h, acked)
		p := &f.Partitions[0]
		i := p.Index(a.Records[0].Offset)
		p.Records = slices.Delete(slices.Clone(p.Records), i, i+len(a.Records))
		return true
	}},
	{"cutting the end off the log", func(_ *rand.Rand, h *history.History, f *history.Final) bool {
		p := &f.Partitions[0]
		p.End--
		p.Records = p.Records[:len(p.Records)-1]
		return true
	}},
	{"a batch twice in the log", func(rng *rand.Rand, h *history.History, f *history.Final) bool {
		a := pick(rng, h, acked)
		p := &f.Partitions[0]
		for _, r := range a.Records {
			r.Offset = p.End
			p.Records = append(slices.Clone(p.Records), r)
			p.End++
		}
		return true
	}},
	{"a read that ends before its first record was sent", func(rng *rand.Rand, h *history.History,
		_ *history.Final) bool {
		poll := pick(rng, h, polled)
		if poll == nil {
			return false
		}
		return before(h, poll, sender(h, poll.Records[len(poll.Records)-1].Value))
	}},
	{"a send that begins after another behind it was acknowledged", func(rng *rand.Rand, h *history.History,
		_ *history.Final) bool {
		late := pick(rng, h, func(o *history.Op) bool { return acked(o) && o.Records[0].Offset > 0 })
		if late == nil {
			return false
		}
		for i := range h.Ops {
			early := &h.Ops[i]
			if acked(early) && early.Records[0].Offset < late.Records[0].Offset && early.Process != late.Process {
				return before(h, late, early)
			}
		}
		return false
	}},
	{"an end offset that is one too small", func(rng *rand.Rand, h *history.History, _ *history.Final) bool {
		return tooSmall(pick(rng, h, func(o *history.Op) bool {
			return o.Kind == history.ListOffsets && sawAcked(h, o)
		}))
	}},
	{"an empty read after an acknowledged send", func(rng *rand.Rand, h *history.History,
		_ *history.Final) bool {
		poll := pick(rng, h, func(o *history.Op) bool { return polled(o) && sawAcked(h, o) })
		if poll == nil {
			return false
		}
		poll.Records = nil
		return true
	}},
	{"a record read that was never sent", func(rng *rand.Rand, h *history.History, _ *history.Final) bool {
		poll := pick(rng, h, polled)
		poll.Records[0].Value = history.NewValue(99, 1)
		return true
	}},
	{"a record left out of a read", func(rng *rand.Rand, h *history.History, _ *history.Final) bool {
		poll := pick(rng, h, func(o *history.Op) bool { return polled(o) && len(o.Records) > 2 })
		if poll == nil {
			return false
		}
		poll.Records = slices.Delete(slices.Clone(poll.Records), 1, 2)
		return true
	}},
	{"a refusal of a batch that is in the log", func(rng *rand.Rand, h *history.History, _ *history.Final) bool {
		pick(rng, h, acked).Result = history.Fail
		return true
	}},
}

func acked(o *history.Op) bool {
	return o.Kind == history.Produce && o.Result == history.Ok && o.Acks == -1
}

func polled(o *history.Op) bool { return o.Kind == history.Fetch && len(o.Records) > 0 }

func pick(rng *rand.Rand, h *history.History, want func(*history.Op) bool) *history.Op {
	var found []*history.Op
	for i := range h.Ops {
		if want(&h.Ops[i]) {
			found = append(found, &h.Ops[i])
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[rng.IntN(len(found))]
}

func shift(o *history.Op, by int64) {
	o.Records = slices.Clone(o.Records)
	for i := range o.Records {
		o.Records[i].Offset += by
	}
}

func tooSmall(o *history.Op) bool {
	if o == nil {
		return false
	}
	o.Offset--
	return true
}

// sawAcked tells that the last record an operation saw (or the end it was told) had been
// acknowledged before it began.
func sawAcked(h *history.History, o *history.Op) bool {
	first := o.Offset - 1
	if o.Kind == history.Fetch {
		first = o.Records[0].Offset
	}
	for i := range h.Ops {
		s := &h.Ops[i]
		if acked(s) && s.Records[0].Offset <= first && first < s.Records[0].Offset+int64(len(s.Records)) {
			return s.Return.Before(o.Invoke)
		}
	}
	return false
}

func sender(h *history.History, v history.Value) *history.Op {
	for i := range h.Ops {
		o := &h.Ops[i]
		for _, r := range o.Records {
			if o.Kind == history.Produce && r.Value == v {
				return o
			}
		}
	}
	return nil
}

// before renumbers the events so that a ends before b begins; everything else keeps its order.
func before(h *history.History, a, b *history.Op) bool {
	if a.Return.Before(b.Invoke) {
		return false
	}
	at := b.Invoke.Seq
	room := int64(2)
	move := func(s *history.Stamp) {
		if s.Seq >= at {
			s.Seq += room
		}
	}
	ia, ra := a.Invoke.Seq, a.Return.Seq
	for i := range h.Ops {
		move(&h.Ops[i].Invoke)
		move(&h.Ops[i].Return)
	}
	move(&h.End)
	if ia >= at {
		a.Invoke.Seq = at
	}
	if ra >= at {
		a.Return.Seq = at + 1
	}
	slices.SortFunc(h.Ops, func(a, b history.Op) int { return int(a.Invoke.Seq - b.Invoke.Seq) })
	for i := range h.Ops {
		h.Ops[i].ID = i
	}
	return true
}

func BenchmarkCheck(b *testing.B) {
	h, final := soundHistory(1)
	b.ReportAllocs()
	for b.Loop() {
		Check(h, Options{Final: final, Fresh: true, Healed: true})
	}
}
