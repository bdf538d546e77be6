package log

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
)

// # The log start
//
//	RaiseStart ──▶ journal ──▶ Start moves ──▶ sync job ──▶ journal ──▶ .deleted ──▶ removed
//	               "start"     readers are     what lived   "first      files are    after the
//	                           told            in segments  kept"       renamed      delay
//	                                           below
//
// Nothing speaks of a start before it is durable, under either flush policy, so it never goes
// back. A segment wholly below it is kept until a snapshot has what it knows of producers:
// else a retry of a batch that is gone would be appended again. Then the journal says which
// segment is the first, and only then does a file go: boot replays nothing into what it calls
// gone, and takes a file that came back through a loss of power for what it is.

// raise is a start on its way through the journal.
type raise struct {
	log *Log
	seq journal.Seq
	to  kafka.Offset
}

// trimming is segments that the log has let go and their files.
type trimming struct {
	log   *Log
	seq   journal.Seq // group that says which segment is the first kept
	segs  []*segment
	moved bool
}

// remains are files that go when their time has come.
type remains struct {
	paths []string
	at    env.Instant
}

// RaiseStart has the log begin at an offset, which must be committed; what lies below is
// given to nobody any more. Effects.Started tells when that is so: Start moves when it is
// durable. A start at or below one that was asked for before changes nothing, as does any
// start of a log that Err is not nil for.
func (l *Log) RaiseStart(to kafka.Offset) {
	if l.Err() != nil || to <= l.raised {
		return
	}
	// What is not durable could be lost, and its offsets given to other records, below a
	// start that says they are gone.
	if to > l.durable {
		invariant.Violated("log.start-within-durable", "%s start=%d durable=%d", l.tp, to, l.durable)
	}
	l.raised = to
	l.dir.raises = append(l.dir.raises, raise{l, l.noteStart(), to})
}

// noteStart has the journal say where the log begins, and in which segment.
func (l *Log) noteStart() journal.Seq {
	e := l.startEntry()
	l.startSeq = l.dir.journal.Collect(&e, nil, false)
	l.lastSeq = l.startSeq
	l.dir.touch(l)
	return l.startSeq
}

// startEntry says the start asked for last. If that is not durable yet, its own entry stands
// before this one.
func (l *Log) startEntry() journal.Entry {
	return journal.Entry{
		Kind: journal.KindStart, Key: l.key, A: int64(l.raised), B: int64(l.bottom()), Payload: l.cutState(),
	}
}

// settleRaises moves the starts that groups below seq say.
func (d *Dir) settleRaises(below journal.Seq) {
	n := 0
	for n < len(d.raises) && d.raises[n].seq < below {
		if r := d.raises[n]; !r.log.gone {
			r.log.started(r.to)
		}
		n++
	}
	if n > 0 {
		rest := copy(d.raises, d.raises[n:])
		clear(d.raises[rest:])
		d.raises = d.raises[:rest]
	}
}

// started reports that the log begins at start for good.
func (l *Log) started(start kafka.Offset) {
	d, from := l.dir, l.start
	// A consumer that was told to go on at the start would find what it was told is gone.
	if start <= from || start > l.end {
		invariant.Violated("log.start-never-back", "%s start=%d->%d end=%d", l.tp, from, start, l.end)
	}
	l.start = start
	l.epochs.cutStart(start)
	l.trace(traceStart, int64(from), int64(start), 0, 0)
	for l.tail.written > 0 && l.tail.at(0).next <= start {
		l.forgetFirst()
	}
	if !l.saysStart {
		l.saysStart = true
		d.starts = append(d.starts, l)
	}
	d.effects.Started = append(d.effects.Started, l)
	l.trim()
}

// below is how many segments lie wholly below the start. The last one never does.
func (l *Log) below() int {
	n := 0
	for n+1 < len(l.segments) && l.segments[n+1].base <= l.start {
		n++
	}
	return n
}

// trim lets go of the segments wholly below the start whose every word is safe elsewhere, and
// has the others made so. A truncation reaches the files first: boot takes a snapshot from
// before it for void, and one from after a segment went for all that is left of that.
func (l *Log) trim() {
	below := l.below()
	if below == 0 || l.cut != nil || l.dir.closing {
		return
	}
	whole := 0 // of these nothing is to be written to their files
	for whole < below && l.segments[whole].whole(l.flushed) {
		whole++
	}
	n := whole
	for n > 0 && l.snapshotAt(l.segments[n].base) != snapshotInPlace {
		n--
	}
	if whole < below || l.snapshotAt(l.segments[below].base) == snapshotUnwritten {
		l.dir.queueJob(l)
	}
	if n > 0 && l.job == nil {
		l.letGo(n)
	}
}

// whole tells that a segment is closed and its files, synced, have all there is.
func (s *segment) whole(flushed kafka.Offset) bool {
	return s.sealed && s.named && s.synced == s.size && s.indexesSaved() && s.end <= flushed
}

