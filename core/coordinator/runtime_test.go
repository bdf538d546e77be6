package coordinator_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/coordinator"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// ledger is a log of numbers in memory, which can fail.
type ledger struct {
	records []int
	broken  bool
}

func (l *ledger) Append(records []int) (kafka.Offset, error) {
	if l.broken {
		return 0, errors.New("broken")
	}
	base := len(l.records)
	l.records = append(l.records, records...)
	return kafka.Offset(base), nil
}

// sum is a machine whose state can be told from a naive fold.
type sum struct {
	total   int
	batches int
}

func (s *sum) Replay(_ kafka.Offset, records []int) {
	s.batches++
	for _, r := range records {
		s.total = s.total*31 + r
	}
}

func fold(records []int) int {
	s := sum{}
	s.Replay(0, records)
	return s.total
}

// world is the runtime with a naive second version of what it promises.
type world struct {
	t       *rapid.T
	log     ledger
	machine *sum
	runtime *coordinator.Runtime[int, int]

	epoch   kafka.LeaderEpoch
	hw      kafka.Offset
	tickets int                  // given so far; each is answered exactly once, in order
	rests   map[int]kafka.Offset // waiting ticket to the log's end when it was decided
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, rests: map[int]kafka.Offset{}}
	w.runtime = coordinator.New[int, int](coordinator.Config[int]{
		Log:       &w.log,
		ParkedMax: 20,
		NewMachine: func() coordinator.Machine[int] {
			w.machine = &sum{}
			return w.machine
		},
	})
	return w
}

// released checks effects against the law: in order, never before the high watermark,
// and with nothing left that could have been released.
func (w *world) released(e *coordinator.Effects[int], code kafka.ErrorCode) {
	next := w.oldest()
	for _, r := range e.Replies {
		if r.Ticket != next {
			w.t.Fatalf("ticket %d released, want %d", r.Ticket, next)
		}
		if r.Code != code {
			w.t.Fatalf("ticket %d released with %s, want %s", r.Ticket, r.Code, code)
		}
		if r.Code == kafka.None && w.rests[r.Ticket] > w.hw {
			w.t.Fatalf("ticket %d rests on %d but hw=%d", r.Ticket, w.rests[r.Ticket], w.hw)
		}
		delete(w.rests, r.Ticket)
		next++
	}
	for ticket, rests := range w.rests {
		if code != kafka.None || rests <= w.hw {
			w.t.Fatalf("ticket %d rests on %d, hw=%d, and still waits", ticket, rests, w.hw)
		}
	}
}

func (w *world) oldest() int {
	oldest := w.tickets
	for ticket := range w.rests {
		oldest = min(oldest, ticket)
	}
	return oldest
}

func (w *world) end() kafka.Offset { return kafka.Offset(len(w.log.records)) }

func (w *world) submit(records int) {
	if w.runtime.Ready() != kafka.None {
		return
	}
	batch := make([]int, records)
	for i := range batch {
		batch[i] = rapid.IntRange(0, 9).Draw(w.t, "record")
	}
	failing := w.log.broken && records > 0
	ticket := w.tickets
	w.tickets++
	e := w.runtime.Submit(batch, ticket)
	w.rests[ticket] = w.end()
	if failing {
		w.released(e, kafka.KafkaStorageError)
		if w.runtime.State() != coordinator.Failed {
			w.t.Fatal("active on a broken log")
		}
		return
	}
	w.released(e, kafka.None)
}

func (w *world) lead() {
	w.epoch++
	w.log.broken = false
	w.released(w.runtime.LeadershipGained(w.epoch), kafka.NotCoordinator)
	if got := w.runtime.Ready(); got != kafka.CoordinatorLoadInProgress {
		w.t.Fatalf("ready while loading: %s", got)
	}
	// A new leader may lack what was never committed.
	keep := rapid.IntRange(int(w.hw), int(w.end())).Draw(w.t, "keep")
	w.log.records = w.log.records[:keep:keep]
	// What is committed may come from a snapshot instead of the log.
	at := rapid.IntRange(0, int(w.hw)).Draw(w.t, "snapshot")
	if at > 0 {
		w.machine.Replay(0, w.log.records[:at])
		w.runtime.SnapshotLoaded(kafka.Offset(at))
	}
	for at < keep {
		n := rapid.IntRange(1, keep-at).Draw(w.t, "batch")
		w.runtime.Loaded(kafka.Offset(at), w.log.records[at:at+n])
		at += n
	}
	w.hw = kafka.Offset(rapid.IntRange(int(w.hw), keep).Draw(w.t, "hw"))
	w.runtime.LoadDone(kafka.Offset(keep), w.hw)
}

