package simdisk

import (
	"bytes"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// request is what an asynchronous operation asks for.
type request struct {
	kind   OpKind
	obj    *object
	handle *handle // of an operation on a file
	path   string  // of an operation on names
	tag    env.Tag
	silent bool // without completion
	refuse error

	off     int64
	buf     []byte // of a read
	check   func([]byte) int
	bufs    [][]byte // of a write: the caller's
	data    []byte   // of a write: what they held at submission
	durable bool
	mark    uint64 // of a sync: the last operation it covers
}

// flight is a request under way. Flights are recycled, each with its closure.
type flight struct {
	request
	ordinal    uint64
	seq        uint64 // of submission, in the view
	fault      error
	late       *fault // it is to be overtaken
	from       int    // of a write: bytes that went ahead
	part       uint64 // the pending operation they became
	view       *View
	prev, next *flight
	land       func()
}

// launch puts a request into flight. A dead view drops it.
func (v *View) launch(r *request) {
	if v.dead {
		return
	}
	d := v.disk
	fl := d.flight()
	fl.request, fl.view, fl.ordinal, fl.fault = *r, v, r.obj.next(), r.refuse
	n := len(r.data) + len(r.buf)
	if r.kind == OpPrepare {
		n = int(r.off)
	}
	delay := d.cost(r).of(d.cfg.Decide(purposeLatency, r.obj.name, fl.ordinal), n)
	if d.inject != nil {
		delay += d.inject.delay(key{r.obj, fl.ordinal}, d.cfg.Now(), delay) + d.inject.late(fl)
	}
	if d.cfg.Fault != nil && fl.fault == nil {
		fault := d.cfg.Fault(Op{Kind: r.kind, Path: r.obj.name, Off: r.off, Len: n,
			Durable: r.durable, Async: true, Ordinal: fl.ordinal})
		delay += fault.Delay
		if fault.Err != nil {
			fl.fault = failed(r.kind.String(), r.obj.name, fault.Err)
		}
	}
	v.append(fl)
	if r.kind == OpWrite {
		r.handle.writes++
	}
	d.cfg.Schedule(delay, fl.land)
}

func (d *Disk) cost(r *request) Latency {
	switch {
	case r.kind == OpRead:
		return d.cfg.Latency.Read
	case r.kind == OpWrite && r.durable, r.kind == OpPrepare:
		return d.cfg.Latency.Durable
	case r.kind == OpWrite:
		return d.cfg.Latency.Write
	case r.kind == OpSync:
		return d.cfg.Latency.Sync
	}
	return d.cfg.Latency.Names
}

func (d *Disk) flight() *flight {
	if n := len(d.free); n > 0 {
		fl := d.free[n-1]
		d.free = d.free[:n-1]
		return fl
	}
	fl := &flight{}
	fl.land = func() { d.land(fl) }
	return fl
}

// land completes a flight, unless its process has died meanwhile.
func (d *Disk) land(fl *flight) {
	v, silent := fl.view, fl.silent
	done := env.Completion{Tag: fl.tag}
	if !v.dead {
		if d.inject != nil && d.inject.goesAhead(fl) {
			return
		}
		v.remove(fl)
		d.landed(fl)
		if done.Err = fl.fault; done.Err == nil {
			done.N, done.Err = d.complete(fl)
		}
		if fl.check != nil && done.Err == nil {
			done.Checked = fl.checked(done.N)
		}
	}
	fl.request, fl.view, fl.fault, fl.late, fl.from, fl.part = request{}, nil, nil, nil, 0, 0
	if len(d.free) < flightsKept {
		d.free = append(d.free, fl)
	}
	if !v.dead && !silent {
		v.deliver(done)
	}
}

// checked lets a read's check look at what arrived, in two pieces: a reader must not count
// on more than that they come in order.
func (fl *flight) checked(n int) int {
	accepted := fl.check(fl.buf[:n/2])
	return accepted + fl.check(fl.buf[accepted:n])
}

func (d *Disk) complete(fl *flight) (int, error) {
	k := key{fl.obj, fl.ordinal}
	if d.inject != nil {
		if err := d.inject.admit(fl.view, k, fl.kind); err != nil {
			return 0, failed(fl.kind.String(), fl.obj.name, err)
		}
	}
	switch fl.kind {
	case OpSyncDir:
		return 0, failedIf(fl.kind, fl.path, d.syncDir(fl.path, fl.mark))
	case OpRemove:
		d.removeAll(fl.path, -1)
		return 0, nil
	case OpPrepare:
		return 0, failedIf(fl.kind, fl.path, fl.handle.finishLog(k, fl.off))
	}
	f, err := fl.handle.ensure()
	if err != nil {
		return 0, failed(fl.kind.String(), fl.obj.name, err)
	}
	switch fl.kind {
	case OpRead:
		n, err := d.read(f, k, fl.buf, fl.off)
		return n, failedIf(fl.kind, fl.obj.name, err)
	case OpWrite:
		return d.completeWrite(f, fl)
	default:
		return 0, failedIf(fl.kind, fl.obj.name, d.syncFor(fl.handle, f, k, fl.mark))
	}
}

// read, writeFor, resizeFor and syncFor are the same on a device that works and on one that does not.
func (d *Disk) read(f *file, k key, buf []byte, off int64) (int, error) {
	if d.inject != nil {
		return d.inject.read(f, k, buf, off)
	}
	return f.read(buf, off, f.size, false), nil
}

func (d *Disk) writeFor(f *file, k key, off int64, data []byte) error {
	if d.inject != nil {
		return d.inject.write(f, k, off, data)
	}
	return d.write(f, off, data)
}

func (d *Disk) resizeFor(f *file, size int64) error {
	if d.inject != nil {
		return d.inject.resize(f, size)
	}
	return d.resize(f, size)
}

func (d *Disk) syncFor(h *handle, f *file, k key, mark uint64) error {
	if d.inject != nil {
		if err := d.inject.sync(h, f, k); err != nil {
			return err
		}
	}
	d.sync(f, mark)
	return nil
}

func (d *Disk) completeWrite(f *file, fl *flight) (int, error) {
	// A buffer given to WriteAt belongs to the write until its completion. Changing it
	// earlier, mostly by reusing pooled memory, writes bytes that nobody meant.
	if !sameBytes(fl.bufs, fl.data) {
		invariant.Violated("simdisk.write-buffer-stable", "%s: %d bytes at %d changed in flight",
			fl.obj.name, len(fl.data), fl.off)
	}
	k := key{fl.obj, fl.ordinal}
	if err := d.writeFor(f, k, fl.off+int64(fl.from), fl.data[fl.from:]); err != nil {
		return 0, failed("write", fl.obj.name, err)
	}
	if fl.durable {
		if d.inject != nil {
			if err := d.inject.syncWrite(fl.handle, f, k); err != nil {
				return 0, failed("write", fl.obj.name, err)
			}
		}
		d.syncOne(f, fl.part)
		if d.cfg.FS == Ext4 {
			d.commitNames(f)
		}
	}
	return len(fl.data), nil
}

// checkOverlap holds callers to their word that writes in flight do not overlap, because
// the order in which they would reach the file is nobody's.
func (v *View) checkOverlap(r *request) {
	for fl := v.oldest; fl != nil; fl = fl.next {
		if fl.kind != OpWrite || fl.handle != r.handle {
			continue
		}
		if r.off < fl.off+int64(len(fl.data)) && fl.off < r.off+int64(len(r.data)) {
			invariant.Violated("simdisk.writes-apart", "%s: [%d,+%d) and [%d,+%d) in flight together",
				r.obj.name, fl.off, len(fl.data), r.off, len(r.data))
		}
	}
}

func (v *View) append(fl *flight) {
	fl.prev, fl.next = v.newest, nil
	if v.newest != nil {
		v.newest.next = fl
	} else {
		v.oldest = fl
	}
	v.newest = fl
	v.count++
	v.submitted++
	fl.seq = v.submitted
}

func (v *View) remove(fl *flight) {
	if fl.prev != nil {
		fl.prev.next = fl.next
	} else {
		v.oldest = fl.next
	}
	if fl.next != nil {
		fl.next.prev = fl.prev
	} else {
		v.newest = fl.prev
	}
	fl.prev, fl.next = nil, nil
	v.count--
	if fl.kind == OpWrite {
		fl.handle.writes--
	}
}

func sameBytes(bufs [][]byte, data []byte) bool {
	for _, b := range bufs {
		if !bytes.Equal(b, data[:len(b)]) {
			return false
		}
		data = data[len(b):]
	}
	return true
}

func failedIf(kind OpKind, path string, err error) error {
	if err == nil {
		return nil
	}
	return failed(kind.String(), path, err)
}
