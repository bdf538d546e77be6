package metadata_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-log/tidemark/core/metadata"
)

// Golden bytes of each version: they decode to the text, and the newest version of a type
// encodes to the same bytes again.
func TestEveryRecordVersionStaysReadable(t *testing.T) {
	seen := map[[2]byte]bool{}
	datadriven.RunTest(t, "testdata/records.txt", func(t *testing.T, d *datadriven.TestData) string {
		b, err := hex.DecodeString(strings.TrimSpace(d.Input))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		r, err := metadata.DecodeRecord(b)
		if err != nil {
			if !errors.Is(err, metadata.ErrUnknownRecord) && !errors.Is(err, metadata.ErrMalformedRecord) {
				d.Fatalf(t, "error of no kind: %v", err)
			}
			return err.Error() + "\n"
		}
		seen[[2]byte(b)] = true
		again, err := metadata.EncodeRecord(r)
		if err != nil || again[1] == b[1] && !bytes.Equal(again, b) {
			d.Fatalf(t, "encodes to %x (%v)", again, err)
		}
		return fmt.Sprintf("v%d %s\n", b[1], r)
	})
	for _, v := range metadata.RecordVersions() {
		if !seen[[2]byte{byte(v.Type), v.Version}] {
			t.Errorf("no golden bytes of type %d version %d", v.Type, v.Version)
		}
	}
}

func TestRecordBeyondTheBoundIsNotWritten(t *testing.T) {
	long := strings.Repeat("x", metadata.RecordBytesMax)
	topics := metadata.Resource{Type: metadata.ResourceTopic}
	r := &metadata.ConfigRecord{Resource: topics, Key: "k", Value: &long}
	if _, err := metadata.EncodeRecord(r); err == nil {
		t.Error("written")
	}
	if _, err := metadata.EncodeRecord(&metadata.TopicRecord{Name: "a/b"}); err == nil {
		t.Error("a record that could not be read back is written")
	}
}

// Bytes from a damaged or foreign log never make the decoder panic, and what it accepts
// it writes back unchanged.
func FuzzDecodeRecord(f *testing.F) {
	for _, s := range []string{"010091a3616263", "0800939202a174a16bc0", "040192", "05009800",
		"0300960105c41000000000000000000000000000000000c2a09194a150a16801a150"} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := metadata.DecodeRecord(b)
		if err != nil {
			return
		}
		again, err := metadata.EncodeRecord(r)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%s: %x encodes to %x (%v)", r, b, again, err)
		}
	})
}

// The table of the format document has a row for every version that can be read.
func TestFormatDocumentHasEveryRecordVersion(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats/metadata-records.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range metadata.RecordVersions() {
		if row := fmt.Sprintf("| %d | %s | %d |", v.Type, v.Name, v.Version); !strings.Contains(string(text), row) {
			t.Errorf("no row %q", row)
		}
	}
}
