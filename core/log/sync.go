package log

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// syncJob makes one log's files safe, in the background:
//
//	write ─▶ files ──────▶ sync ────▶ names ──────▶ parent
//	rest of  indexes, new  what was  renames of    the folder's
//	the tail side files    written   side files    own name
//
// Each stage waits for the operations of the one before: a sync covers only writes that
// completed before it, and a name is worth nothing before its bytes. A producer snapshot
// gets its name last: that it is there tells boot that the indexes are right up to its
// offset. What was not synced may be anything after a power loss, even another log's
// blocks with a good checksum.
type syncJob struct {
	log     *Log
	stage   jobStage
	pending int
	target  kafka.Offset // what must be in segment files before the sync
	flushed kafka.Offset // what the sync covers
	point   uint64       // checkpoints begun before it are served by it
	version uint64
	side    []env.File
	touched []*segment // with unsynced bytes, names or indexes
	indexes []indexSave
	names   bool     // the folder has new names
	renames []rename // small files written under another name
	noRoom  bool     // cut short: to be done again when there is room
	parent  bool     // the folder itself is new
}

type jobStage uint8

const (
	jobWrite jobStage = iota
	jobFiles
	jobSync
	jobNames
	jobParent
	jobDone
)

// indexSave is what a segment's index files had before the job.
type indexSave struct {
	seg          *segment
	index, times int
}

// rename puts a synced file in place; of a snapshot, offset tells which.
type rename struct {
	from, to string
	snapshot bool
	offset   kafka.Offset
}

// queueJob asks for a sync job that begins from now on.
func (d *Dir) queueJob(l *Log) {
	switch {
	case l.gone || d.err != nil:
	case l.job != nil:
		l.again = true
	case !l.queuedJob:
		l.queuedJob = true
		d.jobs = append(d.jobs, l)
	}
}

// startJobs starts what waits, a few at a time, and steps those that wait for a write.
func (d *Dir) startJobs() {
	keep := d.jobs[:0]
	for _, l := range d.jobs {
		switch {
		case l.gone:
			l.queuedJob = false
			d.served(l)
		case d.running >= d.jobsMax() || l.blocked || l.cut != nil || l.gate >= d.journal.Durable():
			keep = append(keep, l)
		default:
			l.queuedJob = false
			d.startJob(l)
		}
	}
	clear(d.jobs[len(keep):])
	d.jobs = keep
	for i := len(d.active) - 1; i >= 0; i-- { // a job that ends leaves the list
		if j := d.active[i]; j.stage == jobWrite {
			j.step()
		}
	}
}

func (d *Dir) startJob(l *Log) {
	d.running++
	l.job = &syncJob{log: l, target: l.writable(), point: d.point.id, version: l.version}
	d.active = append(d.active, l.job)
	if !l.named { // a job of its own, before anything is written
		l.job.target, l.again = 0, true
	}
	l.hurry()
}

// step goes on as far as it can.
func (j *syncJob) step() {
	l, d := j.log, j.log.dir
	for j.pending == 0 && j.stage != jobDone {
		switch {
		case l.gone || d.err != nil || l.version != j.version || j.noRoom:
			j.stage = jobDone
		case j.stage == jobWrite && l.written < j.target:
			l.hurry()
			return
		case j.stage == jobWrite:
			j.stage = jobFiles
			j.writeFiles()
		case j.stage == jobFiles:
			j.stage = jobSync
			j.syncFiles()
		case j.stage == jobSync:
			j.stage = jobNames
			j.syncNames()
		case j.stage == jobNames:
			j.stage = jobParent
			j.syncParent()
		default:
			j.stage = jobDone
		}
	}
	if j.stage == jobDone && j.pending == 0 {
		d.jobFinished(j)
	}
}

func (j *syncJob) start(o op) env.Tag {
	o.kind, o.job, o.log = opJob, j, j.log
	j.pending++
	j.log.ops++
	return j.log.dir.ops.start(o)
}

