package diskx

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// SyncAll syncs files, then directories, several at a time. Most file systems make one
// transaction of syncs that come together, so that many cost little more than one; and a
// process that starts has nothing else to do with the device.
func (d *Disk) SyncAll(files, dirs []string) error {
	if err := atOnce(files, syncPath); err != nil {
		return err
	}
	return atOnce(dirs, d.SyncDir)
}

func syncPath(path string) error {
	fd, err := openFD(path, unix.O_RDWR)
	if err != nil {
		return failed("open", path, err)
	}
	err = syncData(fd)
	_ = unix.Close(fd) // nothing was written through it
	return failed("sync", path, err)
}

// atOnce does act for all paths with a few workers of its own. It returns when they have
// ended. After an error no more are begun.
func atOnce(paths []string, act func(path string) error) error {
	var (
		next   atomic.Int64
		failed atomic.Pointer[error]
		done   sync.WaitGroup
	)
	for range min(syncAllWorkers, len(paths)) {
		done.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(paths) {
					return
				}
				if err := act(paths[i]); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	done.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
