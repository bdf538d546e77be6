package record_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/record"
)

// golden reads testdata/batch.hex: bytes in hexadecimal, comments after '#'.
func golden(t testing.TB) record.Batch {
	t.Helper()
	text, err := os.ReadFile("testdata/batch.hex")
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		bytes, _, _ := strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(bytes), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func goldenBuilder() *record.Builder {
	b := record.NewBuilder(record.Options{
		BaseOffset:    40,
		LeaderEpoch:   5,
		Producer:      &record.Producer{ID: 7, Epoch: 3, BaseSequence: 1<<31 - 1},
		Transactional: true,
	})
	b.Append(1_700_000_000_000, []byte("k1"), []byte("v1"), nil)
	b.Append(1_700_000_000_300, nil, []byte{}, []record.Header{{Key: "h", Value: []byte("x")}, {Key: "n"}})
	b.Append(1_699_999_999_999, []byte("k2"), nil, nil)
	return b
}

// The layout is Kafka's; files and peers have these bytes.
func TestLayoutStaysWhatItIs(t *testing.T) {
	want := golden(t)
	if got := goldenBuilder().Build(); !bytes.Equal(got, want) {
		t.Fatalf("built\n%s\nwant\n%s", hex.Dump(got), hex.Dump(want))
	}
}

func TestLayoutReadsAsItsDump(t *testing.T) {
	want, err := os.ReadFile("testdata/batch.dump")
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(t, golden(t)); got != string(want) {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

func dump(t testing.TB, b record.Batch) string {
	t.Helper()
	lines := []string{b.String()}
	for r, err := range record.Records(b, record.Limits{}) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r.String())
	}
	return strings.Join(lines, "\n") + "\n"
}
