package replica

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// # Damage
//
// What was durable once and cannot be read is not cut off: above it there may lie good
// records that are nowhere else. The follower claims only what lies below, so that the
// leader counts it no further and it leaves the ISR by lagging; and fetches as if its log
// ended there. What comes fills the gap in place, if it is of the epochs that were there, and
// when the last one is filled the log's end is claimed again, and compared again.

// repair uses the records of an answer to fill the first damaged range.
func (f *Follower) repair(a *Answer) {
	gap := f.damage[0]
	r := &Repair{Range: Range{gap.From, gap.From}}
	used := 0
	for b, err := range record.Batches(a.Records) {
		if err != nil || b.BaseOffset() >= gap.To {
			r.To = gap.To // only what was compacted away is missing
			break
		}
		if b.NextOffset() > gap.To || b.BaseOffset() < gap.From ||
			b.LeaderEpoch() != f.log.EpochAt(b.BaseOffset()) {
			if used == 0 {
				f.unrepairable()
				return
			}
			break
		}
		used += len(b)
		r.To = b.NextOffset()
	}
	r.Records = a.Records[:used]
	f.phase = ordering
	f.ordered = order{repair: r}
	f.effects.Repair = r
}

// unrepairable gives up what lies above damage that the leader's batches do not fit into: it
// is not the leader's log. Before the controller has taken this replica from ISR and ELR it
// keeps everything: it may be what an operator must choose from.
func (f *Follower) unrepairable() {
	if f.state.holds(f.cfg.Self) {
		f.wait(kafka.CorruptMessage)
		return
	}
	f.proved = false
	f.order(&Cut{To: f.damage[0].From, BelowHighWatermark: f.damage[0].From < f.hw})
	f.mustBeFreeToDiscard()
}

// dropAboveDamage cuts off what lies above a leader's end, so is not the leader's, and cannot
// be compared, because damage lies below it. A leader has all that is committed; what it
// commits later is counted up to the position of this replica and no further.
func (f *Follower) dropAboveDamage() {
	at := f.position()
	if len(f.damage) == 0 || f.promised.logEnd > at {
		return
	}
	// It is the leader that has accepted all below, or its end says nothing about this log.
	if !f.proved {
		invariant.Violated("replica.damage-drops-nothing-committed", "at=%d leader=%d damage=%v leo=%d",
			at, f.promised.logEnd, f.damage, f.log.End())
	}
	f.proved = false
	f.order(&Cut{To: at, BelowHighWatermark: at < f.hw})
}

func (f *Follower) mustBeFreeToDiscard() {
	// A replica that the controller counts on discards nothing because of its own damage
	// (R-TAIL).
	if f.state.holds(f.cfg.Self) {
		invariant.Violated("replica.suspect-keeps-records", "self=%d %s", f.cfg.Self, f.state)
	}
}

// Repaired reports that the log has what Repair asked for.
func (f *Follower) Repaired(now env.Instant) *FollowerEffects {
	f.begin(now)
	r := f.ordered.repair
	// A repair fills a hole from below, so that what is claimed grows without one.
	if f.phase != ordering || r == nil || len(f.damage) == 0 || f.damage[0].From != r.From {
		invariant.Violated("replica.repair-from-below", "phase=%s repair=%+v damage=%v",
			phaseNames[f.phase], r, f.damage)
	}
	f.phase, f.ordered = following, order{}
	before := f.damage[0].To
	f.damage = cutBelow(f.damage, r.To)
	if r.To >= before {
		f.proved = false // the position jumps over records that the leader has not compared
	} else {
		f.heed(f.promised)
		f.dropAboveDamage()
	}
	f.effects.Moved = true
	return &f.effects
}
