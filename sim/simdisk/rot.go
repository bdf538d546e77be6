package simdisk

import (
	"bytes"

	"github.com/tidemark-log/tidemark/core/env"
)

// rot flips 1 to 8 bits of a sector on the device. nil: vetoed, or nothing to flip.
func (in *injector) rot(f *file, k key, sector int64, decision uint64) *fault {
	b := f.peek(sector).durable
	size := min(f.sector, f.durableSize-sector*f.sector)
	if b == nil || b.scar != nil || size <= 0 || len(in.scars) >= DamagedSectorsMax {
		return nil
	}
	ft := in.offer(purposeRot, k, FaultEvent{Kind: FaultBitRot, Path: f.obj.name,
		Off: sector * f.sector, Len: size})
	if ft == nil {
		return nil
	}
	shown := bytes.Clone(b.data)
	first := draw(decision, 1, uint64(size)*8)
	for i := range 1 + draw(decision, 0, 8) {
		// Distances of one to eight bytes: bits that fall together, and no two the same.
		bit := (first + i*(7+draw(decision, 2, 57))) % (uint64(size) * 8)
		shown[bit/8] ^= 1 << (bit % 8)
	}
	if bytes.Equal(shown, b.data) {
		shown[first/8] ^= 1 << (first % 8)
	}
	in.hurt(f, sector, ft, shown)
	in.fire(ft)
	return ft
}

// die makes a sector of the device unreadable. nil: vetoed, or not possible.
func (in *injector) die(f *file, k key, sector int64) *fault {
	size := min(f.sector, f.durableSize-sector*f.sector)
	b := f.peek(sector).durable
	if b == nil || b.scar != nil || size <= 0 || len(in.scars) >= DamagedSectorsMax {
		return nil
	}
	ft := in.offer(purposeLatent, k, FaultEvent{Kind: FaultLatentSector, Path: f.obj.name,
		Off: sector * f.sector, Len: size, Err: env.ErrIO})
	if ft != nil {
		in.hurt(f, sector, ft, nil)
		in.fire(ft)
	}
	return ft
}

// read is a read of a process, from a device that may be broken.
func (in *injector) read(f *file, k key, buf []byte, off int64) (int, error) {
	n := int(max(0, min(int64(len(buf)), f.size-off)))
	if n > 0 {
		in.evict(f, k, off, n)
		in.failRead(f, k, off, n)
	}
	if f.scarred {
		if err := in.notice(f, off, n); err != nil {
			return 0, err
		}
	}
	n = f.read(buf, off, f.size, false)
	in.misread(f, k, buf[:n], off)
	return n, nil
}

// failRead draws a latent error for one of the sectors that a read asks for.
func (in *injector) failRead(f *file, k key, off int64, n int) {
	decision, hit := in.decide(in.LatentSector, purposeLatent, k)
	if !hit {
		return
	}
	first, last := off/f.sector, ceilDiv(off+int64(n), f.sector)
	sector := first + int64(draw(decision, 0, uint64(last-first)))
	if f.dirty(sector) {
		return // it is in the cache, and the device is not asked
	}
	if in.die(f, k, sector) != nil {
		f.forget(sector)
	}
}

// notice tells which damage a read of n bytes meets; that of a dead sector is an error.
func (in *injector) notice(f *file, off int64, n int) error {
	end := off + int64(n)
	unbacked := false
	for s := off / f.sector; s*f.sector < end; s++ {
		sl := f.peek(s)
		if b := sl.cache; b != nil && b.scar != nil && !b.scar.by.off {
			from, to := max(off-s*f.sector, 0), min(end-s*f.sector, f.sector)
			if b.dead() || !bytes.Equal(b.data[from:to], b.scar.shown[from:to]) {
				in.observe(b.scar.by)
			}
			if b.dead() {
				return env.ErrIO
			}
		}
		unbacked = unbacked || sl.unbacked()
	}
	if unbacked {
		in.d.counts.UnbackedReads++
	}
	return nil
}

// deadEdge reports that a write would have to read a dead sector first, because it has a
// part of it only.
func (in *injector) deadEdge(f *file, off int64, n int) bool {
	end := off + int64(n)
	for _, edge := range [2]int64{off, end} {
		if edge%f.sector == 0 {
			continue
		}
		if b := f.peek(edge / f.sector).cache; b.dead() {
			in.observe(b.scar.by)
			return true
		}
	}
	return false
}

// evict draws that the clean pages of a read have left the cache.
func (in *injector) evict(f *file, k key, off int64, n int) {
	if !f.diverged {
		return
	}
	if _, hit := in.decide(in.Evict, purposeEvict, k); !hit {
		return
	}
	for s := off / f.sector; s*f.sector < off+int64(n); s++ {
		if sl := f.peek(s); sl.unbacked() && f.forget(s) {
			in.d.counts.Evictions++
		}
	}
}

// rotWritten draws rot for the sectors that an operation has made durable.
func (in *injector) rotWritten(f *file, op *pendingOp) {
	first, last := op.sectors(f.sector)
	for s := first; s < last; s++ {
		k := key{f.obj, op.ordinal<<24 | uint64(s-first)}
		if decision, hit := in.decide(in.BitRot, purposeRot, k); hit {
			in.rot(f, k, s, decision)
		}
	}
}
