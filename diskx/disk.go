package diskx

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/tidemark-log/tidemark/core/env"
)

// Modes of what we create: readable by the group and others, as Kafka's files are.
const (
	fileMode = 0o644
	dirMode  = 0o755
)

// Config of a Disk. Zero numbers take the defaults of limits.go.
type Config struct {
	// Deliver takes the completions. It is called by workers, several at a time, and must
	// not block for long: the worker waits. Required.
	Deliver func(env.Completion)
	// LogWorkers, DataWorkers and SlowWorkers bound what runs at one time in each lane. Where
	// Deliver submits operations, as netx.Loop does from within, a lane wants two: a submitter
	// that waits for room in a full lane may be one of its workers.
	LogWorkers, DataWorkers, SlowWorkers int
}

// Disk is the file system of this machine. Blocking methods may be called by any goroutine.
type Disk struct {
	deliver         func(env.Completion)
	log, data, slow *lane
	bounces         bounces
	noDirect        bool // as if no file system had direct I/O; for tests
}

var _ env.Disk = (*Disk)(nil)

// New starts the workers. Close ends them.
func New(cfg Config) *Disk {
	return &Disk{
		deliver: cfg.Deliver,
		log:     newLane(orDefault(cfg.LogWorkers, LogWorkersDefault)),
		data:    newLane(orDefault(cfg.DataWorkers, DataWorkersDefault)),
		slow:    newLane(orDefault(cfg.SlowWorkers, SlowWorkersDefault)),
	}
}

func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// Close runs what is queued, delivers its completions and ends the workers. Asynchronous
// operations submitted later complete with env.ErrClosed, within the call.
func (d *Disk) Close() {
	for _, l := range d.lanes() {
		l.close()
	}
}

// Quiesce waits until nothing is queued or running. It is exact only while nobody submits.
func (d *Disk) Quiesce() {
	for _, l := range d.lanes() {
		l.quiesce()
	}
}

func (d *Disk) lanes() []*lane { return []*lane{d.log, d.data, d.slow} }

// MkdirAll makes path and its missing parents.
func (d *Disk) MkdirAll(path string) error {
	return failed("mkdir", path, os.MkdirAll(path, dirMode))
}

// List returns the entries of a directory sorted by name.
func (d *Disk) List(path string) ([]env.Entry, error) {
	found, err := os.ReadDir(path)
	if err != nil {
		return nil, failed("list", path, err)
	}
	entries := make([]env.Entry, 0, len(found))
	for _, f := range found {
		info, err := f.Info()
		if os.IsNotExist(err) {
			continue // removed since
		}
		if err != nil {
			return nil, failed("list", path, err)
		}
		entries = append(entries, env.Entry{Name: f.Name(), Size: info.Size(), Dir: f.IsDir()})
	}
	return entries, nil
}

var openFlags = [...]int{
	env.OpenExisting:    unix.O_RDWR,
	env.OpenOrCreate:    unix.O_RDWR | unix.O_CREAT,
	env.CreateTruncated: unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC,
}

// Open opens path.
func (d *Disk) Open(path string, mode env.OpenMode) (env.File, error) {
	fd, err := openFD(path, openFlags[mode])
	if err != nil {
		return nil, failed("open", path, err)
	}
	return newFile(d, path, fd), nil
}

