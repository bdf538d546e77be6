package simdisk

import (
	"bytes"

	"github.com/tidemark-log/tidemark/core/env"
)

var lieModelNames = [...]string{"drawn", "clean-new", "clean-old", "shutdown"}

func (m LieModel) String() string { return lieModelNames[m] }

// sync decides how a sync by h ends, before it has any effect; nil: as it should. h has
// its own view of errors past, as in Linux: each handle hears once of each lost
// write-back that happened while it was open.
func (in *injector) sync(h *handle, f *file, k key) error {
	in.loseDue(f)
	if h.losses != f.losses {
		h.losses = f.losses
		in.observe(f.lastLoss)
		return env.ErrIO
	}
	in.tick(f.vol)
	if f.vol.overcommit && f.size > f.durableSize && f.vol.used > f.vol.bound && f.vol.bound > 0 {
		in.d.counts.FullAtSync++
		in.noteFull(f.vol)
		return env.ErrNoSpace
	}
	if err := in.syncFails(k); err != nil {
		return err
	}
	return in.syncLies(h, f, k)
}

// syncFails draws an honest failure.
func (in *injector) syncFails(k key) error {
	decision, hit := in.decide(in.SyncError, purposeSyncError, k)
	if !hit {
		return nil
	}
	err := env.ErrIO
	if draw(decision, 0, 2) == 1 {
		err = env.ErrNoSpace
	}
	ft := in.offer(purposeSyncError, k, FaultEvent{Kind: FaultSyncError, Path: k.obj.name, Err: err})
	if ft == nil {
		return nil
	}
	in.observe(ft)
	return err
}

// loss is a sector whose new bytes never reach the device, and what stays there.
type loss struct {
	sector int64
	old    []byte
}

// losable lists the sectors that the picked operations write and that the device shows
// otherwise, once each, in the order in which they were first written.
func (f *file) losable(pick func(*pendingOp) bool) []loss {
	var all []loss
	seen := map[int64]bool{}
	zeroes := make([]byte, f.sector)
	for i := range f.pending {
		op := &f.pending[i]
		if op.resize || !pick(op) {
			continue
		}
		for s, last := op.sectors(f.sector); s < last; s++ {
			if seen[s] {
				continue
			}
			seen[s] = true
			old, fresh := f.visible(s), f.peek(s).cache
			if fresh == nil {
				continue // truncated since
			}
			if old == nil {
				old = zeroes
			}
			if !bytes.Equal(old, fresh.bytes()) {
				all = append(all, loss{s, f.inside(s, old)})
			}
		}
	}
	return all
}

// inside makes zeroes of a sector's bytes beyond the end of the file.
func (f *file) inside(sector int64, b []byte) []byte {
	in := max(0, f.size-sector*f.sector)
	if in >= f.sector || allZero(b[in:]) {
		return b
	}
	b = bytes.Clone(b)
	clear(b[in:])
	return b
}

// syncLies draws a failure after which the pages count as clean and a part of them is not
// durable: at least one sector.
func (in *injector) syncLies(h *handle, f *file, k key) error {
	decision, hit := in.decide(in.SyncLie, purposeSyncLie, k)
	if !hit {
		return nil
	}
	all := f.losable(func(*pendingOp) bool { return true })
	if len(all) == 0 {
		return nil
	}
	sure := int(draw(decision, 0, uint64(len(all))))
	lost := all[:0:0]
	for i, l := range all {
		part := in.d.cfg.Decide(purposeLieSector, k.obj.name, k.ordinal<<24|uint64(i))
		if i == sure || (Always / 2).hits(part) {
			lost = append(lost, l)
		}
	}
	model := in.lieModel(h, f.vol)
	ft := in.offer(purposeSyncLie, k, FaultEvent{Kind: FaultSyncLie, Path: f.obj.name, Err: env.ErrIO,
		Off: lost[0].sector * f.sector, Len: int64(len(lost)) * f.sector, Model: model.String()})
	if ft == nil {
		return nil
	}
	f.hardenAll()
	in.lose(f, ft, lost)
	if model == CleanOld {
		for _, l := range lost {
			f.forget(l.sector)
		}
	}
	f.vol.shut = f.vol.shut || model == Shutdown
	in.observe(ft)
	return env.ErrIO
}

func (in *injector) lieModel(h *handle, vol *volume) LieModel {
	model := in.Lie
	if model == LieDrawn {
		model = CleanNew + LieModel(below(in.d.cfg.Decide(purposeLieModel, vol.obj.name, 0), 3))
	}
	if model == CleanNew && h.direct {
		return CleanOld
	}
	return model
}

// lose leaves the old bytes of sectors that count as written.
func (in *injector) lose(f *file, ft *fault, lost []loss) {
	for _, l := range lost {
		in.hurt(f, l.sector, ft, l.old)
	}
}

// doom draws for a new pending operation that the kernel will fail to write it back.
func (in *injector) doom(f *file, op *pendingOp) {
	if op.resize {
		return
	}
	decision, hit := in.decide(in.LostWriteBack, purposeLost, key{f.obj, op.ordinal})
	if !hit {
		return
	}
	mean := in.d.cfg.WriteBackMean
	if mean <= 0 {
		mean = writeBackMean
	}
	op.lostAt = op.done.Add(1 + exponential(spread(decision, 0), mean))
	f.doomed++
}

// loseDue carries out the failed write-backs whose time has come.
func (in *injector) loseDue(f *file) {
	if f.doomed == 0 {
		return
	}
	now := in.d.cfg.Now()
	f.doomed = 0
	for i := 0; i < len(f.pending); i++ {
		op := &f.pending[i]
		switch {
		case op.lostAt == 0:
		case op.lostAt > now:
			f.doomed++
		default:
			op.lostAt = 0
			if in.loseOp(f, op.ordinal) {
				i = -1 // the list has changed
				f.doomed = 0
			}
		}
	}
}

// loseOp makes an operation clean and not durable. What it takes along is written.
func (in *injector) loseOp(f *file, ordinal uint64) bool {
	pick := func(op *pendingOp) bool { return op.ordinal == ordinal }
	lost := f.losable(pick)
	if len(lost) == 0 {
		return false
	}
	ft := in.offer(purposeLost, key{f.obj, ordinal}, FaultEvent{Kind: FaultLostWriteBack, Path: f.obj.name,
		Off: lost[0].sector * f.sector, Len: int64(len(lost)) * f.sector, Err: env.ErrIO})
	if ft == nil {
		return false
	}
	in.d.hardenRaw(f, 0, pick)
	in.lose(f, ft, lost)
	f.losses++
	f.lastLoss = ft
	in.fire(ft)
	return true
}

// syncWrite is sync for a durable write whose bytes are in the cache.
func (in *injector) syncWrite(h *handle, f *file, k key) error {
	if n := len(f.pending); n > 0 {
		f.pending[n-1].direct = h.direct
	}
	return in.sync(h, f, k)
}
