package diskx

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"github.com/tidemark-log/tidemark/core/env"
)

// ignoringEINTR repeats a system call that a signal cut short before it did anything.
func ignoringEINTR(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// readFull reads until buf is full or the file ends.
func readFull(fd int, buf []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errNegative
	}
	done := 0
	for done < len(buf) {
		n, err := unix.Pread(fd, buf[done:], off+int64(done))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return done, err
		}
		done += n
	}
	return done, nil
}

// readChecked is readFull in pieces, each of which is checked while it is warm.
func readChecked(fd int, r env.Read) (n, checked int, err error) {
	if r.Check == nil {
		n, err = readFull(fd, r.Buf, r.Off)
		return n, 0, err
	}
	for n < len(r.Buf) {
		piece := r.Buf[n:min(n+checkPiece, len(r.Buf))]
		got, err := readFull(fd, piece, r.Off+int64(n))
		n += got
		checked += r.Check(r.Buf[checked:n])
		if err != nil || got < len(piece) {
			return n, checked, err
		}
	}
	return n, checked, nil
}

// writeFull writes all of buf.
func writeFull(fd int, buf []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errNegative
	}
	done := 0
	for done < len(buf) {
		n, err := unix.Pwrite(fd, buf[done:], off+int64(done))
		if err == unix.EINTR {
			continue
		}
		if err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// writeGathered writes bufs one after the other from off on, in as few calls as there can be.
func writeGathered(fd int, bufs [][]byte, off int64) (int, error) {
	if len(bufs) == 1 {
		return writeFull(fd, bufs[0], off)
	}
	var space [16][]byte
	rest := append(space[:0], bufs...) // a short write changes its first element
	done := 0
	for {
		for len(rest) > 0 && len(rest[0]) == 0 {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return done, nil
		}
		n, err := pwritev(fd, rest[:min(len(rest), iovMax)], off+int64(done))
		if err == unix.EINTR {
			continue
		}
		if err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return done, err
		}
		done += n
		for n > 0 {
			part := min(n, len(rest[0]))
			n -= part
			if rest[0] = rest[0][part:]; len(rest[0]) == 0 {
				rest = rest[1:]
			}
		}
	}
}

func totalLen(bufs [][]byte) int {
	n := 0
	for _, b := range bufs {
		n += len(b)
	}
	return n
}

func sizeOf(fd int) (int64, error) {
	var st unix.Stat_t
	err := ignoringEINTR(func() error { return unix.Fstat(fd, &st) })
	return st.Size, err
}

// fillZeroes extends a file with written zeroes to size, durably. A crash inside leaves a
// shorter file of zeroes, which the next call extends. The zeroes go past the page cache
// where they can: nobody will read them.
func fillZeroes(path string, fd int, size int64, noDirect bool) error {
	at, err := sizeOf(fd)
	if err != nil || at >= size {
		return err
	}
	if at == 0 { // something to try direct I/O on
		n, err := writeFull(fd, make([]byte, min(BlockSize, size)), 0)
		if err != nil {
			return err
		}
		at = int64(n)
	}
	if !noDirect && at%BlockSize == 0 && size%BlockSize == 0 {
		direct, err := openUncached(path)
		if err != nil {
			return err
		}
		if direct >= 0 {
			defer func() { _ = unix.Close(direct) }() // what it wrote is synced below
			fd = direct
		}
	}
	zeroes := alignedBytes(int(min(zeroChunk, size-at)))
	for at < size {
		n, err := writeFull(fd, zeroes[:min(int64(len(zeroes)), size-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return ignoringEINTR(func() error { return unix.Fsync(fd) })
}

// noDirectIO says whether err means that the file system has no direct I/O.
func noDirectIO(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP)
}
