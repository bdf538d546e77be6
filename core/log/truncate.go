package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
	"github.com/tidemark-log/tidemark/core/record"
)

// cut is a truncation on its way to the files: they are cut when the journal has it, and
// before anything is written at the offsets it freed.
type cut struct {
	seq journal.Seq
	seg kafka.Offset // base of the segment that stays the last
	pos int64
	to  kafka.Offset
}

// Truncate forgets everything from offset to on, which must be where a batch begins. It
// may read blocking: it happens when a follower's log has diverged from its leader's.
func (l *Log) Truncate(to kafka.Offset) error {
	if err := l.Err(); err != nil {
		return err
	}
	// What was never appended cannot be cut to; what is below the start is gone.
	if to < l.raised || to > l.end {
		invariant.Violated("log.truncate-within", "%s to=%d start=%d end=%d", l.tp, to, l.raised, l.end)
	}
	at, pos, err := l.boundary(to)
	if err != nil {
		return err
	}
	l.trace(traceTruncate, int64(l.end), int64(to), 0, 0)
	l.cutMemory(to, at, pos)
	seg := binary.BigEndian.AppendUint64(nil, uint64(l.active().base))
	seq := l.dir.note(l, journal.Entry{
		Kind: journal.KindTruncate, Key: l.key, A: int64(to), B: pos, Payload: seg,
	})
	c := cut{seq: seq, seg: l.active().base, pos: pos, to: to}
	if l.cut == nil {
		l.cut = &c
		l.dir.cuts = append(l.dir.cuts, l)
	} else { // what was to be cut before is cut all the same
		old := *l.cut
		*l.cut = c
		if old.seg < c.seg || old.seg == c.seg && old.pos < c.pos {
			l.cut.seg, l.cut.pos, l.cut.to = old.seg, old.pos, old.to
		}
	}
	return l.rebuild(to)
}

