package simdisk

import (
	"maps"
	"slices"
)

// CrashReport says what a crash did. Sums of reports are coverage.
type CrashReport struct {
	Power         bool
	InFlight      int // operations the process was waiting for
	WrittenBack   int // unsynced operations that had become durable by themselves
	OpsKept       int // unsynced operations that survived whole
	OpsDropped    int // unsynced operations of which nothing survived
	OpsTorn       int // unsynced operations of which a part survived
	SectorsTorn   int // sectors cut inside
	SizesWithout  int // files whose size survived where bytes did not
	Recycled      int // sectors that show a deleted file's bytes
	NamesLost     int // unsynced creations that did not survive
	RenamesLost   int // renames that did not survive
	RenamesDouble int // renames that left both names
	UnlinksLost   int // removals that did not survive
	DirsReordered int // directories whose names survived out of order
}

// Kill ends the process: the cache stays, a write in flight leaves all, none or a prefix.
func (d *Disk) Kill() CrashReport {
	if d.view != nil {
		d.view.die(false)
	}
	return d.crashOver()
}

// PowerLoss ends the process and leaves what was durable and a drawn part of the rest.
func (d *Disk) PowerLoss() CrashReport {
	d.crashes++
	if d.view != nil {
		d.view.die(true)
	}
	d.report.Power = true
	d.surviveNames(nil)
	d.root.vol.used = 0
	for _, vol := range d.volumes {
		vol.used, vol.shut = 0, false
	}
	d.rebuild(d.root, nil)
	return d.crashOver()
}

// remount makes a volume that was shut down usable: what was not synced has suffered a
// power loss, the rest of the machine has not.
func (d *Disk) remount(vol *volume) {
	d.crashes++
	d.surviveNames(vol)
	vol.used, vol.shut = 0, false
	d.rebuild(vol.top, vol)
	d.report = CrashReport{}
}

func (d *Disk) crashOver() CrashReport {
	report := d.report
	d.report, d.crashed, d.crashIn = CrashReport{}, false, 0
	return report
}

// die ends the process and settles what it had in flight. At a power loss a write counts
// as cached whole: what survives of it is drawn with all that was not synced.
func (v *View) die(power bool) {
	v.dead = true
	v.disk.report.InFlight += v.count
	for fl := v.oldest; fl != nil; fl = v.oldest {
		v.remove(fl)
		if fl.fault == nil {
			v.disk.abandon(fl, power)
		}
	}
}

func (d *Disk) abandon(fl *flight, power bool) {
	object, n := fl.obj.name, fl.ordinal
	if d.inject != nil && d.volumeOf(fl.obj).shut {
		return
	}
	switch fl.kind {
	case OpSyncDir:
		if !chance(d.cfg.Decide(purposeKillSync, object, n), 500) {
			_ = d.syncDir(fl.path, fl.mark) // nobody is left to hear of it
		}
		return
	case OpRemove:
		names := d.countNames(fl.path)
		d.removeAll(fl.path, names-int(below(d.cfg.Decide(purposeKillRemove, object, n), uint64(names+1))))
		return
	case OpRead, OpPrepare: // the file is there, as long as it was made by then
		return
	}
	if fl.handle.file == nil && chance(d.cfg.Decide(purposeKillCreate, object, n), 500) {
		return
	}
	f, err := fl.handle.ensure()
	switch {
	case err != nil:
	case fl.kind == OpWrite && power:
		_ = d.write(f, fl.off+int64(fl.from), fl.data[fl.from:])
	case fl.kind == OpWrite:
		off, data := fl.off+int64(fl.from), fl.data[fl.from:]
		_ = d.write(f, off, data[:d.killCut(fl.obj, n, off, len(data))])
	case fl.kind == OpSync && !chance(d.cfg.Decide(purposeKillSync, object, n), 500):
		d.sync(f, fl.mark)
	}
}

// killCut draws how many bytes of a write in flight reach the cache: all, none, or up to a
// page border.
func (d *Disk) killCut(obj *object, ordinal uint64, off int64, n int) int {
	switch below(d.cfg.Decide(purposeKillWrite, obj.name, ordinal), 3) {
	case 0:
		return n
	case 1:
		return 0
	}
	borders := (off+int64(n)-1)/pageSize - off/pageSize // page borders inside the write
	if n == 0 || borders == 0 {
		return 0
	}
	pick := 1 + int64(below(d.cfg.Decide(purposeKillCut, obj.name, ordinal), uint64(borders)))
	return int((off/pageSize+pick)*pageSize - off)
}

func (d *Disk) countNames(path string) int {
	n, err := d.lookup(path, false)
	if err != nil {
		return 0
	}
	return countBelow(n)
}

func countBelow(n node) int {
	count := 1
	if n.dir != nil {
		for _, name := range slices.Sorted(maps.Keys(n.dir.cached)) {
			count += countBelow(n.dir.cached[name])
		}
	}
	return count
}
