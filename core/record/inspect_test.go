package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// Positions in a batch, for tests that lie.
const (
	atLength, atAttributes, atLastDelta, atProducer, atSequence, atCount = 8, 21, 23, 43, 53, 57
)

// Inspect agrees with a naive reading of the byte table on whole and on damaged batches.
// Half of the damage is given a good checksum, or nothing behind it would be reached.
func TestInspectAgreesWithANaiveReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opts := drawOptions(t)
		opts.Codec = record.CodecNone
		batch := build(opts, drawRecords(t))
		for range rapid.IntRange(0, 3).Draw(t, "hits") {
			at := rapid.IntRange(0, len(batch)-1).Draw(t, "at")
			if rapid.Bool().Draw(t, "in header") {
				at = min(at, rapid.IntRange(atLength, record.HeaderSize-1).Draw(t, "header at"))
			}
			to := []byte{0, 1, 2, 3, 0x7f, 0x80, 0xff, batch[at] + 1, batch[at] - 2}
			batch[at] = rapid.SampledFrom(to).Draw(t, "to")
		}
		if batch.Codec().Valid() {
			batch[atAttributes+1] &^= 7 // the naive reader knows no codec
		}
		if rapid.Bool().Draw(t, "fix checksum") {
			batch.SetCRC()
		}
		wantSummary, wantCode := naiveInspect(batch)
		s, p := record.Inspect(batch, record.Limits{})
		if code := codeOf(p); code != wantCode || s != wantSummary {
			t.Fatalf("%v\ngot  %+v, %v\nwant %+v, %v", batch, s, p, wantSummary, wantCode)
		}
	})
}

func codeOf(p *record.Problem) kafka.ErrorCode {
	if p == nil {
		return kafka.None
	}
	return p.Code
}

// A compressed batch has the summary of the same records without compression.
func TestCompressionDoesNotShowInTheSummary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		want, p := record.Inspect(build(record.Options{}, records), record.Limits{})
		if p != nil {
			t.Fatal(p)
		}
		for _, codec := range codecs {
			got, p := record.Inspect(build(record.Options{Codec: codec}, records), record.Limits{})
			if p != nil || got != want {
				t.Fatalf("%s: got %+v, %v; want %+v", codec, got, p, want)
			}
		}
	})
}

func TestInspectRefusesWhatProducersMayNotSend(t *testing.T) {
	put := binary.BigEndian
	for _, c := range []struct {
		name  string
		lie   func(record.Batch)
		code  kafka.ErrorCode
		index int
	}{
		{"nothing wrong", func(record.Batch) {}, kafka.None, 0},
		{"unused attribute bits", func(b record.Batch) { b[atAttributes] = 0xff }, kafka.None, 0},
		{"length field", func(b record.Batch) { b[atLength+3]++ }, kafka.CorruptMessage, -1},
		{"codec 5", func(b record.Batch) { b[atAttributes+1] |= 5 }, kafka.CorruptMessage, -1},
		{"codec 7", func(b record.Batch) { b[atAttributes+1] |= 7 }, kafka.CorruptMessage, -1},
		{"codec that does not fit", func(b record.Batch) { b[atAttributes+1] |= 4 }, kafka.InvalidRecord, -1},
		{"append time", func(b record.Batch) { b[atAttributes+1] |= 8 }, kafka.InvalidTimestamp, -1},
		{"control", func(b record.Batch) { b[atAttributes+1] |= 32 }, kafka.InvalidRecord, -1},
		{"delete horizon", func(b record.Batch) { b[atAttributes+1] |= 64 }, kafka.InvalidRecord, -1},
		{"no records", func(b record.Batch) { put.PutUint32(b[atCount:], 0) }, kafka.InvalidRecord, -1},
		{"negative count", func(b record.Batch) { put.PutUint32(b[atCount:], 1<<31) }, kafka.InvalidRecord, -1},
		{"negative last delta", func(b record.Batch) { b[atLastDelta] = 0x80 }, kafka.InvalidRecord, -1},
		{"gap in the offsets", func(b record.Batch) { b[atLastDelta+3] = 3 }, kafka.InvalidRecord, -1},
		{"count two billion", func(b record.Batch) { claim(b, math.MaxInt32) }, kafka.InvalidRecord, -1},
		{"one more than there are", func(b record.Batch) { claim(b, 4) }, kafka.InvalidRecord, 3},
		{"one less than there are", func(b record.Batch) { claim(b, 2) }, kafka.InvalidRecord, -1},
		{"producer without sequence", func(b record.Batch) { b[atSequence] = 0x80 }, kafka.InvalidRecord, -1},
		{"transaction without producer", func(b record.Batch) { b[atProducer] = 0xff }, kafka.InvalidRecord, -1},
		{"record longer than the batch", func(b record.Batch) { b[61] = 0x7e }, kafka.InvalidRecord, 0},
		{"record of negative length", func(b record.Batch) { b[61] = 1 }, kafka.InvalidRecord, 0},
		{"record shorter than its fields", func(b record.Batch) { b[72] -= 2 }, kafka.InvalidRecord, 1},
		{"offset delta twice", func(b record.Batch) { b[76] = 0 }, kafka.InvalidRecord, 1},
		{"key of length -2", func(b record.Batch) { b[77] = 3 }, kafka.InvalidRecord, 1},
		{"value past the record", func(b record.Batch) { b[94] = 4 }, kafka.InvalidRecord, 2},
		{"negative header count", func(b record.Batch) { b[95] = 1 }, kafka.InvalidRecord, 2},
		{"header count without headers", func(b record.Batch) { b[95] = 2 }, kafka.InvalidRecord, 2},
		{"header with null key", func(b record.Batch) { b[80] = 1 }, kafka.InvalidRecord, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := goldenBuilder().Build()
			c.lie(b)
			b.SetCRC()
			_, p := record.Inspect(b, record.Limits{})
			if codeOf(p) != c.code || p != nil && p.RecordIndex != c.index {
				t.Fatalf("got %v, want %s at record %d", p, c.code, c.index)
			}
			if c.code != kafka.None && (p.Message == "" || p.String() == "") {
				t.Fatal("no message")
			}
		})
	}
}

