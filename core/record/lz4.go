package record

import (
	"encoding/binary"
	"errors"
)

// The parts of an lz4 frame: a descriptor, blocks, an end mark of four zero bytes.
const (
	lz4Magic           = 0x184D2204
	lz4FlagVersion     = 0xC0
	lz4Version1        = 0x40
	lz4FlagIndependent = 0x20
	lz4FlagBlockSum    = 0x10
	lz4FlagSize        = 0x08
	lz4FlagSum         = 0x04
	lz4FlagsForbidden  = 0x03 // reserved, dictionary
	lz4BlockStored     = 1 << 31
)

var (
	errLZ4Header = errors.New("lz4 frame header is not one Kafka's clients read")
	errLZ4Blocks = errors.New("lz4 blocks do not fill the frame exactly")
)

// checkLZ4Frame admits exactly one frame that fills src, of the kind Kafka's own reader
// takes: version 1, independent blocks, no dictionary. It steps over the blocks by their
// lengths and leaves contents and checksums to the decoder. Without it the decoder would
// also take legacy and skippable frames, and several in a row, of which a Java consumer
// sees only the first.
func checkLZ4Frame(src []byte) error {
	if len(src) < 7 || binary.LittleEndian.Uint32(src) != lz4Magic {
		return errLZ4Header
	}
	flags, sizes := src[4], src[5]
	if flags&lz4FlagVersion != lz4Version1 || flags&lz4FlagIndependent == 0 || flags&lz4FlagsForbidden != 0 {
		return errLZ4Header
	}
	sizeClass := sizes >> 4 // 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB
	if sizes&0x0f != 0 || sizeClass < 4 || sizeClass > 7 {
		return errLZ4Header
	}
	at := 7 // magic, flags, sizes, header checksum
	if flags&lz4FlagSize != 0 {
		at += 8
	}
	blockMax := 1 << (8 + 2*sizeClass)
	for at+4 <= len(src) {
		n := int(binary.LittleEndian.Uint32(src[at:]) &^ lz4BlockStored)
		at += 4
		if n == 0 {
			return checkLZ4End(src, at, flags)
		}
		if flags&lz4FlagBlockSum != 0 {
			at += 4
		}
		if n > blockMax || n > len(src)-at {
			return errLZ4Blocks
		}
		at += n
	}
	return errLZ4Blocks
}

func checkLZ4End(src []byte, at int, flags byte) error {
	if flags&lz4FlagSum != 0 {
		at += 4
	}
	if at != len(src) {
		return errLZ4Blocks
	}
	return nil
}
