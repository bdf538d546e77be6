package log

import (
	"maps"
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// ProducerCheck is the answer to a batch of an idempotent producer.
type ProducerCheck struct {
	Code      kafka.ErrorCode
	Duplicate bool // already appended: Base and Timestamp are of that append
	Base      kafka.Offset
	Timestamp kafka.Timestamp
}

// producerBatch remembers one batch, so that a retry of it is recognised.
type producerBatch struct {
	lastSeq    kafka.Sequence
	delta      int32 // last offset − first, and last sequence − first
	lastOffset kafka.Offset
	ts         kafka.Timestamp
}

func (p producerBatch) firstSeq() kafka.Sequence {
	n := int64(p.lastSeq) - int64(p.delta)
	if n < 0 {
		n += 1 << 31
	}
	return kafka.Sequence(n)
}

// producer is what one partition knows of one producer id.
type producer struct {
	epoch      kafka.ProducerEpoch
	count      int8
	batches    [producerWindow]producerBatch // oldest first
	txnStart   kafka.Offset                  // first offset of the open transaction, or −1
	coordEpoch int32
	touched    env.Instant // by the monotonic clock: a stepping wall clock expires nobody
}

func (p *producer) last() *producerBatch { return &p.batches[p.count-1] }

func (p *producer) push(b producerBatch) {
	if int(p.count) == len(p.batches) {
		copy(p.batches[:], p.batches[1:])
		p.count--
	}
	p.batches[p.count] = b
	p.count++
}

// producers is the producer state of a log: a fold over its batches.
type producers struct {
	byID   map[kafka.ProducerID]*producer
	expiry time.Duration
}

// check compares a client's batch with the state and changes nothing.
func (s *producers) check(b record.Batch, now env.Instant) ProducerCheck {
	if !b.HasProducer() {
		return ProducerCheck{}
	}
	p := s.byID[b.ProducerID()]
	if p == nil || s.expired(p, now) {
		return ProducerCheck{}
	}
	first, last := b.BaseSequence(), b.LastSequence()
	switch epoch := b.ProducerEpoch(); {
	case epoch < p.epoch:
		return ProducerCheck{Code: kafka.InvalidProducerEpoch}
	case epoch > p.epoch:
		if first != 0 {
			return ProducerCheck{Code: kafka.OutOfOrderSequenceNumber}
		}
	default:
		for _, old := range p.batches[:p.count] {
			if old.firstSeq() == first && old.lastSeq == last {
				return duplicateOf(old)
			}
		}
		if p.count > 0 && first != p.last().lastSeq.Add(1) {
			return ProducerCheck{Code: kafka.OutOfOrderSequenceNumber}
		}
	}
	if p.txnStart >= 0 && !b.IsTransactional() {
		return ProducerCheck{Code: kafka.InvalidTxnState}
	}
	return ProducerCheck{}
}

func duplicateOf(old producerBatch) ProducerCheck {
	return ProducerCheck{Duplicate: true, Base: old.lastOffset - kafka.Offset(old.delta), Timestamp: old.ts}
}

// apply folds an appended batch in. It refuses nothing: what is in the log has happened.
func (s *producers) apply(b record.Batch, now env.Instant) {
	if !b.HasProducer() {
		return
	}
	id := b.ProducerID()
	p := s.byID[id]
	if p == nil || s.expired(p, now) {
		p = &producer{epoch: b.ProducerEpoch(), txnStart: kafka.NoOffset, coordEpoch: -1}
		if s.byID == nil {
			s.byID = make(map[kafka.ProducerID]*producer)
		}
		s.byID[id] = p
	}
	p.touched = now
	if b.ProducerEpoch() != p.epoch {
		p.epoch, p.count = b.ProducerEpoch(), 0
	}
	if b.IsControl() { // the marker ends the transaction; it has no sequence
		p.txnStart = kafka.NoOffset
		return
	}
	if b.IsTransactional() && p.txnStart < 0 {
		p.txnStart = b.BaseOffset()
	}
	p.push(producerBatch{
		lastSeq: b.LastSequence(), delta: b.LastOffsetDelta(), lastOffset: b.LastOffset(),
		ts: b.MaxTimestamp(),
	})
}

func (s *producers) expired(p *producer, now env.Instant) bool {
	return p.txnStart < 0 && now.Sub(p.touched) > s.expiry
}

// expire forgets producers that have not written for long. It visits all: call it where
// all are visited anyway.
func (s *producers) expire(now env.Instant) {
	maps.DeleteFunc(s.byID, func(_ kafka.ProducerID, p *producer) bool { return s.expired(p, now) })
}

func (s *producers) ids() []kafka.ProducerID { return slices.Sorted(maps.Keys(s.byID)) }