// boundary finds the segment and the position where the batch with base offset to begins.
func (l *Log) boundary(to kafka.Offset) (at int, pos int64, err error) {
	if to == l.end {
		return len(l.segments) - 1, l.active().size, nil
	}
	at = max(0, l.segmentFor(to))
	s := l.segments[at]
	if i := l.tail.find(to); i >= 0 && l.tail.at(i).base == to {
		return at, l.tail.at(i).pos, nil
	}
	found := false
	err = l.scan(to, func(b record.Batch, _ *segment, p int64) error {
		found, pos = b.BaseOffset() == to, p
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return 0, 0, err
	}
	// Cutting inside a batch would leave half of it.
	if !found {
		invariant.Violated("log.truncate-between-batches", "%s to=%d segment=%d", l.tp, to, s.base)
	}
	return at, pos, nil
}

// cutMemory forgets in memory; only what is kept is left for the files.
func (l *Log) cutMemory(to kafka.Offset, at int, pos int64) {
	d := l.dir
	l.version++
	for _, s := range l.segments[at+1:] {
		d.closed.drop(s)
		d.indexes.drop(s)
		s.close()
	}
	clear(l.segments[at+1:])
	l.segments = l.segments[:at+1]
	l.forgetFrom(to)
	s := l.active()
	d.closed.drop(s)
	d.indexes.drop(s)
	s.size, s.end, s.sealed = pos, to, false
	s.written, s.synced = min(s.written, pos), min(s.synced, pos)
	l.end = to
	l.durable, l.written = min(l.durable, to), min(l.written, to)
	l.journaled, l.flushed = min(l.journaled, to), min(l.flushed, to)
	l.osFrom, l.switchAt = min(l.osFrom, to), min(l.switchAt, to)
	l.unwritten = 0
	for i := l.tail.written; i < l.tail.n; i++ {
		l.unwritten += int64(len(l.tail.at(i).batch))
	}
	for i := d.marks.from; i < d.marks.from+uint64(d.marks.n); i++ {
		if m := d.marks.at(i); m.log == l {
			m.end = min(m.end, to)
		}
	}
	l.markSeq = 0
	l.epochs.cutEnd(to)
	l.epochs.changed = true
	l.snapshots = slices.DeleteFunc(l.snapshots, func(s snapshotFile) bool { return s.offset > to })
}

// rebuild brings index and producer state back to what the kept batches say.
func (l *Log) rebuild(to kafka.Offset) error {
	s := l.active()
	from := s.base
	if !s.loaded {
		s.index, s.times, s.loaded = nil, nil, true
	}
	s.index = s.index.cut(s.size)
	if n := len(s.index); n > 1 {
		from = s.base + kafka.Offset(s.index[n-2].rel) + 1
	}
	s.restart(from)
	l.producers.byID = nil
	now, since := l.dir.env.Clock.Now(), l.bottom()
	for i := len(l.snapshots) - 1; i >= 0; i-- {
		if b, ok := l.loadSnapshot(l.snapshots[i]); ok && l.producers.loadSnapshot(b, now) == nil {
			since = l.snapshots[i].offset
			break
		}
	}
	if since >= to && from >= to {
		return nil
	}
	return l.scan(min(since, from), func(b record.Batch, in *segment, pos int64) error {
		if b.BaseOffset() >= since {
			l.producers.apply(b, now)
		}
		if in == s && b.BaseOffset() >= from {
			s.rescan(b, pos, l.cfg.IndexIntervalBytes)
		}
		return nil
	})
}

func (l *Log) loadSnapshot(s snapshotFile) ([]byte, bool) {
	if s.data != nil {
		return s.data, true
	}
	b, err := readWhole(l.dir.env.Disk, l.path+"/"+segmentName(s.offset, ".snapshot"), snapshotBytesMax)
	return b, err == nil
}

// restart prepares to index again the batches from offset from on, which is where the
// batch after an index entry begins, or the segment.
func (s *segment) restart(from kafka.Offset) {
	n := len(s.index)
	for n > 0 && s.base+kafka.Offset(s.index[n-1].rel) >= from {
		n--
	}
	s.index = s.index[:n]
	s.times = s.times.cut(int64(from-s.base) - 1)
	s.indexSaved, s.timesSaved = min(s.indexSaved, len(s.index)), min(s.timesSaved, len(s.times))
	s.maxTs, s.maxTsEnd, s.sinceIndex = kafka.NoTimestamp, kafka.NoOffset, 0
	if n := len(s.times); n > 0 {
		s.maxTs, s.maxTsEnd = s.times[n-1].ts, s.base+kafka.Offset(s.times[n-1].rel)
	}
}

// rescan indexes a batch that is in the segment already.
func (s *segment) rescan(b record.Batch, pos, interval int64) {
	size, end := s.size, s.end
	s.size, s.end = pos, b.BaseOffset()
	s.add(b, interval)
	s.size, s.end = size, end
}

// applyCuts brings truncations to the files.
func (d *Dir) applyCuts() {
	for i := len(d.cuts) - 1; i >= 0; i-- {
		l := d.cuts[i]
		if l.ops > 0 || l.job != nil || l.cut.seq >= d.journal.Durable() {
			continue
		}
		if err := l.applyCut(*l.cut); err != nil {
			d.fail(err)
			return
		}
		l.cut = nil
		d.cuts = deletePointer(d.cuts, l)
		l.trim()
		if l.policy == FlushOS { // tells boot that what follows is new
			l.notePolicy(true)
			l.gate = l.policySeq
		}
	}
}

// applyCut cuts and removes files, newest first, and makes that durable.
func (l *Log) applyCut(c cut) error {
	disk := l.dir.env.Disk
	entries, err := disk.List(l.path)
	if errors.Is(err, env.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("log: list %s: %w", l.path, err)
	}
	for _, e := range slices.Backward(entries) {
		base, suffix, ok := parseSegmentName(e.Name)
		if !ok || base <= c.seg && suffix != ".snapshot" || suffix == ".snapshot" && base <= c.to {
			continue
		}
		if err := disk.Remove(l.path + "/" + e.Name); err != nil {
			return fmt.Errorf("log: remove %s/%s: %w", l.path, e.Name, err)
		}
	}
	s := l.segments[max(0, l.segmentFor(c.seg))]
	for _, f := range []struct {
		suffix string
		size   int64
	}{
		{".log", c.pos},
		{".index", int64(s.indexSaved) * indexEntrySize},
		{".timeindex", int64(s.timesSaved) * timeEntrySize},
	} {
		if err := shrink(disk, l.path+"/"+segmentName(c.seg, f.suffix), f.size, true); err != nil {
			return err
		}
	}
	return syncDir(disk, l.path)
}

// shrink cuts a file, if it is there and longer, and syncs it if asked.
func shrink(disk env.Disk, path string, size int64, sync bool) error {
	f, err := disk.Open(path, env.OpenExisting)
	if errors.Is(err, env.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("log: open %s: %w", path, err)
	}
	now, err := f.Size()
	if err == nil && now > size {
		if err = f.Truncate(size); err == nil && sync {
			err = f.Fsync()
		}
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("log: truncate %s to %d: %w", path, size, err)
	}
	return nil
}
