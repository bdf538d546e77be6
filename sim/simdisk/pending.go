package simdisk

import "github.com/tidemark-log/tidemark/core/env"

// pendingOp is a completed operation on a file's bytes or size that is not durable.
type pendingOp struct {
	resize  bool   // sets the size to off; otherwise a write of data at off
	grows   bool   // a write that extended the file: its size is a part of its own
	off     int64  // or the new size
	data    []byte // immutable
	ordinal uint64 // of the file's object; ascending in the list
	done    env.Instant
	lostAt  env.Instant // when its write-back fails; 0: it does not
	direct  bool        // it never was in the cache
}

func (op *pendingOp) end() int64 { return op.off + int64(len(op.data)) }

// sectors is the range [first, last) of the sectors a write touches.
func (op *pendingOp) sectors(size int64) (first, last int64) {
	return op.off / size, ceilDiv(op.end(), size)
}

// write puts data into the cache and onto the pending list. It keeps data.
func (d *Disk) write(f *file, off int64, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	end := off + int64(len(data))
	if err := f.extend(end); err != nil {
		return err
	}
	grows := end > f.size
	f.store(off, data)
	d.pend(f, pendingOp{off: off, data: data, grows: grows})
	return nil
}

// resize sets the size in the cache and pends it.
func (d *Disk) resize(f *file, size int64) error {
	if size == f.size {
		return nil
	}
	if err := f.extend(size); err != nil {
		return err
	}
	if size < f.size && !f.removed {
		f.vol.used -= f.size - size
	}
	f.resizeCache(size)
	d.pend(f, pendingOp{resize: true, off: size})
	return nil
}

func (d *Disk) pend(f *file, op pendingOp) {
	op.ordinal = f.obj.next()
	f.lastOp = op.ordinal
	op.done = d.cfg.Now()
	if d.inject != nil {
		d.inject.doom(f, &op)
	}
	f.pending = append(f.pending, op)
	f.pendingBytes += len(op.data)
	if len(f.pending) > PendingOpsMax || f.pendingBytes > PendingBytesMax {
		d.harden(f, f.pending[len(f.pending)/2].ordinal, nil)
	}
}

// sync makes durable what was pending at mark, and some of what came later, as a kernel
// does that finds more dirty pages on its way.
func (d *Disk) sync(f *file, mark uint64) {
	d.harden(f, mark, func(op *pendingOp) bool {
		return chance(d.cfg.Decide(purposeLateSync, f.obj.name, op.ordinal), 500)
	})
	if d.cfg.FS == Ext4 {
		d.commitNames(f)
	}
}

// syncOne makes the last pending operation durable, as a durable write does, and the part
// of it that went ahead; 0: none.
func (d *Disk) syncOne(f *file, part uint64) {
	last := f.lastOp
	d.harden(f, 0, func(op *pendingOp) bool { return op.ordinal == last || op.ordinal == part })
}

// writeBack makes durable what would be so by itself, by its age, and counts it.
func (d *Disk) writeBack(f *file) int {
	if d.cfg.WriteBackMean <= 0 {
		return 0
	}
	now, before := d.cfg.Now(), len(f.pending)
	d.harden(f, 0, func(op *pendingOp) bool {
		decision := d.cfg.Decide(purposeWriteBack, f.obj.name, op.ordinal)
		// Calm is late here, so the decision counts backwards.
		return decision != 0 && op.done.Add(exponential(^decision, d.cfg.WriteBackMean)) <= now
	})
	return before - len(f.pending)
}

// harden makes durable all operations up to the ordinal mark and those later ones that also
// picks. Who is picked takes earlier ones along that touch the same sectors or change the
// size: a page is written back as it is, not as one of the writes to it left it.
func (d *Disk) harden(f *file, mark uint64, also func(*pendingOp) bool) {
	if d.inject != nil {
		d.inject.harden(f, mark, also)
		return
	}
	d.hardenRaw(f, mark, also)
}

