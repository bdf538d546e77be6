package log

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Files beside the segments outlive programs and are read at every boot: no bytes may panic
// it, and what is taken from them must be what they say.

// FuzzParseIndex: what is believed increases, lies in the segment, and is a prefix of the
// bytes; all of them if ok, but for zeroes.
func FuzzParseIndex(f *testing.F) {
	whole := offsetIndex{{3, 100}, {9, 5000}, {maxRelative, maxRelative - 1}}.appendBinary(nil)
	f.Add(whole, int64(maxRelative))
	f.Add(whole, int64(5000))
	f.Add(append(slices.Clone(whole[:16]), make([]byte, 24)...), int64(6000))
	f.Add(whole[:13], int64(6000))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		x, ok := parseIndex(b, size)
		for i, e := range x {
			if e.rel > maxRelative || int64(e.pos) >= size || i > 0 && (e.rel <= x[i-1].rel || e.pos <= x[i-1].pos) {
				t.Fatalf("entry %d is %v in a segment of %d bytes, after %v", i, e, size, x[:i])
			}
			if pos, at := x.floor(e.rel); at != i || pos != int64(e.pos) {
				t.Fatalf("entry %d is found as %d, at %d", i, at, pos)
			}
		}
		checkPrefix(t, b, x.appendBinary(nil), ok)
	})
}

// FuzzParseTimeIndex: as with the offset index.
func FuzzParseTimeIndex(f *testing.F) {
	whole := timeIndex{{0, 0}, {1_700_000_000_000, 7}, {1 << 62, maxRelative}}.appendBinary(nil)
	f.Add(whole)
	f.Add(append(slices.Clone(whole[12:24]), make([]byte, 24)...))
	f.Add(whole[:30])
	f.Fuzz(func(t *testing.T, b []byte) {
		x, ok := parseTimeIndex(b)
		for i, e := range x {
			if e.ts < 0 || e.rel > maxRelative || i > 0 && (e.ts <= x[i-1].ts || e.rel <= x[i-1].rel) {
				t.Fatalf("entry %d is %v, after %v", i, e, x[:i])
			}
			if rel, found := x.before(e.ts); found != (i > 0) || i > 0 && rel != x[i-1].rel {
				t.Fatalf("before entry %d is %d, %v", i, rel, found)
			}
		}
		checkPrefix(t, b, x.appendBinary(nil), ok)
	})
}

// checkPrefix: again is what was read, written again.
func checkPrefix(t *testing.T, b, again []byte, ok bool) {
	t.Helper()
	if !bytes.HasPrefix(b, again) {
		t.Fatalf("read as\n%x\nfrom\n%x", again, b)
	}
	if ok && !allZero(b[len(again):]) {
		t.Fatalf("nothing left out, but %x", b[len(again):])
	}
}

// FuzzSnapshot: state that was read is written and read again the same; so every snapshot
// comes to rest after one round, whoever wrote it.
func FuzzSnapshot(f *testing.F) {
	f.Add(goldenProducers().appendSnapshot(nil), false)
	f.Add(new(producers).appendSnapshot(nil), false)
	f.Add(bytes.Repeat([]byte{1}, snapshotHeadSize+7*snapshotEntrySize), true)
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend && len(b) >= snapshotHeadSize {
			b = mendSnapshot(b)
		}
		var one, two producers
		if one.loadSnapshot(b, 5) != nil {
			if one.byID != nil {
				t.Fatal("refused, and yet the state changed")
			}
			return
		}
		for id, p := range one.byID {
			if p.count < 0 || int(p.count) > len(p.batches) || p.touched != 5 {
				t.Fatalf("producer %d is %+v", id, p)
			}
			for _, last := range p.batches[:p.count] {
				if first := last.firstSeq(); last.lastSeq < 0 || last.delta < 0 || first < 0 {
					t.Fatalf("producer %d has a batch %+v from sequence %d", id, last, first)
				}
			}
		}
		written := one.appendSnapshot(nil)
		if len(written) > len(b) {
			t.Fatalf("%d bytes have become %d", len(b), len(written))
		}
		if err := two.loadSnapshot(written, 5); err != nil {
			t.Fatalf("not read again: %v", err)
		}
		if again := two.appendSnapshot(nil); !bytes.Equal(again, written) {
			t.Fatalf("written as\n%x\nand then as\n%x", written, again)
		}
	})
}

