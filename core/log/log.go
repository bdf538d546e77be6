package log

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
	"github.com/tidemark-log/tidemark/core/record"
)

// Log is one partition's log.
//
//	start ──── written ──── durable ──── end
//	        in its segment  acknowledged  next to assign        (group)
//	                        = written                           (os)
type Log struct {
	// config
	dir  *Dir
	tp   kafka.TopicPartition
	id   kafka.TopicID
	key  journal.Key
	path string
	cfg  Config

	// hard state: what a restart finds again
	segments  []*segment // in order; the last is appended to
	start     kafka.Offset
	raised    kafka.Offset // the start asked for; equal once the journal has it
	end       kafka.Offset
	durable   kafka.Offset // what counts as durable under the policy in force
	written   kafka.Offset // the end of what reached segment files
	journaled kafka.Offset // the end of what durable groups hold
	epochs    epochCache
	producers producers
	policy    FlushPolicy  // in force; may lag behind cfg.Flush until a sync
	policySeq journal.Seq  // group that says so, for os logs
	osFrom    kafka.Offset // where a switch to FlushOS began
	switchAt  kafka.Offset // the journal has no gap from here on; what lies before is in files

	// soft state
	tail      tail
	unwritten int64 // bytes of it that are in no file
	err       error // damaged or deleted: takes no appends
	gone      bool
	named     bool        // directory and partition.metadata are durable
	born      journal.Seq // group that says it was created, in this life
	gate      journal.Seq // no file work before this group is durable
	blocked   bool        // an older log still has the path
	cut       *cut        // a truncation that the files do not have yet
	lastSeq   journal.Seq // newest group with an entry of this log
	mark      uint64      // position of its newest durability mark
	markSeq   journal.Seq // and that mark's group
	writing   *segmentWrite
	queued    bool // in dir.writes
	urgent    bool // write what there is, however little
	dirty     bool // in dir.dirty
	job       *syncJob
	again     bool           // another job is wanted
	need      uint64         // checkpoint that waits for a job
	flushed   kafka.Offset   // the end of what was synced to segment files
	agingAt   env.Instant    // when the oldest unsynced byte of an os log was written
	aging     bool           // in dir.aging
	unsaved   int64          // bytes appended since side files were written
	queuedJob bool           // in dir.jobs
	snapshots []snapshotFile // oldest first; data is nil once written
	version   uint64         // counts truncations: a read from before one is void
	startSeq  journal.Seq    // newest group that says the start
	saysStart bool           // in dir.starts
	trims     int            // of dir.trims
	ops       int            // operations in flight on its files
}

// snapshotFile is a producer snapshot; data is what has not been written yet.
type snapshotFile struct {
	offset kafka.Offset
	data   []byte
}

// TP names the partition.
func (l *Log) TP() kafka.TopicPartition { return l.tp }

// ID is the topic's id.
func (l *Log) ID() kafka.TopicID { return l.id }

// Start is the log start offset: nothing below is kept.
func (l *Log) Start() kafka.Offset { return l.start }

// End is the log end offset: the next to assign.
func (l *Log) End() kafka.Offset { return l.end }

// DurableEnd is the durable end offset, what counts for acknowledgements: the synced end
// under FlushGroup, the written end under FlushOS.
func (l *Log) DurableEnd() kafka.Offset { return l.durable }

// Size is the bytes of all segments.
func (l *Log) Size() int64 {
	n := int64(0)
	for _, s := range l.segments {
		n += s.size
	}
	return n
}

// Config is what SetConfig set.
func (l *Log) Config() Config { return l.cfg }

// Policy is the flush policy in force. A log switched to FlushGroup counts as FlushOS
// until all of it was synced once.
func (l *Log) Policy() FlushPolicy { return l.policy }

// Tight tells that clients' appends are to be refused: the volume is nearly full.
func (l *Log) Tight() bool { return l.dir.space.tight }

// Err tells why the log takes no appends: it was deleted, or what is stored is damaged
// so that its end is not known.
func (l *Log) Err() error {
	if l.err != nil {
		return l.err
	}
	return l.dir.err
}

// bottom is the first offset in the files, which may lie below the start.
func (l *Log) bottom() kafka.Offset { return l.segments[0].base }

func (l *Log) active() *segment { return l.segments[len(l.segments)-1] }

// Append puts a batch at the end and returns its base offset. The caller has validated
// it, and gives up its bytes: base offset and leader epoch are patched in place, and the
// bytes stay in the log's memory. owner is retained for as long as that takes; nil means
// that the bytes belong to the log for good.
//
// Appended is not durable: Effects.Durable tells when. An error means that nothing was
// appended.
func (l *Log) Append(b record.Batch, owner env.Buffer, epoch kafka.LeaderEpoch) (kafka.Offset, error) {
	if l.err != nil || l.dir.err != nil {
		return 0, l.Err()
	}
	base := l.end
	if base > 1<<63-2-kafka.Offset(b.LastOffsetDelta()) {
		return 0, fmt.Errorf("log: append to %s at %d: %w", l.tp, base, ErrOffsetsExhausted)
	}
	// A batch whose offsets run backwards would break every reader.
	if b.LastOffsetDelta() < 0 || epoch < l.epochs.latest() {
		invariant.Violated("log.append-in-order", "%s base=%d delta=%d epoch=%d latest=%d",
			l.tp, base, b.LastOffsetDelta(), epoch, l.epochs.latest())
	}
	b.SetBaseOffset(base)
	b.SetLeaderEpoch(epoch)
	if l.epochs.assign(epoch, base) && !l.journals() {
		l.noteEpoch(epoch, base)
	}
	if l.mustRoll(b) {
		l.roll(base)
	}
	s, now := l.active(), l.dir.env.Clock.Now()
	l.date(s, b)
	pos := s.size
	s.add(b, l.cfg.IndexIntervalBytes)
	l.producers.apply(b, now)
	l.end = b.NextOffset()
	l.unwritten += int64(len(b))
	l.unsaved += int64(len(b))
	l.remember(cached{base: base, next: l.end, seg: s, pos: pos, batch: b, owner: owner})
	l.dir.space.appended = true
	l.dir.evict()
	l.trace(traceAppend, int64(base), int64(l.end), int64(epoch), int64(b.CRC()))
	if l.journals() {
		l.dir.journalBatch(l, s, pos, b, owner)
	}
	if l.policy == FlushOS {
		l.queueWrite()
	}
	return base, nil
}

