package replica

import (
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// # Who is in sync
//
// Only the controller changes the ISR, by compare and set on the partition epoch; the leader
// proposes. Between a proposal and the news of what became of it the leader cannot know which
// ISR is committed. It is safe to count too many: an expansion counts from the moment it is
// proposed, a shrink when it is known to be committed.
//
// An answer may be lost, so a proposal may be made again, and then an older copy of it may
// still be on its way. A refusal settles a proposal only if no other copy is unanswered;
// else whoever was proposed stays counted until the partition epoch moves. To have it move
// the leader withdraws: it proposes the ISR as it is, and the controller answers that, too,
// with a new partition epoch. After it, no older proposal can be accepted
// (docs/decisions/0007-a-proposed-member-counts-until-the-epoch-moves.md).

// change is the state of proposals at one partition epoch.
type change struct {
	id         uint64      // of the newest proposal; over all partition epochs
	waiting    bool        // for its answer
	sentAt     env.Instant // when it was made
	unanswered int         // proposals at this partition epoch, any of which may be accepted
	blocked    bool        // the metadata has moved on; propose nothing before it is known
	retryAt    env.Instant // propose nothing before
}

// superseded forgets proposals at older partition epochs: none can be accepted any more.
func (c *change) superseded() { *c = change{id: c.id} }

// ProposalAnswered brings the controller's answer to a proposal: the state it made if code is
// NONE. Answers may be late, lost, or out of order; REQUEST_TIMED_OUT and what is not a
// refusal say nothing about what became of it.
func (l *Leader) ProposalAnswered(
	now env.Instant, id uint64, code kafka.ErrorCode, made State,
) *LeaderEffects {
	l.begin(now)
	c := &l.change
	newest := id == c.id && c.waiting
	if newest {
		c.waiting = false
		c.retryAt = now.Add(l.cfg.RetryBackoff)
	}
	switch {
	case code == kafka.None:
		if made.LeaderEpoch == l.state.LeaderEpoch {
			l.adopt(made)
		}
	case newest && isRefusal(code):
		c.unanswered--
		c.blocked = code == kafka.InvalidUpdateVersion || code == kafka.FencedLeaderEpoch
		if c.unanswered == 0 && !c.blocked {
			for i := range l.followers {
				l.followers[i].proposed = false
			}
		}
	}
	return l.settle()
}

// isRefusal tells the answers after which the proposal they answer is certainly not accepted.
func isRefusal(code kafka.ErrorCode) bool {
	switch code {
	case kafka.InvalidUpdateVersion, kafka.FencedLeaderEpoch, kafka.IneligibleReplica, kafka.NotController,
		kafka.InvalidRequest, kafka.UnknownTopicID, kafka.UnknownTopicOrPartition, kafka.StaleBrokerEpoch:
		return true
	}
	return false
}

// propose asks for the ISR as it should be, if it is not so and no answer is awaited.
func (l *Leader) propose() {
	c := &l.change
	if c.waiting && l.now >= c.sentAt.Add(l.cfg.ProposalTimeout) {
		c.waiting = false // made again below, and unanswered for good
	}
	if c.waiting || c.blocked || l.now < c.retryAt || !l.wantsChange() {
		return
	}
	// unanswered proposals are bounded by time: each waits for ProposalTimeout.
	c.id++
	c.waiting, c.sentAt = true, l.now
	c.unanswered++
	p := &Proposal{ID: c.id, LeaderEpoch: l.state.LeaderEpoch, PartitionEpoch: l.state.PartitionEpoch}
	for _, id := range l.state.Replicas {
		if id == l.cfg.Self {
			p.ISR = append(p.ISR, Member{id, l.cfg.BrokerEpoch})
			continue
		}
		if f := l.follower(id); l.belongs(f) {
			if !f.inSync {
				l.mustBeEligible(f)
				f.proposed = true
			}
			p.ISR = append(p.ISR, Member{id, f.broker.Epoch})
		}
	}
	l.effects.Propose = p
}

// wantsChange tells that the ISR is not as it should be, or not known.
func (l *Leader) wantsChange() bool {
	return slices.ContainsFunc(l.followers, func(f follower) bool {
		return l.belongs(&f) != f.inSync || f.proposed
	})
}

// belongs tells whether a replica should be in the ISR: a member stays until it lags.
func (l *Leader) belongs(f *follower) bool {
	if f.lags(l.now, l.end, l.cfg.LagTimeMax) {
		return false
	}
	return f.inSync || l.mayJoin(f)
}

// mayJoin is the rule of joining (R-JOIN): the replica has, durably, all that is committed,
// here and by earlier leaders; and it is the one that is registered, and is to stay.
func (l *Leader) mayJoin(f *follower) bool {
	return f.counts() && f.durable >= l.hw && f.durable >= l.epochStart &&
		!f.broker.Fenced && !f.broker.ShuttingDown
}

// mustBeEligible holds a replica that is about to be proposed against R-JOIN.
func (l *Leader) mustBeEligible(f *follower) {
	// The high watermark of a new leader lags behind the last one's: before the start of its
	// epoch there may be committed records it does not know to be committed (KAFKA-7128).
	if f.durable < l.epochStart {
		invariant.Violated("replica.join-at-epoch-start", "b%d durable=%d epoch-start=%d",
			f.id, f.durable, l.epochStart)
	}
	// The next leader may be any of the ISR, and must have all that is committed (R-JOIN).
	if f.durable < l.hw || f.end < l.hw {
		invariant.Violated("replica.join-at-hw", "b%d durable=%d leo=%d hw=%d", f.id, f.durable, f.end, l.hw)
	}
	// A fenced replica, or one of an earlier registration, is about to be removed, or gone
	// with what it had (KIP-841, KIP-903).
	if f.broker.Fenced || f.broker.ShuttingDown || f.epoch != f.broker.Epoch {
		invariant.Violated("replica.join-registered-and-unfenced", "b%d epoch=%d registered=%+v",
			f.id, f.epoch, f.broker)
	}
}

// Deadline is when Tick is due, if ok: when a member of the ISR will have lagged for too
// long, or an answer to a proposal is overdue. A partition at rest has none.
func (l *Leader) Deadline() (at env.Instant, ok bool) {
	if l.failed {
		return 0, false
	}
	const never = env.Instant(1<<63 - 1)
	at = never
	c := &l.change
	switch {
	case c.blocked:
	case c.waiting:
		at = c.sentAt.Add(l.cfg.ProposalTimeout)
	case l.wantsChange():
		at = max(c.retryAt, l.now)
	}
	for i := range l.followers {
		if f := &l.followers[i]; f.inSync && !c.blocked && !c.waiting {
			if after := f.lagsAfter(l.end, l.cfg.LagTimeMax); after >= l.now && after != never {
				at = min(at, max(after+1, c.retryAt))
			}
		}
	}
	return at, at != never
}
