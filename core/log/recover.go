package log

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// recoverLogs brings every log up from its files as replay left them.
func (b *boot) recoverLogs() error {
	b.progress.enter(PhaseRecover, len(b.logs), b.share())
	for _, l := range b.logs {
		b.progress.add(1, 0)
		if l.skip() {
			if l.lost {
				b.report.damage(b.d.cfg.Path, 0, "folder of "+l.tp.String()+" is missing")
			}
			continue
		}
		if err := l.recover(); err != nil {
			return err
		}
		l.read(l.share)
	}
	return nil
}

func (l *bootLog) damage(base kafka.Offset, pos int64, what string) {
	l.damages++
	l.trace(traceDamaged, int64(base), pos, 0, 0)
	l.boot.report.damage(l.path+"/"+segmentName(base, ".log"), pos, what)
}

func (l *bootLog) recover() error {
	if err := l.loadEpochs(); err != nil {
		return err
	}
	if err := l.trim(); err != nil {
		return err
	}
	if l.id.IsZero() {
		l.err = fmt.Errorf("log: %s has no readable %s: %w", l.tp, metadataFile, ErrDamaged)
		l.damages++
		l.boot.report.damage(l.path+"/"+metadataFile, 0, "missing or malformed")
	}
	if err := l.adopt(); err != nil {
		return err
	}
	for {
		l.Log.snapshots = nil
		from := l.loadProducers()
		if err := l.scanFrom(l.scanStart(from)); err != nil {
			return err
		}
		if l.since <= l.end {
			break
		}
		// The snapshot is of batches that are not there: an older one must do.
		l.dropSnapshotsAbove(l.end)
	}
	if err := l.emptyAtStart(); err != nil {
		return err
	}
	l.settleEnds()
	return nil
}

// loadEpochs reads leader-epoch-checkpoint once, before replay adds to it.
func (l *bootLog) loadEpochs() error {
	if l.epochsLoaded {
		return nil
	}
	l.epochsLoaded = true
	if !l.exists {
		return nil
	}
	b, err := readWhole(l.boot.disk, l.path+"/"+epochFile, checkpointBytesMax)
	if errors.Is(err, env.ErrNotExist) {
		l.epochsBad = len(l.files) > 0
		return nil
	}
	if errors.Is(err, env.ErrIO) { // the log itself has them
		l.epochsBad = true
		return nil
	}
	if err != nil {
		return err
	}
	if l.epochs.entries, err = parseEpochs(b); err != nil {
		l.epochsBad = true
	}
	return nil
}

// trim removes what replay has shown to be past the end, and cuts the segments it wrote to
// where they ended.
func (l *bootLog) trim() error {
	if err := l.removeTrimmed(); err != nil {
		return err
	}
	keep := l.files[:0]
	for _, s := range l.files {
		past := l.exact() && s.base > l.endSeg
		if !past && s.size >= 0 {
			keep = append(keep, s)
			if l.exact() && s.cut >= 0 && s.cut < s.size {
				if err := l.cutFile(s, s.cut); err != nil {
					return err
				}
			}
			continue
		}
		if !past && len(keep) > 0 { // indexes only: is a segment missing?
			keep[len(keep)-1].verify = true
		}
		l.cutBytes += max(0, s.size)
		if err := l.removeSegment(s); err != nil {
			return err
		}
	}
	l.files = keep
	if l.unsyncedFrom(0) { // the segment before never got its name: nothing leads here
		for _, s := range slices.Backward(l.files) {
			l.cutBytes += max(0, s.size)
			if err := l.removeSegment(s); err != nil {
				return err
			}
		}
		l.files, l.start = nil, max(l.start, l.point)
	}
	return nil
}

// cutFile cuts a segment's file; it is synced with all others.
func (l *bootLog) cutFile(s *bootSegment, size int64) error {
	s.size, s.unsynced = size, true
	return shrink(l.boot.disk, l.path+"/"+segmentName(s.base, ".log"), size, false)
}

// removeTrimmed removes the segments that the journal says are gone, oldest first.
func (l *bootLog) removeTrimmed() error {
	n := 0
	for ; n < len(l.files) && l.files[n].base < l.kept; n++ {
		if err := l.removeSegment(l.files[n]); err != nil {
			return err
		}
	}
	l.files = slices.Delete(l.files, 0, n)
	return nil
}

// emptyAtStart leaves nothing of a log that ends below its start: all of it was let go, and
// what is behind was lost with the power, or to damage.
func (l *bootLog) emptyAtStart() error {
	if l.end >= l.start {
		return nil
	}
	if l.policy == FlushGroup {
		l.damage(l.active().base, l.active().size,
			fmt.Sprintf("log ends at %d, below its start %d", l.end, l.start))
	}
	for _, f := range slices.Backward(l.files) {
		l.cutBytes += max(0, f.size)
		if err := l.removeSegment(f); err != nil {
			return err
		}
	}
	l.files, l.segments = nil, []*segment{newSegment(l.start)}
	l.end, l.producers.byID, l.Log.snapshots = l.start, nil, nil
	l.dropSnapshotsAbove(-1)
	return nil
}

