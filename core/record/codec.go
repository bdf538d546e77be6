package record

import (
	"fmt"
	"strconv"
)

// Codec is how the records of a batch are compressed, as one block.
type Codec uint8

// The codecs, by Kafka's numbers.
const (
	CodecNone Codec = iota
	CodecGzip
	CodecSnappy
	CodecLZ4
	CodecZstd
)

var codecNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// Valid tells a codec that exists; the batch header has room for three more.
func (c Codec) Valid() bool { return int(c) < len(codecNames) }

// String is the word Kafka's configuration uses, except that compression.type has
// "uncompressed" for none.
func (c Codec) String() string {
	if c.Valid() {
		return codecNames[c]
	}
	return "codec" + strconv.Itoa(int(c))
}

// ParseCodec reads what String wrote.
func ParseCodec(s string) (Codec, error) {
	for i, name := range codecNames {
		if s == name {
			return Codec(i), nil
		}
	}
	return CodecNone, fmt.Errorf("record: no codec %q: want none, gzip, snappy, lz4 or zstd", s)
}