// jobStepped reports an operation of a job.
func (d *Dir) jobStepped(o op, done env.Completion) {
	j := o.job
	j.pending--
	o.log.ops--
	if o.seg == nil && d.noRoom(done.Err) { // what goes beside segments is written anew
		j.noRoom = true
	} else if done.Err != nil {
		d.fail(fmt.Errorf("log: sync %s: %w", o.log.tp, done.Err))
	} else if o.seg != nil && o.log.version == j.version {
		o.seg.synced = max(o.seg.synced, o.upTo)
	}
	j.step()
}

// writeFiles writes what goes beside the segments. Indexes and producer state of the active
// segment wait until enough has been appended; they only save boot some reading.
func (j *syncJob) writeFiles() {
	l := j.log
	save := l.named &&
		(l.unsaved >= sideBytes || l.dir.writingOut || l.dir.env.Rare.Rare("log.early-save"))
	for _, s := range l.unsafe() { // also of segments in no file yet: the snapshot vouches
		if s.sealed || save {
			j.writeIndexes(s)
		}
	}
	if save {
		l.unsaved = 0
		l.takeSnapshot(l.end)
	}
	if !l.named { // first of all: a folder that holds anything says whose it is
		j.parent, j.names = true, true
		j.write(l.path+"/"+metadataFile, appendMetadata(nil, l.id), 0)
		return
	}
	for _, s := range l.snapshots {
		if s.data != nil {
			name := segmentName(s.offset, ".snapshot")
			j.replace(rename{to: l.path + "/" + name, snapshot: true, offset: s.offset}, s.data)
		}
	}
	if l.epochs.changed {
		j.replace(rename{to: l.path + "/" + epochFile}, l.epochs.appendText(nil))
		l.epochs.changed = false
	}
}

// replace writes a small file that is renamed into place when it was synced. A job cut
// short may have left a longer one, so every name is new.
func (j *syncJob) replace(r rename, b []byte) {
	d := j.log.dir
	d.uses++
	r.from = fmt.Sprintf("%s.%d%s", r.to, d.uses, tmpSuffix)
	j.write(r.from, b, 0)
	j.renames = append(j.renames, r)
	j.names = true
}

// unsafe lists the segments that a crash could harm: always the newest ones.
func (l *Log) unsafe() []*segment {
	i := len(l.segments)
	for i > 0 {
		s := l.segments[i-1]
		if s.sealed && s.named && s.synced == s.size && s.indexesSaved() {
			break
		}
		i--
	}
	return l.segments[i:]
}

func (j *syncJob) write(path string, b []byte, off int64) {
	f := j.log.dir.env.Disk.OpenLater(path)
	j.side = append(j.side, f)
	f.WriteAt(env.Write{Bufs: [][]byte{b}, Off: off}, j.start(op{}))
}

// writeIndexes appends what the index files lack.
func (j *syncJob) writeIndexes(s *segment) {
	if !s.loaded {
		return
	}
	j.indexes = append(j.indexes, indexSave{s, s.indexSaved, s.timesSaved})
	path := j.log.path + "/" + segmentName(s.base, "")
	if n := len(s.index); s.indexSaved < n || n == 0 && s.sealed {
		b := s.index[s.indexSaved:].appendBinary(nil)
		j.write(path+".index", b, int64(s.indexSaved)*indexEntrySize)
		j.names = j.names || s.indexSaved == 0
		s.indexSaved = n
	}
	if n := len(s.times); s.timesSaved < n || n == 0 && s.sealed {
		b := s.times[s.timesSaved:].appendBinary(nil)
		j.write(path+".timeindex", b, int64(s.timesSaved)*timeEntrySize)
		j.names = j.names || s.timesSaved == 0
		s.timesSaved = n
	}
}