// unsyncedFrom tells that a segment holds nothing that was synced.
func (l *bootLog) unsyncedFrom(i int) bool {
	return l.policy == FlushOS && !l.boot.report.Clean && i < len(l.files) && l.files[i].base > l.point
}

func (l *bootLog) removeSegment(s *bootSegment) error {
	l.names = true
	for _, f := range []struct {
		suffix string
		size   int64
	}{{".log", s.size}, {".index", s.index}, {".timeindex", s.times}} {
		if f.size < 0 {
			continue
		}
		path := l.path + "/" + segmentName(s.base, f.suffix)
		if err := l.boot.disk.Remove(path); err != nil && !errors.Is(err, env.ErrNotExist) {
			return fmt.Errorf("log: remove %s: %w", path, err)
		}
	}
	return nil
}

// adopt makes the segments of the files.
func (l *bootLog) adopt() error {
	if len(l.files) == 0 {
		l.segments = []*segment{newSegment(l.start)}
		return nil
	}
	l.start = max(l.start, l.files[0].base)
	for i, f := range l.files {
		s := newSegment(f.base)
		s.named, s.loaded, s.sealed = true, false, i+1 < len(l.files)
		s.size, s.written, s.synced = f.size, f.size, f.size
		s.appended = l.boot.d.env.Clock.WallMillis()
		s.indexSaved, s.timesSaved = int(max(0, f.index/indexEntrySize)), int(max(0, f.times/timeEntrySize))
		if s.sealed {
			s.end = l.files[i+1].base
		}
		l.segments = append(l.segments, s)
	}
	return nil
}

// loadProducers takes the newest whole snapshot that recovery may build on, and gives the
// offset from which batches must be folded in.
func (l *bootLog) loadProducers() kafka.Offset {
	limit := kafka.Offset(math.MaxInt64)
	switch {
	case l.policy == FlushOS && !l.boot.report.Clean:
		limit = l.point
	case l.live:
		limit = l.endAt
	}
	now := l.boot.d.env.Clock.Now()
	for i, o := range slices.Backward(l.snapshots) {
		if o > limit {
			continue
		}
		b, err := readWhole(l.boot.disk, l.path+"/"+segmentName(o, ".snapshot"), snapshotBytesMax)
		if err == nil && l.producers.loadSnapshot(b, now) == nil {
			l.since = o
			return o
		}
		l.boot.report.SnapshotsBad++
		l.snapshots = slices.Delete(l.snapshots, i, i+1)
	}
	l.producers.byID, l.since = nil, l.bottom()
	return l.since
}

// scanStart is the offset from which batches must be read back.
func (l *bootLog) scanStart(producers kafka.Offset) kafka.Offset {
	from := max(producers, l.bottom())
	if l.live {
		from = min(from, l.first)
	}
	if l.policy == FlushOS && !l.boot.report.Clean {
		from = min(from, l.point)
	}
	if l.epochsBad {
		from = l.bottom()
	}
	if i := l.segmentFor(from); i > 0 && l.segments[i].base == from {
		from-- // the segment before may have been closed just then, its indexes not saved
	}
	return max(l.bottom(), from)
}

func (l *bootLog) dropSnapshotsAbove(end kafka.Offset) {
	l.snapshots = slices.DeleteFunc(l.snapshots, func(o kafka.Offset) bool {
		if o <= end {
			return false
		}
		l.names = true
		_ = l.boot.disk.Remove(l.path + "/" + segmentName(o, ".snapshot")) // a stale one is refused
		return true
	})
}

// settleEnds takes the outcome: what is there now is what counts.
func (l *bootLog) settleEnds() {
	l.dropSnapshotsAbove(l.end)
	if l.policy == FlushOS && l.end < l.point {
		l.damage(l.active().base, l.active().size,
			fmt.Sprintf("log ends at %d, below what was synced, %d", l.end, l.point))
	}
	if l.policy == FlushGroup && l.live && l.end < l.endAt {
		l.damage(l.active().base, l.active().size,
			fmt.Sprintf("log ends at %d, the journal says %d", l.end, l.endAt))
	}
	for _, e := range l.late.entries {
		l.epochs.assign(e.epoch, e.start)
	}
	l.epochs.cutEnd(l.end + 1)
	l.epochs.cutStart(l.start)
	l.epochs.check(l.tp)
	if l.epochsBad {
		l.epochs.changed = true
	}
	l.durable, l.written, l.journaled, l.flushed = l.end, l.end, l.end, l.end
	l.named, l.raised = l.exists, l.start
	taken := slices.DeleteFunc(l.Log.snapshots, func(s snapshotFile) bool { return s.offset > l.end })
	for _, o := range l.snapshots {
		taken = append(taken, snapshotFile{offset: o})
	}
	slices.SortFunc(taken, func(a, b snapshotFile) int { return compareInt64(int64(a.offset), int64(b.offset)) })
	l.Log.snapshots = taken
	if l.cutBytes > 0 {
		l.boot.report.CutLogs++
		l.boot.report.CutBytes += l.cutBytes
	}
}
