package diskx

import (
	"sync"
	"unsafe"

	"github.com/tidemark-log/tidemark/core/env"
)

// writeDirect writes w past the page cache. Buffers that are aligned already go as they
// are; others are gathered in an aligned buffer first.
func writeDirect(fd int, w env.Write, spare *bounces) (int, error) {
	if allAligned(w.Bufs) {
		return writeGathered(fd, w.Bufs, w.Off)
	}
	total, done := totalLen(w.Bufs), 0
	bounce := spare.take(min(total, bounceMax))
	defer spare.give(bounce)
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

// bounces are the aligned buffers of a disk. The last one given back is the first one
// taken, so that one journal keeps one of them warm, however many workers there are.
type bounces struct {
	mu   sync.Mutex
	idle [][]byte // guarded by mu
}

// take gives an aligned buffer of at least n bytes.
func (s *bounces) take(n int) []byte {
	var b []byte
	s.mu.Lock()
	if last := len(s.idle) - 1; last >= 0 {
		b, s.idle = s.idle[last], s.idle[:last]
	}
	s.mu.Unlock()
	if len(b) < n {
		size := 1 << 16
		for size < n {
			size *= 2
		}
		b = alignedBytes(size)
	}
	return b
}

func (s *bounces) give(b []byte) {
	s.mu.Lock()
	s.idle = append(s.idle, b)
	s.mu.Unlock()
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
