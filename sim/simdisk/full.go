package simdisk

import "github.com/tidemark-log/tidemark/core/env"

// setFullAt decides where a full volume is felt.
func (in *injector) setFullAt(vol *volume) {
	at := in.FullAt
	if at == FullDrawn && in.FullEvery > 0 {
		at = FullAtWrite + FullAt(below(in.d.cfg.Decide(purposeFullAt, vol.obj.name, 0), 3))
	}
	vol.overcommit, vol.fullNames = at == FullAtSync, at == FullAtNames
}

// tick begins and ends the times in which somebody else fills a volume. The room there is
// at the beginning is little, and what files leave behind meanwhile adds to it.
func (in *injector) tick(vol *volume) {
	now := in.d.cfg.Now()
	if vol.full.fault != nil && now >= vol.full.to {
		vol.bound = vol.capacity
		in.tell(vol.full.fault, FaultEnded)
		vol.full.fault = nil
	}
	if in.FullEvery <= 0 || vol.full.fault != nil {
		return
	}
	n := uint64(now) / uint64(in.FullEvery)
	for _, n := range [2]uint64{max(n, 1) - 1, n} {
		if vol.full.asked && n <= vol.full.number {
			continue
		}
		if w := in.windowOf(purposeFull, vol, n, in.FullEvery, in.FullMean); w.from <= now && now < w.to {
			in.fill(vol, w)
			return
		}
	}
}

func (in *injector) fill(vol *volume, w window) {
	w.asked = true
	k := key{vol.obj, w.number}
	w.fault = in.offer(purposeFull, k, FaultEvent{Kind: FaultFull, Volume: vol.obj.name,
		From: w.from, To: w.to, Err: env.ErrNoSpace})
	vol.full = w
	if w.fault == nil {
		return
	}
	in.tell(w.fault, FaultArmed)
	room := int64(0)
	if !vol.fullNames {
		room = int64(draw(in.d.cfg.Decide(purposeFull, vol.obj.name, w.number), 2, fullRoomMax))
	}
	vol.bound = max(1, vol.used+room)
	if vol.capacity > 0 {
		vol.bound = min(vol.bound, vol.capacity)
	}
}

// noteFull reports that somebody met the bound of a volume.
func (in *injector) noteFull(vol *volume) {
	if vol.full.fault != nil {
		in.observe(vol.full.fault)
	}
}

// partial is the part of a write that a volume without room for all of it still takes: it
// ends at a page border.
func (in *injector) partial(f *file, k key, off int64, n int) int {
	room := f.size + max(0, f.vol.bound-f.vol.used)
	fits := min(off+int64(n), room)/pageSize*pageSize - off
	if fits <= 0 || !(Always / 2).hits(in.d.cfg.Decide(purposePartialWrite, k.obj.name, k.ordinal)) {
		return 0
	}
	return int(min(fits, int64(n)))
}

// admitName says whether a directory of the volume has room for one more name.
func (d *Disk) admitName(vol *volume) error {
	if d.inject == nil {
		return nil
	}
	d.inject.tick(vol)
	if vol.fullNames && vol.bound > 0 && vol.used+int64(d.cfg.SectorSize) > vol.bound {
		d.inject.noteFull(vol)
		return env.ErrNoSpace
	}
	return nil
}

// write is a write into the cache of a device that may be broken.
func (in *injector) write(f *file, k key, off int64, data []byte) error {
	in.tick(f.vol)
	if f.scarred && in.deadEdge(f, off, len(data)) {
		return env.ErrIO
	}
	if cut, failed := in.writeFails(k, off, len(data)); failed {
		_ = in.d.write(f, off, data[:cut])
		return env.ErrIO
	}
	err := in.d.write(f, off, data)
	if err != nil {
		in.noteFull(f.vol)
		_ = in.d.write(f, off, data[:in.partial(f, k, off, len(data))])
	}
	return err
}

// resize is a truncation on such a device.
func (in *injector) resize(f *file, size int64) error {
	in.tick(f.vol)
	err := in.d.resize(f, size)
	if err != nil {
		in.noteFull(f.vol)
	}
	return err
}

// writeFails draws an error and how much of the write is there all the same.
func (in *injector) writeFails(k key, off int64, n int) (cut int, fails bool) {
	decision, hit := in.decide(in.WriteError, purposeWriteError, k)
	if !hit || n == 0 {
		return 0, false
	}
	ft := in.offer(purposeWriteError, k, FaultEvent{Kind: FaultWriteError, Path: k.obj.name,
		Off: off, Len: int64(n), Err: env.ErrIO})
	if ft == nil {
		return 0, false
	}
	in.observe(ft)
	borders := (off+int64(n)-1)/pageSize - off/pageSize
	if pick := int64(draw(decision, 0, uint64(borders+1))); pick > 0 {
		cut = int((off/pageSize+pick)*pageSize - off)
	}
	return cut, true
}
