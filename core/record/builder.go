package record

import (
	"encoding/binary"
	"math"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Producer identifies an idempotent producer and the place of a batch in its sequence.
type Producer struct {
	ID           kafka.ProducerID
	Epoch        kafka.ProducerEpoch
	BaseSequence kafka.Sequence
}

// Options are the header fields of a batch that its records do not give. The zero value
// is an uncompressed batch at offset 0 of no producer, by the records' own timestamps.
type Options struct {
	Codec       Codec
	BaseOffset  kafka.Offset
	LeaderEpoch kafka.LeaderEpoch
	// Producer is nil for none (producer id 0 is a real one).
	Producer      *Producer
	Transactional bool
	Control       bool
}

// Builder collects records into one batch. It reuses codec state from batch to batch;
// the bytes it hands out are never touched again, unless they come back by Recycle.
type Builder struct {
	opts Options
	buf  []byte // HeaderSize bytes of room, then records, not compressed; empty at first
	last int    // size of the batch before, a good guess for the next
	base kafka.Timestamp
	max  kafka.Timestamp
	n    int32

	deflater deflater
}

// NewBuilder makes a Builder for one batch; Reset makes it ready for another.
func NewBuilder(opts Options) *Builder {
	b := &Builder{}
	b.Reset(opts)
	return b
}

// Reset forgets the records collected and starts a batch with opts.
func (b *Builder) Reset(opts Options) {
	// A codec from outside goes through ParseCodec or Inspect before it comes here.
	if !opts.Codec.Valid() {
		invariant.Violated("record.builder-codec", "codec=%s", opts.Codec)
	}
	b.opts = opts
	b.buf = b.buf[:0]
	b.base, b.max, b.n = kafka.NoTimestamp, kafka.NoTimestamp, 0
}

// Append adds a record at the next offset. A nil key or value is null, which is not the
// same as empty. It copies what it is given.
func (b *Builder) Append(ts kafka.Timestamp, key, value []byte, headers []Header) {
	if b.n == 0 {
		if b.buf == nil {
			b.buf = make([]byte, 0, max(b.last, builderSizeMin))
		}
		b.buf = b.buf[:HeaderSize]
		b.base, b.max = ts, ts
	}
	b.max = max(b.max, ts)
	b.buf = appendRecord(b.buf, b.n, int64(ts-b.base), Record{Key: key, Value: value, Headers: headers})
	b.n++
	// The length field has 31 bits.
	if len(b.buf) > math.MaxInt32 {
		invariant.Violated("record.batch-fits-length", "bytes=%d records=%d", len(b.buf), b.n)
	}
}

// Recycle gives the Builder the memory of a batch that nobody reads any more, for its next.
func (b *Builder) Recycle(old Batch) {
	if b.n == 0 && cap(old) > cap(b.buf) && cap(old) >= HeaderSize {
		b.buf = old[:0]
	}
}

// Count is the number of records collected.
func (b *Builder) Count() int { return int(b.n) }

// Len is the size the batch would have without compression.
func (b *Builder) Len() int { return max(len(b.buf), HeaderSize) }

// Build finishes the batch and gives its bytes to the caller. There must be a record. The
// Builder then is empty, with the same options.
func (b *Builder) Build() Batch {
	// An empty batch would be stored at an offset it does not take.
	if b.n == 0 {
		invariant.Violated("record.build-not-empty", "options=%+v", b.opts)
	}
	out := b.buf
	b.last = len(out)
	if b.opts.Codec == CodecNone {
		b.buf = nil
	} else {
		out = append(make([]byte, 0, HeaderSize+len(b.buf)/2), b.buf[:HeaderSize]...)
		out = b.deflater.appendDeflated(out, DefaultCompression(b.opts.Codec), b.buf[HeaderSize:])
	}
	batch := Batch(out)
	b.putHeader(batch)
	b.Reset(b.opts)
	return batch
}

func (b *Builder) putHeader(h Batch) {
	attributes := Attributes(b.opts.Codec)
	if b.opts.Transactional {
		attributes |= transactionalBit
	}
	if b.opts.Control {
		attributes |= controlBit
	}
	producer := Producer{noProducerID, noProducerEpoch, noSequence}
	if b.opts.Producer != nil {
		producer = *b.opts.Producer
	}
	h.SetBaseOffset(b.opts.BaseOffset)
	binary.BigEndian.PutUint32(h[atLength:], uint32(len(h)-Overhead))
	h.SetLeaderEpoch(b.opts.LeaderEpoch)
	h[atMagic] = Magic
	h.setAttributes(attributes)
	binary.BigEndian.PutUint32(h[atLastOffsetDelta:], uint32(b.n-1))
	binary.BigEndian.PutUint64(h[atBaseTimestamp:], uint64(b.base))
	h.setMaxTimestamp(b.max)
	binary.BigEndian.PutUint64(h[atProducerID:], uint64(producer.ID))
	binary.BigEndian.PutUint16(h[atProducerEpoch:], uint16(producer.Epoch))
	binary.BigEndian.PutUint32(h[atBaseSequence:], uint32(producer.BaseSequence))
	binary.BigEndian.PutUint32(h[atCount:], uint32(b.n))
	h.SetCRC()
}

// appendRecord appends one record in its wire form. Only r's key, value and headers
// count; its place is given by the deltas.
func appendRecord(b []byte, offsetDelta int32, timestampDelta int64, r Record) []byte {
	b = appendVarint(b, int64(recordBodySize(offsetDelta, timestampDelta, r)))
	b = append(b, 0) // attributes, unused
	b = appendVarint(b, timestampDelta)
	b = appendVarint(b, int64(offsetDelta))
	b = appendNullable(b, r.Key)
	b = appendNullable(b, r.Value)
	b = appendVarint(b, int64(len(r.Headers)))
	for _, h := range r.Headers {
		b = appendVarint(b, int64(len(h.Key)))
		b = append(b, h.Key...)
		b = appendNullable(b, h.Value)
	}
	return b
}

func recordBodySize(offsetDelta int32, timestampDelta int64, r Record) int {
	n := 1 + varintSize(timestampDelta) + varintSize(int64(offsetDelta))
	n += nullableSize(r.Key) + nullableSize(r.Value) + varintSize(int64(len(r.Headers)))
	for _, h := range r.Headers {
		n += varintSize(int64(len(h.Key))) + len(h.Key) + nullableSize(h.Value)
	}
	return n
}

func nullableSize(v []byte) int {
	if v == nil {
		return 1
	}
	return varintSize(int64(len(v))) + len(v)
}

func appendNullable(b, v []byte) []byte {
	if v == nil {
		return appendVarint(b, -1)
	}
	return append(appendVarint(b, int64(len(v))), v...)
}

// appendVarint writes a zig-zag number; 32 and 64 bits are written alike.
func appendVarint(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

func varintSize(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	n := 1
	for ; u >= 0x80; u >>= 7 {
		n++
	}
	return n
}