// hardenRaw is harden on a device that works.
func (d *Disk) hardenRaw(f *file, mark uint64, also func(*pendingOp) bool) {
	n := len(f.pending)
	if n == 0 {
		return
	}
	if f.pending[n-1].ordinal <= mark || (n == 1 && also != nil && also(&f.pending[0])) {
		f.hardenAll()
		return
	}
	f.pass++
	picked := f.picks(mark, also)
	kept := f.pending[:0]
	for i := range f.pending {
		op := f.pending[i]
		if picked[i] {
			f.hardenOp(&op)
			f.pendingBytes -= len(op.data)
		} else {
			kept = append(kept, op)
		}
	}
	clear(f.pending[len(kept):])
	f.pending = kept
}

func (f *file) picks(mark uint64, also func(*pendingOp) bool) []bool {
	picked := make([]bool, len(f.pending))
	for k := len(f.pending) - 1; k >= 0; k-- {
		op := &f.pending[k]
		if op.ordinal <= mark || (also != nil && also(op)) {
			picked[k] = true
		}
		if !picked[k] || op.ordinal <= mark {
			continue
		}
		for j := range k {
			if !picked[j] && f.conflict(&f.pending[j], op) {
				picked[j] = true
			}
		}
	}
	return picked
}

func (f *file) conflict(a, b *pendingOp) bool {
	if a.resize || b.resize {
		return true
	}
	firstA, lastA := a.sectors(f.sector)
	firstB, lastB := b.sectors(f.sector)
	return firstA < lastB && firstB < lastA
}

// hardenAll is the short way: the durable state becomes the cached one by sharing blocks.
func (f *file) hardenAll() {
	for i := range f.pending {
		op := &f.pending[i]
		if op.resize {
			f.eachSlotFrom(op.off/f.sector, (*slot).harden)
			continue
		}
		for s, last := op.sectors(f.sector); s < last; s++ {
			sl := f.slot(s)
			sl.durable = sl.cache
		}
	}
	f.durableSize = f.size
	f.dropPending()
}

// hardenOp applies one operation to the durable state. A block that is on the device is
// also covered by the size there.
func (f *file) hardenOp(op *pendingOp) {
	if op.resize {
		f.resizeDurable(op.off)
		return
	}
	for s, last := op.sectors(f.sector); s < last; s++ {
		f.hardenSector(op, s)
	}
	f.durableSize = max(f.durableSize, op.end())
}

func (f *file) resizeDurable(size int64) {
	if size < f.durableSize {
		f.trimDurable(size)
	}
	f.durableSize = size
}

// hardenSector applies what the write op has for sector s to the durable state.
func (f *file) hardenSector(op *pendingOp, s int64) {
	f.hardenBytes(op, s, op.end())
}

// hardenBytes is hardenSector with the bytes before end only. Durable blocks are not
// changed in place, because the cache may share them, except one made in the same pass.
func (f *file) hardenBytes(op *pendingOp, s, end int64) *block {
	from, to := max(op.off, s*f.sector), min(end, (s+1)*f.sector)
	sl, part := f.slot(s), op.data[from-op.off:to-op.off]
	switch {
	case len(part) < int(f.sector):
		if sl.durable == nil || sl.durable.pass != f.pass {
			sl.durable = f.copied(sl.durable)
			sl.durable.pass = f.pass
			if sl.cache != nil && sl.cache.scar == nil {
				sl.durable.scar = nil // a page is written back whole, and this one is well
			}
		}
		sl.durable.put(int(from-s*f.sector), part)
	case sl.cache != nil && &sl.cache.data[0] == &part[0]:
		sl.durable = sl.cache
	default:
		sl.durable = &block{data: part, frozen: true}
	}
	return sl.durable
}

func (f *file) dropPending() {
	clear(f.pending)
	f.pending = f.pending[:0]
	f.pendingBytes = 0
}
