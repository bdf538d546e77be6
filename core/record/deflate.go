package record

import (
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/tidemark-log/tidemark/core/invariant"
)

// deflater compresses record blocks, in one goroutine, reusing the codecs' state. The
// same bytes always compress to the same bytes: no time stamps, no concurrency.
type deflater struct {
	sink   sink
	xerial []byte
	gzip   [gzip.BestCompression + 2]*gzip.Writer // by level, from -1
	lz4    *lz4.Writer
	zstd   [zstd.SpeedBestCompression + 1]*zstd.Encoder
}

// sink is a writer that appends and never fails.
type sink struct{ b []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

// appendDeflated appends the compressed form of src to dst.
func (d *deflater) appendDeflated(dst []byte, how Compression, src []byte) []byte {
	switch how.Codec {
	case CodecGzip:
		return d.appendGzip(dst, src, how.Level)
	case CodecSnappy:
		d.xerial = xerial.Encode(d.xerial[:0], src)
		dst = append(dst, d.xerial...)
		if cap(d.xerial) > ScratchKeepMax {
			d.xerial = nil
		}
		return dst
	case CodecLZ4:
		return d.appendLZ4(dst, src, how.Level)
	case CodecZstd:
		return d.appendZstd(dst, src, how.Level)
	}
	// Builder takes no codec that does not exist, and calls nothing for none.
	invariant.Violated("record.deflate-codec", "codec=%s", how.Codec)
	return nil
}

func (d *deflater) appendGzip(dst, src []byte, level int) []byte {
	level = min(max(level, gzip.DefaultCompression), gzip.BestCompression)
	d.sink.b = dst
	w := d.gzip[level+1]
	if w == nil {
		var err error
		w, err = gzip.NewWriterLevel(&d.sink, level)
		checkDeflated(CodecGzip, err)
		d.gzip[level+1] = w
	} else {
		w.Reset(&d.sink)
	}
	_, err := w.Write(src)
	return d.finish(CodecGzip, err, w.Close())
}

func (d *deflater) appendLZ4(dst, src []byte, level int) []byte {
	d.sink.b = dst
	if d.lz4 == nil {
		d.lz4 = lz4.NewWriter(&d.sink)
	} else {
		d.lz4.Reset(&d.sink)
	}
	// Blocks of 64 KiB without checksums, as Kafka's own producer writes them: the batch
	// has a checksum already.
	err := d.lz4.Apply(lz4.ConcurrencyOption(1), lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false),
		lz4.CompressionLevelOption(lz4Level(level)))
	checkDeflated(CodecLZ4, err)
	_, err = d.lz4.Write(src)
	return d.finish(CodecLZ4, err, d.lz4.Close())
}

// lz4Level translates Kafka's levels. 9, its default, stands for the fast compressor; the
// others are more effort than that, the more the higher.
func lz4Level(level int) lz4.CompressionLevel {
	if level == LZ4LevelDefault {
		return lz4.Fast
	}
	return lz4.CompressionLevel(1 << (8 + min(max(level, 1), 9)))
}

func (d *deflater) appendZstd(dst, src []byte, level int) []byte {
	speed := zstd.EncoderLevelFromZstd(level)
	w := d.zstd[speed]
	if w == nil {
		var err error
		w, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
			zstd.WithEncoderLevel(speed))
		checkDeflated(CodecZstd, err)
		d.zstd[speed] = w
	}
	return w.EncodeAll(src, dst)
}

func (d *deflater) finish(codec Codec, errs ...error) []byte {
	for _, err := range errs {
		checkDeflated(codec, err)
	}
	out := d.sink.b
	d.sink.b = nil
	return out
}

// Writing to memory cannot fail; an encoder that reports an error was misused by us.
func checkDeflated(codec Codec, err error) {
	if err != nil {
		invariant.Violated("record.deflate", "codec=%s: %v", codec, err)
	}
}
