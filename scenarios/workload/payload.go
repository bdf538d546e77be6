package workload

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"slices"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/record"
)

// # What a record looks like
//
//	value    8 bytes history.Value, 4 bytes hash of the topic's id and partition, padding
//	key      4 bytes: the process
//	header   "v" = the history.Value again
//
// The padding is one byte repeated that follows from the value, so every byte of a record is
// known to its reader: what was altered, truncated or sent elsewhere is no record of ours.

const (
	payloadMin = 12
	// recordBytesMin is less than any record of ours takes in a batch that is not compressed.
	recordBytesMin = 24
	headerName     = "v"
)

// placeHash ties a record to its partition.
func placeHash(key history.Key) uint32 {
	h := fnv.New32a()
	h.Write([]byte(key.TopicID))
	h.Write([]byte(key.Topic))
	h.Write([]byte{byte(key.Partition), byte(key.Partition >> 8)})
	return h.Sum32()
}

func padding(v history.Value) byte { return byte(v) ^ byte(v>>history.CounterBits)*31 ^ 0xa5 }

// writer makes payloads in memory that it reuses: what it gives is valid until its next call.
type writer struct {
	buf     []byte
	headers [1]record.Header
}

// payload makes the record of value v, size bytes long, for the place.
func (w *writer) payload(v history.Value, place uint32, size int) (key, value []byte,
	headers []record.Header) {
	b := binary.BigEndian.AppendUint32(w.buf[:0], uint32(v.Process()))
	b = binary.BigEndian.AppendUint64(b, uint64(v))
	b = binary.BigEndian.AppendUint64(b, uint64(v))
	b = binary.BigEndian.AppendUint32(b, place)
	at := len(b)
	b = slices.Grow(b, max(0, size-payloadMin))[:at+max(0, size-payloadMin)]
	repeat(b[at:], padding(v))
	w.buf = b
	w.headers[0] = record.Header{Key: headerName, Value: b[4:12:12]}
	return b[:4:4], b[12:], w.headers[:]
}

// readPayload gives the value of a record, or zero if it is not as it was sent to the place.
func readPayload(r *record.Record, place uint32) history.Value {
	if len(r.Value) < payloadMin || len(r.Key) != 4 || len(r.Headers) != 1 || len(r.Headers[0].Value) != 8 {
		return 0
	}
	v := history.Value(binary.BigEndian.Uint64(r.Value))
	if binary.BigEndian.Uint32(r.Value[8:]) != place || r.Headers[0].Key != headerName ||
		history.Value(binary.BigEndian.Uint64(r.Headers[0].Value)) != v ||
		int32(binary.BigEndian.Uint32(r.Key)) != v.Process() {
		return 0
	}
	if !repeats(r.Value[payloadMin:], padding(v)) {
		return 0
	}
	return v
}

// repeat fills memory with one byte, in strides that double.
func repeat(b []byte, pad byte) {
	if len(b) > 0 {
		b[0] = pad
	}
	for n := 1; n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

// repeats tells whether all bytes are that one: the first is, and each is as the one before.
func repeats(b []byte, pad byte) bool {
	return len(b) == 0 || b[0] == pad && bytes.Equal(b[1:], b[:len(b)-1])
}

// Decoder reads stored batches back into records of a history. It reuses its memory.
type Decoder struct{ inspector *record.Inspector }

// NewDecoder makes a Decoder for one caller at a time.
func NewDecoder() *Decoder { return &Decoder{record.NewInspector(record.Limits{})} }

// Place is what Decoder wants to know of the partition that records were sent to.
func Place(key history.Key) uint32 { return placeHash(key) }

// Append appends the records of a batch that stand at or above from. Bytes that are not as
// they were sent to the place become one record of value zero.
func (d *Decoder) Append(out []history.Record, b record.Batch, place uint32, from int64) []history.Record {
	switch {
	case b.IsControl():
		return out
	case !b.CRCValid():
		return append(out, history.Record{Offset: max(from, int64(b.BaseOffset()))})
	}
	out = slices.Grow(out, max(0, min(int(b.Count()), len(b)/recordBytesMin)))
	for r, err := range d.inspector.Records(b) {
		if err != nil {
			return append(out, history.Record{Offset: max(from, int64(b.LastOffset()))})
		}
		if int64(r.Offset) >= from {
			out = append(out, history.Record{Offset: int64(r.Offset), Value: readPayload(&r, place),
				Timestamp: int64(r.Timestamp)})
		}
	}
	return out
}
