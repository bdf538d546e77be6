//go:build !linux

package diskx

import (
	"os"

	"golang.org/x/sys/unix"
)

// pwritev writes the first buffer only; the caller goes on from there.
func pwritev(fd int, bufs [][]byte, off int64) (int, error) { return unix.Pwrite(fd, bufs[0], off) }

// willNeed: reading ahead is left to the system.
func willNeed(int, int64, int64) error { return nil }

// syncData uses os.File.Sync, which knows what it takes on this system (F_FULLFSYNC).
func syncData(fd int) error {
	dup, err := unix.Dup(fd)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(dup), "")
	err = f.Sync()
	_ = f.Close() // a duplicate: nothing is lost
	return err
}

func allocate(fd int, size int64) error { return fillZeroes("", fd, size, true) }

// openDirect: no direct I/O here, so log writes are buffered and synced.
func openDirect(string) (int, error) { return -1, nil }

func openUncached(string) (int, error) { return -1, nil }
