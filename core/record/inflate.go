package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// # Inflating what a stranger sent
//
// A claimed size is checked against the bound, and against what the compressed bytes
// could possibly hold, before memory is taken for it; a codec without a claim inflates
// step by step into a buffer that grows with what really came. So a bomb costs at most
// the bound, and a lie next to nothing.
//
// We are as strict as the strictest common consumer, because a batch we took and a
// consumer cannot read stops that consumer for ever: no S2 extensions in snappy, no
// linked blocks, dictionaries, or second frames in lz4.

var (
	errInflatesTooLarge = errors.New("records inflate beyond the limit")
	errCompressed       = errors.New("compressed records are malformed")
)

// inflater decompresses record blocks one after the other, in one goroutine, reusing its
// buffer and the codecs' state. It starts no goroutines.
type inflater struct {
	max  int
	keep int // the largest buffer worth keeping
	buf  []byte
	src  bytes.Reader
	gzip *gzip.Reader
	lz4  *lz4.Reader
	zstd *zstd.Decoder
}

// inflate gives the decompressed form of src. The result is valid until the next call.
// An error is errInflatesTooLarge or wraps errCompressed.
func (f *inflater) inflate(codec Codec, src []byte) ([]byte, error) {
	f.trim()
	out, err := f.dispatch(codec, src)
	f.src.Reset(nil) // the batch may be released after this
	if err != nil && !errors.Is(err, errInflatesTooLarge) {
		err = errors.Join(errCompressed, err)
	}
	return out, err
}

// trim gives up a buffer that is too large to keep. The zstd decoder remembers where it
// wrote last, so it goes too.
func (f *inflater) trim() {
	if cap(f.buf) > f.keep {
		f.buf, f.zstd = nil, nil
	}
}

func (f *inflater) dispatch(codec Codec, src []byte) ([]byte, error) {
	switch codec {
	case CodecGzip:
		return f.inflateGzip(src)
	case CodecSnappy:
		return f.inflateSnappy(src)
	case CodecLZ4:
		return f.inflateLZ4(src)
	case CodecZstd:
		return f.inflateZstd(src)
	}
	return nil, errCompressed
}

func (f *inflater) inflateGzip(src []byte) (_ []byte, err error) {
	f.src.Reset(src)
	if f.gzip == nil {
		f.gzip, err = gzip.NewReader(&f.src)
	} else {
		err = f.gzip.Reset(&f.src)
	}
	if err != nil {
		f.gzip = nil
		return nil, err
	}
	return f.readAll(f.gzip)
}

func (f *inflater) inflateLZ4(src []byte) ([]byte, error) {
	if err := checkLZ4Frame(src); err != nil {
		return nil, err
	}
	f.src.Reset(src)
	if f.lz4 == nil {
		f.lz4 = lz4.NewReader(&f.src)
	} else {
		f.lz4.Reset(&f.src)
	}
	return f.readAll(f.lz4)
}

// readAll reads r to its end into the buffer, which at least doubles until it reaches one
// byte more than the bound: the byte that tells "too large" from "just fits".
func (f *inflater) readAll(r io.Reader) ([]byte, error) {
	f.buf = f.buf[:0]
	for stalled := 0; stalled < 100; stalled++ {
		if len(f.buf) == cap(f.buf) {
			f.grow(f.nextSize())
		}
		room := f.buf[len(f.buf):min(cap(f.buf), f.max+1)]
		n, err := r.Read(room)
		f.buf = f.buf[:len(f.buf)+n]
		if len(f.buf) > f.max {
			return nil, errInflatesTooLarge
		}
		if err == io.EOF {
			return f.buf, nil
		}
		if err != nil {
			return nil, err
		}
		if n > 0 {
			stalled = 0
		}
	}
	return nil, io.ErrNoProgress
}

// nextSize is what a full buffer grows to: the double, and from scratchLarge on the bound at
// once. Memory that is not written costs nothing, and the halves left behind would.
func (f *inflater) nextSize() int {
	n := max(2*cap(f.buf), scratchMin)
	if n > scratchLarge || n > f.max {
		n = f.max + 1
	}
	return n
}

// grow makes the buffer's capacity at least n, keeping its contents.
func (f *inflater) grow(n int) {
	if n <= cap(f.buf) {
		return
	}
	grown := make([]byte, len(f.buf), n)
	copy(grown, f.buf)
	f.buf = grown
}

// xerialMagic starts the framing of snappy-java, which most clients write: 8 bytes of
// magic, two versions, then chunks of a big-endian length and a raw block. Without it
// the whole is one raw block.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHeaderSize = 16

func (f *inflater) inflateSnappy(src []byte) ([]byte, error) {
	f.buf = f.buf[:0]
	if !bytes.HasPrefix(src, xerialMagic) {
		if err := f.appendSnappyBlock(src); err != nil {
			return nil, err
		}
		return f.buf, nil
	}
	if len(src) < xerialHeaderSize {
		return nil, io.ErrUnexpectedEOF
	}
	for src = src[xerialHeaderSize:]; len(src) > 0; {
		if len(src) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		n := int64(binary.BigEndian.Uint32(src))
		if src = src[4:]; n > int64(len(src)) {
			return nil, io.ErrUnexpectedEOF
		}
		if err := f.appendSnappyBlock(src[:n]); err != nil {
			return nil, err
		}
		src = src[n:]
	}
	return f.buf, nil
}

// appendSnappyBlock appends one raw block to the buffer. The block states its size in
// front: that is checked before memory is taken.
func (f *inflater) appendSnappyBlock(src []byte) error {
	n, err := snappy.DecodedLen(src)
	if err != nil {
		return err
	}
	if n > f.max-len(f.buf) {
		return errInflatesTooLarge
	}
	if n > len(src)*snappyRatioMax {
		return snappy.ErrCorrupt
	}
	at := len(f.buf)
	if at+n > cap(f.buf) {
		f.grow(max(at+n, min(2*cap(f.buf), f.max)))
	}
	if _, err := snappy.DecodeStrict(f.buf[at:at+n], src); err != nil {
		return err
	}
	f.buf = f.buf[:at+n]
	return nil
}

func (f *inflater) inflateZstd(src []byte) ([]byte, error) {
	most, err := checkZstdFrames(src, f.max)
	if err != nil {
		return nil, err
	}
	if most > scratchLarge { // the decoder would grow the buffer step by step
		f.grow(f.max + 1)
	}
	if f.zstd == nil {
		if err := f.newZstd(); err != nil {
			return nil, err
		}
	}
	out, err := f.zstd.DecodeAll(src, f.buf[:0])
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return nil, errInflatesTooLarge
	}
	if err != nil {
		return nil, err
	}
	f.buf = out
	return out, nil
}

// newZstd makes a decoder for DecodeAll, which with a concurrency of one runs in the
// caller's goroutine only.
func (f *inflater) newZstd() (err error) {
	f.zstd, err = zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(uint64(f.max)),
		zstd.WithDecoderMaxWindow(zstdWindowMax))
	return err
}
