package simdisk

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// View is a process's disk. It implements env.Disk. After Kill or PowerLoss it is dead:
// blocking operations return env.ErrClosed, asynchronous ones never complete.
type View struct {
	disk    *Disk
	deliver func(env.Completion)
	dead    bool
	elapsed time.Duration

	oldest, newest *flight // in flight, in order of submission
	count          int
	submitted      uint64
	landedMax      uint64 // the latest submission that has landed

	open         int // handles that hold a descriptor
	eventAt      env.Instant
	eventElapsed time.Duration
	blockedAt    env.Instant
	blocked      int // operations at that instant
}

var _ env.Disk = (*View)(nil)

// Elapsed is the time spent in blocking operations since Mount. The caller charges it.
func (v *View) Elapsed() time.Duration { return v.elapsed }

// InFlight counts the asynchronous operations that have not completed.
func (v *View) InFlight() int { return v.count }

// step is a blocking operation under way.
type step struct {
	dying   bool
	ordinal uint64
}

// end is the operation's answer. A process that dies in it hears nothing of its effect.
func (s step) end(err error) error {
	if s.dying {
		return env.ErrClosed
	}
	return err
}

// begin charges a blocking operation and decides whether it takes place at all. After an
// error it does not; a dying step takes place and is answered with env.ErrClosed.
func (v *View) begin(obj *object, op Op, cost Latency) (step, error) {
	d := v.disk
	v.notForEver()
	if v.dead {
		return step{}, env.ErrClosed
	}
	op.Path, op.Ordinal = obj.name, obj.next()
	service := cost.of(d.cfg.Decide(purposeLatency, obj.name, op.Ordinal), op.Len)
	if d.inject != nil && cost != (Latency{}) {
		service += d.inject.delay(key{obj, op.Ordinal}, v.blockingNow(), service)
	}
	v.elapsed += service
	dying := v.countDown()
	if dying && chance(d.cfg.Decide(purposeKillStep, obj.name, op.Ordinal), 500) {
		return step{}, env.ErrClosed
	}
	s := step{dying, op.Ordinal}
	if d.cfg.Fault != nil {
		fault := d.cfg.Fault(op)
		v.elapsed += fault.Delay
		if fault.Err != nil {
			return step{}, s.end(failed(op.Kind.String(), op.Path, fault.Err))
		}
	}
	if d.inject != nil && cost != (Latency{}) {
		if err := d.inject.admit(v, key{obj, op.Ordinal}, op.Kind); err != nil {
			return step{}, s.end(failed(op.Kind.String(), op.Path, err))
		}
	}
	return s, nil
}

// notForEver ends a process that does nothing but blocking operations, which would never
// give the world its turn again.
func (v *View) notForEver() {
	if now := v.disk.cfg.Now(); v.blockedAt != now {
		v.blockedAt, v.blocked = now, 0
	}
	// An event makes a bounded number of blocking operations: a loop that waits for the disk
	// to change its mind waits for ever, because meanwhile nothing else happens.
	if v.blocked++; v.blocked > BlockingOpsMax {
		invariant.Violated("simdisk.event-ends", "%d blocking operations at %s, and no end", v.blocked, v.blockedAt)
	}
}

// countDown reports whether this is the operation in which the process dies.
func (v *View) countDown() bool {
	if v.disk.crashIn == 0 {
		return false
	}
	v.disk.crashIn--
	if v.disk.crashIn > 0 {
		return false
	}
	v.disk.crashed = true
	v.die(false)
	return true
}

// onName runs a blocking operation on names.
func (v *View) onName(kind OpKind, path string, act func() error) error {
	s, err := v.begin(v.disk.object(clean(path)), Op{Kind: kind}, v.disk.cfg.Latency.Names)
	if err != nil {
		return err
	}
	if err := act(); err != nil {
		return s.end(failed(kind.String(), path, err))
	}
	return s.end(nil)
}

// MkdirAll makes path and its missing parents; each name is durable after SyncDir of the
// directory it is in.
func (v *View) MkdirAll(path string) error {
	return v.onName(OpMkdir, path, func() error { return v.disk.mkdirAll(path) })
}

// List returns the entries of a directory sorted by name.
func (v *View) List(path string) (entries []env.Entry, err error) {
	err = v.onName(OpList, path, func() error {
		entries, err = v.disk.list(path)
		return err
	})
	return entries, err
}

// Open opens path.
func (v *View) Open(path string, mode env.OpenMode) (env.File, error) {
	h := &handle{view: v, path: path}
	err := v.onName(OpOpen, path, func() error { return h.open(clean(path), mode) })
	if err != nil {
		return nil, err
	}
	return h, nil
}

