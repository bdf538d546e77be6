package simdisk

// surviveBytes draws what a power loss leaves of a file's pending operations and makes the
// cache agree with it.
func (d *Disk) surviveBytes(f *file) {
	if d.inject != nil {
		d.inject.loseDue(f)
	}
	d.report.WrittenBack += d.writeBack(f)
	if len(f.pending) == 0 {
		f.revertClean()
		return
	}
	f.obj.crashes++
	f.pass++
	s := survivor{d: d, f: f, crash: f.obj.crashes}
	s.apply()
	f.trimDurable(f.durableSize)
	s.recycle()
	s.revert()
}

// survivor is one file at one power loss.
type survivor struct {
	d     *Disk
	f     *file
	crash uint64
	lost  []int // the writes of which a part is missing, by their place in the list
}

func (s *survivor) decide(purpose string) uint64 {
	return s.d.cfg.Decide(purpose, s.f.obj.name, s.crash)
}

// decideOp is keyed by the operation and the sector inside of it.
func (s *survivor) decideOp(purpose string, op *pendingOp, sector int64) uint64 {
	return s.d.cfg.Decide(purpose, s.f.obj.name, op.ordinal<<24|uint64(sector))
}

// apply draws the mode and brings the survivors to the durable state, in order. A durable
// size may be too small for the bytes while it runs.
func (s *survivor) apply() {
	w, n := s.d.cfg.Survival, uint64(len(s.f.pending))
	total := w.All + w.None + w.Prefix + w.Subset + w.Sectors + w.TornLast
	at := int(below(s.decide(purposeMode), uint64(total)))
	within := func(weight int) bool {
		at -= weight
		return at < 0
	}
	switch {
	case within(w.All):
		s.prefix(n)
	case within(w.None):
		s.prefix(0)
	case within(w.Prefix):
		s.prefix(below(s.decide(purposeCut), n+1))
	case within(w.Subset):
		s.each(s.wholeOrNot)
	case within(w.Sectors):
		s.each(s.bySector)
	default:
		s.tornLast(below(s.decide(purposeCut), n))
	}
}

func (s *survivor) prefix(n uint64) {
	for i := range s.f.pending {
		if uint64(i) < n {
			s.f.hardenOp(&s.f.pending[i])
			s.d.report.OpsKept++
		} else {
			s.drop(i)
		}
	}
}

func (s *survivor) drop(i int) {
	s.d.report.OpsDropped++
	s.lost = append(s.lost, i)
}

// each gives every operation its own fate; a resize is whole or not at all in any case.
func (s *survivor) each(fate func(i int, op *pendingOp)) {
	for i := range s.f.pending {
		op := &s.f.pending[i]
		if !op.resize {
			fate(i, op)
			continue
		}
		if chance(s.decideOp(purposeSize, op, 0), 500) {
			s.drop(i)
			continue
		}
		s.f.resizeDurable(op.off)
		s.d.report.OpsKept++
	}
}

func (s *survivor) wholeOrNot(i int, op *pendingOp) {
	if chance(s.decideOp(purposeData, op, 0), 500) {
		s.drop(i)
	} else {
		first, last := op.sectors(s.f.sector)
		for k := first; k < last; k++ {
			s.f.hardenSector(op, k)
		}
		s.d.report.OpsKept++
	}
	s.surviveSize(op, op.end())
}

func (s *survivor) bySector(i int, op *pendingOp) {
	first, last := op.sectors(s.f.sector)
	kept := int64(0)
	for k := first; k < last; k++ {
		if !chance(s.decideOp(purposeData, op, k-first), 500) {
			s.f.hardenSector(op, k)
			kept++
		}
	}
	switch kept {
	case 0:
		s.drop(i)
	case last - first:
		s.d.report.OpsKept++
	default:
		s.d.report.OpsTorn++
		s.lost = append(s.lost, i)
	}
	s.surviveSize(op, op.end())
}

