package simdisk

import (
	"cmp"
	"maps"
	"slices"
)

// surviveNames draws which pending operations on names survive a power loss and applies
// them to the durable names, oldest first. only limits it to one volume; nil is all.
func (d *Disk) surviveNames(only *volume) {
	ops := d.drawNames(only)
	for _, op := range ops {
		switch op.kind {
		case nameCreated:
			d.surviveCreate(op)
		case nameRemoved:
			d.surviveRemove(op)
		case nameMoved:
			d.surviveMove(op)
		}
	}
}

// drawNames says of each pending operation which of its halves survive: per directory a
// prefix, or, reordered, any subset.
func (d *Disk) drawNames(only *volume) []*dirOp {
	var ops []*dirOp
	others := d.dirtyDirs[:0]
	for _, at := range d.dirtyDirs {
		if only != nil && at.vol != only {
			others = append(others, at)
			continue
		}
		n := uint64(len(at.pending))
		if n > 0 {
			at.obj.crashes++
			object, crash := at.obj.name, at.obj.crashes
			reordered := chance(d.cfg.Decide(purposeReorder, object, crash), d.cfg.DirReorderPerMille)
			if reordered {
				d.report.DirsReordered++
			}
			keep := n - below(d.cfg.Decide(purposeNames, object, crash), n+1)
			for i, op := range at.pending {
				lives := uint64(i) < keep
				if reordered {
					lives = !chance(d.cfg.Decide(purposeName, object, op.ordinal), 500)
				}
				ops = append(ops, op.draw(at, lives))
			}
		}
		at.pending, at.listed = nil, false
	}
	clear(d.dirtyDirs[len(others):])
	d.dirtyDirs = others
	slices.SortFunc(ops, func(a, b *dirOp) int { return cmp.Compare(a.ordinal, b.ordinal) })
	return slices.Compact(ops) // a move between directories was in two lists
}

func (op *dirOp) draw(at *dir, lives bool) *dirOp {
	switch op.kind {
	case nameCreated:
		op.lives = lives
	case nameRemoved:
		op.dies = lives
	case nameMoved:
		if at == op.to {
			op.lives = lives
		}
		if at == op.at {
			op.dies = lives
		}
	}
	return op
}

func (d *Disk) surviveCreate(op *dirOp) {
	if op.lives {
		op.add(op.at, op.name)
	} else {
		d.report.NamesLost++
	}
}

func (d *Disk) surviveRemove(op *dirOp) {
	if op.dies {
		op.drop()
	} else {
		d.report.UnlinksLost++
	}
}

// surviveMove: old name only, new name only, or, of a file, both; on a loose file system
// neither. A move cannot survive the loss of what it moved.
func (d *Disk) surviveMove(op *dirOp) {
	decision := d.cfg.Decide(purposeRename, op.at.obj.name, op.ordinal)
	present := op.added || op.at.durable[op.name] == op.node
	lives := present && (op.added || op.lives)
	dies := lives && op.dies
	switch {
	case d.cfg.FS == Loose && !op.added && chance(decision, 100):
		lives, dies = false, true
	case op.node.dir != nil: // a directory has one name
		dies = lives
	case lives && chance(decision, 100):
		dies = false
	}
	if lives && !op.added {
		op.add(op.to, op.toName)
	}
	if dies && !op.dropped {
		op.drop()
	}
	switch {
	case present && !lives:
		d.report.RenamesLost++
	case lives && !dies && !op.dropped:
		d.report.RenamesDouble++
	}
}

// rebuild makes the cached tree below at what the durable names say, and draws what
// survives of each file once. only limits it to one volume; nil is all.
func (d *Disk) rebuild(at *dir, only *volume) {
	if only != nil && at.vol != only {
		return
	}
	at.entry = nil
	at.cached = maps.Clone(at.durable)
	for _, name := range slices.Sorted(maps.Keys(at.cached)) {
		n := at.cached[name]
		if n.dir != nil {
			n.dir.parent = at
			d.rebuild(n.dir, only)
			continue
		}
		f := n.file
		if f.visited == d.crashes {
			continue
		}
		f.visited, f.removed, f.entry, f.parent = d.crashes, false, nil, at
		d.surviveBytes(f)
		f.vol.used += f.size
	}
}
