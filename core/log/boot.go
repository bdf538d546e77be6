package log

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
)

// boot opens a directory, blocking, in this order:
//
//	read     journal and folders; damage in the journal refuses, with nothing changed
//	unmark   the mark of a clean stop goes, durably, before anything is changed
//	survey   what the journal says in the end, from the notes of the read
//	secure   what will be replayed is made durable in the journal, before anything rests on it
//	homes    folders are made for logs that have none, before anything is in them
//	replay   the journal's groups are brought onto the segments
//	recover  tails are read back, indexes and producer state made whole
//	sync     all of that is made durable
//	seal     the journal begins anew; what was replayed is never replayed again
//	reserve  is made, if there is room again, and made durable
//
// A crash at any point finds the journal as it was and starts over.
type boot struct {
	d      *Dir
	disk   env.Disk
	scan   *journal.Scan
	logs   []*bootLog
	byKey  map[journal.Key]*bootLog
	begin  env.Instant
	report *Recovery

	folders map[string]int // by path, how many logs have it
	trash   []string       // folders of deleted logs, renamed, not yet durably

	progress bootProgress
}

// OpenDir opens a log directory and recovers it, blocking. An error means that it must not
// be used; if that wraps journal.ErrDamaged or journal.ErrVersion, nothing was changed.
func OpenDir(cfg DirConfig) (*Dir, error) {
	cfg = cfg.Defaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &Dir{cfg: cfg, env: cfg.Env, byTP: make(map[kafka.TopicPartition]*Log)}
	d.ops.init(cfg.TagBase)
	d.cache.limit = cfg.TailCacheBytes
	b := &boot{
		d: d, disk: cfg.Env.Disk, report: &d.recovery, begin: cfg.Env.Clock.Now(),
		byKey: make(map[journal.Key]*bootLog), progress: bootProgress{Progress{Path: cfg.Path}, cfg.Progress},
	}
	if err := b.run(); err != nil {
		return nil, err
	}
	return d, nil
}

