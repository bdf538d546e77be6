package replica

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Leader is the leader's side of one partition in one leader epoch: it knows how far each
// follower is, moves the high watermark, and proposes who is in sync. A new leader epoch has
// a new Leader.
type Leader struct {
	cfg    LeaderConfig
	epochs Epochs

	// By the committed metadata.
	state State

	// The own log.
	epochStart kafka.Offset
	start      kafka.Offset
	end        kafka.Offset
	durable    kafka.Offset

	hw        kafka.Offset
	followers []follower // the other replicas, in the order of state.Replicas
	change    change     // of the ISR, on its way
	enough    bool       // the committed ISR has MinISR members
	failed    bool
	now       env.Instant

	effects LeaderEffects
}

// LeaderConfig is how a partition is led. It may change while it is: Configured.
type LeaderConfig struct {
	Self        kafka.BrokerID
	BrokerEpoch kafka.BrokerEpoch // of this process's registration
	// MinISR is min.insync.replicas; a partition with fewer replicas needs them all (KIP-966).
	MinISR int
	// LagTimeMax is replica.lag.time.max.ms: who has not had all that the leader had at some
	// moment within this time is not in sync.
	LagTimeMax time.Duration
	// ProposalTimeout is how long an answer to a proposal is awaited before it is made again,
	// and RetryBackoff how long after a refusal.
	ProposalTimeout time.Duration
	RetryBackoff    time.Duration
}

// Validate tells what is impossible about the configuration.
func (c LeaderConfig) Validate() error {
	if c.MinISR < 1 || c.LagTimeMax <= 0 || c.ProposalTimeout <= 0 || c.RetryBackoff <= 0 {
		return fmt.Errorf("replica: impossible configuration %+v: all must be positive", c)
	}
	return nil
}

// LeaderEffects is what the owner has to do. It is valid until the next input.
type LeaderEffects struct {
	// HighWatermark tells that it moved: whoever waited for an offset below it with acks=all
	// is answered, readers and followers are told.
	HighWatermark bool
	// TooFewInSync is set once when the ISR falls below MinISR: the high watermark stands
	// still, so whoever waits with acks=all is answered NOT_ENOUGH_REPLICAS_AFTER_APPEND.
	TooFewInSync bool
	// Propose asks the controller for another ISR. Nil for nothing.
	Propose *Proposal
}

// Proposal is an AlterPartition request. Its answer comes as ProposalAnswered with its ID, or
// never; only one is awaited at a time.
type Proposal struct {
	ID             uint64
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch int32 // the change that this one follows
	ISR            []Member
}

// NewLeader takes over. The log already knows that the epoch begins at its end. hw is the
// high watermark the replica knew before. BrokerChanged and Start follow.
func NewLeader(now env.Instant, cfg LeaderConfig, state State, log Log, hw kafka.Offset) *Leader {
	// A follower that asks where the epoch before ended must not be told of records that this
	// one may still write (KAFKA-7415).
	if log.LatestEpoch() != state.LeaderEpoch {
		invariant.Violated("replica.epoch-begun-before-serving", "leader-epoch=%d log=%d",
			state.LeaderEpoch, log.LatestEpoch())
	}
	l := &Leader{
		cfg: cfg, epochs: log, now: now,
		epochStart: log.End(), start: log.Start(), end: log.End(), durable: log.DurableEnd(),
		hw: max(log.Start(), min(hw, log.DurableEnd())),
	}
	l.take(state)
	l.enough = l.inSyncEnough()
	for i := range l.followers {
		l.followers[i].restart(now, l.end)
	}
	return l
}

// Start computes what holds from the beginning, once the owner has told of the brokers: a
// leader that is alone in sync commits what it has.
func (l *Leader) Start(now env.Instant) *LeaderEffects {
	l.begin(now)
	return l.settle()
}

// HighWatermark is the end of what is committed.
func (l *Leader) HighWatermark() kafka.Offset { return l.hw }

// LogStart is the log start offset, LogEnd the log end offset.
func (l *Leader) LogStart() kafka.Offset { return l.start }

// LogEnd is the log end offset.
func (l *Leader) LogEnd() kafka.Offset { return l.end }

// Epoch is the leader epoch.
func (l *Leader) Epoch() kafka.LeaderEpoch { return l.state.LeaderEpoch }

// State is the committed state as the leader knows it.
func (l *Leader) State() State { return l.state }

// EnoughInSync tells whether acks=all is taken: the committed ISR has MinISR members.
// Otherwise a produce is refused with NOT_ENOUGH_REPLICAS before anything is appended.
func (l *Leader) EnoughInSync() bool { return l.enough }

// Settled tells that the high watermark has reached the start of the epoch. Before, it may
// lie below what an earlier leader told clients, so that latest offsets are not answered
// (OFFSET_NOT_AVAILABLE, KIP-207).
func (l *Leader) Settled() bool { return l.hw >= l.epochStart }

// LogAppended reports the end of the log after an append.
func (l *Leader) LogAppended(now env.Instant, end kafka.Offset) *LeaderEffects {
	l.begin(now)
	// A leader never truncates its own log.
	if end < l.end {
		invariant.Violated("replica.leader-append-only", "leo=%d->%d", l.end, end)
	}
	for i := range l.followers {
		l.followers[i].leftBehind(now, l.end)
	}
	l.end = end
	return l.settle()
}

