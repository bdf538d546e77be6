package replica

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// Answer is what a leader answers to a fetch.
type Answer struct {
	Verdict
	LeaderEpoch kafka.LeaderEpoch // of the fetch
	From        kafka.Offset      // its Offset
	// Records are whole batches. Whoever decodes the frame has verified their checksums.
	Records []byte
}

// Answered takes what the leader answered. An answer to what is no longer asked, for it comes
// late or twice, changes nothing.
func (f *Follower) Answered(now env.Instant, a Answer) *FollowerEffects {
	f.begin(now)
	if f.phase != following || a.LeaderEpoch != f.state.LeaderEpoch {
		return &f.effects
	}
	at := f.position()
	switch {
	case a.Code == kafka.OffsetOutOfRange:
		f.outOfRange(at, &a)
	case a.Code != kafka.None:
		if a.From == at {
			f.wait(a.Code)
		}
	case a.Diverging != NoEpochEnd:
		if a.From == at {
			f.diverged(&a)
		}
	case a.From == at:
		f.proved = true
		f.accepted(&a)
	case f.proved: // to an earlier position, but of this leader: only the records are old
		f.heed(promise{a.HighWatermark, a.LogStart, a.LogEnd})
	}
	return &f.effects
}

// accepted takes the records of an answer to the present position.
func (f *Follower) accepted(a *Answer) {
	f.promised = promise{a.HighWatermark, a.LogStart, a.LogEnd}
	if len(a.Records) == 0 {
		f.heed(f.promised)
		f.dropAboveDamage()
		return
	}
	run, ok := f.inspect(a)
	switch {
	case !ok:
		f.wait(kafka.CorruptMessage)
	case len(f.damage) > 0:
		f.repair(a)
	case run.base < a.From:
		// The leader's log starts within this batch, and so does the own one, which is empty.
		// It takes the whole batch, and follows with its start afterwards.
		if f.log.Start() != f.log.End() {
			f.wait(kafka.CorruptMessage)
			return
		}
		f.phase = ordering
		f.ordered = order{cut: &Cut{To: run.base, Restart: true}, append: true, end: run.next}
		f.effects.Truncate, f.effects.Append = f.ordered.cut, a.Records
	default:
		f.phase = ordering
		f.ordered = order{append: true, end: run.next}
		f.effects.Append = a.Records
	}
}

// run is what the batches of an answer cover.
type run struct{ base, next kafka.Offset }

// inspect tells whether the batches of an answer fit to the log: base offsets and leader
// epochs, which a batch's own checksum leaves out (R-FRAME). Gaps are compaction's.
func (f *Follower) inspect(a *Answer) (r run, ok bool) {
	first := true
	epoch := kafka.LeaderEpoch(-1)
	if a.From > f.log.Start() {
		epoch = f.log.EpochAt(a.From - 1)
	}
	for b, err := range record.Batches(a.Records) {
		if err != nil || b.LastOffsetDelta() < 0 || b.LeaderEpoch() < epoch || b.LeaderEpoch() > a.LeaderEpoch {
			return run{}, false
		}
		switch {
		case first && b.NextOffset() <= a.From, !first && b.BaseOffset() < r.next:
			return run{}, false
		case first:
			r.base, first = b.BaseOffset(), false
		}
		r.next, epoch = b.NextOffset(), b.LeaderEpoch()
	}
	return r, !first
}

// Appended reports that the log has taken what Append, and the Truncate before it, asked for.
func (f *Follower) Appended(now env.Instant) *FollowerEffects {
	f.begin(now)
	// The log does what the leader's answer said, and nothing else changes it meanwhile.
	if f.phase != ordering || !f.ordered.append || f.log.End() != f.ordered.end {
		invariant.Violated("replica.append-as-answered", "phase=%s leo=%d ordered=%d",
			phaseNames[f.phase], f.log.End(), f.ordered.end)
	}
	f.phase, f.ordered = following, order{}
	f.heed(f.promised)
	f.effects.Moved = true
	return &f.effects
}

// heed takes over what an accepting leader says of its own log.
func (f *Follower) heed(p promise) {
	f.failures = 0
	f.raiseHighWatermark(min(p.hw, f.position()))
	if p.logStart > f.log.Start() && p.logStart <= f.position() {
		f.raiseStart(p.logStart)
	}
	if f.suspect && len(f.damage) == 0 && f.log.DurableEnd() >= p.hw {
		f.suspect = false
	}
}

func (f *Follower) raiseHighWatermark(to kafka.Offset) {
	// Before the log is known to be the leader's, its high watermark says nothing about the
	// records here, and consumers would read what is about to be cut off (KAFKA-14704).
	if !f.proved {
		invariant.Violated("replica.hw-not-from-divergence", "hw=%d->%d leader-epoch=%d",
			f.hw, to, f.state.LeaderEpoch)
	}
	if to <= f.hw {
		return // a new leader's may lag behind what an earlier one said
	}
	f.hw = to
	f.effects.HighWatermark = true
	f.checkHighWatermark()
}

func (f *Follower) checkHighWatermark() {
	// Nothing is committed here that is not here.
	if f.hw > f.log.End() {
		invariant.Violated("replica.follower-hw-within-log", "hw=%d leo=%d", f.hw, f.log.End())
	}
}

// raiseStart has the log start where the leader's does.
func (f *Follower) raiseStart(to kafka.Offset) {
	f.effects.RaiseStart = to
	f.effects.Moved = true
	f.hw = max(f.hw, to)
	f.damage = cutBelow(f.damage, to)
}

// cutBelow is what of the ranges lies at to or above.
func cutBelow(ranges []Range, to kafka.Offset) []Range {
	for len(ranges) > 0 && ranges[0].To <= to {
		ranges = ranges[1:]
	}
	if len(ranges) > 0 {
		ranges[0].From = max(ranges[0].From, to)
	}
	return ranges
}

// cutFrom is what of the ranges lies below to.
func cutFrom(ranges []Range, to kafka.Offset) []Range {
	for n := len(ranges); n > 0 && ranges[n-1].From >= to; n-- {
		ranges = ranges[:n-1]
	}
	if n := len(ranges); n > 0 {
		ranges[n-1].To = min(ranges[n-1].To, to)
	}
	return ranges
}
