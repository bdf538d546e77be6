package log

import (
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/log/journal"
)

// ErrBusy: Close was called while operations are in flight. See Idle.
var ErrBusy = errors.New("operations are in flight")

// Close stops cleanly, blocking: everything is written out and synced, indexes and
// producer states are saved, and the mark of a clean stop is left, so that the next
// OpenDir reads back almost nothing. Call it when Idle; else, or when work has to wait for
// room on the volume, it closes the files as they are and gives ErrBusy or env.ErrNoSpace,
// and the next OpenDir recovers as after a kill.
func (d *Dir) Close() error {
	err := d.err
	if err == nil && (!d.Idle() || len(d.active) > 0) {
		err = fmt.Errorf("log: close %s: %w", d.cfg.Path, ErrBusy)
	}
	if err == nil {
		err = d.saveAll()
	}
	if err != nil && d.err == nil {
		d.fail(err)
	}
	d.closeFiles()
	return err
}

// saveAll does what a checkpoint does, for all logs and blocking, then seals the journal.
func (d *Dir) saveAll() error {
	if err := d.journal.Drain(); err != nil {
		return err
	}
	d.closing = true
	d.settle(d.journal.Durable())
	d.settleRaises(d.journal.Durable())
	for _, g := range d.gone {
		if err := d.moveAway(g); err != nil {
			return err
		}
	}
	var points, starts []offsetCheckpoint
	for _, l := range d.order {
		if err := l.save(); err != nil {
			return err
		}
		if len(l.segments) > 0 && l.end > 0 {
			points = append(points, offsetCheckpoint{l.tp, l.flushed})
		}
		if l.start > l.bottom() {
			starts = append(starts, offsetCheckpoint{l.tp, l.start})
		}
	}
	if err := writeWhole(d.env.Disk, d.cfg.Path, startOffsetFile, appendOffsets(nil, starts)); err != nil {
		return err
	}
	if err := writeWhole(d.env.Disk, d.cfg.Path, recoveryPointFile, appendOffsets(nil, points)); err != nil {
		return err
	}
	if err := d.journal.Seal(d.carried()); err != nil {
		return err
	}
	if err := writeWhole(d.env.Disk, d.cfg.Path, cleanFile, cleanMark(d.cfg.BrokerEpoch)); err != nil {
		return err
	}
	d.trace(traceClosed, "", [4]int64{int64(len(d.order))})
	return nil
}

// carried gives what the journal must keep saying while the directory is closed.
func (d *Dir) carried() []journal.Entry {
	var entries []journal.Entry
	for _, l := range d.order {
		entries = append(entries, l.carry(l.named)...)
	}
	for _, b := range d.blobs {
		entries = append(entries, journal.Entry{
			Kind: journal.KindBlob, Payload: journal.AppendBlob(nil, b.key, b.value),
		})
	}
	return entries
}

// save brings one log's files up to date.
func (l *Log) save() error {
	if l.err != nil || l.clean() {
		return nil
	}
	if l.cut != nil {
		if err := l.applyCut(*l.cut); err != nil {
			return err
		}
		l.cut = nil
	}
	disk := l.dir.env.Disk
	if !l.named {
		if err := l.makeHome(); err != nil {
			return err
		}
	}
	for _, s := range l.segments {
		if err := l.saveSegment(s); err != nil {
			return err
		}
	}
	l.producers.expire(l.dir.env.Clock.Now())
	l.takeSnapshot(l.end)
	for i := range l.snapshots {
		s := &l.snapshots[i]
		if s.data == nil {
			continue
		}
		if err := writeWhole(disk, l.path, segmentName(s.offset, ".snapshot"), s.data); err != nil {
			return err
		}
		s.data = nil
	}
	l.dropSnapshots()
	if err := writeWhole(disk, l.path, epochFile, l.epochs.appendText(nil)); err != nil {
		return err
	}
	l.epochs.changed, l.named, l.flushed, l.written = false, true, l.end, l.end
	return nil
}

// makeHome makes the folder and says in it whose it is, durably: a folder that holds
// segments always has its partition.metadata. Blocking.
func (l *Log) makeHome() error {
	disk := l.dir.env.Disk
	if err := disk.MkdirAll(l.path); err != nil {
		return fmt.Errorf("log: make %s: %w", l.path, err)
	}
	if err := writeFile(disk, l.path+"/"+metadataFile, appendMetadata(nil, l.id), true); err != nil {
		return err
	}
	if err := syncDir(disk, l.path); err != nil {
		return err
	}
	return syncDir(disk, l.dir.cfg.Path)
}

// clean tells that nothing has changed since the files were last up to date.
func (l *Log) clean() bool {
	if !l.named && l.end == 0 && l.cut == nil {
		return true // nobody ever wrote to it: the journal goes on to say all there is to say
	}
	s := l.active()
	saved := len(l.snapshots) > 0 && l.snapshots[len(l.snapshots)-1].offset == l.end
	return l.flushed == l.end && !l.epochs.changed && s.indexesSaved() && saved && l.named
}

// saveSegment writes what is in memory only, and syncs.
func (l *Log) saveSegment(s *segment) error {
	disk := l.dir.env.Disk
	name := l.path + "/" + segmentName(s.base, "")
	if s.written < s.size || s.synced < s.size || !s.named {
		f := l.opened(s)
		for i := l.tail.written; i < l.tail.n; i++ {
			c := l.tail.at(i)
			if c.seg != s {
				continue
			}
			if err := f.Pwrite(c.batch, c.pos); err != nil {
				return fmt.Errorf("log: write %s.log at %d: %w", name, c.pos, err)
			}
		}
		if err := f.Fsync(); err != nil {
			return fmt.Errorf("log: sync %s.log: %w", name, err)
		}
		s.written, s.synced, s.named = s.size, s.size, true
	}
	if !s.loaded || s.indexesSaved() && s.indexSaved > 0 {
		return nil
	}
	b := s.times[s.timesSaved:].appendBinary(nil)
	if err := extend(disk, name+".timeindex", b, int64(s.timesSaved)*timeEntrySize); err != nil {
		return err
	}
	b = s.index[s.indexSaved:].appendBinary(nil)
	if err := extend(disk, name+".index", b, int64(s.indexSaved)*indexEntrySize); err != nil {
		return err
	}
	s.indexSaved, s.timesSaved = len(s.index), len(s.times)
	return nil
}

// extend makes a file as long as off, with b behind, and syncs it.
func extend(disk env.Disk, path string, b []byte, off int64) error {
	f, err := disk.Open(path, env.OpenOrCreate)
	if err != nil {
		return fmt.Errorf("log: open %s: %w", path, err)
	}
	if err = f.Truncate(off); err == nil {
		if err = f.Pwrite(b, off); err == nil {
			err = f.Fsync()
		}
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("log: write %s at %d: %w", path, off, err)
	}
	return nil
}

// closeFiles lets go of everything. What is still in flight completes without us.
func (d *Dir) closeFiles() {
	for _, l := range d.order {
		l.forgetFrom(0)
		for _, s := range l.segments {
			s.close()
		}
	}
	for _, g := range d.gone {
		for _, s := range g.log.segments {
			s.close()
		}
	}
	if err := d.journal.Close(); err != nil && d.err == nil {
		d.err = err
	}
	if d.err == nil {
		d.err = fmt.Errorf("log: %s is closed: %w", d.cfg.Path, ErrOffline)
	}
}