// Durable reports the end of what this replica would find again after a crash.
func (l *Leader) Durable(now env.Instant, end kafka.Offset) *LeaderEffects {
	l.begin(now)
	// After a failed write nobody knows what the file holds: it never counts again.
	if l.failed {
		invariant.Violated("replica.no-progress-after-failure", "durable=%d->%d", l.durable, end)
	}
	// Nothing is durable that is not in the log, nor ceases to be.
	if end > l.end || end < l.durable {
		invariant.Violated("replica.durable-within-log", "durable=%d->%d leo=%d", l.durable, end, l.end)
	}
	l.durable = end
	return l.settle()
}

// LogStartRaised reports that retention or DeleteRecords took records away.
func (l *Leader) LogStartRaised(now env.Instant, start kafka.Offset) *LeaderEffects {
	l.begin(now)
	// What is not committed yet may still be needed, and what is gone does not come back.
	if start > l.hw || start < l.start {
		invariant.Violated("replica.log-start-within-committed", "start=%d->%d hw=%d", l.start, start, l.hw)
	}
	l.start = start
	return l.settle()
}

// LogFailed reports that the log directory went offline: nothing counts any more.
func (l *Leader) LogFailed() { l.failed = true }

// PartitionChanged brings newer metadata of the same leader epoch.
func (l *Leader) PartitionChanged(now env.Instant, state State) *LeaderEffects {
	l.begin(now)
	l.adopt(state)
	return l.settle()
}

// BrokerChanged brings what the metadata says about a broker that holds a replica: for each
// of them before Start, for a new one after PartitionChanged, and whenever it changes.
func (l *Leader) BrokerChanged(now env.Instant, b Broker) *LeaderEffects {
	l.begin(now)
	if f := l.follower(b.ID); f != nil {
		f.broker = b
	}
	return l.settle()
}

// Configured brings another configuration.
func (l *Leader) Configured(now env.Instant, cfg LeaderConfig) *LeaderEffects {
	l.begin(now)
	l.cfg = cfg
	return l.settle()
}

// Tick reports that time has passed. It is due at Deadline.
func (l *Leader) Tick(now env.Instant) *LeaderEffects {
	l.begin(now)
	return l.settle()
}

func (l *Leader) begin(now env.Instant) {
	// Lag is measured on a clock that never steps back; another one would expel whom it likes.
	if now < l.now {
		invariant.Violated("replica.time-never-back", "now=%s->%s", l.now, now)
	}
	l.now = now
	l.effects = LeaderEffects{}
}

// settle draws the conclusions of an input.
func (l *Leader) settle() *LeaderEffects {
	if l.failed {
		return &l.effects
	}
	enough := l.inSyncEnough()
	l.effects.TooFewInSync = l.enough && !enough
	l.enough = enough
	l.advance()
	l.propose()
	return &l.effects
}

// minISR is the effective min.insync.replicas: a partition with fewer replicas needs all.
func (l *Leader) minISR() int { return min(l.cfg.MinISR, len(l.state.Replicas)) }

func (l *Leader) inSyncEnough() bool { return len(l.state.ISR) >= l.minISR() }

// adopt takes newer metadata over.
func (l *Leader) adopt(s State) {
	if s.LeaderEpoch != l.state.LeaderEpoch {
		// The epoch start and all progress belong to one epoch; the owner makes a new Leader.
		invariant.Violated("replica.one-leader-per-epoch", "leader-epoch=%d->%d",
			l.state.LeaderEpoch, s.LeaderEpoch)
	}
	if s.PartitionEpoch <= l.state.PartitionEpoch {
		return // the answer to a proposal was ahead of it
	}
	l.take(s)
	l.change.superseded()
}

// take makes s the committed state.
func (l *Leader) take(s State) {
	// Who leads is a replica in sync; who is in sync is a replica.
	if s.Leader != l.cfg.Self || !slices.Contains(s.ISR, s.Leader) || len(s.Replicas) > ReplicasMax ||
		slices.ContainsFunc(s.ISR, func(b kafka.BrokerID) bool { return !slices.Contains(s.Replicas, b) }) {
		invariant.Violated("replica.isr-within-replicas", "self=%d %s replicas=%v", l.cfg.Self, s, s.Replicas)
	}
	old := l.followers
	l.followers = make([]follower, 0, len(s.Replicas))
	for _, id := range s.Replicas {
		if id == l.cfg.Self {
			continue
		}
		f := follower{id: id, broker: Broker{ID: id, Epoch: -1}}
		f.restart(l.now, l.end)
		if i := slices.IndexFunc(old, func(o follower) bool { return o.id == id }); i >= 0 {
			f = old[i]
		}
		f.directory = s.directoryOf(id)
		f.inSync, f.proposed = slices.Contains(s.ISR, id), false
		l.followers = append(l.followers, f)
	}
	l.state = s
}

func (l *Leader) follower(id kafka.BrokerID) *follower {
	for i := range l.followers {
		if l.followers[i].id == id {
			return &l.followers[i]
		}
	}
	return nil
}
