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

// writeBackMean is the mean age at which unsynced operations become durable by themselves,
// any one before any other: some power losses find a later write on the disk and an earlier
// one not.
const writeBackMean = 400 * time.Millisecond

// FS is a mounted file system that loses its unsynced contents on demand.
type FS struct {
	dir    string
	began  time.Time
	server *fuse.Server

	mu      sync.Mutex // guards what follows: simdisk is single-threaded
	disk    *simdisk.Disk
	view    *simdisk.View
	lastTag env.Tag
	waiting map[env.Tag]chan env.Completion
	dark    chan struct{} // not nil: the power is off; closed: the process is dead
}

// Mount mounts an empty disk at dir. The seed draws what each power loss leaves, and how
// much more than POSIX the file system promises: nothing, or what ext4 does.
func Mount(dir string, seed uint64) (*FS, error) {
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNoFUSE
	}
	_ = device.Close()
	f := &FS{dir: dir, began: time.Now(), waiting: map[env.Tag]chan env.Completion{}}
	f.disk = simdisk.New(simdisk.Config{
		Decide:        simdisk.Hashed(seed),
		Schedule:      f.schedule,
		Now:           func() env.Instant { return env.Instant(time.Since(f.began)) },
		FS:            []simdisk.FS{simdisk.Strict, simdisk.Ext4}[seed%2],
		WriteBackMean: writeBackMean,
	})
	f.view = f.disk.Mount(f.completed)
	return f, f.mount()
}

// schedule lets the device take its time: operations overlap, and a power loss finds some
// of them under way.
func (f *FS) schedule(delay time.Duration, fn func()) {
	time.AfterFunc(delay, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		fn()
	})
}

func (f *FS) completed(done env.Completion) {
	f.waiting[done.Tag] <- done // has room for it
	delete(f.waiting, done.Tag)
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

// enter takes the lock for a request, or, without power, holds the request until nobody is
// left to hear its answer. The caller unlocks if it is let in.
func (f *FS) enter() bool {
	f.mu.Lock()
	dark := f.dark
	if dark == nil {
		return true
	}
	f.mu.Unlock()
	<-dark
	return false
}

// await starts an operation of the device and waits for its end. At a power loss there is
// none: the operation stays under way for ever, and what it left is drawn.
func (f *FS) await(start func(env.Tag)) (env.Completion, syscall.Errno) {
	if !f.enter() {
		return env.Completion{}, syscall.EIO
	}
	f.lastTag++
	ended := make(chan env.Completion, 1)
	f.waiting[f.lastTag] = ended
	start(f.lastTag)
	f.mu.Unlock()
	done, ok := <-ended
	if !ok {
		return done, syscall.EIO
	}
	return done, errno(done.Err)
}

// Victim is the process on the disk. Strike sends it a SIGKILL, Kill also waits until it
// is gone.
type Victim interface {
	Strike()
	Kill()
}

// PowerLoss takes the disk's unsynced contents away, in the midst of what the process is
// doing: first nothing moves any more, then the process is killed, and then what hung in
// the kernel is let go. So no answer that rests on a lost write ever leaves the process.
// The directory is mounted anew, so that the kernel remembers nothing either. Without a
// process, victim is nil.
func (f *FS) PowerLoss(victim Victim) (simdisk.CrashReport, error) {
	dark := make(chan struct{})
	f.mu.Lock()
	report := f.disk.PowerLoss()
	f.dark = dark
	hanging := f.waiting
	f.waiting = map[env.Tag]chan env.Completion{}
	f.mu.Unlock()
	if victim != nil {
		victim.Strike()
	}
	close(dark)
	for _, ended := range hanging {
		close(ended)
	}
	if victim != nil {
		victim.Kill()
	}
	if err := f.server.Unmount(); err != nil {
		return report, err
	}
	f.mu.Lock()
	f.view, f.dark = f.disk.Mount(f.completed), nil
	f.mu.Unlock()
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