type snapshotState uint8

const (
	snapshotMissing snapshotState = iota
	snapshotUnwritten
	snapshotInPlace
)

// snapshotAt tells whether there is a snapshot of all below the offset where a segment begins.
// Without one, what lies below stays until the start has passed a segment that has one.
func (l *Log) snapshotAt(base kafka.Offset) snapshotState {
	for _, s := range l.snapshots {
		switch {
		case s.offset != base:
		case s.data == nil && base <= l.flushed:
			return snapshotInPlace
		default:
			return snapshotUnwritten
		}
	}
	return snapshotMissing
}

// letGo forgets the first n segments. Reads of them that are under way complete.
func (l *Log) letGo(n int) {
	d := l.dir
	t := &trimming{log: l, segs: slices.Clone(l.segments[:n])}
	for _, s := range t.segs {
		d.closed.drop(s)
		d.indexes.drop(s)
		s.close()
	}
	l.segments = slices.Delete(l.segments, 0, n)
	t.seq = l.noteStart()
	l.trims++
	d.trims = append(d.trims, t)
}

// moveTrimmed renames the files of segments that were let go, once that is safe: the journal
// says that they are gone, and no operation in flight could make them anew.
func (d *Dir) moveTrimmed() {
	for _, t := range d.trims {
		if t.moved || t.seq >= d.journal.Durable() || t.reading() {
			continue
		}
		if err := d.moveSegments(t); err != nil {
			d.fail(err)
			return
		}
	}
}

func (t *trimming) reading() bool {
	return slices.ContainsFunc(t.segs, func(s *segment) bool { return s.reads > 0 })
}

func (d *Dir) moveSegments(t *trimming) error {
	l := t.log
	gone := remains{at: d.env.Clock.Now().Add(l.cfg.FileDeleteDelay)}
	for _, s := range t.segs {
		for _, suffix := range []string{".log", ".index", ".timeindex"} {
			path := l.path + "/" + segmentName(s.base, suffix)
			err := d.env.Disk.Rename(path, path+deletedSuffix)
			if errors.Is(err, env.ErrNoSpace) { // the folder has no room for the name
				err = d.env.Disk.Remove(path)
			} else if err == nil {
				gone.paths = append(gone.paths, path+deletedSuffix)
			}
			if err != nil && !errors.Is(err, env.ErrNotExist) {
				return fmt.Errorf("log: rename %s: %w", path, err)
			}
		}
	}
	t.moved = true
	l.trace(traceTrimmed, int64(t.segs[0].base), int64(t.segs[len(t.segs)-1].end), int64(len(t.segs)), 0)
	d.remains = append(d.remains, gone)
	d.expect(gone.at)
	l.ops++
	d.env.Disk.SyncDirLater(l.path, d.ops.start(op{kind: opTrimmed, log: l, trim: t}))
	return nil
}

// trimSynced ends the journal's interest in files that are gone.
func (d *Dir) trimSynced(t *trimming, done env.Completion) {
	l := t.log
	l.ops--
	d.trims = deletePointer(d.trims, t)
	l.trims--
	if done.Err != nil {
		d.fail(fmt.Errorf("log: sync %s: %w", l.path, done.Err))
	}
}

// mustSayStart tells that the files do not say where the log begins.
func (l *Log) mustSayStart() bool {
	s := l.segments[0]
	return l.start > 0 && (l.trims > 0 || s.base < l.start || !s.named)
}

// carryStarts has a checkpoint say again where logs begin.
func (d *Dir) carryStarts(p *checkpoint) {
	keep := d.starts[:0]
	for _, l := range d.starts {
		if l.saysStart = l.mustSayStart(); !l.saysStart {
			continue
		}
		keep = append(keep, l)
		if l.startSeq < p.seq {
			e := l.startEntry()
			l.startSeq = d.journal.Collect(&e, nil, true)
			p.carry = max(p.carry, l.startSeq)
		}
	}
	clear(d.starts[len(keep):])
	d.starts = keep
}

// forgetStarts drops what is under way with the start of a log that is deleted.
func (d *Dir) forgetStarts(l *Log) {
	d.raises = slices.DeleteFunc(d.raises, func(r raise) bool { return r.log == l })
	d.trims = slices.DeleteFunc(d.trims, func(t *trimming) bool { return t.log == l && !t.moved })
	d.starts = deletePointer(d.starts, l)
}

// removeRemains unlinks the files of segments that were let go long enough ago.
func (d *Dir) removeRemains(now env.Instant) {
	d.remains = slices.DeleteFunc(d.remains, func(r remains) bool {
		if now < r.at {
			return false
		}
		for _, path := range r.paths {
			d.env.Disk.RemoveAllLater(path)
		}
		return true
	})
}
