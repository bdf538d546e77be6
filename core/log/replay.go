package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
	"github.com/tidemark-log/tidemark/core/record"
)

// bootLog is a log on its way up.
type bootLog struct {
	*Log
	boot      *boot
	exists    bool // has a folder
	metadata  bool // and a partition.metadata in it
	home      bool // both are durable
	files     []*bootSegment
	snapshots []kafka.Offset

	// what the journal says, found by the survey
	created  bool
	deleted  int          // ordinal of the entry, −1
	reborn   bool         // created again under the same id
	filesCut int          // ordinal of the entry that last said so
	kept     kafka.Offset // base of the first segment that has not gone
	point    kafka.Offset // recovery point of an os log
	cuts     []bootCut

	// replay
	batches bool // the journal has some that nothing truncates
	live    bool // the journal has batches or a truncation
	osCut   bool // of an os log, that its files do not have yet
	first   kafka.Offset
	endSeg  kafka.Offset
	endPos  int64
	endAt   kafka.Offset
	out     *bootSegment // being written
	outPos  int64
	outData []byte
	outFile env.File

	// recovery
	epochsLoaded bool
	late         epochCache   // from the journal, ahead of what is read back
	epochsBad    bool         // leader-epoch-checkpoint is to be rebuilt from the start
	since        kafka.Offset // the producer state holds what lies below

	// outcome
	cutBytes int64
	damages  int
	names    bool // names in the folder changed
	lost     bool // the journal has entries of a log that is nowhere

	share int64 // of the bytes of Progress, not yet read
}

// bootSegment is a segment as its files show it; −1: no such file.
type bootSegment struct {
	base               kafka.Offset
	size, index, times int64
	cut                int64 // how long replay says it is; −1: as long as it is
	unsynced           bool
	verify             bool // read its end, whether it reaches the next segment
	indexes            indexesDuty
}

// indexesDuty is what is to be done about a segment's index files.
type indexesDuty uint8

const (
	indexesLeave   indexesDuty = iota
	indexesSync                // they are right, and may be in the cache only
	indexesRebuild             // they are to be written anew
)

type bootCut struct {
	ordinal int
	to      kafka.Offset
}

func (l *bootLog) setID(id kafka.TopicID) {
	l.id = id
	l.key = journal.Key{Topic: id, Partition: l.tp.Partition}
}

// skip tells logs that are not to be opened: deleted, or never really there.
func (l *bootLog) skip() bool { return l.deleted >= 0 && !l.reborn || !l.exists && !l.created }

func (l *bootLog) addFile(base kafka.Offset, suffix string, size int64) {
	if suffix == ".snapshot" {
		l.snapshots = append(l.snapshots, base)
		return
	}
	s := l.segmentAt(base)
	switch suffix {
	case ".log":
		s.size = size
	case ".index":
		s.index = size
	case ".timeindex":
		s.times = size
	}
}

// segmentAt finds or makes a segment's entry.
func (l *bootLog) segmentAt(base kafka.Offset) *bootSegment {
	for _, s := range slices.Backward(l.files) {
		if s.base == base {
			return s
		}
	}
	s := &bootSegment{base: base, size: -1, index: -1, times: -1, cut: -1}
	at := len(l.files)
	for at > 0 && l.files[at-1].base > base {
		at--
	}
	l.files = slices.Insert(l.files, at, s)
	return s
}

// survey reads what the journal says in the end, before anything is done about it.
func (b *boot) survey() error {
	return b.scan.Survey(func(ordinal int, e journal.Entry) error {
		if e.Kind == journal.KindBlob {
			b.keepBlob(e.Payload)
			return nil
		}
		l := b.byKey[e.Key]
		if l == nil {
			l = b.introduce(e)
		}
		switch e.Kind {
		case journal.KindCreated:
			l.reborn, l.cuts = l.deleted >= 0, nil
			l.created, l.policy, l.point = true, FlushPolicy(e.B), kafka.Offset(e.A)
			l.start = max(l.start, l.point)
		case journal.KindDeleted:
			l.deleted, l.reborn, l.created = ordinal, false, false
			l.start, l.kept = 0, 0
		case journal.KindStart:
			l.start, l.kept = max(l.start, kafka.Offset(e.A)), max(l.kept, kafka.Offset(e.B))
			if string(e.Payload) == string(filesCut) {
				l.filesCut = ordinal
			}
		case journal.KindPolicy:
			l.policy, l.point = FlushPolicy(e.B), kafka.Offset(e.A)
			if string(e.Payload) == string(filesCut) {
				l.filesCut = ordinal
			}
		case journal.KindTruncate:
			l.cuts = append(l.cuts, bootCut{ordinal, kafka.Offset(e.A)})
		case journal.KindBatch:
			l.batches = true
		}
		return nil
	})
}