// claim makes the header state n records.
func claim(b record.Batch, n int32) {
	binary.BigEndian.PutUint32(b[atCount:], uint32(n))
	binary.BigEndian.PutUint32(b[atLastDelta:], uint32(n-1))
}

func TestInspectChecksTheChecksumFirst(t *testing.T) {
	b := goldenBuilder().Build()
	claim(b, 0)
	if _, p := record.Inspect(b, record.Limits{}); codeOf(p) != kafka.CorruptMessage {
		t.Fatalf("got %v", p)
	}
}

func TestSummarySaysWhatConfigurationIsJudgedBy(t *testing.T) {
	b := build(record.Options{}, []record.Record{
		{Timestamp: -1, Key: []byte("a")},
		{Timestamp: 50, Key: []byte{}},
		{Timestamp: 70},
		{Timestamp: 70, Key: []byte("b")},
		{Timestamp: 60},
	})
	s, p := record.Inspect(b, record.Limits{})
	want := record.Summary{Records: 5, MaxTimestamp: 70, MinTimestamp: 50, OffsetOfMaxTimestamp: 2,
		NullKeys: true, FirstNullKey: 2, DecompressedBytes: len(b) - record.HeaderSize}
	if p != nil || s != want {
		t.Fatalf("got  %+v, %v\nwant %+v", s, p, want)
	}
	b = build(record.Options{}, []record.Record{{Timestamp: -1, Key: []byte{}}})
	s, p = record.Inspect(b, record.Limits{})
	want = record.Summary{Records: 1, MaxTimestamp: -1, MinTimestamp: -1, FirstNullKey: -1, DecompressedBytes: 7}
	if p != nil || s != want {
		t.Fatalf("got  %+v, %v\nwant %+v", s, p, want)
	}
}

// The lookups agree with a loop over the records.
func TestLookupsAgreeWithTheRecords(t *testing.T) {
	in := record.NewInspector(record.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		b := build(record.Options{Codec: rapid.SampledFrom(codecs).Draw(t, "codec"), BaseOffset: 100}, records)
		ts := kafka.Timestamp(rapid.SampledFrom([]int64{-1, 0, 1, 2, 1 << 62, math.MaxInt64}).Draw(t, "search"))
		atOrAfter, latest := record.NoStamp, record.NoStamp
		var outside, keyless []record.Indexed
		for i, r := range records {
			stamp := record.Stamp{Offset: r.Offset, Timestamp: r.Timestamp}
			if atOrAfter == record.NoStamp && r.Timestamp >= ts {
				atOrAfter = stamp
			}
			if latest == record.NoStamp || r.Timestamp > latest.Timestamp {
				latest = stamp
			}
			if r.Timestamp != -1 && (r.Timestamp < 1 || r.Timestamp > ts) {
				outside = append(outside, record.Indexed{Index: i, Timestamp: r.Timestamp})
			}
			if r.Key == nil {
				keyless = append(keyless, record.Indexed{Index: i, Timestamp: r.Timestamp})
			}
		}
		if got, err := in.AtOrAfter(b, ts); err != nil || got != atOrAfter {
			t.Fatalf("at or after %d: got %v, %v, want %v", ts, got, err, atOrAfter)
		}
		if got, err := in.Latest(b); err != nil || got != latest {
			t.Fatalf("latest: got %v, %v, want %v", got, err, latest)
		}
		if got, err := in.OutsideTime(b, 1, ts); err != nil || !reflect.DeepEqual(got, outside) {
			t.Fatalf("outside 1..%d: got %v, %v, want %v", ts, got, err, outside)
		}
		if got, err := in.WithoutKey(b); err != nil || !reflect.DeepEqual(got, keyless) {
			t.Fatalf("without key: got %v, %v, want %v", got, err, keyless)
		}
	})
}

