package api

import (
	"errors"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/trace"
)

// Partition is a partition as this broker serves it: the log, what of it is committed,
// and the calls that wait for more. Who decides what is committed is not its business:
// the broker tells it with Durable and Committed.
type Partition struct {
	TP  kafka.TopicPartition
	ID  kafka.TopicID
	Log *log.Log

	Counters PartitionCounters

	env     *env.Env
	node    kafka.BrokerID
	offline func() error // the log directory's failure, nil while it works

	// Leadership, by the committed metadata.
	leads      bool
	away       kafka.ErrorCode // None, or UnknownTopicOrPartition once the topic is deleted
	epoch      kafka.LeaderEpoch
	epochStart kafka.Offset

	durable kafka.Offset // what this replica would find again after a crash
	hw      kafka.Offset // what every in-sync replica would

	// Soft state: who waits.
	onDurable ackQueue    // acks=1
	onCommit  ackQueue    // acks=-1
	onStart   ackQueue    // deletions of records
	readers   readerList  // fetches with too few bytes
	growth    growthQueue // sizes of batches above the high watermark
	grown     int64       // bytes that came below the high watermark since the start
	stamp     uint64      // last request that named this partition, to find repetitions
	repeated  uint64      // last request that named it twice
}

var (
	traceHighWatermark = trace.Define("hw", "from", "to")
	traceLeads         = trace.Define("leads", "epoch", "start", "hw")
)

// PartitionConfig is what NewPartition needs to know.
type PartitionConfig struct {
	ID      kafka.TopicID
	Log     *log.Log
	Env     *env.Env
	Node    kafka.BrokerID
	Offline func() error
}

// NewPartition serves a log. It leads nothing yet.
func NewPartition(cfg PartitionConfig) *Partition {
	return &Partition{
		TP: cfg.Log.TP(), ID: cfg.ID, Log: cfg.Log,
		env: cfg.Env, node: cfg.Node, offline: cfg.Offline,
		epoch: -1, durable: cfg.Log.DurableEnd(), hw: cfg.Log.Start(),
	}
}

// HighWatermark is the end of what is committed: the only offset up to which clients read.
func (p *Partition) HighWatermark() kafka.Offset { return p.hw }

// LastStable is the end of what read_committed may see. It is the high watermark as long
// as no transaction can be open.
func (p *Partition) LastStable() kafka.Offset { return p.hw }

// Leads tells that clients are served here, and in which epoch.
func (p *Partition) Leads() (kafka.LeaderEpoch, bool) { return p.epoch, p.leads }

// BecomeLeader starts a leader epoch at the end of the log.
func (p *Partition) BecomeLeader(epoch kafka.LeaderEpoch) {
	// Epochs of one topic id only grow; a client ignores older ones.
	if epoch < p.epoch {
		invariant.Violated("api.epoch-never-back", "%s epoch %d after %d", p.TP, epoch, p.epoch)
	}
	p.leads, p.epoch, p.epochStart = true, epoch, p.Log.End()
	p.Log.BeginEpoch(epoch)
	p.trace(traceLeads, [4]int64{int64(epoch), int64(p.epochStart), int64(p.hw)})
}

// Resign ends leadership: what waits is answered with 6.
func (p *Partition) Resign() {
	p.leads = false
	p.Fail(kafka.NotLeaderOrFollower)
}

// Deleted ends the partition's life: what waits is answered with 3.
func (p *Partition) Deleted() {
	p.leads, p.away = false, kafka.UnknownTopicOrPartition
	p.Fail(p.away)
}

// Fail answers what waits for the log with code, and wakes the fetches.
func (p *Partition) Fail(code kafka.ErrorCode) {
	p.onDurable.fail(code)
	p.onCommit.fail(code)
	p.onStart.fail(code)
	p.readers.wake()
}

// Durable reports that this replica's log is durable below end.
func (p *Partition) Durable(end kafka.Offset) {
	// Nothing can be durable that is not in the log.
	if end > p.Log.End() {
		invariant.Violated("api.durable-within-log", "%s durable=%d leo=%d", p.TP, end, p.Log.End())
	}
	if end <= p.durable {
		return
	}
	p.durable = end
	p.onDurable.passed(end)
}

