package coordinator

import (
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Decision is the outcome of reading the state: what to write, and what to answer once
// that is committed. No records make it a read.
type Decision[R, A any] struct {
	Records []R
	Answer  A
}

// Log is where a runtime writes.
type Log[R any] interface {
	// Append writes the records as one atomic batch at the end of the log, one offset
	// each, and returns the first offset. After an error nothing was written, and the log
	// will take no more. It must not call back into the runtime.
	Append(records []R) (kafka.Offset, error)
}

// Machine is the state that the records add up to.
type Machine[R any] interface {
	// Replay applies one batch. It refuses nothing: what may not be in the log was refused
	// by the decision.
	Replay(base kafka.Offset, records []R)
}

// State tells what a runtime can do.
type State uint8

// The states. Every input names those it is legal in.
const (
	Inactive State = iota // not the leader: knows nothing, answers nothing
	Loading               // leader, replaying what is in the log
	Active                // decides and answers
	Failed                // the log failed: answers nothing until it is led anew
)

func (s State) String() string {
	return [...]string{"inactive", "loading", "active", "failed"}[s]
}

// Released is a reply whose time has come. Code None means that what the reply rests on
// is committed; any other code means that its fate is unknown to this node, and the
// caller must be told the code instead of the answer.
type Released[T any] struct {
	Ticket T
	Code   kafka.ErrorCode
}

// Effects are what the loop has to do. They are valid until the next input.
type Effects[T any] struct {
	// Replies are to be sent in this order.
	Replies []Released[T]
}

// Config makes a runtime.
type Config[R any] struct {
	Log Log[R]
	// NewMachine gives the state before the first record. It is asked at each start of
	// loading, so that nothing of an earlier leadership is left.
	NewMachine func() Machine[R]
	// ParkedMax overrides the bound in tests. 0 means the default.
	ParkedMax int
}

// Runtime runs one machine over one log.
type Runtime[R, T any] struct {
	cfg Config[R]

	// hard state, replayed
	machine Machine[R]
	end     kafka.Offset // after the last record replayed

	// soft state
	state  State
	epoch  kafka.LeaderEpoch
	hw     kafka.Offset
	parked queue[T]

	// scratch
	effects Effects[T]
}

// New makes an inactive runtime.
func New[R, T any](cfg Config[R]) *Runtime[R, T] {
	if cfg.ParkedMax == 0 {
		cfg.ParkedMax = ParkedMax
	}
	return &Runtime[R, T]{cfg: cfg, epoch: -1}
}

// State tells what the runtime can do.
func (r *Runtime[R, T]) State() State { return r.state }

// Epoch is the leader epoch of the current or last leadership. A completion that carries
// another one is stale.
func (r *Runtime[R, T]) Epoch() kafka.LeaderEpoch { return r.epoch }

// End is the offset the next record will get.
func (r *Runtime[R, T]) End() kafka.Offset { return r.end }

// Parked is the number of replies that wait.
func (r *Runtime[R, T]) Parked() int { return r.parked.len() }

// Ready answers with which code a request must be refused before anything is decided, or
// None: the state may be read and the decision submitted.
func (r *Runtime[R, T]) Ready() kafka.ErrorCode {
	switch {
	case r.state == Loading:
		return kafka.CoordinatorLoadInProgress
	case r.state != Active:
		return kafka.NotCoordinator
	case r.parked.len() >= r.cfg.ParkedMax:
		return kafka.CoordinatorNotAvailable
	}
	return kafka.None
}

// LeadershipGained starts loading in a new leader epoch. What waited from an earlier
// leadership is released with NotCoordinator.
func (r *Runtime[R, T]) LeadershipGained(epoch kafka.LeaderEpoch) *Effects[T] {
	// A leadership older than one we had would load into a state already given up.
	if epoch < r.epoch {
		invariant.Violated("coordinator.epoch-rises", "was=%d now=%d", r.epoch, epoch)
	}
	r.effects.reset()
	r.releaseAll(kafka.NotCoordinator)
	r.state, r.epoch, r.machine = Loading, epoch, r.cfg.NewMachine()
	r.end, r.hw = 0, 0
	return &r.effects
}

// SnapshotLoaded reports, before any Loaded, that the machine holds all records below end
// from a snapshot: the batches of the log below end are not to be replayed.
func (r *Runtime[R, T]) SnapshotLoaded(end kafka.Offset) {
	r.mustBe(Loading)
	// A snapshot over what was replayed would apply records twice.
	if r.end > 0 {
		invariant.Violated("coordinator.snapshot-first", "end=%d replayed=%d", end, r.end)
	}
	r.end = end
}

// Loaded replays one batch found in the log, in order, while loading.
func (r *Runtime[R, T]) Loaded(base kafka.Offset, records []R) {
	r.mustBe(Loading)
	r.replay(base, records)
}

// LoadDone ends loading: everything below end was replayed or carried no records, and
// everything below highWatermark is committed.
func (r *Runtime[R, T]) LoadDone(end, highWatermark kafka.Offset) {
	r.mustBe(Loading)
	// An end below what was replayed would give an offset out twice.
	if end < r.end || highWatermark > end {
		invariant.Violated("coordinator.load-end", "end=%d replayed=%d hw=%d", end, r.end, highWatermark)
	}
	r.state, r.end, r.hw = Active, end, highWatermark
}

// Submit carries out a decision made on the current state: appends its records and
// replays them, or just waits for what was read if there are none. The ticket is released
// when everything replayed so far is committed. It is legal only while Ready is None.
func (r *Runtime[R, T]) Submit(records []R, ticket T) *Effects[T] {
	// A decision made without asking Ready rests on a state that is not the log's.
	if code := r.Ready(); code != kafka.None {
		invariant.Violated("coordinator.decide-when-ready", "state=%s code=%s", r.state, code)
	}
	r.effects.reset()
	if len(records) > 0 && !r.append(records) {
		r.effects.release(ticket, kafka.KafkaStorageError)
		return &r.effects
	}
	r.parked.push(parkedReply[T]{r.end, ticket})
	r.releaseCommitted()
	return &r.effects
}

// HighWatermarkAdvanced releases what is now committed, in the order it was submitted.
func (r *Runtime[R, T]) HighWatermarkAdvanced(highWatermark kafka.Offset) *Effects[T] {
	r.effects.reset()
	if r.state != Active {
		return &r.effects
	}
	// A reply sent cannot be taken back, so the high watermark may not fall; and beyond
	// our end it would release replies to records nobody wrote.
	if highWatermark < r.hw || highWatermark > r.end {
		invariant.Violated("coordinator.hw-in-order", "was=%d now=%d end=%d", r.hw, highWatermark, r.end)
	}
	r.hw = highWatermark
	r.releaseCommitted()
	return &r.effects
}

// LeadershipLost drops the state. What waits is released with NotCoordinator: it may
// yet be committed by the next leader, or not.
func (r *Runtime[R, T]) LeadershipLost() *Effects[T] {
	r.effects.reset()
	r.stop(Inactive, kafka.NotCoordinator)
	return &r.effects
}

// LogFailed reports that the log's directory went offline. What waits is released with
// KafkaStorageError: no sync will ever say that it is durable.
func (r *Runtime[R, T]) LogFailed() *Effects[T] {
	r.effects.reset()
	r.stop(Failed, kafka.KafkaStorageError)
	return &r.effects
}

func (r *Runtime[R, T]) append(records []R) bool {
	// A batch beyond the bound could not be replicated or loaded as one.
	if len(records) > RecordsMax {
		invariant.Violated("coordinator.records-bound", "%d records, at most %d", len(records), RecordsMax)
	}
	base, err := r.cfg.Log.Append(records)
	if err != nil {
		r.stop(Failed, kafka.KafkaStorageError)
		return false
	}
	// The decision was made for this offset (a broker epoch is one); another writer on our
	// log would make the state something else than its fold.
	if base != r.end {
		invariant.Violated("coordinator.append-at-end", "base=%d end=%d", base, r.end)
	}
	r.replay(base, records)
	return true
}

func (r *Runtime[R, T]) replay(base kafka.Offset, records []R) {
	// Batches are replayed in order and once; gaps are control batches.
	if base < r.end {
		invariant.Violated("coordinator.replay-in-order", "base=%d end=%d", base, r.end)
	}
	r.machine.Replay(base, records)
	r.end = base + kafka.Offset(len(records))
}

func (r *Runtime[R, T]) stop(next State, code kafka.ErrorCode) {
	r.releaseAll(code)
	r.state, r.machine = next, nil
}

func (r *Runtime[R, T]) releaseCommitted() {
	for r.parked.len() > 0 && r.parked.first().rests <= r.hw {
		r.effects.release(r.parked.pop().ticket, kafka.None)
	}
}

func (r *Runtime[R, T]) releaseAll(code kafka.ErrorCode) {
	for r.parked.len() > 0 {
		r.effects.release(r.parked.pop().ticket, code)
	}
}

func (r *Runtime[R, T]) mustBe(s State) {
	// An input in the wrong state is a loop that lost track of leadership.
	if r.state != s {
		invariant.Violated("coordinator.input-in-state", "state=%s want=%s", r.state, s)
	}
}

func (e *Effects[T]) reset() {
	clear(e.Replies)
	e.Replies = e.Replies[:0]
}

func (e *Effects[T]) release(ticket T, code kafka.ErrorCode) {
	e.Replies = append(e.Replies, Released[T]{ticket, code})
}
