package diskx

import (
	"unsafe"

	"github.com/tidemark-log/tidemark/core/env"
)

// writeDirect writes w past the page cache. Buffers that are aligned already go as they
// are; others are gathered in the worker's aligned buffer first.
func writeDirect(fd int, w env.Write, by *worker) (int, error) {
	if allAligned(w.Bufs) {
		return writeGathered(fd, w.Bufs, w.Off)
	}
	total, done := totalLen(w.Bufs), 0
	bounce := by.bounceOf(min(total, bounceMax))
	rest, skip := w.Bufs, 0
	for done < total {
		part := bounce[:min(len(bounce), total-done)]
		for n := 0; n < len(part); {
			c := copy(part[n:], rest[0][skip:])
			n, skip = n+c, skip+c
			if skip == len(rest[0]) {
				rest, skip = rest[1:], 0
			}
		}
		n, err := writeFull(fd, part, w.Off+int64(done))
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// bounceOf is the worker's aligned buffer, at least n bytes of it; n is in blocks.
func (w *worker) bounceOf(n int) []byte {
	if len(w.bounce) < n {
		size := 1 << 16
		for size < n {
			size *= 2
		}
		w.bounce = alignedBytes(size)
	}
	return w.bounce
}

// alignedBytes is n bytes that begin at a multiple of BlockSize. The garbage collector does
// not move them.
func alignedBytes(n int) []byte {
	b := make([]byte, n+BlockSize)
	skip := (BlockSize - int(addressOf(b)%BlockSize)) % BlockSize
	return b[skip : skip+n : skip+n]
}

func allAligned(bufs [][]byte) bool {
	for _, b := range bufs {
		if len(b)%BlockSize != 0 || (len(b) > 0 && addressOf(b)%BlockSize != 0) {
			return false
		}
	}
	return true
}

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
