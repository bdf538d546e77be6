package diskx

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/tidemark-log/tidemark/core/env"
)

// File is an open file, or one that its first operation opens.
//
// Its descriptors live as long as somebody holds a reference: the owner until Close, each
// operation until its completion, and a sender of file regions between Hold and release.
type File struct {
	disk  *Disk
	path  string
	isLog bool
	// direct is a second descriptor for writes past the page cache; −1 where the file
	// system has no such thing, and then writes are buffered and synced.
	direct int

	closed atomic.Bool
	refs   atomic.Int32

	mu sync.Mutex // guards fd while it is −1, that is, before OpenLater's first operation
	fd atomic.Int32
}

var _ env.File = (*File)(nil)

func newFile(d *Disk, path string, fd int) *File {
	f := &File{disk: d, path: path, direct: -1}
	f.fd.Store(int32(fd))
	f.refs.Store(1)
	return f
}

// ioOp is an asynchronous operation on a file. The file holds a reference for it.
type ioOp struct {
	file *File
	kind ioKind
	r    env.Read
	w    env.Write
	tag  env.Tag
}

type ioKind uint8

const (
	ioRead ioKind = iota
	ioWrite
	ioSync
)

var ioNames = [...]string{ioRead: "read", ioWrite: "write", ioSync: "sync"}

// ReadAt fills r.Buf from r.Off.
func (f *File) ReadAt(r env.Read, tag env.Tag) {
	f.submit(f.disk.data, ioOp{kind: ioRead, r: r, tag: tag})
}

// WriteAt writes the buffers one after the other.
func (f *File) WriteAt(w env.Write, tag env.Tag) {
	l := f.disk.data
	if f.isLog {
		l = f.disk.log
	}
	f.submit(l, ioOp{kind: ioWrite, w: w, tag: tag})
}

// Sync makes durable every write that completed before this call.
func (f *File) Sync(tag env.Tag) {
	l := f.disk.slow
	if f.isLog {
		l = f.disk.log
	}
	f.submit(l, ioOp{kind: ioSync, tag: tag})
}

func (f *File) submit(l *lane, op ioOp) {
	op.file = f
	if !f.acquire() {
		f.refuse(op)
		return
	}
	if !l.submit(job{op: op}) {
		f.release()
		f.refuse(op)
	}
}

func (f *File) refuse(op ioOp) {
	f.disk.deliver(env.Completion{Tag: op.tag, Err: failed(ioNames[op.kind], f.path, env.ErrClosed)})
}

// run is the worker's part.
func (op *ioOp) run() {
	f := op.file
	fd, err := f.descriptor()
	n, checked := 0, 0
	if err == nil {
		switch op.kind {
		case ioRead:
			n, checked, err = readChecked(fd, op.r)
		case ioWrite:
			n, err = f.write(fd, op.w)
		case ioSync:
			err = syncData(fd)
		}
	}
	f.release()
	f.disk.deliver(env.Completion{
		Tag: op.tag, N: n, Checked: checked, Err: failed(ioNames[op.kind], f.path, err),
	})
}

func (f *File) write(fd int, w env.Write) (int, error) {
	if w.Off < 0 {
		return 0, errNegative
	}
	if f.isLog && (w.Off%BlockSize != 0 || totalLen(w.Bufs)%BlockSize != 0) {
		return 0, errUnaligned
	}
	if f.direct >= 0 {
		return writeDirect(f.direct, w, &f.disk.bounces)
	}
	n, err := writeGathered(fd, w.Bufs, w.Off)
	if err == nil && (w.Durable || f.isLog) {
		err = syncData(fd)
	}
	return n, err
}

// acquire takes a reference; false: the file was closed.
func (f *File) acquire() bool {
	if f.closed.Load() {
		return false
	}
	for {
		n := f.refs.Load()
		if n == 0 {
			return false
		}
		if f.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (f *File) release() {
	if f.refs.Add(-1) > 0 {
		return
	}
	// A failed close says nothing that a sync had not said: what must be durable is synced.
	if fd := int(f.fd.Load()); fd >= 0 {
		_ = unix.Close(fd)
	}
	if f.direct >= 0 {
		_ = unix.Close(f.direct)
	}
}

// descriptor opens the file of OpenLater. The caller holds a reference.
func (f *File) descriptor() (int, error) {
	if fd := f.fd.Load(); fd >= 0 {
		return int(fd), nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if fd := f.fd.Load(); fd >= 0 {
		return int(fd), nil
	}
	fd, err := openMaking(f.path)
	if err != nil {
		return -1, err
	}
	f.fd.Store(int32(fd))
	return fd, nil
}

// Hold keeps the descriptor open for reading, for sendfile for instance, until release is
// called, whatever Close does meanwhile.
func (f *File) Hold() (fd int, release func(), err error) {
	if !f.acquire() {
		return -1, nil, failed("hold", f.path, env.ErrClosed)
	}
	if fd, err = f.descriptor(); err != nil {
		f.release()
		return -1, nil, failed("hold", f.path, err)
	}
	return fd, f.release, nil
}

// blocking runs act in the caller.
func (f *File) blocking(op string, act func(fd int) error) error {
	if !f.acquire() {
		return failed(op, f.path, env.ErrClosed)
	}
	defer f.release()
	fd, err := f.descriptor()
	if err != nil {
		return failed(op, f.path, err)
	}
	return failed(op, f.path, act(fd))
}

// Pread fills buf from off; fewer bytes mean the end of the file.
func (f *File) Pread(buf []byte, off int64) (n int, err error) {
	err = f.blocking("read", func(fd int) error {
		n, err = readFull(fd, buf, off)
		return err
	})
	return n, err
}

// Ahead has the kernel read into the page cache while the caller does something else.
func (f *File) Ahead(off, n int64) {
	_ = f.blocking("ahead", func(fd int) error { return willNeed(fd, off, n) })
}

// Pwrite writes all of buf at off, into the page cache.
func (f *File) Pwrite(buf []byte, off int64) error {
	return f.blocking("write", func(fd int) error {
		_, err := writeFull(fd, buf, off)
		return err
	})
}

// Fsync is Sync, blocking.
func (f *File) Fsync() error { return f.blocking("sync", syncData) }

// Truncate sets the size.
func (f *File) Truncate(size int64) error {
	return f.blocking("truncate", func(fd int) error {
		if size < 0 {
			return errNegative
		}
		return ignoringEINTR(func() error { return unix.Ftruncate(fd, size) })
	})
}

// Size is the current size.
func (f *File) Size() (size int64, err error) {
	err = f.blocking("stat", func(fd int) error {
		size, err = sizeOf(fd)
		return err
	})
	return size, err
}

// Close gives up the owner's reference.
func (f *File) Close() error {
	if f.closed.Swap(true) {
		return failed("close", f.path, env.ErrClosed)
	}
	f.release()
	return nil
}