// introduce meets a log that no folder is known for by its id: one not yet written to, or
// one that was deleted.
func (b *boot) introduce(e journal.Entry) *bootLog {
	tp := kafka.TopicPartition{Topic: "id:" + e.Key.Topic.String(), Partition: e.Key.Partition}
	if e.Kind == journal.KindCreated {
		tp.Topic = string(e.Payload)
	}
	l := b.nameless(tp)
	if l == nil {
		l = b.newLog(tp)
	}
	l.setID(e.Key.Topic)
	b.byKey[e.Key] = l
	return l
}

// nameless finds the folder of that name whose partition.metadata cannot be read: a boot
// made it from the journal, and the power went before it was safe.
func (b *boot) nameless(tp kafka.TopicPartition) *bootLog {
	for _, l := range b.logs {
		if l.exists && l.id.IsZero() && l.tp == tp {
			return l
		}
	}
	return nil
}

func (b *boot) keepBlob(payload []byte) {
	key, value, ok := journal.Blob(payload)
	if !ok {
		return
	}
	for i := range b.d.blobs {
		if b.d.blobs[i].key == key {
			b.d.blobs[i].value = slices.Clone(value)
			return
		}
	}
	at, _ := slices.BinarySearchFunc(b.d.blobs, key, func(x blob, key string) int {
		return strings.Compare(x.key, key)
	})
	b.d.blobs = slices.Insert(b.d.blobs, at, blob{key: key, value: slices.Clone(value)})
}

