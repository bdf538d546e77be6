package replica_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/replica"
)

// steadyLeader leads a partition that 2 and 3 follow.
func steadyLeader(log *memLog) *replica.Leader {
	log.beginEpoch(0, 0)
	l := replica.NewLeader(0, replica.LeaderConfig{
		Self: 1, MinISR: 2, LagTimeMax: time.Hour, ProposalTimeout: time.Second, RetryBackoff: time.Second,
	}, replica.State{Leader: 1, Replicas: []kafka.BrokerID{1, 2, 3}, ISR: []kafka.BrokerID{1, 2, 3}}, log, 0)
	for id := kafka.BrokerID(2); id <= 3; id++ {
		l.BrokerChanged(0, replica.Broker{ID: id, Epoch: 1})
	}
	return l
}

// commit has a record appended, made durable and fetched by both followers.
func commit(l *replica.Leader, log *memLog, now env.Instant) {
	log.records = append(log.records, memRecord{0, "x"})
	log.durable = log.End()
	l.LogAppended(now, log.End())
	l.Durable(now, log.End())
	for id := kafka.BrokerID(2); id <= 3; id++ {
		l.FollowerFetched(now, replica.Fetch{
			Broker: id, BrokerEpoch: 1, Offset: log.End(), LastEpoch: 0, Durable: log.End(),
		})
	}
}

// What a leader does for each batch allocates nothing.
func TestCommittingAllocatesNothing(t *testing.T) {
	log := &memLog{records: make([]memRecord, 0, 1<<12)}
	l := steadyLeader(log)
	now := env.Instant(0)
	allocs := testing.AllocsPerRun(1000, func() {
		now++
		commit(l, log, now)
	})
	if allocs > 0 || l.HighWatermark() != log.End() {
		t.Fatalf("%v allocations per commit, hw=%d of %d", allocs, l.HighWatermark(), log.End())
	}
}

func BenchmarkCommit(b *testing.B) {
	log := &memLog{}
	l := steadyLeader(log)
	now := env.Instant(0)
	for b.Loop() {
		now++
		commit(l, log, now)
	}
}

// One partition is busy, the others are at rest: the cost of an exchange must not depend on
// how many those are.
func BenchmarkExchange(b *testing.B) {
	for _, idle := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("idle=%d", idle), func(b *testing.B) {
			x := newBusy(idle)
			for b.Loop() {
				x.round()
			}
		})
	}
}

// busy is a fetcher and a source with partitions of which the first has records.
type busy struct {
	fetcher  *replica.Fetcher
	source   *replica.Source
	leaders  []*replica.Leader
	led      []memLog
	followed []memLog
	follower []*replica.Follower
	record   []byte
	now      env.Instant
}

func newBusy(idle int) *busy {
	n := idle + 1
	x := &busy{
		fetcher: replica.NewFetcher(replica.FetcherConfig{
			Self: 2, BrokerEpoch: 1, BytesMax: 1 << 20, Timeout: time.Hour, Backoff: time.Second,
		}),
		source: replica.NewSource(replica.SourceConfig{
			PartitionBytesMax: 1 << 20, BytesMax: 10 << 20, WaitMax: time.Hour,
		}, 2),
		led: make([]memLog, n), followed: make([]memLog, n),
	}
	for i := range n {
		x.leaders = append(x.leaders, steadyLeader(&x.led[i]))
		f := replica.NewFollower(0, replica.FollowerConfig{Self: 2, BrokerEpoch: 1, Backoff: time.Second},
			x.leaders[i].State(), &x.followed[i], 0)
		x.follower = append(x.follower, f)
		x.fetcher.Added(key(i), f)
	}
	x.fetcher.Connected(0)
	for range 2*n/replica.PartsPerRequestMax + 2 {
		x.exchange()
	}
	return x
}

func key(i int) replica.Key { return replica.Key{Topic: kafka.TopicID{1}, Partition: int32(i)} }

// round is a record that goes from leader to follower and becomes durable.
func (x *busy) round() {
	x.now++
	x.led[0].append(memRecord{0, "x"})
	x.leaders[0].LogAppended(x.now, x.led[0].End())
	x.source.Grew(key(0))
	x.exchange()
	x.followed[0].durable = x.followed[0].End()
	x.follower[0].Durable(x.now)
	x.fetcher.Changed(key(0))
	x.exchange()
}

// exchange sends what is to be sent, both ways, once.
func (x *busy) exchange() {
	for q := x.fetcher.Next(x.now); q != nil; q = x.fetcher.Next(x.now) {
		judge, reply := x.source.RequestReceived(x.now, q)
		x.take(reply)
		for _, ask := range judge {
			l := x.leaders[ask.Partition]
			v, _ := l.FollowerFetched(x.now, ask.Fetch)
			x.source.Judged(ask.Key, l, v)
		}
	}
	for _, read := range x.source.Reads() {
		at := x.led[read.Key.Partition].at(read.From)
		x.source.ReadDone(read, batchOf(at, read.From), kafka.None)
	}
	x.take(x.source.Reply(x.now))
}

func (x *busy) take(reply *replica.Reply) {
	if reply == nil {
		return
	}
	for _, d := range x.fetcher.ReplyReceived(x.now, reply) {
		e := d.Follower.Answered(x.now, d.Answer)
		if e.Append != nil {
			log := &x.followed[d.Key.Partition]
			for b := range batches(e.Append) {
				log.append(memRecord{b.LeaderEpoch(), valueOf(b)})
			}
			d.Follower.Appended(x.now)
		}
		x.fetcher.Changed(d.Key)
	}
}
