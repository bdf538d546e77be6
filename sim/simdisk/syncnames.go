package simdisk

// syncNames makes durable the pending operations of a directory up to the ordinal mark.
// It does nothing for the directory's own name.
func (d *Disk) syncNames(at *dir, mark uint64) {
	kept := at.pending[:0]
	for _, op := range at.pending {
		if op.ordinal > mark {
			kept = append(kept, op)
			continue
		}
		d.hardenName(at, op)
	}
	clear(at.pending[len(kept):])
	at.pending = kept
}

// hardenName applies the half or the whole of op that concerns the directory at.
//
// It may sync another directory on its way, and that one never needs this one again: what
// it could need has a lower ordinal, so it was applied before op.
func (d *Disk) hardenName(at *dir, op *dirOp) {
	switch op.kind {
	case nameCreated:
		op.add(at, op.name)
	case nameRemoved:
		op.drop()
	case nameMoved:
		if at == op.to && !op.added {
			op.add(op.to, op.toName)
		}
		if at == op.at {
			if !op.added { // never neither name: the new one first
				d.syncNames(op.to, op.ordinal)
			}
			op.drop()
		}
	}
}

func (op *dirOp) add(at *dir, name string) {
	at.durable[name] = op.node
	op.added = true
	if op.node.file != nil && op.node.file.entry == op {
		op.node.file.entry = nil
	}
	if op.node.dir != nil && op.node.dir.entry == op {
		op.node.dir.entry = nil
	}
}

func (op *dirOp) drop() {
	if op.at.durable[op.name] == op.node {
		delete(op.at.durable, op.name)
	}
	op.dropped = true
}

// commitNames makes durable the names of f and of the directories above it: what ext4 does
// when it syncs a new file.
func (d *Disk) commitNames(f *file) {
	at, entry := f.parent, f.entry
	for at != nil {
		if entry != nil {
			d.syncNames(at, entry.ordinal)
		}
		at, entry = at.parent, at.entry
	}
}

// pendName notes an operation on names that the cache shows already.
func (d *Disk) pendName(op *dirOp) *dirOp {
	d.nameOps++
	op.ordinal = d.nameOps
	d.pendIn(op.at, op)
	if op.to != nil && op.to != op.at {
		d.pendIn(op.to, op)
	}
	return op
}

func (d *Disk) pendIn(at *dir, op *dirOp) {
	at.pending = append(at.pending, op)
	if at.listed {
		return
	}
	if len(d.dirtyDirs) >= d.dirtyDirsMax {
		d.forgetClean()
	}
	at.listed = true
	d.dirtyDirs = append(d.dirtyDirs, at)
}

// forgetClean drops the directories without pending operations from the list of dirty
// ones, now and then, so that its cost does not grow with the directories there are.
func (d *Disk) forgetClean() {
	kept := d.dirtyDirs[:0]
	for _, at := range d.dirtyDirs {
		at.listed = len(at.pending) > 0
		if at.listed {
			kept = append(kept, at)
		}
	}
	clear(d.dirtyDirs[len(kept):])
	d.dirtyDirs = kept
	d.dirtyDirsMax = 2*len(kept) + dirtyDirsMin
}
