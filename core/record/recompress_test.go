package record_test

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// drawCompression draws all levels that Kafka's keys allow, and for zstd those around what the library has.
func drawCompression(t *rapid.T) record.Compression {
	how := record.Compression{Codec: rapid.SampledFrom(codecs).Draw(t, "to")}
	switch how.Codec {
	case record.CodecGzip:
		how.Level = rapid.SampledFrom([]int{-1, 1, 2, 3, 4, 5, 6, 7, 8, 9}).Draw(t, "level")
	case record.CodecLZ4:
		how.Level = rapid.IntRange(1, 17).Draw(t, "level")
	case record.CodecZstd:
		how.Level = rapid.SampledFrom([]int{-131072, -1, 0, 1, 3, 6, 10, 22}).Draw(t, "level")
	}
	return how
}

// Another compression changes the codec, the length and the checksum, and nothing else:
// records, offsets, times, producer and flags are those that were sent, and so is the batch
// that was given.
func TestRecompressedBatchesAreTheSameBatches(t *testing.T) {
	r := record.NewRecompressor(record.Limits{})
	rapid.Check(t, func(t *rapid.T) {
		opts := drawOptions(t)
		sent := build(opts, drawRecords(t))
		kept, how := bytes.Clone(sent), drawCompression(t)
		made, problem := r.Recompress(sent, how)
		if problem != nil || !bytes.Equal(sent, kept) {
			t.Fatalf("%v, or the batch was changed", problem)
		}
		want, _ := record.Inspect(sent, record.Limits{})
		if got, problem := record.Inspect(made, record.Limits{}); problem != nil || got != want {
			t.Fatalf("%+v, want %+v, problem %v", got, want, problem)
		}
		if made.Codec() != how.Codec || recordsText(made) != recordsText(sent) || header(made) != header(sent) {
			t.Fatalf("%s\n%s\nwant %s\n%s", header(made), recordsText(made), header(sent), recordsText(sent))
		}
	})
}

// header is what of a batch's header another compression must leave.
func header(b record.Batch) string {
	plain := bytes.Clone(b[:record.HeaderSize])
	clear(plain[8:12])  // length
	clear(plain[17:21]) // checksum
	plain[22] &^= 7     // codec
	return fmt.Sprintf("%x", plain)
}

func recordsText(b record.Batch) (out string) {
	for r, err := range record.Records(b, record.Limits{}) {
		out += fmt.Sprintln(r, err)
	}
	return out
}

// Levels are heeded: the most effort of a codec makes fewer bytes than the least.
func TestMoreEffortMakesFewerBytes(t *testing.T) {
	var text bytes.Buffer
	for i := range 20_000 {
		fmt.Fprintf(&text, "%d is %d squared and %x is its shadow; ", i*i, i, i*7919%1009)
	}
	b := record.NewBuilder(record.Options{})
	b.Append(1, nil, text.Bytes(), nil)
	batch := b.Build()
	r := record.NewRecompressor(record.Limits{})
	for _, c := range []struct {
		codec       record.Codec
		least, most int
	}{
		{record.CodecGzip, 1, 9},
		{record.CodecLZ4, record.LZ4LevelDefault, 17},
		{record.CodecZstd, 1, 22},
	} {
		least, _ := r.Recompress(batch, record.Compression{Codec: c.codec, Level: c.least})
		most, _ := r.Recompress(batch, record.Compression{Codec: c.codec, Level: c.most})
		if len(most) >= len(least) || len(least) >= len(batch) {
			t.Errorf("%s: %d bytes at level %d, %d at %d, %d without", c.codec, len(least), c.least,
				len(most), c.most, len(batch))
		}
	}
}

// A batch that inflates beyond the limit is refused before memory is taken for it.
func TestRecompressionKeepsItsLimit(t *testing.T) {
	b := record.NewBuilder(record.Options{Codec: record.CodecZstd})
	b.Append(1, nil, make([]byte, 1<<20), nil)
	r := record.NewRecompressor(record.Limits{DecompressedMax: 1 << 19})
	_, problem := r.Recompress(b.Build(), record.DefaultCompression(record.CodecGzip))
	if problem == nil || problem.Code != kafka.MessageTooLarge {
		t.Errorf("got %v", problem)
	}
}
