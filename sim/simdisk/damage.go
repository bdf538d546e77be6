package simdisk

import "github.com/tidemark-log/tidemark/core/env"

// Damage is a run of bytes that a device shows wrongly or not at all, until they are
// overwritten. It ends at a sector's border or at the end of the file.
type Damage struct {
	ID   uint64 // of the fault
	Kind FaultKind
	// Path is the file's name in the cache, or else its durable name; "" if it has none.
	Path string
	Off  int64
	Len  int64
	// Cached: reads show it now. Durable: the device has it, and a power loss or an
	// eviction will show it. Overwritten bytes that were not synced are Durable only.
	Cached, Durable bool
	// Off: switched off, so that neither shows.
	SwitchedOff bool
}

// Damages lists what is damaged now, in the order in which it happened.
func (d *Disk) Damages() []Damage {
	if d.inject == nil {
		return nil
	}
	d.inject.prune()
	for _, s := range d.inject.scars {
		s.file.path = ""
	}
	for _, durable := range []bool{true, false} {
		d.eachFile(durable, func(path string, f *file) { f.path = path })
	}
	var all []Damage
	for _, s := range d.inject.scars {
		dm := Damage{ID: s.by.ev.ID, Kind: s.by.ev.Kind, Path: s.file.path, SwitchedOff: s.by.off}
		dm.Cached, dm.Durable = s.holds()
		size := s.file.durableSize
		if dm.Cached {
			size = max(size, s.file.size)
		}
		dm.Off = s.sector * s.file.sector
		dm.Len = min(s.file.sector, size-dm.Off)
		if dm.Len > 0 {
			all = dm.appendTo(all)
		}
	}
	return all
}

// appendTo makes one run of what touches.
func (dm Damage) appendTo(all []Damage) []Damage {
	if n := len(all); n > 0 {
		last := &all[n-1]
		longer := dm
		longer.Off, longer.Len = last.Off, last.Len
		if longer == *last && last.Off+last.Len == dm.Off {
			last.Len += dm.Len
			return all
		}
	}
	return append(all, dm)
}

// SwitchDamage hides the damage of an instance, or shows it again: with all of it hidden,
// every byte is what was put there. Sizes that a fault changed stay.
func (d *Disk) SwitchDamage(id uint64, on bool) {
	if d.inject == nil {
		return
	}
	for _, s := range d.inject.scars {
		if s.by.ev.ID == id {
			s.by.off = !on
		}
	}
}

// FlipBits rots the sector that holds the byte at off of a file, now and as the page had
// left the cache: for scenarios that know where. It returns the instance, 0 if vetoed.
func (d *Disk) FlipBits(path string, off int64) (id uint64, err error) {
	return d.hurtAt(path, off, func(in *injector, f *file, k key, sector int64) *fault {
		return in.rot(f, k, sector, in.d.cfg.Decide(purposeRot, k.obj.name, k.ordinal))
	})
}

// FailSector makes the sector that holds the byte at off unreadable, likewise.
func (d *Disk) FailSector(path string, off int64) (id uint64, err error) {
	return d.hurtAt(path, off, func(in *injector, f *file, k key, sector int64) *fault {
		return in.die(f, k, sector)
	})
}

func (d *Disk) hurtAt(path string, off int64, act func(*injector, *file, key, int64) *fault) (uint64, error) {
	n, err := d.lookup(path, false)
	switch {
	case err != nil:
		return 0, failed("damage", path, err)
	case n.file == nil:
		return 0, failed("damage", path, errIsDir)
	}
	f := n.file
	if off < 0 || off >= f.durableSize || f.peek(off/f.sector).durable == nil {
		return 0, failed("damage", path, env.ErrNotExist)
	}
	in := d.injector()
	ft := act(in, f, key{f.obj, f.obj.next()}, off/f.sector)
	if ft == nil {
		return 0, nil
	}
	f.forget(off / f.sector)
	return ft.ev.ID, nil
}
