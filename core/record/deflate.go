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
	gzip   *gzip.Writer
	lz4    *lz4.Writer
	zstd   *zstd.Encoder
}

// sink is a writer that appends and never fails.
type sink struct{ b []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), nil
}

// appendDeflated appends the compressed form of src to dst.
func (d *deflater) appendDeflated(dst []byte, codec Codec, src []byte) []byte {
	switch codec {
	case CodecGzip:
		return d.appendGzip(dst, src)
	case CodecSnappy:
		d.xerial = xerial.Encode(d.xerial[:0], src)
		return append(dst, d.xerial...)
	case CodecLZ4:
		return d.appendLZ4(dst, src)
	case CodecZstd:
		return d.appendZstd(dst, src)
	}
	// Builder takes no codec that does not exist, and calls nothing for none.
	invariant.Violated("record.deflate-codec", "codec=%s", codec)
	return nil
}

func (d *deflater) appendGzip(dst, src []byte) []byte {
	d.sink.b = dst
	if d.gzip == nil {
		d.gzip = gzip.NewWriter(&d.sink)
	} else {
		d.gzip.Reset(&d.sink)
	}
	_, err := d.gzip.Write(src)
	return d.finish(CodecGzip, err, d.gzip.Close())
}

func (d *deflater) appendLZ4(dst, src []byte) []byte {
	d.sink.b = dst
	if d.lz4 == nil {
		d.lz4 = lz4.NewWriter(&d.sink)
		// Blocks of 64 KiB without checksums, as Kafka's own producer writes them: the
		// batch has a checksum already.
		err := d.lz4.Apply(lz4.ConcurrencyOption(1), lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false))
		checkDeflated(CodecLZ4, err)
	} else {
		d.lz4.Reset(&d.sink)
	}
	_, err := d.lz4.Write(src)
	return d.finish(CodecLZ4, err, d.lz4.Close())
}

func (d *deflater) appendZstd(dst, src []byte) []byte {
	if d.zstd == nil {
		var err error
		d.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
		checkDeflated(CodecZstd, err)
	}
	return d.zstd.EncodeAll(src, dst)
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
