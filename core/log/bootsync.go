package log

import "fmt"

// # Making durable what boot has changed
//
//	empty ───▶ indexes to be written anew
//	first ───▶ time indexes, segments, partition.metadata, epochs under another name
//	second ──▶ offset indexes, renames of epochs, names in the folders
//
// Also what a killed process has left in the cache only. Each step waits for the one before
// it, because an offset index must never be ahead of the time index, not even over a crash in
// here; within a step the order does not matter, so many logs share one.

// sync makes durable what boot has changed, and what a killed process had not synced.
func (b *boot) sync() error {
	b.progress.enter(PhaseSync, len(b.logs), 0)
	for rest := b.logs; len(rest) > 0; {
		n := min(len(rest), bootSyncLogs)
		if err := b.syncLogs(rest[:n]); err != nil {
			return err
		}
		b.progress.add(n, 0)
		rest = rest[n:]
	}
	return syncDir(b.disk, b.d.cfg.Path)
}

func (b *boot) syncLogs(logs []*bootLog) error {
	for _, step := range []func(*bootLog, *syncList) error{
		(*bootLog).emptyIndexes, (*bootLog).syncFirst, (*bootLog).syncSecond,
	} {
		var list syncList
		for _, l := range logs {
			if l.skip() || !l.exists {
				continue
			}
			if err := step(l, &list); err != nil {
				return err
			}
		}
		if err := syncAll(b.disk, list.files, list.dirs); err != nil {
			return err
		}
	}
	for _, l := range logs {
		for _, s := range l.segments {
			if s.sealed {
				b.d.settleSegment(s)
			}
		}
	}
	return nil
}

// syncList is what one step has to sync.
type syncList struct{ files, dirs []string }

func (s *syncList) file(path string) { s.files = append(s.files, path) }

// write puts a file in place of the one there, to be synced.
func (s *syncList) write(l *bootLog, name string, b []byte) error {
	path := l.path + "/" + name
	s.file(path)
	return writeFile(l.boot.disk, path, b, false)
}

// emptyIndexes empties index files before the time indexes are written anew.
func (l *bootLog) emptyIndexes(list *syncList) error {
	for _, f := range l.files {
		if f.indexes != indexesRebuild || f.index < 0 {
			continue
		}
		if err := list.write(l, segmentName(f.base, ".index"), nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *bootLog) syncFirst(list *syncList) error {
	for i, f := range l.files {
		s := l.segments[i]
		name := segmentName(f.base, ".timeindex")
		switch {
		case f.indexes == indexesRebuild:
			if err := list.write(l, name, s.times.appendBinary(nil)); err != nil {
				return err
			}
		case f.indexes == indexesSync && f.times >= 0 && !l.boot.report.Clean:
			list.file(l.path + "/" + name)
		}
		synced := l.policy == FlushGroup || l.boot.report.Clean || s.end <= l.point && s.sealed
		if f.unsynced || !synced {
			list.file(l.path + "/" + segmentName(f.base, ".log"))
		}
	}
	if err := l.syncMetadata(list); err != nil {
		return err
	}
	if l.epochs.changed {
		return list.write(l, epochFile+tmpSuffix, l.epochs.appendText(nil))
	}
	return nil
}

// syncMetadata writes partition.metadata, as long as the journal knows the id and the file
// is not there to be lost.
func (l *bootLog) syncMetadata(list *syncList) error {
	if l.id.IsZero() || l.metadata && !l.created {
		return nil
	}
	l.names = true
	switch {
	case l.home: // was synced with the folder
	case l.metadata:
		list.file(l.path + "/" + metadataFile)
	default:
		return list.write(l, metadataFile, appendMetadata(nil, l.id))
	}
	return nil
}

func (l *bootLog) syncSecond(list *syncList) error {
	for i, f := range l.files {
		name := segmentName(f.base, ".index")
		switch {
		case f.indexes == indexesRebuild:
			if err := list.write(l, name, l.segments[i].index.appendBinary(nil)); err != nil {
				return err
			}
		case f.indexes == indexesSync && f.index >= 0 && !l.boot.report.Clean:
			list.file(l.path + "/" + name)
		}
	}
	if l.epochs.changed {
		path := l.path + "/" + epochFile
		if err := l.boot.disk.Rename(path+tmpSuffix, path); err != nil {
			return fmt.Errorf("log: rename %s: %w", path+tmpSuffix, err)
		}
		l.epochs.changed, l.names = false, true
	}
	if l.names || l.policy == FlushOS && !l.boot.report.Clean {
		list.dirs = append(list.dirs, l.path)
	}
	return nil
}
