package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

var codecs = []record.Codec{
	record.CodecNone, record.CodecGzip, record.CodecSnappy, record.CodecLZ4, record.CodecZstd,
}

// small draws values of few shapes, so that the edges (null, empty) come up often.
func drawBytes(t *rapid.T, name string) []byte {
	if rapid.IntRange(0, 3).Draw(t, name+" null") == 0 {
		return nil
	}
	times := rapid.SampledFrom([]int{1, 1, 1, 500}).Draw(t, name+" repeat")
	return bytes.Repeat(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, name), times)
}

func drawRecords(t *rapid.T) []record.Record {
	records := make([]record.Record, rapid.IntRange(1, 12).Draw(t, "records"))
	for i := range records {
		r := &records[i]
		r.Timestamp = rapid.SampledFrom([]kafka.Timestamp{-1, 0, 1, 5, 1700000000000, 1<<63 - 1}).Draw(t, "ts")
		r.Key, r.Value = drawBytes(t, "key"), drawBytes(t, "value")
		for range rapid.IntRange(0, 2).Draw(t, "headers") {
			r.Headers = append(r.Headers, record.Header{
				Key:   rapid.SampledFrom([]string{"", "h", "ключ"}).Draw(t, "header key"),
				Value: drawBytes(t, "header"),
			})
		}
	}
	return records
}

func drawOptions(t *rapid.T) record.Options {
	opts := record.Options{
		Codec:       rapid.SampledFrom(codecs).Draw(t, "codec"),
		BaseOffset:  kafka.Offset(rapid.SampledFrom([]int64{0, 1, 1 << 40}).Draw(t, "base")),
		LeaderEpoch: kafka.LeaderEpoch(rapid.Int32Range(-1, 3).Draw(t, "epoch")),
	}
	if rapid.Bool().Draw(t, "idempotent") {
		opts.Producer = &record.Producer{
			ID:           kafka.ProducerID(rapid.Int64Range(0, 1<<40).Draw(t, "pid")),
			Epoch:        kafka.ProducerEpoch(rapid.Int16Range(0, 1<<15-1).Draw(t, "pepoch")),
			BaseSequence: kafka.Sequence(rapid.Int32Range(0, 1<<31-1).Draw(t, "seq")),
		}
		opts.Transactional = rapid.Bool().Draw(t, "transactional")
	}
	return opts
}

func build(opts record.Options, records []record.Record) record.Batch {
	b := record.NewBuilder(opts)
	for i := range records {
		records[i].Offset = opts.BaseOffset + kafka.Offset(i)
		r := records[i]
		b.Append(r.Timestamp, r.Key, r.Value, r.Headers)
	}
	return b.Build()
}

// What goes in comes out, with every codec, and a producer's batch passes inspection.
func TestBuiltBatchesReadBackAsTheyWere(t *testing.T) {
	in := record.NewInspector(record.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		opts, want := drawOptions(t), drawRecords(t)
		batch := build(opts, want)
		framed, rest, err := record.First(append(bytes.Clone(batch), "next"...))
		if err != nil || string(rest) != "next" || !bytes.Equal(framed, batch) {
			t.Fatalf("framed %d of %d bytes, rest %q, %v", len(framed), len(batch), rest, err)
		}
		s, p := in.Inspect(framed)
		if p != nil || s.Records != len(want) || s.MaxTimestamp != framed.MaxTimestamp() {
			t.Fatalf("%v: %+v, problem %v", framed, s, p)
		}
		i := 0
		for got, err := range in.Records(framed) {
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want[i]) {
				t.Fatalf("record %d: got %v, want %v", i, got, want[i])
			}
			i++
		}
		if i != len(want) {
			t.Fatalf("%d records of %d", i, len(want))
		}
		checkHeader(t, framed, opts, len(want))
	})
}

func checkHeader(t *rapid.T, b record.Batch, opts record.Options, n int) {
	if b.BaseOffset() != opts.BaseOffset || b.LeaderEpoch() != opts.LeaderEpoch || b.Codec() != opts.Codec ||
		b.IsTransactional() != opts.Transactional || int(b.Count()) != n || int(b.LastOffsetDelta()) != n-1 ||
		b.NextOffset() != opts.BaseOffset+kafka.Offset(n) || b.Len() != len(b) || b.Magic() != 2 || b.IsControl() {
		t.Fatalf("header %v of %+v", b, opts)
	}
	if p := opts.Producer; p == nil {
		if b.HasProducer() || b.ProducerID() != -1 || b.ProducerEpoch() != -1 || b.BaseSequence() != -1 ||
			b.LastSequence() != -1 {
			t.Fatalf("header %v of no producer", b)
		}
	} else if b.ProducerID() != p.ID || b.ProducerEpoch() != p.Epoch || b.BaseSequence() != p.BaseSequence ||
		b.LastSequence() != p.BaseSequence.Add(int32(n-1)) {
		t.Fatalf("header %v of producer %+v", b, *p)
	}
}

// Every bit behind the CRC field counts; those in front are the broker's to change.
func TestEveryFlippedBitUnderTheChecksumIsNoticed(t *testing.T) {
	for _, codec := range codecs {
		batch := build(record.Options{Codec: codec}, []record.Record{
			{Timestamp: 1, Key: []byte("k"), Value: bytes.Repeat([]byte("v"), 40)},
		})
		for bit := range len(batch) * 8 {
			flipped := bytes.Clone(batch)
			flipped[bit/8] ^= 1 << (bit % 8)
			outside := bit/8 < 8 || bit/8 >= 12 && bit/8 < 16 // base offset, leader epoch
			_, p := record.Inspect(flipped, record.Limits{})
			if outside != (p == nil) {
				t.Fatalf("%s: bit %d of byte %d: problem %v", codec, bit%8, bit/8, p)
			}
			if wantCRC := bit/8 < 17; record.Batch(flipped).CRCValid() != wantCRC {
				t.Fatalf("%s: bit %d of byte %d: checksum valid %v", codec, bit%8, bit/8, !wantCRC)
			}
		}
	}
}