// surviveSize draws the size that a write brought along.
func (s *survivor) surviveSize(op *pendingOp, end int64) {
	if op.grows && !chance(s.decideOp(purposeSize, op, 0), 500) {
		s.f.durableSize = max(s.f.durableSize, end)
	}
}

// tornLast keeps n operations and a byte prefix of the next one.
func (s *survivor) tornLast(n uint64) {
	s.prefix(n)
	op := &s.f.pending[n]
	if op.resize || len(op.data) < 2 {
		return
	}
	s.d.report.OpsDropped--
	s.d.report.OpsTorn++
	cut := op.off + 1 + int64(below(s.decide(purposeData), uint64(len(op.data)-1)))
	for k := op.off / s.f.sector; k*s.f.sector < cut; k++ {
		b := s.f.hardenBytes(op, k, cut)
		if (k+1)*s.f.sector > cut {
			s.tear(op, b, cut)
		}
	}
	if op.grows {
		end := op.end()
		if chance(s.decideOp(purposeSize, op, 0), 500) {
			end = cut
		}
		s.f.durableSize = max(s.f.durableSize, end)
	}
}

// tear gives the rest of the cut sector, as far as the write went: old, zero or random.
func (s *survivor) tear(op *pendingOp, b *block, cut int64) {
	s.d.report.SectorsTorn++
	sector := cut / s.f.sector * s.f.sector
	rest := b.data[cut-sector : min(op.end()-sector, s.f.sector)]
	decision := s.decide(purposeFill)
	switch below(decision, 3) {
	case 1:
		clear(rest)
	case 2:
		for i := range rest {
			rest[i] = byte(mix(decision, uint64(i)) >> 32)
		}
	}
	if b.scar != nil && b.scar.shown != nil {
		copy(b.scar.shown[cut-sector:], rest)
	}
}

// recycle finds the sectors that the size covers and no write reached. They read as
// zeroes, or, by chance, as a deleted file's: whole batches with good checksums.
func (s *survivor) recycle() {
	var holes []*slot
	for _, i := range s.lost {
		op := &s.f.pending[i]
		if op.resize {
			continue
		}
		for k, last := op.sectors(s.f.sector); k < last && k*s.f.sector < s.f.durableSize; k++ {
			if s.f.peek(k).durable == nil {
				holes = append(holes, s.f.slot(k))
			}
		}
	}
	if len(holes) == 0 {
		return
	}
	s.d.report.SizesWithout++
	if chance(s.decide(purposeRecycled), s.d.cfg.RecycledPerMille) {
		s.fill(holes)
	}
}

func (s *survivor) fill(holes []*slot) {
	graves := s.f.vol.deleted
	if len(graves) == 0 {
		return
	}
	from := graves[below(s.decide(purposeFill), uint64(len(graves)))]
	sectors := uint64(ceilDiv(from.durableSize, from.sector))
	start := int64(below(s.decide(purposeCut), max(1, sectors)))
	for i, hole := range holes {
		b := from.peek(start + int64(i)).durable
		if b == nil || b.scar != nil || hole.durable != nil {
			continue
		}
		b.frozen = true
		hole.durable = b
		s.d.report.Recycled++
	}
	s.f.trimDurable(s.f.durableSize)
}

// revert makes the cache what is durable. Only what was pending can differ.
func (s *survivor) revert() {
	f := s.f
	for i := range f.pending {
		op := &f.pending[i]
		if op.resize {
			f.eachSlotFrom(0, func(sl *slot) { sl.cache = sl.durable })
			break
		}
		for k, last := op.sectors(f.sector); k < last; k++ {
			sl := f.slot(k)
			sl.cache = sl.durable
		}
	}
	f.size = f.durableSize
	f.dropPending()
	f.revertClean()
}

// revertClean is revert for pages that count as clean and are not what the device has.
func (f *file) revertClean() {
	if f.diverged {
		f.eachSlotFrom(0, func(sl *slot) { sl.cache = sl.durable })
	}
}
