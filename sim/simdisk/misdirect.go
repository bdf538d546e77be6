package simdisk

import "bytes"

// misdirect draws that the device puts an operation it was given somewhere else: whole
// sectors, of the same file or another one of the volume. It has been made durable where
// it belongs, so that there is a truth to be hidden.
func (in *injector) misdirect(f *file, op *pendingOp, before []loss) {
	k := key{f.obj, op.ordinal}
	decision, hit := in.decide(in.MisdirectedWrite, purposeMisdirect, k)
	if !hit || len(before) == 0 || in.astray(f.vol) {
		return
	}
	first, last := op.sectors(f.sector)
	victim, at := in.victim(f, first, last-first, decision)
	if victim == nil || !f.written(first, last) {
		return
	}
	ft := in.offer(purposeMisdirect, k, FaultEvent{Kind: FaultMisdirectedWrite, Path: f.obj.name,
		Off: first * f.sector, Len: (last - first) * f.sector,
		Other: victim.obj.name, OtherOff: at * f.sector})
	if ft == nil {
		return
	}
	for s := first; s < last; s++ {
		in.hurt(victim, at+s-first, ft, f.peek(s).durable.data)
		victim.forget(at + s - first)
	}
	for _, l := range before {
		in.hurt(f, l.sector, ft, l.old)
		if op.direct {
			f.forget(l.sector)
		}
	}
	f.vol.astray = ft
	in.fire(ft)
}

// astray reports that a misdirected write of the volume has not been overwritten yet.
func (in *injector) astray(vol *volume) bool {
	if vol.astray == nil {
		return false
	}
	in.prune()
	if vol.astray.live == 0 {
		vol.astray = nil
	}
	return vol.astray != nil
}

// victim draws n sectors that hold something: seven times of ten in the same file.
func (in *injector) victim(f *file, first, n int64, decision uint64) (*file, int64) {
	var others []*file
	in.d.eachFile(true, func(_ string, g *file) {
		if g != f && g.vol == f.vol && g.durableSize >= n*g.sector {
			others = append(others, g)
		}
	})
	low, high := f.room(first, n)
	switch {
	case low+high > 0 && (len(others) == 0 || draw(decision, 0, 10) < 7):
		at := int64(draw(decision, 1, uint64(low+high)))
		if at >= low {
			at += first + n - low
		}
		return f.untouched(at, n)
	case len(others) > 0:
		g := others[draw(decision, 1, uint64(len(others)))]
		return g.untouched(int64(draw(decision, 2, uint64(g.durableSize/g.sector-n+1))), n)
	}
	return nil, 0
}

// written reports that the device has all of these sectors; a truncation may have followed
// the write.
func (f *file) written(first, last int64) bool {
	for s := first; s < last; s++ {
		if f.peek(s).durable == nil {
			return false
		}
	}
	return true
}

// room counts the places for n sectors in a file, before and after those from first on.
func (f *file) room(first, n int64) (low, high int64) {
	places := f.durableSize/f.sector - n + 1
	return max(0, min(places, first-n+1)), max(0, places-(first+n))
}

// untouched gives the place up when some of it is damaged or about to be written.
func (f *file) untouched(at, n int64) (*file, int64) {
	for s := at; s < at+n; s++ {
		if b := f.peek(s).durable; f.dirty(s) || (b != nil && b.scar != nil) {
			return nil, 0
		}
	}
	return f, at
}

// misread draws that a read shows, in one sector, the bytes of another one or those that
// it held before. What comes out alike was no fault.
func (in *injector) misread(f *file, k key, got []byte, off int64) {
	decision, hit := in.decide(in.WrongRead, purposeWrongRead, k)
	if !hit || len(got) == 0 {
		return
	}
	first, last := off/f.sector, ceilDiv(off+int64(len(got)), f.sector)
	sector := first + int64(draw(decision, 0, uint64(last-first)))
	from, to := max(off, sector*f.sector), min(off+int64(len(got)), (sector+1)*f.sector)
	wrong, other := in.wrongSector(f, sector, decision)
	if wrong == nil || f.dirty(sector) {
		return
	}
	part, shown := got[from-off:to-off], wrong[from-sector*f.sector:to-sector*f.sector]
	if bytes.Equal(part, shown) {
		return
	}
	ft := in.offer(purposeWrongRead, k, FaultEvent{Kind: FaultWrongRead, Path: f.obj.name,
		Off: from, Len: to - from, Other: f.obj.name, OtherOff: other * f.sector})
	if ft != nil {
		copy(part, shown)
		in.observe(ft)
	}
}

// wrongSector draws what to show instead: the older bytes, if they are known, or another
// place.
func (in *injector) wrongSector(f *file, sector int64, decision uint64) ([]byte, int64) {
	if old := f.before[sector]; old != nil && draw(decision, 1, 2) == 0 {
		return old.bytes(), sector
	}
	other := int64(draw(decision, 2, uint64(max(1, ceilDiv(f.durableSize, f.sector)))))
	if b := f.peek(other).durable; b != nil && other != sector {
		return b.bytes(), other
	}
	if old := f.before[sector]; old != nil {
		return old.bytes(), sector
	}
	return nil, 0
}
