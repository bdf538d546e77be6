package replica

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Follower is the follower's side of one partition: it says what to ask the leader for, and
// makes the own log equal to the leader's by what is answered. It lives as long as this
// broker follows, through any number of leaders.
//
//	           ┌── Moved: Position is asked for ──┐
//	Following ─┴─▶ fetch ─▶ Answered ─┬─ records ──▶ Append ─▶ Appended ─▶ Following
//	    ▲                             ├─ diverging ▶ Truncate ▶ Truncated ▶ Following
//	    │                             └─ an error ─▶ Waiting
//	    └── Tick, StateChanged ◀──────────────────────┘
type Follower struct {
	cfg FollowerConfig
	log Log

	state State // by the committed metadata
	hw    kafka.Offset

	phase    phase
	ordered  order           // what the log was asked to do
	proved   bool            // this leader accepted the position, as it was then or is now
	reason   kafka.ErrorCode // why it waits
	wakeAt   env.Instant
	failures int     // in a row
	damage   []Range // not to be trusted: to be fetched again
	suspect  bool
	now      env.Instant
	effects  FollowerEffects
	promised promise
}

// promise is what the leader said along with records that the log has yet to take.
type promise struct{ hw, logStart, logEnd kafka.Offset }

// phase is what a follower is doing.
type phase uint8

const (
	following phase = iota // asks, or would if there were a leader
	ordering               // the log was asked for something and has not reported
	waiting                // after an error
	offline                // the log directory failed: for ever
)

var phaseNames = [...]string{"following", "ordering", "waiting", "offline"}

// FollowerConfig is who follows.
type FollowerConfig struct {
	Self        kafka.BrokerID
	BrokerEpoch kafka.BrokerEpoch // of this process's registration
	Directory   kafka.DirectoryID // in which the log lies
	// Backoff is replica.fetch.backoff.ms: how long after an error the leader is asked again
	// at the latest, unless the metadata changes before. After the first error in a row it is a
	// 32nd of that, then twice as long each time: while an election gets around, leader and
	// follower hear of it some milliseconds apart.
	Backoff time.Duration
}

// Range is the offsets from From on and below To.
type Range struct{ From, To kafka.Offset }

// FollowerEffects is what the owner has to do, in this order. It is valid until the next
// input.
type FollowerEffects struct {
	// Truncate, if not nil, has the log cut; Truncated or, if there is an Append too,
	// Appended reports it.
	Truncate *Cut
	// Append are whole batches for the end of the log, offsets and epochs as they are;
	// Appended reports them.
	Append []byte
	// Repair, if not nil, has the log replace what is damaged; Repaired reports it.
	Repair *Repair
	// RaiseStart, if not NoOffset, is the log start offset to raise the own one to.
	RaiseStart kafka.Offset
	// HighWatermark tells that it moved.
	HighWatermark bool
	// Moved tells that Position, or when to ask for it, has changed.
	Moved bool
}

// Cut is a truncation.
type Cut struct {
	To kafka.Offset
	// Restart empties the log and has it begin at To.
	Restart bool
	// BelowHighWatermark tells that committed records go: there was an unclean election, or a
	// leader lost what it had. Operators want to know.
	BelowHighWatermark bool
}

// Repair says that from From to To the log has Records and nothing else.
type Repair struct {
	Range
	Records []byte
}

// order is what the log has been asked for.
type order struct {
	cut    *Cut
	append bool
	end    kafka.Offset // of the log, when it is done
	repair *Repair
}

// NewFollower begins to follow. hw is the high watermark that the replica knew; see
// InitialHighWatermark.
func NewFollower(now env.Instant, cfg FollowerConfig, state State, log Log, hw kafka.Offset) *Follower {
	return &Follower{cfg: cfg, log: log, state: state, hw: max(log.Start(), min(hw, log.End())), now: now}
}

// HighWatermark is the end of what is known to be committed: consumers read below it.
func (f *Follower) HighWatermark() kafka.Offset { return f.hw }

// State is the committed state as the follower knows it.
func (f *Follower) State() State { return f.state }

// Waits tells why nothing is asked for just now, and until when; ok is false while it is.
func (f *Follower) Waits() (reason kafka.ErrorCode, until env.Instant, ok bool) {
	return f.reason, f.wakeAt, f.phase == waiting
}