func TestLeaderPatchesOffsetAndEpochOutsideTheChecksum(t *testing.T) {
	b := goldenBuilder().Build()
	crc := b.CRC()
	b.SetBaseOffset(1 << 50)
	b.SetLeaderEpoch(17)
	if b.CRC() != crc || !b.CRCValid() || b.BaseOffset() != 1<<50 || b.LeaderEpoch() != 17 {
		t.Fatalf("got %v", b)
	}
	for r, err := range record.Records(b, record.Limits{}) {
		if err != nil || r.Offset < 1<<50 {
			t.Fatalf("record %v, %v", r, err)
		}
	}
}

func TestLogAppendTimeIsEveryRecordsTimestamp(t *testing.T) {
	b := goldenBuilder().Build()
	b.SetLogAppendTime(99)
	if !b.CRCValid() || b.TimestampType() != record.LogAppendTime || b.MaxTimestamp() != 99 {
		t.Fatalf("got %v", b)
	}
	n := 0
	for r, err := range record.Records(b, record.Limits{}) {
		if err != nil || r.Timestamp != 99 {
			t.Fatalf("record %v, %v", r, err)
		}
		n++
	}
	if n != 3 {
		t.Fatalf("%d records", n)
	}
	in := record.NewInspector(record.Limits{})
	if got, err := in.AtOrAfter(b, 99); err != nil || got != (record.Stamp{Offset: 40, Timestamp: 99}) {
		t.Fatalf("at or after 99: %v, %v", got, err)
	}
	if got, err := in.AtOrAfter(b, 100); err != nil || got != record.NoStamp {
		t.Fatalf("at or after 100: %v, %v", got, err)
	}
}

func TestWrongMaxTimestampIsCorrected(t *testing.T) {
	b := goldenBuilder().Build()
	before := bytes.Clone(b)
	b.SetMaxTimestamp(b.MaxTimestamp())
	if !bytes.Equal(b, before) {
		t.Fatal("a right maximum was changed")
	}
	b.SetMaxTimestamp(5)
	s, p := record.Inspect(b, record.Limits{})
	if p != nil || s.MaxTimestamp != 1_700_000_000_300 || s.OffsetOfMaxTimestamp != 1 {
		t.Fatalf("%+v, %v", s, p)
	}
	b.SetMaxTimestamp(s.MaxTimestamp)
	if !bytes.Equal(b, before) {
		t.Fatal("the batch is not what it was")
	}
}

func TestFramingTellsTornFromForeign(t *testing.T) {
	whole := goldenBuilder().Build()
	patched := func(at int, to ...byte) []byte {
		b := bytes.Clone(whole)
		copy(b[at:], to)
		return b
	}
	for _, c := range []struct {
		name   string
		b      []byte
		want   error
		single kafka.ErrorCode
	}{
		{"nothing", nil, record.ErrShort, kafka.InvalidRecord},
		{"less than a format byte", whole[:16], record.ErrShort, kafka.CorruptMessage},
		{"torn tail", whole[:len(whole)-1], record.ErrShort, kafka.CorruptMessage},
		{"zeroes", make([]byte, 100), record.ErrMagic, kafka.InvalidRecord},
		{"old format", patched(16, 1), record.ErrMagic, kafka.InvalidRecord},
		{"old format and length", patched(8, 0, 0, 0, 14, 0, 0, 0, 0, 0), record.ErrMagic, kafka.InvalidRecord},
		{"length below the header", patched(8, 0, 0, 0, 48), record.ErrLength, kafka.CorruptMessage},
		{"negative length", patched(8, 0xff, 0, 0, 0), record.ErrLength, kafka.CorruptMessage},
		{"length past the end", patched(8, 0x7f, 0xff, 0xff, 0xff), record.ErrShort, kafka.CorruptMessage},
		{"two batches", append(bytes.Clone(whole), whole...), nil, kafka.InvalidRecord},
		{"one batch", whole, nil, kafka.None},
	} {
		t.Run(c.name, func(t *testing.T) {
			batch, rest, err := record.First(c.b)
			framed := bytes.Equal(batch, whole) && len(rest) == len(c.b)-len(whole)
			if !errors.Is(err, c.want) || framed != (err == nil) {
				t.Fatalf("got %d bytes, rest %d, %v", len(batch), len(rest), err)
			}
			code := kafka.None
			if _, p := record.Single(c.b); p != nil {
				code = p.Code
			}
			if code != c.single {
				t.Fatalf("Single says %s, want %s", code, c.single)
			}
		})
	}
}

func TestBatchesEndAtTheTornTail(t *testing.T) {
	whole := goldenBuilder().Build()
	var b []byte
	b = append(append(append(b, whole...), whole...), whole[:30]...)
	var n int
	var last error
	for batch, err := range record.Batches(b) {
		if last = err; err == nil && bytes.Equal(batch, whole) {
			n++
		}
	}
	if n != 2 || !errors.Is(last, record.ErrShort) {
		t.Fatalf("%d batches, then %v", n, last)
	}
}

func TestFramingAllocatesNothing(t *testing.T) {
	whole := goldenBuilder().Build()
	torn := append(bytes.Clone(whole), 0, 0, 0)
	if n := testing.AllocsPerRun(100, func() {
		_, rest, _ := record.First(torn)
		if _, _, err := record.First(rest); err == nil {
			t.Fatal("framed three bytes")
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