// mendSnapshot makes version, count and checksum right, to reach what they hide.
func mendSnapshot(b []byte) []byte {
	n := (len(b) - snapshotHeadSize) / snapshotEntrySize
	b = slices.Clone(b[:snapshotHeadSize+n*snapshotEntrySize])
	binary.BigEndian.PutUint16(b, snapshotVersion)
	binary.BigEndian.PutUint32(b[6:], uint32(n))
	binary.BigEndian.PutUint32(b[2:], crc32.Checksum(b[6:], castagnoli))
	return b
}

// FuzzEpochCheckpoint: what is accepted increases, and its canonical form reads the same.
func FuzzEpochCheckpoint(f *testing.F) {
	f.Add([]byte("0\n0\n"))
	f.Add([]byte("0\n2\n0 0\n3 120\n"))
	f.Add([]byte("0\n2\n3 0\n3 120\n"))
	f.Add([]byte("0\n1\n+1  9223372036854775807\r\n"))
	f.Add([]byte("1\n0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseEpochs(b)
		if err != nil {
			return
		}
		c := epochCache{entries: entries}
		c.check(kafka.TopicPartition{}) // panics on what does not increase
		if len(entries) > len(b) {
			t.Fatalf("%d entries in %d bytes", len(entries), len(b))
		}
		for i, e := range entries {
			if c.at(e.start) != e.epoch {
				t.Fatalf("offset %d of entry %d belongs to epoch %d", e.start, i, c.at(e.start))
			}
		}
		again, err := parseEpochs(c.appendText(nil))
		if err != nil || !slices.Equal(again, entries) {
			t.Fatalf("%v, read again as %v: %v", entries, again, err)
		}
	})
}

// FuzzOffsetsCheckpoint: what is accepted is named and not negative, and its canonical form
// reads the same.
func FuzzOffsetsCheckpoint(f *testing.F) {
	f.Add([]byte("0\n0\n"))
	f.Add([]byte("0\n2\norders 0 17\norders 1 9223372036854775807\n"))
	f.Add([]byte("0\n1\norders -1 17\n"))
	f.Add([]byte("0\n9999999999\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		offsets, err := parseOffsets(b)
		if err != nil {
			return
		}
		for _, o := range offsets {
			if o.tp.Topic == "" || o.tp.Partition < 0 || o.offset < 0 {
				t.Fatalf("accepted %+v", o)
			}
		}
		again, err := parseOffsets(appendOffsets(nil, offsets))
		if err != nil || !slices.Equal(again, offsets) {
			t.Fatalf("%v, read again as %v: %v", offsets, again, err)
		}
	})
}

// FuzzSmallFiles: the id and the mark of a clean stop, where every byte counts or nothing is
// believed.
func FuzzSmallFiles(f *testing.F) {
	f.Add(appendMetadata(nil, kafka.TopicID{1, 15: 2}))
	f.Add(cleanMark(41))
	f.Add(cleanMark(-1))
	f.Add([]byte("{ \"brokerEpoch\": 7,\n \"version\": 0 }\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, err := parseMetadata(b); err == nil {
			if text := appendMetadata(nil, id); !bytes.Equal(text, bytes.TrimRight(b, "\n")) {
				t.Fatalf("%q is read as %q", b, text)
			}
		}
		if epoch, ok := parseCleanMark(b); ok {
			if again, ok := parseCleanMark(cleanMark(epoch)); !ok || again != epoch {
				t.Fatalf("%q is read as %d, then as %d", b, epoch, again)
			}
		}
	})
}