// Suspect tells that the log may lack what it once had: a restart found damage, or a cut that
// may have been damage. Such a replica is not for the controller to elect while another one is
// clean. It ends when the leader has accepted a position that is durable up to its high
// watermark.
func (f *Follower) Suspect() bool { return f.suspect || len(f.damage) > 0 }

// Position is what to ask the leader for, if ok.
func (f *Follower) Position() (req Fetch, ok bool) {
	leader := f.state.Leader
	if f.phase != following || leader < 0 || leader == f.cfg.Self {
		return Fetch{}, false
	}
	// With records of a later leader than the metadata knows of, it waits for the news.
	if f.log.LatestEpoch() > f.state.LeaderEpoch {
		return Fetch{}, false
	}
	at := f.position()
	req = Fetch{
		Broker: f.cfg.Self, BrokerEpoch: f.cfg.BrokerEpoch, Directory: f.cfg.Directory,
		LeaderEpoch: f.state.LeaderEpoch, Offset: at, LastEpoch: f.log.LatestEpoch(),
		Durable: min(at, f.log.DurableEnd()), LogStart: f.log.Start(), HighWatermark: f.hw,
	}
	if at < f.log.End() {
		req.LastEpoch = -1
		if at > f.log.Start() {
			req.LastEpoch = f.log.EpochAt(at - 1)
		}
	}
	return req, true
}

// position is the end of what is whole: a replica does not claim what is damaged, nor what
// lies above it (R-TAIL).
func (f *Follower) position() kafka.Offset {
	if len(f.damage) > 0 {
		return f.damage[0].From
	}
	return f.log.End()
}

// StateChanged brings newer metadata.
func (f *Follower) StateChanged(now env.Instant, s State) *FollowerEffects {
	f.begin(now)
	if s.LeaderEpoch < f.state.LeaderEpoch || s.PartitionEpoch < f.state.PartitionEpoch {
		return &f.effects
	}
	if s.LeaderEpoch > f.state.LeaderEpoch {
		f.proved, f.failures = false, 0
	}
	f.state = s
	f.follow()
	return &f.effects
}

// Damaged reports ranges whose records cannot be read, or not be trusted, in order and apart
// from each other. They are fetched again, and until then neither they nor what lies above
// them is claimed.
func (f *Follower) Damaged(now env.Instant, ranges []Range) *FollowerEffects {
	f.begin(now)
	f.damage = append([]Range(nil), ranges...)
	f.suspect, f.proved = true, false
	f.effects.Moved = true
	return &f.effects
}

// Suspected reports that a restart cut the log at a place that may have been damaged rather
// than torn.
func (f *Follower) Suspected() { f.suspect = true }

// Durable reports that the log's durable end moved, which the leader waits to hear.
func (f *Follower) Durable(now env.Instant) *FollowerEffects {
	f.begin(now)
	// After a failed write nobody knows what the file holds: it never counts again (R-FSYNC).
	if f.phase == offline {
		invariant.Violated("replica.follower-silent-after-failure", "durable=%d", f.log.DurableEnd())
	}
	f.effects.Moved = true
	return &f.effects
}

// LogFailed reports that the log directory went offline. Nothing is asked for any more.
func (f *Follower) LogFailed(now env.Instant) *FollowerEffects {
	f.begin(now)
	f.phase, f.reason = offline, kafka.KafkaStorageError
	f.effects.Moved = true
	return &f.effects
}

// Tick reports that time has passed. It is due when a follower that waits is to be woken.
func (f *Follower) Tick(now env.Instant) *FollowerEffects {
	f.begin(now)
	if f.phase == waiting && now >= f.wakeAt {
		f.follow()
	}
	return &f.effects
}

func (f *Follower) begin(now env.Instant) {
	// Back-offs are measured on a clock that never steps back.
	if now < f.now {
		invariant.Violated("replica.follower-time-never-back", "now=%s->%s", f.now, now)
	}
	f.now = now
	f.effects = FollowerEffects{RaiseStart: kafka.NoOffset}
}

// follow asks the leader again.
func (f *Follower) follow() {
	if f.phase == waiting {
		f.phase, f.reason = following, kafka.None
	}
	f.effects.Moved = true
}

// wait asks again later.
func (f *Follower) wait(reason kafka.ErrorCode) {
	f.failures = min(f.failures+1, 6)
	pause := f.cfg.Backoff >> (6 - f.failures)
	f.phase, f.reason, f.wakeAt = waiting, reason, f.now.Add(pause)
	f.effects.Moved = true
}