func (b *boot) run() error {
	d := b.d
	err := b.makeDir()
	if err != nil {
		return err
	}
	if b.report.ReserveGiven, err = giveReserve(b.disk, &d.cfg); err != nil {
		return err
	}
	if err := b.scanJournal(); err != nil {
		return err
	}
	for _, step := range []func() error{
		b.unmark, b.list, b.survey, b.scan.Secure, b.makeHomes, b.replay, b.recoverLogs, b.sync, b.seal,
		b.keepReserve,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	b.finish()
	return nil
}

// scanJournal reads the journal, and changes nothing.
func (b *boot) scanJournal() (err error) {
	d := b.d
	cfg := journal.Config{
		Path: d.cfg.Path + "/" + JournalFolder, Env: d.env,
		Tag: d.ops.tag(journalSlot, 0), PrepareTag: d.ops.tag(prepareSlot, 0),
		Node: int32(d.cfg.Node), FileBytes: d.cfg.JournalFileBytes, Files: d.cfg.JournalFiles,
		Progress: func(read, total int64) {
			if b.progress.at.BytesTotal == 0 {
				b.progress.enter(PhaseScan, 0, total)
			}
			b.progress.add(0, read)
		},
	}
	if d.env.Rare.Rare("log.survey-reads") {
		cfg.NotesBytes = 1
	}
	if b.scan, err = journal.NewScan(cfg); err != nil {
		return fmt.Errorf("log: directory %s: %w", d.cfg.Path, err)
	}
	return nil
}

// makeDir makes the directory. Its name must be durable even if it is there already: a
// killed process may have made it. Of missing parents, all names are.
func (b *boot) makeDir() error {
	path := b.d.cfg.Path
	_, err := b.disk.List(path)
	missing := errors.Is(err, env.ErrNotExist)
	if err := b.disk.MkdirAll(path); err != nil {
		return fmt.Errorf("log: make %s: %w", path, err)
	}
	for i := strings.LastIndexByte(path, '/'); i >= 0; i = strings.LastIndexByte(path[:i], '/') {
		if err := syncDir(b.disk, path[:max(1, i)]); err != nil {
			return err
		}
		if !missing {
			return nil
		}
	}
	return nil
}

// unmark reads and removes the mark of a clean stop. It is gone for good before anything
// changes: a crash from now on must not look clean.
func (b *boot) unmark() error {
	path := b.d.cfg.Path + "/" + cleanFile
	text, err := readWhole(b.disk, path, 4096)
	if errors.Is(err, env.ErrNotExist) {
		b.report.BrokerEpoch = -1
		return nil
	}
	if err != nil && !errors.Is(err, env.ErrIO) { // a mark that cannot be read marks nothing
		return err
	}
	b.report.BrokerEpoch, b.report.Clean = parseCleanMark(text)
	if err := b.disk.Remove(path); err != nil {
		return fmt.Errorf("log: remove %s: %w", path, err)
	}
	return syncDir(b.disk, b.d.cfg.Path)
}

// list finds the partitions' folders.
func (b *boot) list() error {
	entries, err := b.disk.List(b.d.cfg.Path)
	if err != nil {
		return fmt.Errorf("log: list %s: %w", b.d.cfg.Path, err)
	}
	// The renames first: a folder that came back under its old name with half of its files
	// gone would be taken for a log.
	if slices.ContainsFunc(entries, isTrash) {
		if err := syncDir(b.disk, b.d.cfg.Path); err != nil {
			return err
		}
	}
	for _, e := range entries {
		path := b.d.cfg.Path + "/" + e.Name
		switch {
		case e.Name == reserveFile:
			b.d.space.reserved = e.Size >= b.d.cfg.ReserveBytes
		case strings.HasSuffix(e.Name, tmpSuffix), isTrash(e):
			b.disk.RemoveAllLater(path)
		case e.Dir && e.Name != JournalFolder:
			tp, err := kafka.ParseTopicPartition(e.Name)
			if err != nil || kafka.ValidateTopicName(tp.Topic) != "" {
				continue // not ours, or set aside by an operator
			}
			if err := b.listLog(tp, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// isTrash tells the folder of a deleted log.
func isTrash(e env.Entry) bool { return e.Dir && strings.HasSuffix(e.Name, deleteSuffix) }

func (b *boot) listLog(tp kafka.TopicPartition, path string) error {
	entries, err := b.disk.List(path)
	if err != nil {
		return fmt.Errorf("log: list %s: %w", path, err)
	}
	id, err := b.topicID(path)
	if err != nil {
		return err
	}
	l := b.newLog(tp)
	l.exists, l.metadata = true, !id.IsZero()
	for _, e := range entries {
		switch {
		case strings.HasSuffix(e.Name, deletedSuffix):
			b.disk.RemoveAllLater(path + "/" + e.Name)
		case strings.HasSuffix(e.Name, tmpSuffix): // now: the first job may use the name again
			if err := b.disk.Remove(path + "/" + e.Name); err != nil {
				return fmt.Errorf("log: remove %s/%s: %w", path, e.Name, err)
			}
		}
		if base, suffix, ok := parseSegmentName(e.Name); ok {
			l.addFile(base, suffix, e.Size)
		}
	}
	slices.SortFunc(l.files, func(x, y *bootSegment) int { return compareInt64(int64(x.base), int64(y.base)) })
	slices.Sort(l.snapshots)
	switch {
	case !id.IsZero():
	case tp.Topic == kafka.MetadataTopic:
		id = kafka.MetadataTopicID
	case len(l.files) == 0: // made by a process that got no further: its id comes first
		b.logs = b.logs[:len(b.logs)-1]
		return nil
	}
	l.setID(id)
	if !id.IsZero() {
		b.byKey[l.key] = l
	}
	return nil
}

// topicID reads partition.metadata; zero if there is none to be read.
func (b *boot) topicID(path string) (kafka.TopicID, error) {
	text, err := readWhole(b.disk, path+"/"+metadataFile, 4096)
	if errors.Is(err, env.ErrNotExist) || errors.Is(err, env.ErrIO) {
		return kafka.TopicID{}, nil
	}
	if err != nil {
		return kafka.TopicID{}, err
	}
	id, err := parseMetadata(text)
	if err != nil {
		return kafka.TopicID{}, nil
	}
	return id, nil
}

func (b *boot) newLog(tp kafka.TopicPartition) *bootLog {
	l := &bootLog{
		boot: b, Log: b.d.newLog(tp, kafka.TopicID{}, DefaultConfig()), deleted: -1,
	}
	b.logs = append(b.logs, l)
	return l
}

// seal begins the journal anew. Its first group says again what has no file.
func (b *boot) seal() error {
	d := b.d
	var entries []journal.Entry
	for _, l := range b.logs {
		if !l.skip() {
			entries = append(entries, l.carry(l.exists)...)
		}
	}
	for _, bl := range d.blobs {
		entries = append(entries, journal.Entry{
			Kind: journal.KindBlob, Payload: journal.AppendBlob(nil, bl.key, bl.value),
		})
	}
	j, err := b.scan.Start(entries)
	if err != nil {
		return err
	}
	d.journal = j
	first := j.Durable() - 1
	for i := range d.blobs {
		d.blobs[i].seq = first
	}
	for _, l := range b.logs {
		if l.skip() {
			continue
		}
		d.insert(l.Log)
		if !l.exists {
			l.lastSeq = first
			d.touch(l.Log)
		}
		if l.mustSayStart() {
			l.startSeq, l.saysStart = first, true
			d.starts = append(d.starts, l.Log)
		}
		if l.policy == FlushOS {
			l.policySeq = first
			d.osLogs = append(d.osLogs, l.Log)
		}
	}
	return nil
}

func (b *boot) finish() {
	d, r := b.d, b.report
	d.point.at = d.env.Clock.Now()
	d.scanBuf = nil
	r.Logs = len(d.order)
	r.Journal = b.scan.Report()
	for _, l := range d.order {
		r.Segments += len(l.segments)
	}
	for _, l := range b.logs {
		if !l.skip() {
			l.Log.trim()
			l.trace(traceRecovered, int64(l.start), int64(l.end), l.cutBytes, int64(l.damages))
		}
	}
	r.Duration = d.env.Clock.Now().Sub(b.begin)
	d.trace(traceOpened, "", [4]int64{
		int64(r.Logs), int64(r.Journal.Groups), int64(r.Journal.TornGroups), int64(r.DamageCount),
	})
}
