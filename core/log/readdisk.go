package log

import (
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// diskRead is a read under way. It may take several steps: load the index of a closed
// segment, read again because the batch is larger than the guess, go on until a time is
// found. The caller's tag is that of the first step.
type diskRead struct {
	log     *Log
	tag     env.Tag
	version uint64
	look    *lookup // what to look for, nil: give the bytes

	from, upTo kafka.Offset
	max        int
	one        bool
	chunks     []env.Chunk

	seg     *segment
	step    readStep
	pos     int64
	expect  kafka.Offset // last offset of the batch at pos by the index, or −1
	plain   bool         // do not trust the index
	buf     env.Buffer
	data    []byte // what arrived in buf
	checked int    // of which so many bytes are whole batches with a right checksum
	ahead   *ahead // what it is read for, if nobody has asked for it
	indexed []byte // the offset index, while the time index is read
}

type readStep uint8

const (
	readLog readStep = iota
	readIndex
	readTimes
)

func (d *Dir) newRead(l *Log) *diskRead {
	var r *diskRead
	if n := len(d.spareReads); n > 0 {
		r, d.spareReads = d.spareReads[n-1], d.spareReads[:n-1]
	} else {
		r = new(diskRead)
	}
	*r = diskRead{log: l, version: l.version, upTo: l.end}
	return r
}

// fetch starts reading the batch that holds r.from and what follows it in its segment.
func (d *Dir) fetch(r *diskRead) env.Tag {
	l := r.log
	r.seg = l.segments[max(0, l.segmentFor(r.from))]
	if !r.seg.loaded {
		r.step = readIndex
		return d.readSide(r, ".index", r.seg.indexSaved*indexEntrySize)
	}
	r.step = readLog
	r.pos, r.expect = 0, kafka.NoOffset
	if !r.plain && r.from > r.seg.base {
		pos, i := r.seg.index.floor(uint32(r.from - r.seg.base))
		if i >= 0 {
			r.pos, r.expect = pos, r.seg.base+kafka.Offset(r.seg.index[i].rel)
		}
	}
	return d.readAt(r, int64(r.max)+l.cfg.IndexIntervalBytes+readSlack)
}

// readSide loads an index file whole.
func (d *Dir) readSide(r *diskRead, suffix string, n int) env.Tag {
	path := r.log.path + "/" + segmentName(r.seg.base, suffix)
	f := d.env.Disk.OpenLater(path)
	r.buf = d.env.Buffers.Get(min(n, indexFileMax))
	r.log.ops++
	r.seg.reads++
	tag := d.ops.start(op{kind: opRead, log: r.log, read: r})
	f.ReadAt(env.Read{Buf: r.buf.Bytes()}, tag)
	_ = f.Close() // the read still completes
	return tag
}

// readAt reads about n bytes of the segment at r.pos.
func (d *Dir) readAt(r *diskRead, n int64) env.Tag {
	n = min(n, max(readBytesMax, int64(r.max)), r.seg.written-r.pos)
	r.buf = d.env.Buffers.Get(int(max(n, 0)))
	r.log.ops++
	r.seg.reads++
	tag := d.ops.start(op{kind: opRead, log: r.log, read: r})
	r.log.opened(r.seg).ReadAt(env.Read{Buf: r.buf.Bytes(), Off: r.pos, Check: record.WholeLen}, tag)
	return tag
}

// readArrived takes the bytes of a step.
func (d *Dir) readArrived(r *diskRead, done env.Completion) {
	l := r.log
	l.ops--
	r.seg.reads--
	if r.overtaken() {
		return
	}
	if errors.Is(done.Err, env.ErrIO) && r.step != readLog {
		done.Err, done.N = nil, 0 // an index that the device does not give is an empty one
	}
	if done.Err != nil {
		r.finish(fmt.Errorf("log: read %s %s at %d: %w", l.tp, r.seg, r.pos, done.Err))
		return
	}
	if l.gone || d.err != nil {
		r.finish(l.Err())
		return
	}
	if l.version != r.version { // truncated meanwhile: ask again
		r.giveEmpty()
		return
	}
	r.data, r.checked = r.buf.Bytes()[:min(done.N, len(r.buf.Bytes()))], done.Checked
	switch r.step {
	case readIndex:
		r.indexed = append(r.indexed[:0], r.data...)
		r.drop()
		r.step = readTimes
		d.readSide(r, ".timeindex", r.seg.timesSaved*timeEntrySize)
	case readTimes:
		r.takeIndexes()
		r.drop()
		d.resume(r)
	default:
		d.logArrived(r)
	}
}

// overtaken ends a read of what lies below the start by now, or has a lookup begin anew.
func (r *diskRead) overtaken() bool {
	l := r.log
	if l.gone || l.dir.err != nil || l.version != r.version || r.from >= l.start {
		return false
	}
	if r.look == nil {
		r.finish(ErrOutOfRange)
		return true
	}
	r.drop()
	r.plain = false
	r.look.begin(l)
	l.dir.resume(r)
	return true
}

// takeIndexes puts a closed segment's indexes into memory. A damaged one is cut short: it
// only makes reading slower, because what is read is checked.
func (r *diskRead) takeIndexes() {
	s := r.seg
	if s.loaded { // another read was faster
		return
	}
	s.index, _ = parseIndex(r.indexed, s.size)
	s.times, _ = parseTimeIndex(r.data)
	s.indexSaved, s.timesSaved = len(s.index), len(s.times)
	s.loaded = true
	r.indexed = nil
	r.log.dir.indexes.add(s)
}

// resume goes on after an index was loaded, or with the next piece of a lookup.
func (d *Dir) resume(r *diskRead) {
	if r.look != nil {
		if res, done := r.look.run(r); done {
			r.found(res)
		}
		return
	}
	d.fetch(r)
}

// logArrived walks the batches that arrived.
func (d *Dir) logArrived(r *diskRead) {
	w := walk{read: r, pos: r.pos}
	err := w.run()
	switch {
	case errors.Is(err, errMore):
		need := w.need
		r.pos, r.expect = w.pos, kafka.NoOffset
		r.drop()
		d.readAt(r, max(need, int64(r.max)+readSlack))
	case err != nil && w.from < 0 && !r.plain && r.pos > 0 && w.pos == r.pos:
		// The index led to a place where no such batch starts. It may be the index that
		// is damaged: walk the segment from its start.
		r.plain = true
		r.drop()
		d.fetch(r)
	case err != nil && w.from < 0:
		l := r.log
		l.trace(traceDamaged, int64(r.seg.base), w.pos, 0, 0)
		r.finish(fmt.Errorf("log: %s %s at byte %d: %w: %w", l.tp, r.seg, w.pos, ErrDamaged, err))
	case r.look != nil:
		d.lookOn(r, &w)
	default:
		r.give(&w)
	}
}

// give hands the bytes to whoever asked.
func (r *diskRead) give(w *walk) {
	if r.ahead != nil {
		r.landAhead(w)
		return
	}
	if w.from >= 0 {
		r.log.dir.readOn(r.log, r.from, w.next, r.max)
	}
	res := ReadResult{Chunks: r.chunks, Next: r.from}
	if w.from >= 0 {
		b := r.data[w.from:w.to:w.to]
		res.Chunks = append(res.Chunks, env.Chunk{Bytes: b, Owner: r.buf})
		res.Bytes, res.Next = len(b), w.next
		r.buf = nil // the reference goes with the chunk
	}
	r.done(ReadDone{Result: res})
}

func (r *diskRead) giveEmpty() {
	if r.ahead != nil {
		r.dropAhead(nil)
		return
	}
	r.done(ReadDone{
		Result: ReadResult{Chunks: r.chunks, Next: r.from},
		Time:   TimeResult{Offset: kafka.NoOffset, Timestamp: kafka.NoTimestamp, LeaderEpoch: -1},
	})
}

func (r *diskRead) finish(err error) {
	if r.ahead != nil {
		r.dropAhead(err)
		return
	}
	r.done(ReadDone{
		Result: ReadResult{Chunks: r.chunks, Next: r.from, Err: err},
		Time:   TimeResult{Offset: kafka.NoOffset, Timestamp: kafka.NoTimestamp, LeaderEpoch: -1, Err: err},
	})
}

func (r *diskRead) found(t TimeResult) { r.done(ReadDone{Time: t}) }

func (r *diskRead) done(done ReadDone) {
	d := r.log.dir
	done.Tag, done.Log = r.tag, r.log
	d.effects.Reads = append(d.effects.Reads, done)
	r.retire()
}

func (r *diskRead) retire() {
	d := r.log.dir
	r.drop()
	*r = diskRead{}
	d.spareReads = append(d.spareReads, r)
}

func (r *diskRead) drop() {
	if r.buf != nil {
		r.buf.Release()
		r.buf, r.data, r.checked = nil, nil, 0
	}
}

// errMore: the batch goes on past what was read.
var (
	errMore  = errors.New("batch is longer than what was read")
	errFrame = errors.New("no batch starts here")
	errCRC   = errors.New("checksum does not match")
	errOrder = errors.New("offsets or epochs are out of order")
	errShort = errors.New("the file ends too early")
)

// walk goes through the batches of a read: past those before the offset asked for, then
// over those to give. Every batch given was checked whole; framing and order of all were.
type walk struct {
	read     *diskRead
	pos      int64 // of the next batch in the segment
	next     kafka.Offset
	epoch    kafka.LeaderEpoch
	from, to int // what to give, in the data; from −1: nothing yet
	need     int64
	started  bool
}

func (w *walk) run() error {
	r := w.read
	w.from = -1
	b := r.data
	for len(b) > 0 {
		batch, rest, err := record.First(b)
		if errors.Is(err, record.ErrShort) {
			return w.short(b)
		}
		if err != nil {
			return errFrame
		}
		if err := w.check(batch); err != nil {
			return err
		}
		if batch.NextOffset() > r.from {
			if batch.NextOffset() > r.upTo || w.full(len(batch)) {
				return nil
			}
			to := len(r.data) - len(rest)
			// A bad batch before it ended the check, which does not make this one bad.
			if to > r.checked && !batch.CRCValid() {
				return errCRC
			}
			if w.from < 0 {
				w.from = len(r.data) - len(b)
			}
			w.to = to
		}
		w.pos += int64(len(batch))
		w.next, w.epoch, w.started = batch.NextOffset(), batch.LeaderEpoch(), true
		b = rest
	}
	if w.from < 0 {
		return w.short(nil)
	}
	return nil
}

func (w *walk) full(n int) bool {
	given := 0
	if w.from >= 0 {
		given = w.to - w.from
	}
	return given+n > w.read.max && (given > 0 || !w.read.one)
}

// check compares what the checksum leaves out with what must be there.
func (w *walk) check(b record.Batch) error {
	r := w.read
	switch {
	case b.LastOffsetDelta() < 0, b.NextOffset() > r.log.end, b.LeaderEpoch() > r.log.epochs.latest():
		return errOrder
	case w.started && (b.BaseOffset() != w.next || b.LeaderEpoch() < w.epoch):
		return errOrder
	case !w.started && r.expect >= 0 && b.LastOffset() != r.expect:
		return errOrder
	case !w.started && w.pos == 0 && b.BaseOffset() != r.seg.base:
		return errOrder
	case !w.started && b.BaseOffset() > r.from:
		return errOrder
	}
	return nil
}

// short tells what to do when the data ends inside a batch: enough was found, more must be
// read, or the file is shorter than it was.
func (w *walk) short(b []byte) error {
	r := w.read
	if w.from >= 0 {
		return nil
	}
	asked := r.pos + int64(len(r.buf.Bytes()))
	if r.pos+int64(len(r.data)) < asked || asked >= r.seg.written {
		return errShort
	}
	w.need = readSlack
	if n, err := record.PeekLen(b); err == nil {
		if w.pos+int64(n) > r.seg.written {
			return errShort
		}
		w.need = int64(n)
	}
	return errMore
}
