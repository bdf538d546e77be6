package record_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// plain is the records of a batch without compression, larger than any codec's block.
func plain() (record.Batch, []byte) {
	b := manyRecords(record.CodecNone, 2000)
	return b, b[record.HeaderSize:]
}

// withBlock is b with compressed in place of its records, under a good checksum.
func withBlock(b record.Batch, codec record.Codec, compressed []byte) record.Batch {
	out := append(bytes.Clone(b[:record.HeaderSize]), compressed...)
	out[atAttributes+1] = out[atAttributes+1]&^7 | byte(codec)
	binary.BigEndian.PutUint32(out[atLength:], uint32(len(out)-record.Overhead))
	record.Batch(out).SetCRC()
	return out
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func closed(t testing.TB, w io.WriteCloser, buf *bytes.Buffer, data ...[]byte) []byte {
	t.Helper()
	for _, d := range data {
		_, err := w.Write(d)
		check(t, err)
	}
	check(t, w.Close())
	return bytes.Clone(buf.Bytes())
}

func lz4Frame(t testing.TB, data []byte, opts ...lz4.Option) []byte {
	var buf bytes.Buffer
	w := lz4.NewWriter(&buf)
	check(t, w.Apply(opts...))
	return closed(t, w, &buf, data)
}

// Other clients compress in ways that our Builder does not; consumers read them all.
func TestOtherClientsCompressionIsRead(t *testing.T) {
	b, records := plain()
	half := len(records) / 2
	var gz, zs bytes.Buffer
	gzipped := closed(t, gzip.NewWriter(&gz), &gz, records[:half])
	gz.Reset()
	twoMembers := append(gzipped, closed(t, gzip.NewWriter(&gz), &gz, records[half:])...)
	skip := []byte{0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9}
	twoFrames := slices.Concat(zstdOf(t, records[:half]), skip, zstdOf(t, records[half:]))
	streamed := closed(t, newZstd(t, &zs), &zs, records[:half], records[half:])
	for _, c := range []struct {
		name  string
		codec record.Codec
		block []byte
	}{
		{"gzip in two members", record.CodecGzip, twoMembers},
		{"snappy as one raw block", record.CodecSnappy, snappy.Encode(nil, records)},
		{"zstd of unknown size", record.CodecZstd, streamed},
		{"zstd in two frames", record.CodecZstd, twoFrames},
		{"lz4 with content checksum and large blocks", record.CodecLZ4,
			lz4Frame(t, records, lz4.BlockSizeOption(lz4.Block4Mb), lz4.ChecksumOption(true))},
		{"lz4 with size and block checksums", record.CodecLZ4,
			lz4Frame(t, records, lz4.SizeOption(uint64(len(records))), lz4.BlockChecksumOption(true),
				lz4.BlockSizeOption(lz4.Block64Kb))},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := record.Inspect(withBlock(b, c.codec, c.block), record.Limits{})
			if p != nil || s.DecompressedBytes != len(records) || s.Records != 2000 {
				t.Fatalf("%+v, %v", s, p)
			}
		})
	}
}

func newZstd(t testing.TB, w io.Writer) *zstd.Encoder {
	e, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	check(t, err)
	return e
}

// What some consumer cannot read must not get in, or it stops there for ever.
func TestCompressionThatSomeConsumerCannotReadIsRefused(t *testing.T) {
	b, records := plain()
	frame := lz4Frame(t, records, lz4.BlockSizeOption(lz4.Block64Kb))
	changed := func(block []byte, at int, to byte) []byte {
		c := bytes.Clone(block)
		c[at] = to
		return c
	}
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0}, frame...)
	xerial := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
	s2only := s2.EncodeBest(nil, bytes.Repeat([]byte("abcdefgh-abcdefgX-"), 500))
	for _, c := range []struct {
		name  string
		codec record.Codec
		block []byte
	}{
		{"nothing as gzip", record.CodecGzip, nil},
		{"nothing as snappy", record.CodecSnappy, nil},
		{"nothing as lz4", record.CodecLZ4, nil},
		{"nothing as zstd", record.CodecZstd, nil},
		{"gzip then garbage", record.CodecGzip, append(gzipOf(t, records), "garbage"...)},
		{"gzip cut off", record.CodecGzip, gzipOf(t, records)[:50]},
		{"snappy of S2", record.CodecSnappy, s2only},
		{"snappy framing cut off", record.CodecSnappy, xerial[:10]},
		{"snappy chunk past the end", record.CodecSnappy, append(xerial, 0, 0, 0, 9, 'a')},
		{"snappy chunk length cut off", record.CodecSnappy, append(xerial, 0, 0)},
		{"lz4 with linked blocks", record.CodecLZ4, changed(frame, 4, frame[4]&^0x20)},
		{"lz4 with a dictionary", record.CodecLZ4, changed(frame, 4, frame[4]|1)},
		{"lz4 of version 2", record.CodecLZ4, changed(frame, 4, frame[4]^0xc0)},
		{"lz4 with a reserved size", record.CodecLZ4, changed(frame, 5, 0x30)},
		{"lz4 with a wrong header checksum", record.CodecLZ4, changed(frame, 6, frame[6]+1)},
		{"lz4 twice", record.CodecLZ4, append(bytes.Clone(frame), frame...)},
		{"lz4 behind a skippable frame", record.CodecLZ4, skippable},
		{"lz4 without end mark", record.CodecLZ4, frame[:len(frame)-8]},
		{"lz4 legacy", record.CodecLZ4, []byte{0x02, 0x21, 0x4c, 0x18, 1, 0, 0, 0, 0}},
		{"zstd cut off", record.CodecZstd, zstdOf(t, records)[:50]},
		{"zstd of a reserved block", record.CodecZstd, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50, 7, 0, 0}},
		{"zstd skipping past the end", record.CodecZstd, []byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0}},
		{"zstd then garbage", record.CodecZstd, append(zstdOf(t, records), "garbage"...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, p := record.Inspect(withBlock(b, c.codec, c.block), record.Limits{})
			if codeOf(p) != kafka.InvalidRecord || p.RecordIndex != -1 {
				t.Fatalf("got %v", p)
			}
		})
	}
}