// OpenLog opens path for aligned, durable writes and extends it. Its size and zeroes are
// durable when it returns; its name is not.
func (v *View) OpenLog(path string, size int64) (env.File, error) {
	f, err := v.Open(path, env.OpenOrCreate)
	if err != nil {
		return nil, err
	}
	h := f.(*handle)
	if err := h.growTo(size); err != nil {
		h.release()
		return nil, err
	}
	h.direct = true
	return h, nil
}

func (h *handle) growTo(size int64) error {
	if h.file.size >= size {
		return nil
	}
	if err := h.Truncate(size); err != nil {
		return err
	}
	return h.Fsync()
}

// OpenLogLater makes a file of OpenLog in the background: in the cache it begins at once,
// with a drawn part of its size, which is what a process that dies meanwhile leaves.
func (v *View) OpenLogLater(path string, size int64, tag env.Tag) env.File {
	h := &handle{view: v, path: path, direct: true}
	r := &request{kind: OpPrepare, obj: v.disk.object(clean(path)), handle: h, path: path, tag: tag, off: size}
	if !v.dead {
		r.refuse = h.beginLog(size)
	}
	v.launch(r)
	return h
}

// beginLog makes the file, and some of it.
func (h *handle) beginLog(size int64) error {
	f, err := h.ensure()
	if err != nil {
		return failed(OpPrepare.String(), h.path, err)
	}
	d := h.view.disk
	blocks := below(d.cfg.Decide(purposePrepare, f.obj.name, f.obj.ops), uint64(size/BlockSize+1))
	return failedIf(OpPrepare, h.path, d.resizeFor(f, max(f.size, int64(blocks)*BlockSize)))
}

// finishLog makes the rest of it, and all of it durable.
func (h *handle) finishLog(k key, size int64) error {
	d := h.view.disk
	if err := d.resizeFor(h.file, max(h.file.size, size)); err != nil {
		return err
	}
	if err := d.syncFor(h, h.file, k, h.file.lastOp); err != nil {
		return err
	}
	return d.syncDir(parentOf(clean(h.path)), d.nameOps)
}

// OpenLater returns a file that its first operation creates.
func (v *View) OpenLater(path string) env.File {
	return &handle{view: v, path: path}
}

// Rename moves a file or directory within its volume.
func (v *View) Rename(from, to string) error {
	return v.onName(OpRename, from, func() error { return v.disk.rename(from, to) })
}

// Remove unlinks a file or removes an empty directory.
func (v *View) Remove(path string) error {
	return v.onName(OpRemove, path, func() error { return v.disk.remove(path) })
}

// RemoveAllLater removes path and all below it.
func (v *View) RemoveAllLater(path string) {
	v.launch(&request{kind: OpRemove, obj: v.disk.object(clean(path)), path: path, silent: true})
}

// SyncDir makes the names in path durable.
func (v *View) SyncDir(path string) error {
	return v.onName(OpSyncDir, path, func() error { return v.disk.syncDir(path, v.disk.nameOps) })
}

// SyncDirLater is SyncDir with a completion.
func (v *View) SyncDirLater(path string, tag env.Tag) {
	v.launch(&request{kind: OpSyncDir, obj: v.disk.object(clean(path)), path: path, tag: tag,
		mark: v.disk.nameOps})
}

// Reserve makes a file of that size.
func (v *View) Reserve(path string, size int64) error {
	f, err := v.Open(path, env.OpenOrCreate)
	if err != nil {
		return err
	}
	if err = f.Truncate(size); err != nil && !v.dead {
		_ = v.Remove(path) // part of a reserve is none
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// Free returns the bytes free on the volume of path, −1 if it is not bounded.
func (v *View) Free(path string) int64 {
	n, err := v.disk.lookup(path, false)
	if err != nil || v.dead {
		return -1
	}
	vol := (*volume)(nil)
	if n.dir != nil {
		vol = n.dir.vol
	} else {
		vol = n.file.vol
	}
	if v.disk.inject != nil {
		v.disk.inject.tick(vol)
	}
	if vol.bound == 0 {
		return -1
	}
	return max(0, vol.bound-vol.used)
}

// syncDir is SyncDir of names up to the ordinal mark.
func (d *Disk) syncDir(path string, mark uint64) error {
	n, err := d.lookup(path, false)
	if err != nil {
		return err
	}
	if n.dir == nil {
		return errNotDir
	}
	d.syncNames(n.dir, mark)
	return nil
}
