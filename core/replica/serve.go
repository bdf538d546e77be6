package replica

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Fetch is what a follower says of its log when it asks for more.
type Fetch struct {
	Broker      kafka.BrokerID
	BrokerEpoch kafka.BrokerEpoch // of the registration of the process that asks
	Directory   kafka.DirectoryID // in which the replica lies
	LeaderEpoch kafka.LeaderEpoch // the one it follows
	Offset      kafka.Offset      // its log end: what it wants next
	LastEpoch   kafka.LeaderEpoch // the newest its log knows, −1 if none
	Durable     kafka.Offset      // its durable end; not above Offset
	LogStart    kafka.Offset
	// HighWatermark is what the follower knows (KIP-1166). It proves nothing; it has the source
	// tell again what the follower could not use when it was told.
	HighWatermark kafka.Offset
}

// Verdict is what a fetch is answered. Records from Fetch.Offset on are served only if
// Accepts.
type Verdict struct {
	Code      kafka.ErrorCode
	Diverging EpochEnd // where the leader's log leaves the follower's, else NoEpochEnd

	HighWatermark kafka.Offset
	LogStart      kafka.Offset
	LogEnd        kafka.Offset
}

// Accepts tells that the follower's log is the leader's as far as it goes.
func (v *Verdict) Accepts() bool { return v.Code == kafka.None && v.Diverging == NoEpochEnd }

// FollowerFetched judges a fetch and counts what it proves. Only an accepted one counts: a
// follower of another epoch, or of another lineage, may have nothing of what it says. The
// fetches of one broker come in the order it made them; Source sees to that.
func (l *Leader) FollowerFetched(now env.Instant, req Fetch) (Verdict, *LeaderEffects) {
	l.begin(now)
	v := Verdict{Diverging: NoEpochEnd, HighWatermark: l.hw, LogStart: l.start, LogEnd: l.end}
	f := l.follower(req.Broker)
	if v.Code = l.refuses(f, req); v.Code != kafka.None {
		return v, &l.effects
	}
	if v.Code, v.Diverging = l.compare(req); !v.Accepts() {
		f.unproved()
		return v, l.settle()
	}
	l.count(f, req)
	effects := l.settle()
	v.HighWatermark = l.hw
	return v, effects
}

// refuses answers why a fetch says nothing about the replica it claims to be, or NONE.
func (l *Leader) refuses(f *follower, req Fetch) kafka.ErrorCode {
	switch {
	case l.failed:
		return kafka.KafkaStorageError
	case req.LeaderEpoch < l.state.LeaderEpoch:
		return kafka.FencedLeaderEpoch
	case req.LeaderEpoch > l.state.LeaderEpoch:
		return kafka.UnknownLeaderEpoch
	case f == nil:
		return kafka.NotLeaderOrFollower // one of both has not heard of the newest assignment
	case req.BrokerEpoch < max(f.broker.Epoch, f.epoch):
		return kafka.StaleBrokerEpoch
	case f.directory != kafka.DirectoryID{} && f.directory != req.Directory:
		return kafka.StaleBrokerEpoch // what lies elsewhere is not this replica
	case req.Offset < 0 || req.Durable < 0 || req.Durable > req.Offset || req.LogStart > req.Offset:
		return kafka.InvalidRequest
	}
	return kafka.None
}

// compare finds where the follower's log leaves this one.
func (l *Leader) compare(req Fetch) (kafka.ErrorCode, EpochEnd) {
	if req.Offset < l.start {
		return kafka.OffsetOutOfRange, NoEpochEnd
	}
	if req.LastEpoch < 0 {
		if req.Offset > l.end {
			return kafka.None, EpochEnd{-1, l.end}
		}
		return kafka.None, NoEpochEnd // it has no record
	}
	if req.LastEpoch > l.state.LeaderEpoch {
		// It has records of a later leader, and will hear of it: nothing to compare with.
		return kafka.UnknownLeaderEpoch, NoEpochEnd
	}
	epoch, end := l.epochs.EndOffsetFor(req.LastEpoch)
	if epoch < req.LastEpoch || end < req.Offset {
		return kafka.None, EpochEnd{epoch, end}
	}
	return kafka.None, NoEpochEnd
}

// count takes an accepted fetch for what the follower has.
func (l *Leader) count(f *follower, req Fetch) {
	// A fetch of another epoch speaks of another leader's log (R-FENCE, KIP-320).
	if req.LeaderEpoch != l.state.LeaderEpoch {
		invariant.Violated("replica.fenced-before-counted", "b%d epoch=%d leader-epoch=%d",
			f.id, req.LeaderEpoch, l.state.LeaderEpoch)
	}
	// A new directory under a known broker id holds nothing of what the old one held (R-DIRID).
	if f.directory != (kafka.DirectoryID{}) && f.directory != req.Directory {
		invariant.Violated("replica.only-the-assigned-directory-counts", "b%d directory=%x assigned=%x",
			f.id, req.Directory, f.directory)
	}
	// What a follower has beyond the leader's end is not the leader's.
	if req.Offset > l.end {
		invariant.Violated("replica.follower-within-leader", "b%d leo=%d leader=%d", f.id, req.Offset, l.end)
	}
	f.epoch, f.end, f.durable, f.logStart = req.BrokerEpoch, req.Offset, req.Durable, req.LogStart
	f.append.reached(l.now, f.end, l.end)
	f.sync.reached(l.now, f.durable, l.end)
}

// LowWatermark is the least log start over the replicas whose broker is not fenced: what
// DeleteRecords waits for.
func (l *Leader) LowWatermark() kafka.Offset {
	low := l.start
	for i := range l.followers {
		if f := &l.followers[i]; !f.broker.Fenced && f.broker.Epoch >= 0 {
			low = min(low, max(f.logStart, 0))
		}
	}
	return low
}
