package record

import (
	"encoding/binary"
	"errors"
	"iter"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Why bytes do not begin with a batch. Test with errors.Is.
var (
	// ErrShort: the batch goes on past the bytes there are. At the end of a file that is
	// a torn tail, in a buffer it asks for more.
	ErrShort = errors.New("record: batch is longer than the bytes there are")
	// ErrMagic: not format 2.
	ErrMagic = errors.New("record: batch is not of format 2")
	// ErrLength: the length field cannot hold a header.
	ErrLength = errors.New("record: batch length is less than a header")
)

// PeekMin is the number of bytes PeekLen wants: up to and including the format version.
const PeekMin = atMagic + 1

// PeekLen reads the total length of the batch that starts at b[0], which may be longer
// than b. It needs PeekMin bytes and gives ErrShort below that, ErrMagic before ErrLength
// (an old format has its own lengths).
func PeekLen(b []byte) (int, error) {
	if len(b) < PeekMin {
		return 0, ErrShort
	}
	if b[atMagic] != Magic {
		return 0, ErrMagic
	}
	length := int32(binary.BigEndian.Uint32(b[atLength:]))
	if length < LengthMin {
		return 0, ErrLength
	}
	return int(length) + Overhead, nil
}

// First frames the first batch of b and what follows it. It looks at length and format
// only, so the batch may still be damaged inside; it never allocates. The batch's
// capacity ends with it.
func First(b []byte) (batch Batch, rest []byte, err error) {
	n, err := PeekLen(b)
	if err != nil {
		return nil, b, err
	}
	if n > len(b) {
		return nil, b, ErrShort
	}
	return Batch(b[:n:n]), b[n:], nil
}

// Batches yields the batches of b in order. Bytes that are no batch end it with one
// error of First; the end of b ends it without.
func Batches(b []byte) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		for len(b) > 0 {
			batch, rest, err := First(b)
			if !yield(batch, err) || err != nil {
				return
			}
			b = rest
		}
	}
}

// WholeLen is the length of the whole batches with a right checksum that b begins with.
func WholeLen(b []byte) int {
	n := 0
	for {
		batch, _, err := First(b[n:])
		if err != nil || !batch.CRCValid() {
			return n
		}
		n += len(batch)
	}
}

// Single frames what a producer may send for a partition: exactly one batch of format 2.
// The refusals are those of Kafka: a client that sends none, several or an old format
// made an invalid record; a length that lies is corruption.
func Single(b []byte) (Batch, *Problem) {
	if len(b) == 0 {
		return nil, problem(kafka.InvalidRecord, "no record batch for the partition")
	}
	batch, rest, err := First(b)
	switch {
	case errors.Is(err, ErrMagic):
		return nil, problem(kafka.InvalidRecord, "record batch is not of format 2")
	case err != nil:
		return nil, problem(kafka.CorruptMessage, "record batch does not fit its length field")
	case len(rest) > 0:
		return nil, problem(kafka.InvalidRecord, "more than one record batch for the partition")
	}
	return batch, nil
}
