package record_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// FuzzFirst: no bytes panic, and what is framed is the bytes it was framed from.
func FuzzFirst(f *testing.F) {
	whole := goldenBuilder().Build()
	f.Add([]byte(whole))
	f.Add([]byte(whole[:40]))
	f.Add(append(bytes.Clone(whole), whole...))
	f.Fuzz(func(t *testing.T, b []byte) {
		at := 0
		for batch, err := range record.Batches(b) {
			n, peekErr := record.PeekLen(b[at:])
			if err != nil {
				if peekErr == nil && n <= len(b)-at {
					t.Fatalf("peeked %d of %d bytes, framed %v", n, len(b)-at, err)
				}
				return
			}
			if peekErr != nil || n != len(batch) || !bytes.Equal(batch, b[at:at+n]) || len(batch) < record.HeaderSize {
				t.Fatalf("peeked %d, %v, framed %d", n, peekErr, len(batch))
			}
			_ = batch.String()
			at += n
		}
		if at != len(b) {
			t.Fatalf("framed %d of %d bytes without an error", at, len(b))
		}
	})
}

// FuzzInspect: no bytes panic or inflate beyond the limit; without compression Inspect
// agrees with the naive reader; and what it passes can be read and built again.
func FuzzInspect(f *testing.F) {
	for _, codec := range codecs {
		f.Add([]byte(manyRecords(codec, 3)), true)
		f.Add([]byte(goldenBuilder().Build()), false)
	}
	in := record.NewInspector(record.Limits{DecompressedMax: 1 << 20})
	f.Fuzz(func(t *testing.T, b []byte, fix bool) {
		if fix && len(b) >= record.HeaderSize {
			b = bytes.Clone(b)
			binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-record.Overhead))
			record.Batch(b).SetCRC()
		}
		s, p := in.Inspect(b)
		if s.DecompressedBytes > 1<<20 {
			t.Fatalf("inflated %d bytes", s.DecompressedBytes)
		}
		if len(b) < record.HeaderSize || record.Batch(b).Codec() == record.CodecNone {
			if want, code := naiveInspect(b); code != codeOf(p) || s != want {
				t.Fatalf("got %+v, %v\nwant %+v, %v", s, p, want, code)
			}
		}
		if p == nil {
			checkRebuilt(t, in, b, s)
		}
	})
}

func checkRebuilt(t *testing.T, in *record.Inspector, b record.Batch, want record.Summary) {
	builder := record.NewBuilder(record.Options{BaseOffset: b.BaseOffset()})
	for r, err := range in.Records(b) {
		if err != nil {
			t.Fatalf("inspection passed what cannot be read: %v", err)
		}
		if r.Offset != b.BaseOffset()+kafka.Offset(builder.Count()) {
			t.Fatalf("record %d at offset %d", builder.Count(), r.Offset)
		}
		builder.Append(r.Timestamp, r.Key, r.Value, r.Headers)
	}
	got, p := record.Inspect(builder.Build(), record.Limits{})
	got.DecompressedBytes = want.DecompressedBytes // numbers may have been written longer than needed
	if p != nil || got != want {
		t.Fatalf("rebuilt %+v, %v, want %+v", got, p, want)
	}
}