func (w *world) step() {
	switch rapid.IntRange(0, 19).Draw(w.t, "step") {
	case 0:
		w.lead()
	case 1:
		w.released(w.runtime.LeadershipLost(), kafka.NotCoordinator)
	case 2:
		w.log.broken = true
	case 3:
		w.log.broken = true
		w.released(w.runtime.LogFailed(), kafka.KafkaStorageError)
	case 4, 5, 6, 7:
		w.submit(0)
	case 8, 9, 10, 11, 12, 13:
		w.submit(rapid.IntRange(1, 5).Draw(w.t, "records"))
	default:
		if w.runtime.State() == coordinator.Active && !w.log.broken {
			w.hw = kafka.Offset(rapid.IntRange(int(w.hw), int(w.end())).Draw(w.t, "hw"))
			w.released(w.runtime.HighWatermarkAdvanced(w.hw), kafka.None)
		} else if e := w.runtime.HighWatermarkAdvanced(w.hw); w.runtime.State() != coordinator.Active {
			w.released(e, kafka.None)
		}
	}
}

// Over all histories of leadership, appends, reads, failures and high watermarks: each
// ticket is released once, in order, with None exactly when what it rests on is
// committed; and the state is the fold of the log.
func TestRepliesWaitForWhatTheyRestOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.lead()
		for range rapid.IntRange(1, 150).Draw(t, "steps") {
			w.step()
			if w.runtime.Parked() != len(w.rests) {
				t.Fatalf("%d parked, want %d", w.runtime.Parked(), len(w.rests))
			}
			if w.runtime.State() != coordinator.Active {
				if len(w.rests) > 0 {
					t.Fatalf("%d wait on a runtime that is %s", len(w.rests), w.runtime.State())
				}
				continue
			}
			if w.runtime.End() != w.end() || w.machine.total != fold(w.log.records) {
				t.Fatalf("end=%d total=%d, want %d and %d",
					w.runtime.End(), w.machine.total, w.end(), fold(w.log.records))
			}
		}
	})
}

// runtime is one whose tickets are names.
type runtime = coordinator.Runtime[int, string]

func active(t *testing.T, log *ledger) *runtime {
	t.Helper()
	r := coordinator.New[int, string](coordinator.Config[int]{
		Log: log, NewMachine: func() coordinator.Machine[int] { return &sum{} }, ParkedMax: 3,
	})
	r.LeadershipGained(1)
	r.LoadDone(0, 0)
	return r
}

func text(e *coordinator.Effects[string]) (out []string) {
	for _, r := range e.Replies {
		out = append(out, fmt.Sprintf("%s %s", r.Ticket, r.Code))
	}
	return out
}

func check(t *testing.T, e *coordinator.Effects[string], want ...string) {
	t.Helper()
	if got := text(e); !slices.Equal(got, want) {
		t.Errorf("released %v, want %v", got, want)
	}
}

// A read that saw an uncommitted record is answered only when that record is committed;
// a read of committed state is answered at once.
func TestReadWaitsForTheNewestRecordItSaw(t *testing.T) {
	r := active(t, &ledger{})
	check(t, r.Submit(nil, "read of nothing"), "read of nothing NONE")
	check(t, r.Submit([]int{1, 2}, "write"))
	check(t, r.Submit(nil, "read"))
	check(t, r.HighWatermarkAdvanced(1))
	check(t, r.HighWatermarkAdvanced(2), "write NONE", "read NONE")
	check(t, r.Submit(nil, "later read"), "later read NONE")
}

