package replica

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// follower is how far another replica is, as it proved in this leader epoch.
type follower struct {
	id        kafka.BrokerID
	directory kafka.DirectoryID // where the metadata says it lies
	broker    Broker            // its registration, by the metadata
	inSync    bool              // in the committed ISR
	proposed  bool              // may be in the ISR without our knowing: a proposal said so

	// What its last accepted fetch proved; NoOffset before the first, and after one that
	// showed that the logs diverge.
	epoch    kafka.BrokerEpoch // the registration that fetched
	end      kafka.Offset
	durable  kafka.Offset
	logStart kafka.Offset

	append pace // of end
	sync   pace // of durable
}

// restart forgets what was proved. Whoever is in sync gets the whole lag time to prove it.
func (f *follower) restart(now env.Instant, leaderEnd kafka.Offset) {
	f.epoch, f.end, f.durable, f.logStart = -1, kafka.NoOffset, kafka.NoOffset, kafka.NoOffset
	p := pace{mark: leaderEnd, markedAt: now, caughtUpAt: now}
	f.append, f.sync = p, p
}

// unproved forgets how far the log goes, because it is not the leader's.
func (f *follower) unproved() {
	f.end, f.durable = kafka.NoOffset, kafka.NoOffset
}

// counts tells that what was proved is about the replica the metadata means: this
// registration of the broker and no older one, which may have had what is lost now.
func (f *follower) counts() bool { return f.end != kafka.NoOffset && f.epoch == f.broker.Epoch }

// durableEnd is what counts for the high watermark.
func (f *follower) durableEnd() kafka.Offset {
	if !f.counts() {
		return kafka.NoOffset
	}
	return f.durable
}

// counted tells that the high watermark waits for this replica: it is in the committed ISR,
// or a proposal that may yet be committed has it.
func (f *follower) counted() bool { return f.inSync || f.proposed }

// leftBehind notes that the leader, which ends at end, is about to append: who has all until
// now lags from now on, however long nothing was written before.
func (f *follower) leftBehind(now env.Instant, end kafka.Offset) {
	if !f.counts() {
		return
	}
	if f.end >= end {
		f.append.caughtUp(now, end)
	}
	if f.durable >= end {
		f.sync.caughtUp(now, end)
	}
}

// lags tells that the replica has not had all that the leader had at any moment within the
// last limit. Its log end is measured, and its durable end too: one that takes records and
// no longer syncs them would hold the high watermark for ever.
func (f *follower) lags(now env.Instant, end kafka.Offset, limit time.Duration) bool {
	return now > f.lagsAfter(end, limit)
}

// lagsAfter is the last instant at which the replica counts as following, if nothing comes
// from it.
func (f *follower) lagsAfter(end kafka.Offset, limit time.Duration) env.Instant {
	const never = env.Instant(1<<63 - 1)
	if f.counts() && f.durable >= end {
		return never
	}
	since := f.sync.caughtUpAt
	if !f.counts() || f.end < end {
		since = min(since, f.append.caughtUpAt)
	}
	return since.Add(limit)
}

// pace measures how late an offset of a follower is: it takes a mark at the leader's end and
// waits until the follower is there. It need not be asked at every fetch, and a follower that
// is always a little behind is not late.
type pace struct {
	mark       kafka.Offset
	markedAt   env.Instant
	caughtUpAt env.Instant // at this moment the leader had no more than the follower has now
}

func (p *pace) caughtUp(now env.Instant, leaderEnd kafka.Offset) {
	p.mark, p.markedAt, p.caughtUpAt = leaderEnd, now, now
}

// reached notes that the follower is at at while the leader ends at leaderEnd.
func (p *pace) reached(now env.Instant, at, leaderEnd kafka.Offset) {
	switch {
	case at >= leaderEnd:
		p.caughtUp(now, leaderEnd)
	case at >= p.mark:
		p.caughtUpAt = max(p.caughtUpAt, p.markedAt)
		p.mark, p.markedAt = leaderEnd, now
	}
}