// Compaction takes records out and leaves the range of offsets; a producer may not.
func TestStoredBatchesMayHaveGaps(t *testing.T) {
	b := goldenBuilder().Build()
	binary.BigEndian.PutUint32(b[atLastDelta:], 9)
	b[76], b[90] = 5<<1, 8<<1 // offset deltas 5 and 8
	b.SetCRC()
	if _, p := record.Inspect(b, record.Limits{}); codeOf(p) != kafka.InvalidRecord {
		t.Fatalf("inspection says %v", p)
	}
	var offsets []kafka.Offset
	for r, err := range record.Records(b, record.Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		offsets = append(offsets, r.Offset)
	}
	if !reflect.DeepEqual(offsets, []kafka.Offset{40, 45, 48}) || b.NextOffset() != 50 {
		t.Fatalf("offsets %v, next %d", offsets, b.NextOffset())
	}
}

func TestDamagedRecordsEndTheIterationWithOneError(t *testing.T) {
	for name, lie := range map[string]func(record.Batch){
		"order":  func(b record.Batch) { b[90] = 0 },
		"range":  func(b record.Batch) { b[90] = 6 },
		"extra":  func(b record.Batch) { b[87] -= 2 },
		"codec":  func(b record.Batch) { b[atAttributes+1] |= 6 },
		"gzip":   func(b record.Batch) { b[atAttributes+1] |= 1 },
		"count":  func(b record.Batch) { b[atCount] = 0x80 },
		"excess": func(b record.Batch) { b[atCount+3] = 2 },
	} {
		b := goldenBuilder().Build()
		lie(b)
		errs := 0
		for r, err := range record.Records(b, record.Limits{}) {
			if err == nil {
				continue
			}
			if errs++; !errors.Is(err, record.ErrCorrupt) || r.Offset != 0 {
				t.Errorf("%s: %v with %v", name, err, r)
			}
		}
		if errs != 1 {
			t.Errorf("%s: %d errors", name, errs)
		}
	}
}

func TestRecordsStopWhenTheLoopDoes(t *testing.T) {
	for r := range record.Records(goldenBuilder().Build(), record.Limits{}) {
		if r.Offset != 40 {
			t.Fatalf("went on to %v", r)
		}
		break
	}
}

// A produced batch is looked at record by record on the way in: that must cost no memory.
func TestInspectingUncompressedBatchesAllocatesNothing(t *testing.T) {
	b := manyRecords(record.CodecNone, 200)
	in := record.NewInspector(record.Limits{})
	if n := testing.AllocsPerRun(100, func() {
		if _, p := in.Inspect(b); p != nil {
			t.Fatal(p)
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// A compressed one costs at most some constant, not something per record.
func TestInspectingCompressedBatchesAllocatesAConstant(t *testing.T) {
	for _, codec := range codecs[1:] {
		in := record.NewInspector(record.Limits{})
		few, many := manyRecords(codec, 20), manyRecords(codec, 2000)
		count := func(b record.Batch) float64 {
			return testing.AllocsPerRun(50, func() {
				if _, p := in.Inspect(b); p != nil {
					t.Fatal(p)
				}
			})
		}
		count(many) // grow the buffer
		if a, b := count(few), count(many); b > a+4 || b > 12 {
			t.Errorf("%s: %v allocations for 20 records, %v for 2000", codec, a, b)
		}
	}
}

func manyRecords(codec record.Codec, n int) record.Batch {
	b := record.NewBuilder(record.Options{Codec: codec})
	value := bytes.Repeat([]byte("0123456789abcdef"), 6)
	for i := range n {
		key := []byte{'k', byte(i), byte(i >> 8)}
		binary.BigEndian.PutUint64(value[40:], uint64(i)*0x9e3779b97f4a7c15)
		b.Append(kafka.Timestamp(1_700_000_000_000+i), key, value, []record.Header{{Key: "trace", Value: key}})
	}
	return b.Build()
}

func BenchmarkInspect(b *testing.B) {
	for _, codec := range codecs {
		b.Run(codec.String(), func(b *testing.B) {
			batch := manyRecords(codec, 500)
			in := record.NewInspector(record.Limits{})
			s, _ := in.Inspect(batch)
			b.SetBytes(int64(s.DecompressedBytes))
			b.ReportAllocs()
			for b.Loop() {
				if _, p := in.Inspect(batch); p != nil {
					b.Fatal(p)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Records), "ns/record")
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	value := bytes.Repeat([]byte("v"), 100)
	for _, codec := range codecs {
		b.Run(codec.String(), func(b *testing.B) {
			builder := record.NewBuilder(record.Options{Codec: codec})
			b.SetBytes(500 * int64(len(value)))
			b.ReportAllocs()
			for b.Loop() {
				for i := range 500 {
					builder.Append(kafka.Timestamp(i), nil, value, nil)
				}
				builder.Build()
			}
		})
	}
}
