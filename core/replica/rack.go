package replica

import "github.com/tidemark-log/tidemark/core/kafka"

// PreferredReplica answers which replica a consumer in a rack should read from (KIP-392): one
// in its rack that is in sync and has the offset it wants; the furthest of several, and of
// those the one that caught up last. rackOf tells where a broker stands, "" for unknown. The
// leader is the answer for a consumer that names no rack, or stands in the leader's own, and
// whenever nobody else will do.
func (l *Leader) PreferredReplica(
	rack string, offset kafka.Offset, rackOf func(kafka.BrokerID) string,
) kafka.BrokerID {
	if rack == "" || rackOf(l.cfg.Self) == rack {
		return l.cfg.Self
	}
	var best *follower
	for i := range l.followers {
		f := &l.followers[i]
		if !f.inSync || !f.counts() || f.broker.Fenced || f.broker.ShuttingDown ||
			offset < f.logStart || offset > f.end || rackOf(f.id) != rack {
			continue
		}
		if best == nil || f.end > best.end ||
			f.end == best.end && f.append.caughtUpAt > best.append.caughtUpAt {
			best = f
		}
	}
	if best == nil {
		return l.cfg.Self
	}
	return best.id
}