func gzipOf(t testing.TB, data []byte) []byte {
	var buf bytes.Buffer
	return closed(t, gzip.NewWriter(&buf), &buf, data)
}

func zstdOf(t testing.TB, data []byte) []byte { return newZstd(t, nil).EncodeAll(data, nil) }

// bomb is a valid batch of one record of n zeroes, compressed.
func bomb(codec record.Codec, n int) record.Batch {
	b := record.NewBuilder(record.Options{Codec: codec})
	b.Append(0, nil, make([]byte, n), nil)
	return b.Build()
}

func TestBombsAreRefusedAtTheLimit(t *testing.T) {
	const limit = 1<<20 + 1000 // no length around it takes another number of bytes
	for _, codec := range codecs[1:] {
		t.Run(codec.String(), func(t *testing.T) {
			in := record.NewInspector(record.Limits{DecompressedMax: limit})
			overhead := len(bomb(record.CodecNone, limit)) - record.HeaderSize - limit
			if s, p := in.Inspect(bomb(codec, limit-overhead)); p != nil || s.DecompressedBytes != limit {
				t.Fatalf("what just fits: %+v, %v", s, p)
			}
			if _, p := in.Inspect(bomb(codec, limit-overhead+1)); codeOf(p) != kafka.MessageTooLarge {
				t.Fatalf("one byte more: %v", p)
			}
			large := bomb(codec, 64*limit)
			if spent := allocated(func() {
				if _, p := in.Inspect(large); codeOf(p) != kafka.MessageTooLarge {
					t.Errorf("bomb: %v", p)
				}
			}); spent > 12*limit {
				t.Fatalf("a bomb cost %d bytes at a limit of %d", spent, limit)
			}
		})
	}
}

// A claimed size that the compressed bytes cannot hold takes no memory, even below the
// limit.
func TestClaimedSizesTakeNoMemory(t *testing.T) {
	b, _ := plain()
	singleSegment := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0} // with a content size of four bytes
	zstdClaim := append(binary.LittleEndian.AppendUint32(singleSegment, 100<<20), 1, 0, 0)
	for _, c := range []struct {
		name  string
		codec record.Codec
		block []byte
	}{
		{"zstd", record.CodecZstd, zstdClaim},
		{"zstd behind a frame", record.CodecZstd, append(zstdOf(t, []byte("x")), zstdClaim...)},
		{"zstd of any size", record.CodecZstd, zstdOf(t, nil)[:4]},
		{"snappy", record.CodecSnappy, binary.AppendUvarint(nil, 100<<20)},
		{"lz4", record.CodecLZ4, []byte{4, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73, 0xff, 0xff, 0x3f, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := record.NewInspector(record.Limits{})
			in.Inspect(bomb(c.codec, 10)) // the codec's own state
			liar := withBlock(b, c.codec, c.block)
			if spent := allocated(func() {
				if _, p := in.Inspect(liar); codeOf(p) != kafka.InvalidRecord {
					t.Errorf("got %v", p)
				}
			}); spent > 1<<20 {
				t.Fatalf("cost %d bytes", spent)
			}
		})
	}
}

// One big batch must not pin its memory for the life of a connection.
func TestInspectorGivesUpLargeBuffers(t *testing.T) {
	for _, codec := range codecs[1:] {
		in := record.NewInspector(record.Limits{})
		small, large := bomb(codec, 10), bomb(codec, 64<<20)
		in.Inspect(small)
		before := held()
		if _, p := in.Inspect(large); p != nil {
			t.Fatal(p)
		}
		if after := held(); after > before+2*record.ScratchKeepMax {
			t.Errorf("%s: %d bytes held, %d before", codec, after, before)
		}
		in.Inspect(small)
	}
}

func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // once more for what pools keep from one collection to the next
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// An Inspector is used for the life of a connection: a refused batch must not spoil it,
// and it starts no goroutine.
func TestInspectorWorksAfterEveryKindOfFailure(t *testing.T) {
	in := record.NewInspector(record.Limits{DecompressedMax: 1 << 20})
	b, records := plain()
	before := runtime.NumGoroutine()
	for range 3 {
		for _, codec := range codecs {
			whole := manyRecords(codec, 2000)
			in.Inspect(whole[:len(whole)-9])
			in.Inspect(withBlock(b, codec, whole[record.HeaderSize:len(whole)-9]))
			in.Inspect(withBlock(b, codec, []byte("garbage")))
			if codec != record.CodecNone {
				in.Inspect(bomb(codec, 2<<20))
			}
			if s, p := in.Inspect(whole); p != nil || s.DecompressedBytes != len(records) {
				t.Fatalf("%s: %+v, %v", codec, s, p)
			}
		}
	}
	// One of an earlier test may still be on its way out; none may have come.
	if after := runtime.NumGoroutine(); after > before {
		t.Fatalf("%d goroutines before, %d after", before, after)
	}
}
