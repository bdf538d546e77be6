package record

import (
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Summary is what a good batch contains, so far as a broker must know it.
type Summary struct {
	Records int
	// MaxTimestamp is the largest timestamp of the records. The header may state another:
	// it came from the client (Batch.SetMaxTimestamp).
	MaxTimestamp kafka.Timestamp
	// MinTimestamp is the least timestamp of the records that have one; −1 if none has.
	MinTimestamp kafka.Timestamp
	// OffsetOfMaxTimestamp is the offset delta of the first record with MaxTimestamp.
	OffsetOfMaxTimestamp int32
	// NullKeys tells that a record has no key, FirstNullKey its index (−1 if none).
	NullKeys     bool
	FirstNullKey int
	// DecompressedBytes is the size of the records without compression.
	DecompressedBytes int
}

// Problem is why a client's batch is refused.
type Problem struct {
	Code        kafka.ErrorCode
	RecordIndex int // −1 when it is the batch as a whole
	Message     string
}

// String renders the problem for traces and tests.
func (p *Problem) String() string {
	if p.RecordIndex < 0 {
		return p.Code.String() + ": " + p.Message
	}
	return fmt.Sprintf("%s: record %d: %s", p.Code, p.RecordIndex, p.Message)
}

func problem(code kafka.ErrorCode, message string) *Problem {
	return &Problem{Code: code, RecordIndex: -1, Message: message}
}

// Inspector reads what is inside batches. It keeps the decompression buffer and codec
// state from batch to batch, so each goroutine that reads batches has its own.
type Inspector struct {
	inflater inflater
	headers  []Header
}

// NewInspector makes an Inspector. It allocates for a codec when a batch first needs it.
func NewInspector(lim Limits) *Inspector {
	return &Inspector{inflater: inflater{max: lim.decompressedMax(), keep: lim.scratchKeep()}}
}

// Inspect is Inspector.Inspect with an Inspector for this batch alone.
func Inspect(b Batch, lim Limits) (Summary, *Problem) { return NewInspector(lim).Inspect(b) }

// Inspect judges a batch as a producer may send it, so far as no configuration and no
// state is needed: checksum, codec, counts, sequence, flags, and every record's
// structure. It is total: any bytes give a Summary or a Problem. It changes nothing and,
// for a good batch without compression, allocates nothing.
//
// Not judged here: base offset (a producer's is 0), size, keys of compacted topics, and
// whether timestamps are near the clock; Summary says what that takes.
func (in *Inspector) Inspect(b Batch) (Summary, *Problem) {
	if p := inspectFrame(b); p != nil {
		return Summary{}, p
	}
	if p := inspectHeader(b); p != nil {
		return Summary{}, p
	}
	defer in.inflater.trim()
	records, err := in.open(b)
	if errors.Is(err, errInflatesTooLarge) {
		// Kafka has no such bound. Of its codes this one makes a producer split the batch.
		return Summary{}, problem(kafka.MessageTooLarge,
			fmt.Sprintf("%s records inflate to more than %d bytes", b.Codec(), in.inflater.max))
	}
	if err != nil {
		// Not CorruptMessage: the checksum is right, so sending it again is no use.
		return Summary{}, problem(kafka.InvalidRecord, fmt.Sprintf("%s records cannot be read", b.Codec()))
	}
	return summarize(b, records)
}

// inspectFrame checks what says that the bytes are those that were sent.
func inspectFrame(b Batch) *Problem {
	switch {
	case len(b) < HeaderSize || b.Len() != len(b):
		return problem(kafka.CorruptMessage, "record batch does not fit its length field")
	case b.Magic() != Magic:
		return problem(kafka.InvalidRecord, "record batch is not of format 2")
	case !b.CRCValid():
		return problem(kafka.CorruptMessage, "record batch does not match its checksum")
	case !b.Codec().Valid():
		return problem(kafka.CorruptMessage, fmt.Sprintf("compression codec %d does not exist", b.Codec()))
	}
	return nil
}

// inspectHeader checks what a producer may say.
func inspectHeader(b Batch) *Problem {
	count, lastDelta := b.Count(), b.LastOffsetDelta()
	switch {
	case count <= 0:
		return problem(kafka.InvalidRecord, fmt.Sprintf("record count is %d", count))
	case lastDelta < 0 || lastDelta != count-1:
		return problem(kafka.InvalidRecord,
			fmt.Sprintf("record count is %d and the last offset delta %d", count, lastDelta))
	case b.IsControl():
		return problem(kafka.InvalidRecord, "clients may not write control batches")
	case b.HasDeleteHorizon():
		return problem(kafka.InvalidRecord, "clients may not set a delete horizon")
	case b.HasProducer() && b.BaseSequence() < 0:
		return problem(kafka.InvalidRecord, fmt.Sprintf("producer id %d with sequence %d",
			b.ProducerID(), b.BaseSequence()))
	case b.IsTransactional() && !b.HasProducer():
		return problem(kafka.InvalidRecord, "transactional batch without a producer id")
	case b.TimestampType() == LogAppendTime:
		return problem(kafka.InvalidTimestamp, "producers may not set the timestamp type to LogAppendTime")
	}
	return nil
}

// summarize walks the records of a CreateTime batch whose header was inspected.
func summarize(b Batch, records []byte) (Summary, *Problem) {
	s := Summary{MinTimestamp: kafka.NoTimestamp, FirstNullKey: -1, DecompressedBytes: len(records)}
	w := newWalk(b, records)
	for w.next() {
		if w.raw.offsetDelta != w.index {
			w.fault = faultSequence
			break
		}
		s.add(&w)
	}
	if w.fault != faultNone {
		p := problem(kafka.InvalidRecord, w.fault.String())
		p.RecordIndex = w.faultIndex()
		return Summary{}, p
	}
	return s, nil
}

func (s *Summary) add(w *walk) {
	s.Records++
	ts := w.timestamp()
	if s.Records == 1 || ts > s.MaxTimestamp {
		s.MaxTimestamp = ts
		s.OffsetOfMaxTimestamp = w.raw.offsetDelta
	}
	if ts != kafka.NoTimestamp && (s.MinTimestamp == kafka.NoTimestamp || ts < s.MinTimestamp) {
		s.MinTimestamp = ts
	}
	if w.raw.key == nil && !s.NullKeys {
		s.NullKeys = true
		s.FirstNullKey = int(w.index)
	}
}