// dropSnapshots keeps the newest two, and those at the start of a segment.
func (l *Log) dropSnapshots() {
	keep := l.snapshots[:0]
	for i, s := range l.snapshots {
		if i >= len(l.snapshots)-2 || l.startsSegment(s.offset) || s.data != nil {
			keep = append(keep, s)
			continue
		}
		l.dir.env.Disk.RemoveAllLater(l.path + "/" + segmentName(s.offset, ".snapshot"))
	}
	l.snapshots = keep
}

func (l *Log) startsSegment(offset kafka.Offset) bool {
	i := l.segmentFor(offset)
	return i >= 0 && l.segments[i].base == offset
}

// syncFiles syncs what was written before this moment.
func (j *syncJob) syncFiles() {
	l := j.log
	j.flushed = l.written
	for _, s := range l.unsafe() {
		if s.written == 0 {
			continue
		}
		j.touched = append(j.touched, s)
		if s.written > s.synced {
			l.opened(s).Sync(j.start(op{seg: s, upTo: s.written}))
		}
		j.names = j.names || !s.named
	}
	for _, f := range j.side {
		f.Sync(j.start(op{}))
	}
}

func (j *syncJob) syncNames() {
	l, disk := j.log, j.log.dir.env.Disk
	for _, r := range j.renames {
		err := disk.Rename(r.from, r.to)
		if l.dir.noRoom(err) {
			j.noRoom = true
			return
		}
		if err != nil {
			l.dir.fail(fmt.Errorf("log: rename %s: %w", r.from, err))
			return
		}
		if r.snapshot {
			l.snapshotWritten(r.offset)
		}
	}
	l.dropSnapshots()
	if j.names {
		disk.SyncDirLater(l.path, j.start(op{}))
	}
}

func (l *Log) snapshotWritten(offset kafka.Offset) {
	for i := range l.snapshots {
		if l.snapshots[i].offset == offset {
			l.snapshots[i].data = nil
		}
	}
}

func (j *syncJob) syncParent() {
	if j.parent {
		j.log.dir.env.Disk.SyncDirLater(j.log.dir.cfg.Path, j.start(op{}))
	}
}

// jobFinished takes the outcome. What the job covered needs no journal any more.
func (d *Dir) jobFinished(j *syncJob) {
	l := j.log
	for _, f := range j.side {
		_ = f.Close() // synced, or given up
	}
	d.running--
	d.point.ended++
	l.job = nil
	d.active = deletePointer(d.active, j)
	if l.gone || d.err != nil {
		d.served(l)
		return
	}
	if l.version != j.version || j.noRoom { // cut short: what it wrote was not synced
		l.again = true
		l.epochs.changed = l.epochs.changed || j.noRoom
		for _, x := range j.indexes {
			x.seg.indexSaved, x.seg.timesSaved = min(x.seg.indexSaved, x.index), min(x.seg.timesSaved, x.times)
		}
	} else {
		l.jobCovered(j)
		l.trim()
	}
	if l.need > j.point || l.again {
		l.again = false
		d.queueJob(l)
		return
	}
	d.served(l)
}

func (l *Log) jobCovered(j *syncJob) {
	for _, s := range j.touched {
		s.named = true
		switch {
		case !s.sealed:
		case !s.indexesSaved(): // closed meanwhile: boot must still read it
			l.again, j.flushed = true, min(j.flushed, s.base)
		case s.synced == s.size:
			l.dir.settleSegment(s)
		}
	}
	l.named = l.named || j.parent
	if j.flushed > l.flushed {
		l.flushed = j.flushed
		if l.policy == FlushOS {
			l.notePolicy(false)
			l.flushOften()
		}
	}
	l.arrive()
}

func deletePointer[T any](list []*T, p *T) []*T {
	for i, q := range list {
		if q == p {
			copy(list[i:], list[i+1:])
			list[len(list)-1] = nil
			return list[:len(list)-1]
		}
	}
	return list
}
