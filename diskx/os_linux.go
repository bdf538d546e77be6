package diskx

import (
	"errors"

	"golang.org/x/sys/unix"
)

func pwritev(fd int, bufs [][]byte, off int64) (int, error) { return unix.Pwritev(fd, bufs, off) }

// willNeed begins to read. The kernel takes as much of it at once as the device likes to be
// asked for, which is far more than it reads ahead of its own accord.
func willNeed(fd int, off, n int64) error { return unix.Fadvise(fd, off, n, unix.FADV_WILLNEED) }

func syncData(fd int) error {
	return ignoringEINTR(func() error { return unix.Fdatasync(fd) })
}

// allocate takes blocks for size bytes, zeroed by writing where the file system cannot do
// better.
func allocate(fd int, size int64) error {
	err := ignoringEINTR(func() error { return unix.Fallocate(fd, 0, 0, size) })
	if errors.Is(err, unix.ENOTSUP) {
		return fillZeroes("", fd, size, true)
	}
	return err
}

// openDirect opens an existing file for writes past the page cache that return when the
// device has the bytes; −1 if the file system has no such thing.
func openDirect(path string) (int, error) { return openPastCache(path, unix.O_DSYNC) }

// openUncached is openDirect without the wait for the device.
func openUncached(path string) (int, error) { return openPastCache(path, 0) }

// Some file systems refuse direct I/O at open, some at the first transfer, so one is tried.
func openPastCache(path string, flags int) (int, error) {
	fd, err := openFD(path, unix.O_RDWR|unix.O_DIRECT|flags)
	if noDirectIO(err) {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	if _, err := readFull(fd, alignedBytes(BlockSize), 0); err != nil {
		_ = unix.Close(fd)
		if noDirectIO(err) {
			return -1, nil
		}
		return -1, err
	}
	return fd, nil
}