// mustRoll tells whether b begins a new segment.
func (l *Log) mustRoll(b record.Batch) bool {
	s := l.active()
	if s.size == 0 {
		return b.LastOffset()-s.base > maxRelative
	}
	switch {
	case s.size+int64(b.Len()) > l.cfg.SegmentBytes,
		s.indexBytes() > l.cfg.SegmentIndexBytes,
		b.LastOffset()-s.base > maxRelative,
		l.rollByTime(s, b):
		return true
	}
	return l.dir.env.Rare.Rare("log.early-roll")
}

// date notes what age asks about a segment and its batches do not say.
func (l *Log) date(s *segment, b record.Batch) {
	if b.MaxTimestamp() < 0 {
		s.appended = l.dir.env.Clock.WallMillis()
	}
	if s.size == 0 && l.cfg.SegmentJitterMs > 0 {
		most := min(l.cfg.SegmentJitterMs, l.cfg.SegmentMs)
		s.jitter = int64(l.dir.env.Rand.Uint64("log.roll.jitter") % uint64(most))
	}
}

func (l *Log) rollByTime(s *segment, b record.Batch) bool {
	ts := b.MaxTimestamp()
	if ts < 0 {
		ts = kafka.Timestamp(l.dir.env.Clock.WallMillis())
	}
	return s.firstTs >= 0 && int64(ts-s.firstTs) > l.cfg.SegmentMs-s.jitter
}

// roll closes the active segment and begins one at base. It does no file work: the new
// file is made by its first write, the old one is finished by the next sync job.
func (l *Log) roll(base kafka.Offset) {
	old := l.active()
	old.seal()
	l.producers.expire(l.dir.env.Clock.Now())
	l.takeSnapshot(base)
	l.segments = append(l.segments, newSegment(base))
	l.trace(traceRoll, int64(base), int64(old.base), old.size, 0)
	l.dir.touch(l)
	if l.policy == FlushOS {
		l.dir.queueJob(l)
	}
}

// takeSnapshot keeps the producer state as of offset for the next sync job to write.
func (l *Log) takeSnapshot(offset kafka.Offset) {
	if n := len(l.snapshots); n > 0 && l.snapshots[n-1].offset >= offset {
		return
	}
	l.snapshots = append(l.snapshots, snapshotFile{offset, l.producers.appendSnapshot(nil)})
}

// BeginEpoch notes that a leader of epoch e begins at the log's end, before it serves.
func (l *Log) BeginEpoch(e kafka.LeaderEpoch) {
	if l.Err() != nil || !l.epochs.assign(e, l.end) {
		return
	}
	l.epochs.check(l.tp)
	l.trace(traceEpoch, int64(e), int64(l.end), 0, 0)
	l.noteEpoch(e, l.end)
}

// noteEpoch has the journal say that an epoch begins. It must not be left to be read back
// from an os log: boot would not know it from one that was truncated.
func (l *Log) noteEpoch(e kafka.LeaderEpoch, start kafka.Offset) {
	l.dir.note(l, journal.Entry{Kind: journal.KindEpoch, Key: l.key, A: int64(start), B: int64(e)})
}

// LatestEpoch is the newest leader epoch the log knows, −1 if none.
func (l *Log) LatestEpoch() kafka.LeaderEpoch { return l.epochs.latest() }

// EpochAt is the leader epoch in which offset was, or will be, written; −1 if not known.
func (l *Log) EpochAt(offset kafka.Offset) kafka.LeaderEpoch { return l.epochs.at(offset) }

// EndOffsetFor answers OffsetsForLeaderEpoch: the largest epoch known that is not above e,
// and where it ends; −1, −1 if e is newer than the log.
func (l *Log) EndOffsetFor(e kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset) {
	return l.epochs.endFor(e, l.end)
}

// CheckProducer compares a client's batch with the producer state. It changes nothing.
func (l *Log) CheckProducer(b record.Batch) ProducerCheck {
	return l.producers.check(b, l.dir.env.Clock.Now())
}

// journals tells whether appends go through the journal: also while the log is on its way
// to FlushGroup, so that it has no gap when it arrives.
func (l *Log) journals() bool { return l.policy == FlushGroup || l.cfg.Flush == FlushGroup }

// advance moves the durable end.
func (l *Log) advance(to kafka.Offset) {
	if to <= l.durable {
		return
	}
	from := l.durable
	l.durable = to
	// An acknowledgement past what was assigned is about nothing.
	if to > l.end || l.written > l.end || l.start > l.end {
		invariant.Violated("log.ends-in-order", "%s start=%d written=%d durable=%d end=%d",
			l.tp, l.start, l.written, to, l.end)
	}
	l.trace(traceDurable, int64(from), int64(to), 0, 0)
	l.dir.effects.Durable = append(l.dir.effects.Durable, l)
}
