package record

import (
	"errors"

	"github.com/klauspost/compress/zstd"
)

var errZstdBlocks = errors.New("zstd blocks do not fill their frame exactly")

// checkZstdFrames steps over the frames of src by their blocks' lengths. The decoder takes
// memory by the size a frame claims, so no frame may claim more than the bound, or more
// than its blocks can hold; src must end with a frame. most is
// what all of them can hold together.
func checkZstdFrames(src []byte, limit int) (most int, err error) {
	for len(src) > 0 {
		var h zstd.Header
		if err := h.Decode(src); err != nil {
			return 0, err
		}
		if src = src[h.HeaderSize:]; h.Skippable {
			if uint64(h.SkippableSize) > uint64(len(src)) {
				return 0, errZstdBlocks
			}
			src = src[h.SkippableSize:]
			continue
		}
		if h.HasFCS && h.FrameContentSize > uint64(limit) {
			return 0, errInflatesTooLarge
		}
		blocks, size, ok := zstdBlocks(src)
		if h.HasCheckSum {
			size += 4
		}
		if !ok || size > len(src) || h.HasFCS && h.FrameContentSize > uint64(blocks)*zstdBlockMax {
			return 0, errZstdBlocks
		}
		most += blocks * zstdBlockMax
		src = src[size:]
	}
	return most, nil
}

// zstdBlocks counts the blocks at the front of src up to the one that says it is the last,
// and their bytes. A block has three bytes in front: whether it is the last, its type, and
// its size, little-endian.
func zstdBlocks(src []byte) (blocks, size int, ok bool) {
	const runLength, reserved = 1, 3
	for size+3 <= len(src) {
		header := uint32(src[size]) | uint32(src[size+1])<<8 | uint32(src[size+2])<<16
		blocks++
		size += 3
		switch kind := header >> 1 & 3; kind {
		case reserved:
			return blocks, size, false
		case runLength:
			size++
		default:
			size += int(header >> 3)
		}
		if header&1 != 0 {
			return blocks, size, true
		}
	}
	return blocks, size, false
}
