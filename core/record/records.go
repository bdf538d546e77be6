package record

import (
	"errors"
	"fmt"
	"iter"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// ErrCorrupt tells that the records of a batch cannot be read. Test with errors.Is.
var ErrCorrupt = errors.New("record: batch is corrupt")

// walk steps through the records of a batch. It holds for stored batches too, where
// compaction may have taken records out.
type walk struct {
	cursor cursor
	base   kafka.Timestamp
	fixed  bool // all timestamps are base: LogAppendTime
	count  int32
	last   int32 // the last offset delta the batch has room for

	raw   raw
	index int32 // of raw
	prev  int32 // offset delta of the record before it
	fault fault
}

func newWalk(b Batch, records []byte) walk {
	w := walk{cursor: cursor{b: records}, base: b.BaseTimestamp(), count: b.Count(), last: b.LastOffsetDelta()}
	if b.TimestampType() == LogAppendTime {
		w.base, w.fixed = b.MaxTimestamp(), true
	}
	w.index, w.prev = -1, -1
	// A count that the bytes cannot hold is told at once, not after reading them all.
	if w.count < 0 || int64(w.count)*recordSizeMin > int64(len(records)) {
		w.fault = faultShort
	}
	return w
}

// next moves to the next record. After false, fault tells whether the batch ended well.
func (w *walk) next() bool {
	if w.fault != faultNone {
		return false
	}
	if w.index+1 == w.count {
		if w.cursor.at != len(w.cursor.b) {
			w.fault = faultTrailing
		}
		return false
	}
	w.index++
	if w.fault = w.cursor.next(&w.raw); w.fault != faultNone {
		return false
	}
	if w.raw.offsetDelta <= w.prev || w.raw.offsetDelta > w.last {
		w.fault = faultSequence
		return false
	}
	w.prev = w.raw.offsetDelta
	return true
}

// timestamp is that of the current record.
func (w *walk) timestamp() kafka.Timestamp {
	if w.fixed {
		return w.base
	}
	return w.base + kafka.Timestamp(w.raw.timestampDelta)
}

// faultIndex is the record at fault, −1 when it is the batch.
func (w *walk) faultIndex() int {
	if w.fault == faultShort || w.fault == faultTrailing {
		return -1
	}
	return int(w.index)
}

// open gives the records of b, decompressed, valid until in opens another batch.
func (in *Inspector) open(b Batch) ([]byte, error) {
	if b.Codec() == CodecNone {
		return b[HeaderSize:], nil
	}
	return in.inflater.inflate(b.Codec(), b[HeaderSize:])
}

// walk opens a stored batch. The CRC is the caller's business.
func (in *Inspector) walk(b Batch) (walk, error) {
	records, err := in.open(b)
	if err != nil {
		return walk{}, fmt.Errorf("%w: at offset %d, codec %s: %w", ErrCorrupt, b.BaseOffset(), b.Codec(), err)
	}
	return newWalk(b, records), nil
}

// err is why a finished walk over b ended early, nil if it did not.
func (w *walk) err(b Batch) error {
	if w.fault == faultNone {
		return nil
	}
	return fmt.Errorf("%w: at offset %d, record %d: %s", ErrCorrupt, b.BaseOffset(), w.faultIndex(), w.fault)
}

// Records is Inspector.Records with an Inspector for this batch alone.
func Records(b Batch, lim Limits) iter.Seq2[Record, error] { return NewInspector(lim).Records(b) }

// Records yields the records of a batch, a client's or a stored one, and ends with one
// error (ErrCorrupt) if they cannot be read. A Record's slices are valid during its step
// only; in must not be used for another batch before the loop ends. The CRC is not
// checked.
func (in *Inspector) Records(b Batch) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		w, err := in.walk(b)
		if err != nil {
			yield(Record{}, err)
			return
		}
		base := b.BaseOffset()
		for w.next() {
			r := Record{
				Offset:    base + kafka.Offset(w.raw.offsetDelta),
				Timestamp: w.timestamp(),
				Key:       w.raw.key,
				Value:     w.raw.value,
			}
			if w.raw.headerCount > 0 {
				in.headers = w.raw.appendHeaders(in.headers[:0])
				r.Headers = in.headers
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := w.err(b); err != nil {
			yield(Record{}, err)
		}
	}
}

// Stamp is a record's place in offset and time.
type Stamp struct {
	Offset    kafka.Offset
	Timestamp kafka.Timestamp
}

// NoStamp stands for "no such record".
var NoStamp = Stamp{kafka.NoOffset, kafka.NoTimestamp}

// AtOrAfter finds the first record, by offset, whose timestamp is ts or later: what
// ListOffsets asks. NoStamp if there is none.
func (in *Inspector) AtOrAfter(b Batch, ts kafka.Timestamp) (Stamp, error) {
	if b.MaxTimestamp() < ts {
		return NoStamp, nil
	}
	w, err := in.walk(b)
	if err != nil {
		return NoStamp, err
	}
	for w.next() {
		if w.timestamp() >= ts {
			return w.stamp(b), nil
		}
	}
	return NoStamp, w.err(b)
}

// Latest finds the first record, by offset, that has the largest timestamp of the batch.
// NoStamp for a batch that compaction emptied.
func (in *Inspector) Latest(b Batch) (Stamp, error) {
	w, err := in.walk(b)
	if err != nil {
		return NoStamp, err
	}
	latest := NoStamp
	for w.next() {
		if latest.Offset == kafka.NoOffset || w.timestamp() > latest.Timestamp {
			latest = w.stamp(b)
		}
	}
	return latest, w.err(b)
}

func (w *walk) stamp(b Batch) Stamp {
	return Stamp{b.BaseOffset() + kafka.Offset(w.raw.offsetDelta), w.timestamp()}
}

// Indexed is a record's index in its batch and its timestamp.
type Indexed struct {
	Index     int
	Timestamp kafka.Timestamp
}

// OutsideTime lists the records whose timestamp is below least or above most, in order.
// A record without timestamp (−1) is never outside.
func (in *Inspector) OutsideTime(b Batch, least, most kafka.Timestamp) ([]Indexed, error) {
	return in.collect(b, func(w *walk) bool {
		ts := w.timestamp()
		return ts != kafka.NoTimestamp && (ts < least || ts > most)
	})
}

// WithoutKey lists the records whose key is null, in order.
func (in *Inspector) WithoutKey(b Batch) ([]Indexed, error) {
	return in.collect(b, func(w *walk) bool { return w.raw.key == nil })
}

func (in *Inspector) collect(b Batch, match func(*walk) bool) ([]Indexed, error) {
	w, err := in.walk(b)
	if err != nil {
		return nil, err
	}
	var found []Indexed
	for w.next() {
		if match(&w) {
			found = append(found, Indexed{int(w.index), w.timestamp()})
		}
	}
	return found, w.err(b)
}
