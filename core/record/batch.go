package record

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Sizes of the fixed part of a batch.
const (
	// HeaderSize is the bytes in front of the records.
	HeaderSize = 61
	// Overhead is the bytes in front of what the length field counts.
	Overhead = 12
	// Magic is the only format version there is.
	Magic = 2
)

// Positions of the header's fields. The CRC covers everything from attributes on, so base
// offset and leader epoch can be patched without touching it.
const (
	atBaseOffset      = 0
	atLength          = 8
	atLeaderEpoch     = 12
	atMagic           = 16
	atCRC             = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atBaseSequence    = 53
	atCount           = 57
)

// Attributes are the flags of a batch.
type Attributes uint16

// The bits of Attributes; the rest is unused and ignored, as Kafka does.
const (
	codecMask        Attributes = 0x07
	logAppendTimeBit Attributes = 1 << 3
	transactionalBit Attributes = 1 << 4
	controlBit       Attributes = 1 << 5
	deleteHorizonBit Attributes = 1 << 6
)

// What the producer's fields hold when there is none.
const (
	noProducerID    kafka.ProducerID    = -1
	noProducerEpoch kafka.ProducerEpoch = -1
	noSequence      kafka.Sequence      = -1
)

// TimestampType says whose clock the timestamps of a batch come from.
type TimestampType uint8

const (
	CreateTime    TimestampType = iota // each record has the producer's own
	LogAppendTime                      // all records have the broker's, the batch's maximum
)

func (t TimestampType) String() string {
	if t == LogAppendTime {
		return "LogAppendTime"
	}
	return "CreateTime"
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Batch is exactly one whole batch: header and records. Its methods need at least
// HeaderSize bytes; First and Build give nothing shorter. Setters write in place.
type Batch []byte

// BaseOffset is the offset of the first record.
func (b Batch) BaseOffset() kafka.Offset {
	return kafka.Offset(binary.BigEndian.Uint64(b[atBaseOffset:]))
}

// Len is the number of bytes the header says the batch has.
func (b Batch) Len() int { return int(int32(binary.BigEndian.Uint32(b[atLength:]))) + Overhead }

// LeaderEpoch is the epoch of the leader that appended the batch; −1 from a client.
func (b Batch) LeaderEpoch() kafka.LeaderEpoch {
	return kafka.LeaderEpoch(binary.BigEndian.Uint32(b[atLeaderEpoch:]))
}

// Magic is the format version.
func (b Batch) Magic() int8 { return int8(b[atMagic]) }

// CRC is the checksum the header states.
func (b Batch) CRC() uint32 { return binary.BigEndian.Uint32(b[atCRC:]) }

// Attributes are the flags.
func (b Batch) Attributes() Attributes { return Attributes(binary.BigEndian.Uint16(b[atAttributes:])) }

// LastOffsetDelta is the distance from the first offset to the last, which compaction
// keeps even when the last record is gone.
func (b Batch) LastOffsetDelta() int32 { return int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:])) }

// LastOffset is the last offset the batch stands for.
func (b Batch) LastOffset() kafka.Offset { return b.BaseOffset() + kafka.Offset(b.LastOffsetDelta()) }

// NextOffset is the offset that follows the batch.
func (b Batch) NextOffset() kafka.Offset { return b.LastOffset() + 1 }

// BaseTimestamp is what the records' timestamp deltas count from. With a delete horizon
// the field holds that instead (HasDeleteHorizon).
func (b Batch) BaseTimestamp() kafka.Timestamp {
	return kafka.Timestamp(binary.BigEndian.Uint64(b[atBaseTimestamp:]))
}

// MaxTimestamp is the largest timestamp of the records, as the header states it.
func (b Batch) MaxTimestamp() kafka.Timestamp {
	return kafka.Timestamp(binary.BigEndian.Uint64(b[atMaxTimestamp:]))
}

// ProducerID is −1 for a producer that is not idempotent.
func (b Batch) ProducerID() kafka.ProducerID {
	return kafka.ProducerID(binary.BigEndian.Uint64(b[atProducerID:]))
}

// ProducerEpoch is −1 without a producer id.
func (b Batch) ProducerEpoch() kafka.ProducerEpoch {
	return kafka.ProducerEpoch(binary.BigEndian.Uint16(b[atProducerEpoch:]))
}

// BaseSequence is the sequence of the first record, −1 without a producer id.
func (b Batch) BaseSequence() kafka.Sequence {
	return kafka.Sequence(binary.BigEndian.Uint32(b[atBaseSequence:]))
}