// Committed moves the high watermark up to hw.
func (p *Partition) Committed(hw kafka.Offset) {
	if hw == p.hw {
		return
	}
	// A consumer saw what was below; taking it back would be a lie.
	if hw < p.hw {
		invariant.Violated("api.hw-never-back", "%s hw=%d->%d", p.TP, p.hw, hw)
	}
	// Committed means durable on every in-sync replica, and this is one.
	if hw > p.durable {
		invariant.Violated("api.hw-within-durable", "%s hw=%d durable=%d", p.TP, hw, p.durable)
	}
	p.trace(traceHighWatermark, [4]int64{int64(p.hw), int64(hw)})
	p.hw = hw
	p.grown += p.growth.below(hw)
	p.onCommit.passed(hw)
	p.readers.grew()
}

// Started reports that the log begins later than it did, for good.
func (p *Partition) Started() { p.onStart.passed(p.Log.Start()) }

// serves answers why a client is not served by this partition, or None.
func (p *Partition) serves() kafka.ErrorCode {
	switch {
	case !p.leads:
		return kafka.NotLeaderOrFollower
	case p.offline() != nil:
		return kafka.KafkaStorageError
	}
	return kafka.None
}

// readCode is what a client is told when the log could not give what it asked for. Damage
// is never served; the client may ask again, and the operator is told elsewhere.
func (p *Partition) readCode(err error) kafka.ErrorCode {
	switch {
	case p.away != kafka.None:
		return p.away
	case errors.Is(err, log.ErrOutOfRange):
		return kafka.OffsetOutOfRange // it was cut off while it was read
	}
	return kafka.KafkaStorageError
}

// checkEpoch compares the epoch a client believes in with ours; -1 is no belief.
func (p *Partition) checkEpoch(believed kafka.LeaderEpoch) kafka.ErrorCode {
	switch {
	case believed == -1 || believed == p.epoch:
		return kafka.None
	case believed < p.epoch:
		return kafka.FencedLeaderEpoch
	}
	return kafka.UnknownLeaderEpoch
}

func (p *Partition) trace(kind trace.Kind, n [4]int64) {
	p.env.Tracer.Trace(trace.Event{
		At: int64(p.env.Clock.Now()), Node: int32(p.node), Kind: kind,
		Topic: p.TP.Topic, Partition: p.TP.Partition, N: n,
	})
}

// A growthQueue remembers how many bytes each batch above the high watermark has, so that
// a fetch that waits for min_bytes is woken when they are readable and not before.
type growthQueue struct {
	batches []growth
	head    int
}

type growth struct {
	next  kafka.Offset // offset after the batch
	bytes int
}

func (q *growthQueue) add(next kafka.Offset, bytes int) {
	q.batches = append(q.batches, growth{next, bytes})
}

// below takes the batches that end at or below hw and sums their bytes.
func (q *growthQueue) below(hw kafka.Offset) (sum int64) {
	for q.head < len(q.batches) && q.batches[q.head].next <= hw {
		sum += int64(q.batches[q.head].bytes)
		q.head++
	}
	q.batches, q.head = compact(q.batches, q.head)
	return sum
}

// compact moves the rest of a queue to the front once the taken part is the larger one,
// so that a queue that never runs dry does not grow for ever.
func compact[T any](q []T, head int) ([]T, int) {
	if head == len(q) {
		clear(q)
		return q[:0], 0
	}
	if head < 32 || head*2 < len(q) {
		return q, head
	}
	n := copy(q, q[head:])
	clear(q[n:])
	return q[:n], 0
}

// An ackQueue holds the calls that wait for a mark of the log to reach an offset, ordered by it.
type ackQueue struct {
	waits []ackWait
	head  int
}

type ackWait struct {
	at   kafka.Offset // answered when the mark reaches it
	part int          // of call
	call acknowledged
}

// acknowledged is a call some of whose parts wait.
type acknowledged interface {
	acked(part int, code kafka.ErrorCode)
}

// add keeps the order: appends come in order, so only a repeated batch walks back.
func (q *ackQueue) add(w ackWait) {
	q.waits = append(q.waits, w)
	for i := len(q.waits) - 1; i > q.head && q.waits[i-1].at > w.at; i-- {
		q.waits[i], q.waits[i-1] = q.waits[i-1], q.waits[i]
	}
}

func (q *ackQueue) passed(end kafka.Offset) {
	for q.head < len(q.waits) && q.waits[q.head].at <= end {
		w := q.waits[q.head]
		q.head++
		w.call.acked(w.part, kafka.None)
	}
	q.waits, q.head = compact(q.waits, q.head)
}

func (q *ackQueue) fail(code kafka.ErrorCode) {
	waits := q.waits[q.head:]
	q.waits, q.head = nil, 0
	for _, w := range waits {
		w.call.acked(w.part, code)
	}
}
