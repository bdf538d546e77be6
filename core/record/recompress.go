package record

import (
	"encoding/binary"
	"fmt"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Compression is a codec and how hard it tries, in Kafka's numbers of that codec.
type Compression struct {
	Codec Codec
	// Level is -1 or 1 to 9 for gzip, 1 to 17 for lz4, -131072 to 22 for zstd; it says
	// nothing for the others. Levels the library does not have mean its nearest one.
	Level int
}

// Kafka's default levels.
const (
	GzipLevelDefault = -1
	LZ4LevelDefault  = 9
	ZstdLevelDefault = 3
)

// DefaultCompression is a codec at Kafka's default level.
func DefaultCompression(c Codec) Compression {
	switch c {
	case CodecGzip:
		return Compression{c, GzipLevelDefault}
	case CodecLZ4:
		return Compression{c, LZ4LevelDefault}
	case CodecZstd:
		return Compression{c, ZstdLevelDefault}
	}
	return Compression{Codec: c}
}

// A Recompressor makes batches of another codec. It serves one goroutine, and keeps the
// codecs' state from batch to batch.
type Recompressor struct {
	inspector *Inspector
	deflater  deflater
	scratch   []byte // a compressed block's size is known afterwards
}

// NewRecompressor makes a Recompressor that inflates at most lim. It allocates for a codec
// when it first needs it.
func NewRecompressor(lim Limits) *Recompressor { return &Recompressor{inspector: NewInspector(lim)} }

// Recompress makes the batch that b would be in another compression: the same records with
// the same deltas, and all of the header but codec, length and checksum. b was inspected,
// and is left as it is; the answer's bytes are the caller's.
//
// A Problem tells that b inflates beyond the limit. Its records are held twice meanwhile.
func (r *Recompressor) Recompress(b Batch, how Compression) (Batch, *Problem) {
	defer r.inspector.inflater.trim()
	records, err := r.inspector.open(b)
	if err != nil { // it was readable under larger limits
		return nil, problem(kafka.MessageTooLarge, fmt.Sprintf(
			"%s records inflate to more than %d bytes, too many to store them as %s",
			b.Codec(), r.inspector.inflater.max, how.Codec))
	}
	if how.Codec != CodecNone {
		r.scratch = r.deflater.appendDeflated(r.scratch[:0], how, records)
		records = r.scratch
		if cap(r.scratch) > ScratchKeepMax {
			r.scratch = nil
		}
	}
	made := make(Batch, HeaderSize+len(records))
	copy(made, b[:HeaderSize])
	copy(made[HeaderSize:], records)
	binary.BigEndian.PutUint32(made[atLength:], uint32(len(made)-Overhead))
	made.setAttributes(b.Attributes()&^codecMask | Attributes(how.Codec))
	made.SetCRC()
	return made, nil
}