func TestStalledLogRefusesBeforeItAppends(t *testing.T) {
	log := &ledger{}
	r := active(t, log)
	for range 3 {
		r.Submit([]int{1}, "w")
	}
	if r.Ready() != kafka.CoordinatorNotAvailable || len(log.records) != 3 {
		t.Errorf("ready: %s", r.Ready())
	}
	check(t, r.HighWatermarkAdvanced(3), "w NONE", "w NONE", "w NONE")
	if r.Ready() != kafka.None {
		t.Errorf("ready: %s", r.Ready())
	}
}

func TestEachMisuseViolatesItsInvariant(t *testing.T) {
	for _, c := range []struct {
		name string
		act  func(r *runtime, log *ledger)
	}{
		{"coordinator.epoch-rises", func(r *runtime, _ *ledger) { r.LeadershipGained(0) }},
		{"coordinator.input-in-state", func(r *runtime, _ *ledger) { r.Loaded(0, []int{1}) }},
		{"coordinator.load-end", func(r *runtime, _ *ledger) {
			r.LeadershipGained(2)
			r.Loaded(0, []int{1, 2})
			r.LoadDone(1, 0)
		}},
		{"coordinator.replay-in-order", func(r *runtime, _ *ledger) {
			r.LeadershipGained(2)
			r.Loaded(0, []int{1, 2})
			r.Loaded(1, []int{2})
		}},
		{"coordinator.replay-in-order", func(r *runtime, _ *ledger) {
			r.LeadershipGained(2)
			r.SnapshotLoaded(2)
			r.Loaded(1, []int{2})
		}},
		{"coordinator.load-end", func(r *runtime, _ *ledger) {
			r.LeadershipGained(2)
			r.SnapshotLoaded(2)
			r.LoadDone(1, 0)
		}},
		{"coordinator.snapshot-first", func(r *runtime, _ *ledger) {
			r.LeadershipGained(2)
			r.Loaded(0, []int{1})
			r.SnapshotLoaded(2)
		}},
		{"coordinator.input-in-state", func(r *runtime, _ *ledger) { r.SnapshotLoaded(2) }},
		{"coordinator.decide-when-ready", func(r *runtime, _ *ledger) {
			r.LeadershipLost()
			r.Submit(nil, "")
		}},
		{"coordinator.hw-in-order", func(r *runtime, _ *ledger) { r.HighWatermarkAdvanced(1) }},
		{"coordinator.append-at-end", func(r *runtime, log *ledger) {
			log.records = append(log.records, 7) // another writer
			r.Submit([]int{1}, "")
		}},
		{"coordinator.records-bound", func(r *runtime, _ *ledger) {
			r.Submit(make([]int, coordinator.RecordsMax+1), "")
		}},
	} {
		log := &ledger{}
		r := active(t, log)
		if got := violation(func() { c.act(r, log) }); got != c.name {
			t.Errorf("violated %q, want %q", got, c.name)
		}
	}
}

func violation(f func()) (name string) {
	defer func() {
		if v, ok := recover().(invariant.Violation); ok {
			name = v.Name
		}
	}()
	f()
	return ""
}

// nothing takes records and keeps none.
type nothing struct{ end kafka.Offset }

func (n *nothing) Append(records []int) (kafka.Offset, error) {
	base := n.end
	n.end += kafka.Offset(len(records))
	return base, nil
}

func (n *nothing) Replay(kafka.Offset, []int) {}

// The runtime itself allocates nothing once its queue has grown.
func TestSubmitAndReleaseDoNotAllocate(t *testing.T) {
	log := &nothing{}
	r := coordinator.New[int, int](coordinator.Config[int]{
		Log: log, NewMachine: func() coordinator.Machine[int] { return log },
	})
	r.LeadershipGained(1)
	r.LoadDone(0, 0)
	records := []int{1}
	cycle := func() {
		for i := range 100 {
			r.Submit(records, i)
		}
		for hw := log.end - 99; hw <= log.end; hw++ {
			r.HighWatermarkAdvanced(hw)
		}
	}
	cycle()
	if n := testing.AllocsPerRun(100, cycle); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