// replay brings the journal's entries onto the folders, in their order.
func (b *boot) replay() error {
	b.progress.enter(PhaseReplay, 0, b.scan.Report().Bytes)
	ordinal := 0
	err := b.scan.Replay(func(_ journal.Seq, e journal.Entry) error {
		ordinal++
		b.progress.add(0, int64(len(e.Payload)))
		l := b.byKey[e.Key]
		if e.Kind == journal.KindBlob || l == nil || l.deleted > ordinal {
			return nil
		}
		if !l.exists && !l.created { // its folder is gone, and nothing says its name
			l.lost = l.deleted < 0
			return nil
		}
		switch e.Kind {
		case journal.KindBatch:
			return l.replayBatch(ordinal, e)
		case journal.KindDeleted:
			return l.replayDeleted(string(e.Payload))
		case journal.KindEpoch:
			return l.replayEpoch(kafka.LeaderEpoch(e.B), kafka.Offset(e.A))
		case journal.KindTruncate:
			return l.replayTruncate(ordinal, e)
		case journal.KindPolicy:
			if FlushPolicy(e.B) == FlushGroup && l.endAt != kafka.Offset(e.A) {
				return l.replayGap()
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range b.logs {
		if err := l.flush(); err != nil {
			return err
		}
		if err := l.closeOut(); err != nil {
			return err
		}
	}
	return b.emptyTrash()
}

// replayBatch writes a batch where it was, or would have been, written. What a later entry
// truncates is left out: an os log may have written something else there since.
func (l *bootLog) replayBatch(ordinal int, e journal.Entry) error {
	batch := record.Batch(e.Payload)
	if l.cutLater(ordinal, batch.NextOffset()) {
		return nil
	}
	if l.osCut && batch.BaseOffset() != l.endAt {
		return nil // what lies before was for the file, which was not even cut yet
	}
	if err := l.replayEpoch(batch.LeaderEpoch(), batch.BaseOffset()); err != nil {
		return err
	}
	if kafka.Offset(e.A) < l.kept { // its segment has gone, and what it said is elsewhere
		l.endSeg, l.endPos, l.endAt = l.kept, 0, batch.NextOffset()
		return nil
	}
	if !l.live {
		l.live, l.first = true, batch.BaseOffset()
	} else if l.endAt != batch.BaseOffset() {
		if err := l.replayGap(); err != nil {
			return err
		}
		l.live, l.first = true, batch.BaseOffset()
	}
	base, pos := kafka.Offset(e.A), e.B
	if l.out == nil || l.out.base != base || l.outPos+int64(len(l.outData)) != pos ||
		len(l.outData) > scanBytes {
		if err := l.flush(); err != nil {
			return err
		}
		if err := l.openOut(base); err != nil {
			return err
		}
		l.outPos = pos
		l.checkGap(pos)
	}
	l.outData = append(l.outData, batch...)
	l.endSeg, l.endPos, l.endAt = base, pos+int64(len(batch)), batch.NextOffset()
	return nil
}

func (l *bootLog) cutLater(ordinal int, next kafka.Offset) bool {
	return slices.ContainsFunc(l.cuts, func(c bootCut) bool { return c.ordinal > ordinal && next > c.to })
}

// replayGap meets offsets that the journal does not have: the log was an os log then, and
// all of it was synced before it became a group log again. So the files say where it ends,
// until the journal goes on.
func (l *bootLog) replayGap() error {
	if err := l.flush(); err != nil {
		return err
	}
	l.live = false
	for _, s := range l.files {
		s.cut = -1
	}
	return nil
}

// checkGap reports a segment that ends before the place where the journal goes on: what
// lies between had been synced.
func (l *bootLog) checkGap(pos int64) {
	if size := max(0, l.out.size); size < pos && l.policy == FlushGroup {
		l.damage(l.out.base, size, fmt.Sprintf("file ends before byte %d", pos))
	}
}

func (l *bootLog) openOut(base kafka.Offset) error {
	if l.out != nil && l.out.base == base {
		return nil
	}
	if err := l.closeOut(); err != nil {
		return err
	}
	if err := l.makeFolder(); err != nil {
		return err
	}
	l.out = l.segmentAt(base)
	f, err := l.boot.disk.Open(l.path+"/"+segmentName(base, ".log"), env.OpenOrCreate)
	if err != nil {
		return fmt.Errorf("log: open %s %s: %w", l.tp, segmentName(base, ".log"), err)
	}
	l.outFile, l.names = f, true
	return nil
}

func (l *bootLog) closeOut() error {
	if l.outFile == nil {
		return nil
	}
	f := l.outFile
	l.out, l.outFile = nil, nil
	if err := f.Close(); err != nil {
		return fmt.Errorf("log: close %s: %w", l.path, err)
	}
	return nil
}

// flush writes what replay has gathered.
func (l *bootLog) flush() error {
	if len(l.outData) == 0 {
		return nil
	}
	if err := l.outFile.Pwrite(l.outData, l.outPos); err != nil {
		return fmt.Errorf("log: write %s %s: %w", l.tp, segmentName(l.out.base, ".log"), err)
	}
	end := l.outPos + int64(len(l.outData))
	l.out.size = max(l.out.size, end)
	l.out.unsynced = true
	if l.policy == FlushGroup || l.osCut {
		l.out.cut = end // what lies behind was not durable, or truncated
	}
	l.outPos, l.outData = end, l.outData[:0]
	return nil
}

// replayTruncate cuts again. If a later entry says that the files were cut, what stands
// there now is new.
func (l *bootLog) replayTruncate(ordinal int, e journal.Entry) error {
	to, pos := kafka.Offset(e.A), e.B
	if len(e.Payload) != 8 {
		return fmt.Errorf("%w: truncation of %s has no segment", journal.ErrDamaged, l.tp)
	}
	base := kafka.Offset(binary.BigEndian.Uint64(e.Payload))
	if err := l.loadEpochs(); err != nil {
		return err
	}
	if err := l.flush(); err != nil {
		return err
	}
	done := l.filesCut > ordinal
	l.cutEpochs(to)
	if !done { // durably: they are of batches that were truncated
		l.dropSnapshotsAbove(to)
	}
	if done || l.cutLater(ordinal, to+1) {
		return nil
	}
	if !l.live {
		l.live, l.first = true, to
	}
	l.endSeg, l.endPos, l.endAt = base, pos, to
	if err := l.closeOut(); err != nil {
		return err
	}
	for n := len(l.files); n > 0 && l.files[n-1].base > base; n-- {
		if err := l.removeSegment(l.files[n-1]); err != nil {
			return err
		}
		l.files = l.files[:n-1]
	}
	l.segmentAt(base).cut = pos
	if l.policy == FlushOS { // nothing was written since
		l.osCut, l.point = true, min(l.point, to)
	}
	return nil
}

// cutEpochs forgets epochs that begin at or after end. One said to begin where the log does may
// have begun before, and holds what is there.
func (l *bootLog) cutEpochs(end kafka.Offset) {
	if l.start > 0 {
		end = max(end, l.start+1)
	}
	l.epochs.cutEnd(end)
	l.late.cutEnd(end)
}

// exact tells that the journal says where the files end.
func (l *bootLog) exact() bool { return l.live && (l.policy == FlushGroup || l.osCut) }

// replayDeleted renames the folder, unless that had been done.
func (l *bootLog) replayDeleted(name string) error {
	if !l.exists {
		return nil
	}
	if err := l.closeOut(); err != nil {
		return err
	}
	to := l.boot.d.cfg.Path + "/" + name
	err := l.boot.disk.Rename(l.path, to)
	if errors.Is(err, env.ErrExist) { // the rename survived a power loss only in half
		to = l.path + "." + l.dir.uuid() + deleteSuffix
		err = l.boot.disk.Rename(l.path, to)
	}
	if err != nil && !errors.Is(err, env.ErrNotExist) {
		return fmt.Errorf("log: rename %s: %w", l.path, err)
	}
	l.exists, l.metadata, l.home, l.files, l.snapshots = false, false, false, nil, nil
	l.epochs, l.late, l.epochsLoaded = epochCache{}, epochCache{}, false
	l.boot.trash = append(l.boot.trash, to)
	if l.reborn || l.boot.shared(l) { // another folder will have the name
		return l.boot.emptyTrash()
	}
	return nil
}

// replayEpoch takes an epoch from the journal. Where older ones are still to be read from
// the log, it waits for them: epochs are noted in order.
func (l *bootLog) replayEpoch(e kafka.LeaderEpoch, start kafka.Offset) error {
	if err := l.loadEpochs(); err != nil {
		return err
	}
	if l.epochsBad {
		l.late.assign(e, start)
	} else {
		l.epochs.assign(e, start)
	}
	return nil
}
