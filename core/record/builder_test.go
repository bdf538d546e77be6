package record_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// A builder that is used again, also with another codec, makes what a fresh one makes.
func TestBuilderStartsOver(t *testing.T) {
	used := record.NewBuilder(record.Options{})
	for _, codec := range append(codecs, codecs...) {
		opts := record.Options{Codec: codec, BaseOffset: 3}
		used.Append(9, []byte("given up"), nil, nil)
		used.Reset(opts)
		fresh := record.NewBuilder(opts)
		for range 2 {
			for _, b := range []*record.Builder{used, fresh} {
				b.Append(5, []byte("k"), bytes.Repeat([]byte("value "), 100), nil)
				b.Append(4, []byte("k"), []byte(codec.String()), nil)
			}
			got, want := used.Build(), fresh.Build()
			if !bytes.Equal(got, want) {
				t.Fatalf("%s:\n%v\n%v", codec, got, want)
			}
		}
	}
}

// What was handed out is the caller's: the next batch must not be written over it.
func TestBuiltBatchesAreNotTouchedAgain(t *testing.T) {
	for _, codec := range codecs {
		b := record.NewBuilder(record.Options{Codec: codec})
		b.Append(1, nil, []byte("first"), nil)
		first := b.Build()
		kept := bytes.Clone(first)
		b.Append(2, nil, []byte("other"), nil)
		b.Build()
		if !bytes.Equal(first, kept) {
			t.Errorf("%s: the first batch changed", codec)
		}
	}
}

// A batch is the same whatever was in the memory that it is made of.
func TestRecycledMemoryLeavesNoTrace(t *testing.T) {
	for _, codec := range codecs {
		build := func(old record.Batch) record.Batch {
			b := record.NewBuilder(record.Options{Codec: codec, BaseOffset: 3, LeaderEpoch: 2})
			b.Recycle(old)
			b.Append(2, []byte("key"), []byte("value"), nil)
			b.Recycle(old) // too late: there is a record
			return b.Build()
		}
		fresh := bytes.Clone(build(nil))
		for _, n := range []int{0, record.HeaderSize - 1, record.HeaderSize, 4096} {
			if got := build(bytes.Repeat([]byte{0xff}, n)); !bytes.Equal(got, fresh) {
				t.Errorf("%s: %d old bytes show", codec, n)
			}
		}
	}
}

func TestBuilderKnowsTheSizeItWouldHave(t *testing.T) {
	b := record.NewBuilder(record.Options{})
	if b.Count() != 0 || b.Len() != record.HeaderSize {
		t.Fatalf("empty: %d records, %d bytes", b.Count(), b.Len())
	}
	b.Append(1, []byte("k"), []byte("v"), nil)
	count, size := b.Count(), b.Len()
	if batch := b.Build(); count != 1 || size != len(batch) {
		t.Fatalf("%d records, %d bytes; built %v", count, size, batch)
	}
}

func TestControlBatchesAreMarkedAndRefusedFromClients(t *testing.T) {
	b := record.NewBuilder(record.Options{
		Control: true, Transactional: true, Producer: &record.Producer{ID: 0, Epoch: 1, BaseSequence: -1},
	})
	b.Append(1, []byte{0, 0, 0, 1}, []byte{0, 0, 0, 0, 0, 5}, nil)
	batch := b.Build()
	if !batch.IsControl() || !batch.IsTransactional() || !batch.HasProducer() || batch.LastSequence() != -1 ||
		!strings.Contains(batch.String(), "producer=0/1 seq=-1..-1 transactional control") {
		t.Fatalf("got %v", batch)
	}
	if _, p := record.Inspect(batch, record.Limits{}); codeOf(p) != kafka.InvalidRecord {
		t.Fatalf("got %v", p)
	}
}

func TestBuilderRefusesItsMisuse(t *testing.T) {
	for name, misuse := range map[string]func(){
		"record.build-not-empty": func() { record.NewBuilder(record.Options{}).Build() },
		"record.builder-codec":   func() { record.NewBuilder(record.Options{Codec: 5}) },
	} {
		func() {
			defer func() {
				var v invariant.Violation
				if err, _ := recover().(error); !errors.As(err, &v) || v.Name != name {
					t.Errorf("got %v, want %s", err, name)
				}
			}()
			misuse()
		}()
	}
}

func TestCodecNamesReadBackAndNothingElseDoes(t *testing.T) {
	for _, codec := range codecs {
		if got, err := record.ParseCodec(codec.String()); err != nil || got != codec || !codec.Valid() {
			t.Errorf("%s: got %s, %v", codec, got, err)
		}
	}
	for _, s := range []string{"", "GZIP", "codec5", "lz5"} {
		if got, err := record.ParseCodec(s); err == nil {
			t.Errorf("%q was read as %s", s, got)
		}
	}
	if c := record.Codec(5); c.Valid() || c.String() != "codec5" {
		t.Errorf("codec 5 is %s", c)
	}
}
