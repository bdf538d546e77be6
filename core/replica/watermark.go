package replica

import (
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// advance moves the high watermark: to the least durable end over the maximal ISR, which is
// the committed one and whoever a proposal may have added to it, and only while the committed
// one is large enough (KIP-966). It never falls: a replica may lose what it once reported.
func (l *Leader) advance() {
	if !l.enough {
		return
	}
	least := l.durable
	for i := range l.followers {
		if f := &l.followers[i]; f.counted() {
			least = min(least, f.durableEnd())
		}
	}
	if least > l.hw {
		l.moveHighWatermark(least)
	}
}

func (l *Leader) moveHighWatermark(to kafka.Offset) {
	from := l.hw
	l.hw = to
	l.effects.HighWatermark = true
	// A consumer saw what lies below; taking it back would be a lie.
	if to < from {
		invariant.Violated("replica.hw-never-back", "hw=%d->%d", from, to)
	}
	// With fewer copies than was promised nothing is committed, whatever they hold (R-HW).
	if len(l.state.ISR) < l.minISR() {
		invariant.Violated("replica.hw-waits-for-min-isr", "hw=%d->%d %s min=%d", from, to, l.state, l.minISR())
	}
	// The next leader may be any of the ISR, and after the next power loss each of them has
	// its durable end and no more (R-HW).
	if to > l.durable {
		invariant.Violated("replica.hw-within-own-durable", "hw=%d->%d durable=%d", from, to, l.durable)
	}
	for i := range l.followers {
		l.followers[i].mustHave(to)
	}
}

// mustHave holds f against a high watermark that just moved. It repeats what advance
// concluded, in other words.
func (f *follower) mustHave(hw kafka.Offset) {
	if !f.inSync && !f.proposed {
		return
	}
	// Whoever may be made leader has, durably, all that is committed (R-HW, R-ISR): a member
	// counts until the controller has removed it, and a new one from its proposal on.
	if f.end < hw || f.durable < hw {
		invariant.Violated("replica.hw-within-maximal-isr", "hw=%d b%d leo=%d durable=%d",
			hw, f.id, f.end, f.durable)
	}
	// An older incarnation may have had what the one that is registered has lost (R-INCARNATION).
	if f.epoch != f.broker.Epoch {
		invariant.Violated("replica.stale-incarnation-never-counts", "hw=%d b%d epoch=%d registered=%d",
			hw, f.id, f.epoch, f.broker.Epoch)
	}
}
