package simdisk

import "bytes"

// scar is what is wrong with a block. The block's data stay what they should be; the scar
// has what is shown instead, so that damage can be listed and switched off. A block that
// replaces a scarred one has no scar: overwriting heals, and where a power loss takes the
// overwriting back, the scar is back too.
type scar struct {
	by    *fault
	shown []byte
	dead  bool // unreadable; shown is nil
}

// bytes are what a reader sees.
func (b *block) bytes() []byte {
	if b.scar == nil || b.scar.dead || b.scar.by.off {
		return b.data
	}
	return b.scar.shown
}

func (b *block) dead() bool { return b != nil && b.scar != nil && b.scar.dead && !b.scar.by.off }

// put changes a block that may be changed in place.
func (b *block) put(in int, part []byte) {
	copy(b.data[in:], part)
	if b.scar != nil && b.scar.shown != nil {
		copy(b.scar.shown[in:], part)
		b.compare()
	}
}

func (b *block) zero(in int) {
	clear(b.data[in:])
	if b.scar != nil && b.scar.shown != nil {
		clear(b.scar.shown[in:])
		b.compare()
	}
}

// compare drops a scar under which nothing is left that differs.
func (b *block) compare() {
	if bytes.Equal(b.data, b.scar.shown) {
		b.scar = nil
	}
}

func (s *scar) clone() *scar {
	if s == nil {
		return nil
	}
	return &scar{by: s.by, shown: bytes.Clone(s.shown), dead: s.dead}
}

// unbacked says that the cache shows a sector well that is damaged on the device, while
// nothing of it waits to be written.
func (s *slot) unbacked() bool {
	return s.durable != nil && s.durable.scar != nil && s.cache != nil && s.cache.scar == nil &&
		&s.cache.data[0] == &s.durable.data[0]
}

// harden makes the cached block durable, unless they are one page and only the device's
// copy is damaged: then nothing of it was to be written.
func (s *slot) harden() {
	if !s.unbacked() {
		s.durable = s.cache
	}
}

// visible is what the device would show of a sector: nil is zeroes.
func (f *file) visible(sector int64) []byte {
	if b := f.peek(sector).durable; b != nil {
		return b.bytes()
	}
	return nil
}

// dirty reports that a pending operation touches a sector.
func (f *file) dirty(sector int64) bool {
	for i := range f.pending {
		op := &f.pending[i]
		first, last := op.sectors(f.sector)
		if op.resize {
			last = sector + 1
		}
		if first <= sector && sector < last {
			return true
		}
	}
	return false
}

// scarAt is where an instance has damaged a sector on the device.
type scarAt struct {
	file   *file
	sector int64
	by     *fault
}

// scars reports whether the damage is in the cache and on the device.
func (s scarAt) holds() (cached, durable bool) {
	sl := s.file.peek(s.sector)
	return sl.cache != nil && sl.cache.scar != nil && sl.cache.scar.by == s.by,
		sl.durable != nil && sl.durable.scar != nil && sl.durable.scar.by == s.by
}

// hurt damages a sector of the device: shown nil makes it unreadable. A page in the cache
// stays as it is, until it leaves the cache.
func (in *injector) hurt(f *file, sector int64, by *fault, shown []byte) {
	sl := f.slot(sector)
	b := sl.durable
	if b == nil {
		b = f.copied(nil)
		if sl.cache == nil {
			sl.cache = b
		}
	}
	b.frozen = true
	if b.scar == nil && sl.cache != nil && sl.cache.scar == nil && !f.dirty(sector) {
		sl.cache = b // equal bytes, and from now on the same memory: see unbacked
	}
	sl.durable = &block{data: b.data, frozen: true, scar: &scar{by: by, shown: shown, dead: shown == nil}}
	f.scarred = true
	in.scars = append(in.scars, scarAt{f, sector, by})
	by.live++
	if !f.diverged {
		f.diverged = true
		in.diverged = append(in.diverged, f)
	}
	if len(in.scars) > in.scarsMax {
		in.prune()
		in.scarsMax = 2*len(in.scars) + scarsMin
	}
}

// forget drops a clean page from the cache: reads go to the device.
func (f *file) forget(sector int64) bool {
	sl := f.slot(sector)
	if sl.durable == sl.cache || f.dirty(sector) {
		return false
	}
	sl.cache = sl.durable
	return true
}

// prune drops damage that is gone.
func (in *injector) prune() {
	kept := in.scars[:0]
	for _, s := range in.scars {
		if cached, durable := s.holds(); cached || durable {
			kept = append(kept, s)
			continue
		}
		s.by.live--
		if s.by.live == 0 {
			in.d.counts.Healed++
		}
	}
	clear(in.scars[len(kept):])
	in.scars = kept
}

// forgetAll drops the clean pages of damaged files from the cache.
func (in *injector) forgetAll() {
	kept := in.diverged[:0]
	for _, f := range in.diverged {
		if f.forgetClean(); f.diverged {
			kept = append(kept, f)
		}
	}
	clear(in.diverged[len(kept):])
	in.diverged = kept
}

func (f *file) forgetClean() {
	f.diverged = false
	for c := range f.chunks {
		if f.chunks[c] == nil {
			continue
		}
		for k := range f.chunks[c] {
			if s := int64(c*chunkSectors + k); f.chunks[c][k].unbacked() && !f.forget(s) {
				f.diverged = true
			}
		}
	}
}