// LastSequence is the sequence of the last record, −1 without one.
func (b Batch) LastSequence() kafka.Sequence {
	base := b.BaseSequence()
	if base < 0 {
		return noSequence
	}
	return base.Add(b.LastOffsetDelta())
}

// Count is the number of records in the batch. After compaction it may be less than the
// offsets the batch stands for, and even 0.
func (b Batch) Count() int32 { return int32(binary.BigEndian.Uint32(b[atCount:])) }

// Codec says how the records are compressed. It may be none that exists: Codec.Valid.
func (b Batch) Codec() Codec { return Codec(b.Attributes() & codecMask) }

// TimestampType says whose clock the timestamps come from.
func (b Batch) TimestampType() TimestampType {
	if b.Attributes()&logAppendTimeBit != 0 {
		return LogAppendTime
	}
	return CreateTime
}

// IsTransactional tells a batch that belongs to a transaction.
func (b Batch) IsTransactional() bool { return b.Attributes()&transactionalBit != 0 }

// IsControl tells a batch of markers that consumers never see.
func (b Batch) IsControl() bool { return b.Attributes()&controlBit != 0 }

// HasDeleteHorizon tells that compaction put the time from which tombstones may go into
// the base timestamp's field. Timestamp deltas still count from that field.
func (b Batch) HasDeleteHorizon() bool { return b.Attributes()&deleteHorizonBit != 0 }

// HasProducer tells a batch of an idempotent producer.
func (b Batch) HasProducer() bool { return b.ProducerID() > noProducerID }

// ComputeCRC is the checksum of the bytes as they are.
func (b Batch) ComputeCRC() uint32 { return crc32.Checksum(b[atAttributes:], castagnoli) }

// CRCValid compares the stated checksum with the bytes. It reads all of them.
func (b Batch) CRCValid() bool { return b.CRC() == b.ComputeCRC() }

// SetBaseOffset patches the offset of the first record. The CRC does not cover it.
func (b Batch) SetBaseOffset(o kafka.Offset) {
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(o))
}

// SetLeaderEpoch patches the leader epoch. The CRC does not cover it.
func (b Batch) SetLeaderEpoch(e kafka.LeaderEpoch) {
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], uint32(e))
}

// SetLogAppendTime gives all records the broker's timestamp, by the batch's type and
// maximum alone; the records' own deltas stay and count no more. The CRC is recomputed,
// over all bytes.
func (b Batch) SetLogAppendTime(ts kafka.Timestamp) {
	b.setAttributes(b.Attributes() | logAppendTimeBit)
	b.setMaxTimestamp(ts)
	b.SetCRC()
}

// SetMaxTimestamp corrects the stated maximum of a CreateTime batch. A right maximum
// costs nothing, a wrong one a new CRC over all bytes. Kafka corrects it too: time index
// and retention rest on it, and it came from a client.
func (b Batch) SetMaxTimestamp(ts kafka.Timestamp) {
	if b.MaxTimestamp() == ts {
		return
	}
	b.setMaxTimestamp(ts)
	b.SetCRC()
}

func (b Batch) setAttributes(a Attributes) { binary.BigEndian.PutUint16(b[atAttributes:], uint16(a)) }

func (b Batch) setMaxTimestamp(ts kafka.Timestamp) {
	binary.BigEndian.PutUint64(b[atMaxTimestamp:], uint64(ts))
}

// SetCRC states the checksum of the bytes as they are. Whoever calls it vouches for them.
func (b Batch) SetCRC() { binary.BigEndian.PutUint32(b[atCRC:], b.ComputeCRC()) }

// String is the header in one line, as dumps and failed tests show it. Absent fields
// are left out.
func (b Batch) String() string {
	if len(b) < HeaderSize {
		return fmt.Sprintf("batch of %d bytes, less than a header", len(b))
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%d..%d epoch=%d count=%d codec=%s %s base-ts=%d max-ts=%d bytes=%d crc=%08x",
		b.BaseOffset(), b.LastOffset(), b.LeaderEpoch(), b.Count(), b.Codec(), b.TimestampType(),
		b.BaseTimestamp(), b.MaxTimestamp(), b.Len(), b.CRC())
	if b.HasProducer() {
		fmt.Fprintf(&s, " producer=%d/%d seq=%d..%d", b.ProducerID(), b.ProducerEpoch(),
			b.BaseSequence(), b.LastSequence())
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{b.IsTransactional(), " transactional"},
		{b.IsControl(), " control"},
		{b.HasDeleteHorizon(), " delete-horizon"},
	} {
		if flag.set {
			s.WriteString(flag.name)
		}
	}
	return s.String()
}
