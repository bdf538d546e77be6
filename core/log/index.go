package log

import (
	"encoding/binary"
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Sizes of entries on disk, as Kafka's tools read them.
const (
	indexEntrySize = 8
	timeEntrySize  = 12
)

// indexEntry says that the batch which starts at pos ends with offset base+rel.
type indexEntry struct {
	rel uint32
	pos uint32
}

// offsetIndex finds where to start reading for an offset. Both fields strictly increase.
type offsetIndex []indexEntry

// floor gives the position of the last entry that ends at or below the offset rel, and 0
// before the first: reading from there meets the offset. The entry names the last offset
// of its batch, so a batch that ends at rel holds it.
func (x offsetIndex) floor(rel uint32) (pos int64, at int) {
	i, found := slices.BinarySearchFunc(x, rel, func(e indexEntry, rel uint32) int {
		return compareUint32(e.rel, rel)
	})
	if !found {
		i--
	}
	if i < 0 {
		return 0, -1
	}
	return int64(x[i].pos), i
}

// cut drops the entries whose batch starts at or after pos.
func (x offsetIndex) cut(pos int64) offsetIndex {
	i, _ := slices.BinarySearchFunc(x, pos, func(e indexEntry, pos int64) int {
		return compareInt64(int64(e.pos), pos)
	})
	return x[:i]
}

func (x offsetIndex) appendBinary(b []byte) []byte {
	for _, e := range x {
		b = binary.BigEndian.AppendUint32(b, e.rel)
		b = binary.BigEndian.AppendUint32(b, e.pos)
	}
	return b
}

// parseIndex reads an index of a segment of size bytes. It stops at the first entry that
// cannot be: Kafka leaves zeroes at the end, a crash may leave anything. ok tells that
// nothing was left out but such zeroes.
func parseIndex(b []byte, size int64) (x offsetIndex, ok bool) {
	x = make(offsetIndex, 0, len(b)/indexEntrySize)
	for len(b) >= indexEntrySize {
		e := indexEntry{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
		if int64(e.pos) >= size || e.rel > maxRelative || e.pos > maxRelative {
			return x, false
		}
		if n := len(x); n > 0 && (e.rel <= x[n-1].rel || e.pos <= x[n-1].pos) {
			return x, allZero(b)
		}
		if e.rel == 0 && e.pos == 0 && allZero(b) {
			return x, true
		}
		x = append(x, e)
		b = b[indexEntrySize:]
	}
	return x, len(b) == 0
}

// timeEntry says that ts is the largest timestamp up to and including the batch that ends
// with offset base+rel, which holds it.
type timeEntry struct {
	ts  kafka.Timestamp
	rel uint32
}

// timeIndex finds where to start looking for a time. Both fields strictly increase.
type timeIndex []timeEntry

// before gives the offset of the last entry whose timestamp is less than ts: everything
// up to it is older.
func (x timeIndex) before(ts kafka.Timestamp) (rel uint32, ok bool) {
	i, _ := slices.BinarySearchFunc(x, ts, func(e timeEntry, ts kafka.Timestamp) int {
		return compareInt64(int64(e.ts), int64(ts))
	})
	if i == 0 {
		return 0, false
	}
	return x[i-1].rel, true
}

// cut drops the entries past the offset rel.
func (x timeIndex) cut(rel int64) timeIndex {
	n := len(x)
	for n > 0 && int64(x[n-1].rel) > rel {
		n--
	}
	return x[:n]
}

func (x timeIndex) appendBinary(b []byte) []byte {
	for _, e := range x {
		b = binary.BigEndian.AppendUint64(b, uint64(e.ts))
		b = binary.BigEndian.AppendUint32(b, e.rel)
	}
	return b
}

// parseTimeIndex reads a time index, like parseIndex.
func parseTimeIndex(b []byte) (x timeIndex, ok bool) {
	x = make(timeIndex, 0, len(b)/timeEntrySize)
	for len(b) >= timeEntrySize {
		e := timeEntry{kafka.Timestamp(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint32(b[8:])}
		n := len(x)
		if e.rel > maxRelative || e.ts < 0 || n > 0 && (e.ts <= x[n-1].ts || e.rel <= x[n-1].rel) ||
			n == 0 && allZero(b) {
			return x, allZero(b)
		}
		x = append(x, e)
		b = b[timeEntrySize:]
	}
	return x, len(b) == 0
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func compareUint32(a, b uint32) int { return compareInt64(int64(a), int64(b)) }

func compareInt64(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