// OpenLog opens path for writes past the page cache, filled with zeroes up to size.
func (d *Disk) OpenLog(path string, size int64) (env.File, error) {
	fd, err := openFD(path, openFlags[env.OpenOrCreate])
	if err != nil {
		return nil, failed("open", path, err)
	}
	f := newFile(d, path, fd)
	f.isLog = true
	if f.direct, err = d.fillLog(path, fd, size); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// OpenLogLater is OpenLog of a new file, and SyncDir of where it is, by a slow worker.
func (d *Disk) OpenLogLater(path string, size int64, tag env.Tag) env.File {
	f := newFile(d, path, -1)
	f.isLog = true
	f.refs.Add(1)
	j := job{run: func() {
		err := f.makeLog(size)
		f.release()
		d.deliver(env.Completion{Tag: tag, Err: err})
	}}
	if !d.slow.submit(j) {
		f.release()
		d.deliver(env.Completion{Tag: tag, Err: failed("open", path, env.ErrClosed)})
	}
	return f
}

// makeLog opens the file of OpenLogLater.
func (f *File) makeLog(size int64) error {
	fd, err := openFD(f.path, openFlags[env.OpenOrCreate])
	if err != nil {
		return failed("open", f.path, err)
	}
	f.fd.Store(int32(fd))
	if f.direct, err = f.disk.fillLog(f.path, fd, size); err != nil {
		return err
	}
	return f.disk.SyncDir(filepath.Dir(f.path))
}

// fillLog extends a log file with zeroes and opens it for direct writes.
func (d *Disk) fillLog(path string, fd int, size int64) (direct int, err error) {
	if err := fillZeroes(path, fd, size, d.noDirect); err != nil {
		return -1, failed("preallocate", path, err)
	}
	if d.noDirect {
		return -1, nil
	}
	if direct, err = openDirect(path); err != nil {
		return -1, failed("open", path, err)
	}
	return direct, nil
}

// OpenLater returns a file that its first operation creates.
func (d *Disk) OpenLater(path string) env.File { return newFile(d, path, -1) }

// Rename moves a file or directory, replacing a file there.
func (d *Disk) Rename(from, to string) error {
	return failed("rename", from, ignoringEINTR(func() error { return unix.Rename(from, to) }))
}

// Remove unlinks a file or removes an empty directory.
func (d *Disk) Remove(path string) error { return failed("remove", path, os.Remove(path)) }

// RemoveAllLater removes path and all below it in the background. What it cannot remove
// stays; the names are found again at the next boot.
func (d *Disk) RemoveAllLater(path string) {
	d.slow.submit(job{run: func() { _ = os.RemoveAll(path) }})
}

// SyncDir makes the names in path durable.
func (d *Disk) SyncDir(path string) error {
	fd, err := openFD(path, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return failed("syncdir", path, err)
	}
	err = ignoringEINTR(func() error { return unix.Fsync(fd) })
	_ = unix.Close(fd) // nothing was written through it
	return failed("syncdir", path, err)
}

// SyncDirLater is SyncDir with a completion.
func (d *Disk) SyncDirLater(path string, tag env.Tag) {
	j := job{run: func() { d.deliver(env.Completion{Tag: tag, Err: d.SyncDir(path)}) }}
	if !d.slow.submit(j) {
		d.deliver(env.Completion{Tag: tag, Err: failed("syncdir", path, env.ErrClosed)})
	}
}

// Reserve allocates the blocks of a file without writing them.
func (d *Disk) Reserve(path string, size int64) error {
	fd, err := openFD(path, openFlags[env.OpenOrCreate])
	if err != nil {
		return failed("open", path, err)
	}
	err = allocate(fd, size)
	_ = unix.Close(fd) // nothing was written through it
	if err != nil {
		_ = unix.Unlink(path) // part of a reserve is none
	}
	return failed("reserve", path, err)
}

// Free returns the bytes free on the volume of path, −1 if unknown.
func (d *Disk) Free(path string) int64 {
	var st unix.Statfs_t
	if err := ignoringEINTR(func() error { return unix.Statfs(path, &st) }); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

func openFD(path string, flags int) (fd int, err error) {
	err = ignoringEINTR(func() error {
		fd, err = unix.Open(path, flags|unix.O_CLOEXEC, fileMode)
		return err
	})
	return fd, err
}

// openMaking is openFD of a file to be created with its directories.
func openMaking(path string) (int, error) {
	fd, err := openFD(path, openFlags[env.OpenOrCreate])
	if err != unix.ENOENT {
		return fd, err
	}
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return -1, err
	}
	return openFD(path, openFlags[env.OpenOrCreate])
}
