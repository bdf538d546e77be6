package power

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// ErrNoFUSE means that this machine cannot mount.
var ErrNoFUSE = errors.New("/dev/fuse cannot be opened")

// FS is a mounted file system that loses its unsynced contents on demand.
type FS struct {
	mu     sync.Mutex // simdisk is single-threaded
	disk   *simdisk.Disk
	view   *simdisk.View
	dir    string
	server *fuse.Server
}

// Mount mounts an empty disk at dir. The seed draws what each power loss leaves.
func Mount(dir string, seed uint64) (*FS, error) {
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNoFUSE
	}
	_ = device.Close()
	f := &FS{dir: dir}
	f.disk = simdisk.New(simdisk.Config{
		Decide:   simdisk.Hashed(seed),
		Schedule: func(time.Duration, func()) {}, // only blocking operations are used
		Now:      func() env.Instant { return 0 },
	})
	f.view = f.disk.Mount(func(env.Completion) {})
	return f, f.mount()
}

func (f *FS) mount() error {
	none := time.Duration(0)
	server, err := fs.Mount(f.dir, &inode{fs: f}, &fs.Options{
		EntryTimeout: &none,
		AttrTimeout:  &none,
		MountOptions: fuse.MountOptions{
			DirectMount: true,
			FsName:      "tidemark-power",
			MaxWrite:    512 << 10,
		},
	})
	f.server = server
	return err
}

// PowerLoss takes the disk's unsynced contents away. The process on it must be dead. The
// directory is mounted anew, so that the kernel remembers nothing either.
func (f *FS) PowerLoss() (simdisk.CrashReport, error) {
	if err := f.server.Unmount(); err != nil {
		return simdisk.CrashReport{}, err
	}
	report := f.disk.PowerLoss()
	f.view = f.disk.Mount(func(env.Completion) {})
	return report, f.mount()
}

// Unmount ends the file system.
func (f *FS) Unmount() error { return f.server.Unmount() }

// errno is the kernel's name of an error of env.
func errno(err error) syscall.Errno {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, env.ErrNotExist):
		return syscall.ENOENT
	case errors.Is(err, env.ErrExist):
		return syscall.EEXIST
	case errors.Is(err, env.ErrNoSpace):
		return syscall.ENOSPC
	default:
		return syscall.EIO
	}
}
