package simdisk

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
)

// handle is an open file: env.File.
type handle struct {
	view   *View
	path   string
	file   *file // nil until the first operation, if opened later
	obj    *object
	direct bool // opened by OpenLog
	closed bool
	writes int // in flight

	counted bool   // among the view's open files
	losses  uint64 // lost write-backs of the file that it needs not hear of
}

var _ env.File = (*handle)(nil)

// ensure creates the file of OpenLater, with its directories.
func (h *handle) ensure() (*file, error) {
	if h.file != nil {
		return h.file, nil
	}
	d, path := h.view.disk, clean(h.path)
	if err := d.mkdirAll(parentOf(path)); err != nil {
		return nil, err
	}
	if err := h.open(path, env.OpenOrCreate); err != nil {
		return nil, err
	}
	if h.closed {
		h.release()
	}
	return h.file, nil
}

// open makes the handle one of a file, if there are descriptors.
func (h *handle) open(path string, mode env.OpenMode) error {
	v, obj := h.view, h.view.disk.object(path)
	if err := v.admitHandle(key{obj, obj.ops}); err != nil {
		return err
	}
	f, err := v.disk.openFile(path, mode)
	if err != nil {
		return err
	}
	if v.disk.inject != nil {
		v.disk.inject.loseDue(f)
	}
	h.file, h.losses, h.counted = f, f.losses, true
	v.open++
	return nil
}

func (h *handle) release() {
	if h.counted {
		h.counted = false
		h.view.closed()
	}
}

func (h *handle) object() *object {
	switch {
	case h.file != nil:
		return h.file.obj
	case h.obj == nil:
		h.obj = h.view.disk.object(clean(h.path))
	}
	return h.obj
}

// ReadAt fills the buffer at completion time.
func (h *handle) ReadAt(r env.Read, tag env.Tag) {
	h.submit(&request{kind: OpRead, buf: r.Buf, off: r.Off, check: r.Check, tag: tag})
}

// WriteAt takes the bytes now and checks at completion that the caller left them alone.
func (h *handle) WriteAt(w env.Write, tag env.Tag) {
	data := h.view.disk.cfg.Arena.gather(w.Bufs)
	h.submit(&request{kind: OpWrite, bufs: w.Bufs, data: data, off: w.Off, tag: tag,
		durable: w.Durable || h.direct})
}

// Sync covers what completed before; what completes while it runs may be covered or not.
func (h *handle) Sync(tag env.Tag) {
	r := &request{kind: OpSync, tag: tag}
	if h.file != nil {
		r.mark = h.file.lastOp
	}
	h.submit(r)
}

func (h *handle) submit(r *request) {
	r.handle, r.obj = h, h.object()
	switch {
	case h.closed:
		r.refuse = failed(r.kind.String(), h.path, env.ErrClosed)
	case r.off < 0:
		r.refuse = failed(r.kind.String(), h.path, errInvalid)
	case r.kind == OpWrite:
		if r.refuse = h.checkBlocks(r.off, len(r.data)); r.refuse == nil && h.writes > 0 {
			h.view.checkOverlap(r)
		}
	}
	h.view.launch(r)
}

// checkBlocks refuses what direct I/O refuses.
func (h *handle) checkBlocks(off int64, n int) error {
	if h.direct && (off%BlockSize != 0 || n%BlockSize != 0) {
		return fmt.Errorf("write %s: %d bytes at %d are not whole blocks of %d: %w", h.path, n, off,
			BlockSize, errInvalid)
	}
	return nil
}

// blocking runs a blocking operation on the file.
func (h *handle) blocking(op Op, cost Latency, act func(*file, key) error) error {
	if h.closed {
		return failed(op.Kind.String(), h.path, env.ErrClosed)
	}
	s, err := h.view.begin(h.object(), op, cost)
	if err != nil {
		return err
	}
	f, err := h.ensure()
	if err == nil {
		if op.Off < 0 {
			err = errInvalid
		} else {
			err = act(f, key{h.object(), s.ordinal})
		}
	}
	return s.end(failedIf(op.Kind, h.path, err))
}

// Pread fills buf from off.
func (h *handle) Pread(buf []byte, off int64) (n int, err error) {
	op := Op{Kind: OpRead, Off: off, Len: len(buf)}
	err = h.blocking(op, h.view.disk.cfg.Latency.Read, func(f *file, k key) error {
		n, err = h.view.disk.read(f, k, buf, off)
		return err
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// Ahead is a hint, and all of a file is in the cache.
func (h *handle) Ahead(_, _ int64) {}

// Pwrite writes all of buf at off. A process that dies in it leaves a prefix.
func (h *handle) Pwrite(buf []byte, off int64) error {
	op := Op{Kind: OpWrite, Off: off, Len: len(buf)}
	d := h.view.disk
	return h.blocking(op, d.cfg.Latency.Write, func(f *file, k key) error {
		data := d.cfg.Arena.clone(buf)
		if h.view.dead {
			data = data[:d.killCut(f.obj, f.obj.next(), off, len(data))]
			return d.write(f, off, data)
		}
		ahead := 0
		if d.inject != nil {
			ahead = d.inject.pwriteAhead(h, f, k, off, data)
		}
		return d.writeFor(f, k, off+int64(ahead), data[ahead:])
	})
}

// Fsync is Sync, blocking.
func (h *handle) Fsync() error {
	d := h.view.disk
	return h.blocking(Op{Kind: OpSync}, d.cfg.Latency.Sync, func(f *file, k key) error {
		if h.view.dead {
			d.sync(f, f.lastOp)
			return nil
		}
		return d.syncFor(h, f, k, f.lastOp)
	})
}

// Truncate sets the size.
func (h *handle) Truncate(size int64) error {
	d := h.view.disk
	return h.blocking(Op{Kind: OpTruncate, Off: size}, d.cfg.Latency.Names, func(f *file, _ key) error {
		return d.resizeFor(f, size)
	})
}

// Size is the cached size.
func (h *handle) Size() (size int64, err error) {
	err = h.blocking(Op{Kind: OpList}, Latency{}, func(f *file, _ key) error {
		size = f.size
		return nil
	})
	return size, err
}

// Close releases the handle. Operations in flight still complete.
func (h *handle) Close() error {
	switch {
	case h.view.dead:
		return env.ErrClosed
	case h.closed:
		return failed("close", h.path, env.ErrClosed)
	}
	h.closed = true
	h.release()
	return nil
}
