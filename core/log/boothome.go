package log

import "fmt"

// makeHomes makes the folders that replay will need, all at once. It leaves to makeFolder
// those of which replay decides whether, and in which order with a deletion, they are made.
func (b *boot) makeHomes() error {
	b.folders = make(map[string]int, len(b.logs))
	for _, l := range b.logs {
		b.folders[l.path]++
	}
	var homeless []*bootLog
	for _, l := range b.logs {
		if l.batches && !l.housed() && l.deleted < 0 && len(l.cuts) == 0 && !b.shared(l) {
			homeless = append(homeless, l)
		}
	}
	return b.house(homeless)
}

// house makes the folders of logs, durably, before anything else is in them.
func (b *boot) house(logs []*bootLog) error {
	if len(logs) == 0 {
		return nil
	}
	var list syncList
	for _, l := range logs {
		if err := l.writeHome(); err != nil {
			return err
		}
		list.file(l.path + "/" + metadataFile)
		list.dirs = append(list.dirs, l.path)
	}
	if err := syncAll(b.disk, list.files, list.dirs); err != nil {
		return err
	}
	if err := syncDir(b.disk, b.d.cfg.Path); err != nil {
		return err
	}
	for _, l := range logs {
		l.names = l.names || !l.metadata
		l.home, l.exists, l.metadata = true, true, true
	}
	return nil
}

// shared tells that another log has the same folder: one of them was deleted.
func (b *boot) shared(l *bootLog) bool { return b.folders[l.path] > 1 }

// housed tells that the folder is there, durably, and says whose it is.
func (l *bootLog) housed() bool { return l.home || !l.created }

// writeHome makes the folder and says in it whose it is, not yet durably. What a killed
// process has made of that may be in the cache only, so it is to be synced in any case.
func (l *bootLog) writeHome() error {
	if l.metadata {
		return nil
	}
	disk := l.boot.disk
	if err := disk.MkdirAll(l.path); err != nil {
		return fmt.Errorf("log: make %s: %w", l.path, err)
	}
	return writeFile(disk, l.path+"/"+metadataFile, appendMetadata(nil, l.id), false)
}

// makeFolder is makeHomes for one log.
func (l *bootLog) makeFolder() error {
	if l.housed() {
		return nil
	}
	return l.boot.house([]*bootLog{l})
}

// emptyTrash has renamed folders of deleted logs removed. The renames must be durable
// first, for the reason that list has.
func (b *boot) emptyTrash() error {
	if len(b.trash) == 0 {
		return nil
	}
	if err := syncDir(b.disk, b.d.cfg.Path); err != nil {
		return err
	}
	for _, path := range b.trash {
		b.disk.RemoveAllLater(path)
	}
	b.trash = b.trash[:0]
	return nil
}
