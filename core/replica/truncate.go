package replica

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// diverged cuts the log back to where the leader says the two part (R-TRUNC). The leader named
// an epoch that it has, and where that ends in its log. If this log has that epoch too, it is
// the leader's below the lesser of both ends. If not, all above the largest epoch below it is
// not the leader's; it goes, and the next fetch asks about what is left (KIP-279).
func (f *Follower) diverged(a *Answer) {
	f.proved = false
	to := min(a.Diverging.End, f.position())
	if a.Diverging.Epoch >= 0 {
		if _, end := f.log.EndOffsetFor(a.Diverging.Epoch); end != kafka.NoOffset {
			to = min(to, end)
		}
	}
	switch {
	case to < f.log.Start(), to <= a.LogStart && a.LogStart > f.log.Start():
		// Nothing here is the leader's, or nothing that the leader still keeps.
		f.restart(a.LogStart)
	case to == f.log.End() && f.log.EpochAt(to-1) == f.log.LatestEpoch():
		// Nothing to cut: what the leader says does not fit together.
		f.wait(kafka.UnknownServerError)
	default:
		f.truncate(to, a.Diverging)
	}
}

// truncate asks for a cut. An epoch that begins at the log's end has no record, and goes with
// a cut to that end, or it would be named again and again (KAFKA-10706).
func (f *Follower) truncate(to kafka.Offset, named EpochEnd) {
	_, own := f.log.EndOffsetFor(named.Epoch)
	// A follower's high watermark lags behind: what lies above it may be committed, and be
	// nowhere else (KIP-101). It never decides where to cut.
	if to != named.End && to != own && to != f.position() {
		invariant.Violated("replica.truncation-named-by-leader", "to=%d named=%d at %d own=%d leo=%d hw=%d",
			to, named.Epoch, named.End, own, f.log.End(), f.hw)
	}
	f.order(&Cut{To: to, BelowHighWatermark: to < f.hw})
}

// restart empties the log, which is all below what the leader keeps, or all of another lineage.
func (f *Follower) restart(at kafka.Offset) {
	f.proved = false
	f.order(&Cut{To: at, Restart: true, BelowHighWatermark: at < f.hw})
}

func (f *Follower) order(c *Cut) {
	f.phase = ordering
	f.ordered = order{cut: c, end: c.To}
	f.effects.Truncate = c
}

// Truncated reports that the log was cut as Truncate asked.
func (f *Follower) Truncated(now env.Instant) *FollowerEffects {
	f.begin(now)
	c := f.ordered.cut
	// Only a cut that the leader's answer led to may take records away.
	if f.phase != ordering || c == nil || f.ordered.append || f.log.End() != c.To ||
		c.Restart && f.log.Start() != c.To {
		invariant.Violated("replica.truncated-as-named", "phase=%s cut=%+v log=%d..%d",
			phaseNames[f.phase], c, f.log.Start(), f.log.End())
	}
	f.phase, f.ordered = following, order{}
	f.damage = cutFrom(f.damage, c.To)
	if c.Restart {
		f.damage, f.hw = nil, c.To
	}
	f.hw = min(f.hw, c.To)
	f.checkHighWatermark()
	f.effects.Moved = true
	return &f.effects
}

// outOfRange acts on a leader whose log does not reach to the position.
func (f *Follower) outOfRange(at kafka.Offset, a *Answer) {
	switch {
	case at != a.From:
		// not what is asked now
	case a.LogStart <= at:
		// It has moved meanwhile; or the leader is behind, and does not say where it ends.
		f.wait(a.Code)
	case a.LogStart <= f.log.End():
		// Only damage lies below the leader's start. What lies above is good, or will be
		// found not to be.
		f.raiseStart(a.LogStart)
	default:
		f.restart(a.LogStart)
	}
}
