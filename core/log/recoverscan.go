package log

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// recoverScan reads one segment back.
type recoverScan struct {
	l        *bootLog
	s        *segment
	r        *batchReader
	pos      int64
	expected kafka.Offset // base offset of the next batch; −1: not known
	last     kafka.Offset // last offset of the next batch by the index; −1
	epoch    kafka.LeaderEpoch
	index    offsetIndex // as the file has it
	times    []byte
	indexRaw []byte
	// unreadable: the device does not give an index file, which is made anew.
	unreadable bool
	file       *bootSegment
	unread     int64 // read, and not yet told as progress
}

var errSegmentEnd = errors.New("segment ends between batches")

// scanFrom reads the log back from the batch that holds offset from on.
func (l *bootLog) scanFrom(from kafka.Offset) error {
	if len(l.files) == 0 {
		l.end = l.segments[0].base
		return nil
	}
	first := max(0, l.segmentFor(from))
	for i := range first {
		if err := l.adoptClosed(i); err != nil {
			return err
		}
	}
	epoch := kafka.LeaderEpoch(-1)
	for i := first; i < len(l.segments); i++ {
		if base := l.segments[i].base; i > first && l.since < base && !slices.Contains(l.snapshots, base) {
			l.Log.takeSnapshot(base) // the crash came before it was written
		}
		sc := recoverScan{l: l, s: l.segments[i], file: l.files[i], epoch: epoch}
		cut, err := sc.run(from, i+1 == len(l.segments))
		if err != nil {
			return err
		}
		epoch = sc.epoch
		if cut {
			return l.cutAfter(i)
		}
	}
	l.end = l.active().end
	return nil
}

// adoptClosed takes a closed segment as its files show it, without reading it: its bytes
// are checked when they are read. Only indexes that cannot be are rebuilt.
func (l *bootLog) adoptClosed(i int) error {
	s, f := l.segments[i], l.files[i]
	if s.loaded { // scanned in a round before
		return nil
	}
	if f.index >= 0 && f.index%indexEntrySize == 0 && f.times > 0 && f.times%timeEntrySize == 0 {
		b := make([]byte, timeEntrySize)
		readable, err := l.readSideAt(f.base, ".timeindex", b, f.times-timeEntrySize)
		if err != nil {
			return err
		}
		if x, ok := parseTimeIndex(b); readable && ok && len(x) == 1 {
			s.maxTs, s.maxTsEnd = x[0].ts, s.base+kafka.Offset(x[0].rel)
			if s.maxTsEnd < s.end && !f.verify {
				return nil
			}
		}
	}
	from := s.base
	if f.verify {
		from = s.end - 1
	}
	sc := recoverScan{l: l, s: s, file: f, epoch: -1}
	_, err := sc.run(from, false)
	return err
}

// readSideAt fills b from an index file. What the device does not give (any more) is not
// readable, which is no reason not to start: indexes are made from the log.
func (l *bootLog) readSideAt(base kafka.Offset, suffix string, b []byte, off int64) (ok bool, err error) {
	path := l.path + "/" + segmentName(base, suffix)
	f, err := l.boot.disk.Open(path, env.OpenExisting)
	if err != nil {
		return false, fmt.Errorf("log: open %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	_, err = f.Pread(b, off)
	switch {
	case errors.Is(err, env.ErrIO):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("log: read %s: %w", path, err)
	}
	return true, nil
}

// run reads the segment from the batch that holds from on, or from its start. cut tells
// that the log ends here because what follows is torn.
func (sc *recoverScan) run(from kafka.Offset, last bool) (cut bool, err error) {
	s, l := sc.s, sc.l
	path := l.path + "/" + segmentName(s.base, ".log")
	if sc.r, err = l.dir.openReader(path, sc.file.size); err != nil {
		return false, err
	}
	defer sc.r.close()
	if err := sc.loadIndexes(); err != nil {
		return false, err
	}
	sc.begin(from)
	for sc.pos < sc.file.size {
		bad, err := sc.next()
		if err != nil {
			return false, err
		}
		if bad == nil {
			continue
		}
		if sc.mayCut() {
			return true, sc.cutHere()
		}
		more, err := sc.resync(bad, last)
		if err != nil {
			return false, err
		}
		if !more {
			break
		}
	}
	s.size, s.written = max(s.size, sc.pos), max(s.written, sc.pos)
	cut = sc.endsEarly(last)
	sc.finishIndexes()
	return cut, nil
}

// loadIndexes reads the index files as they are.
func (sc *recoverScan) loadIndexes() error {
	for _, f := range []struct {
		suffix string
		size   int64
		to     *[]byte
	}{{".index", sc.file.index, &sc.indexRaw}, {".timeindex", sc.file.times, &sc.times}} {
		if f.size <= 0 || f.size > indexFileMax {
			continue
		}
		*f.to = make([]byte, f.size)
		readable, err := sc.l.readSideAt(sc.s.base, f.suffix, *f.to, 0)
		if err != nil {
			return err
		}
		if !readable {
			*f.to, sc.unreadable = nil, true
		}
	}
	sc.index, _ = parseIndex(sc.indexRaw, sc.file.size)
	return nil
}

// begin chooses where to start: at the last index entry before from, if a batch is there
// that ends as the entry says. What the index says from there on is not trusted: it may
// not have been synced.
func (sc *recoverScan) begin(from kafka.Offset) {
	s := sc.s
	s.loaded, s.index, s.times = true, nil, nil
	s.maxTs, s.maxTsEnd, s.sinceIndex = kafka.NoTimestamp, kafka.NoOffset, 0
	s.size, s.end = 0, s.base
	sc.pos, sc.expected = 0, s.base
	if from <= s.base {
		return
	}
	pos, i := sc.index.floor(uint32(min(from-s.base-1, maxRelative)))
	if i < 0 {
		return
	}
	b, bad, err := sc.r.at(pos)
	if err != nil || bad != nil || b.LastOffset() != s.base+kafka.Offset(sc.index[i].rel) {
		return
	}
	base := b.BaseOffset()
	first, bad, err := sc.r.at(0)
	if err != nil || bad != nil {
		return
	}
	s.firstTs = first.MaxTimestamp()
	s.index = append(offsetIndex(nil), sc.index[:i+1]...)
	times, _ := parseTimeIndex(sc.times)
	s.times = times.cut(int64(sc.index[i].rel))
	if n := len(s.times); n > 0 {
		s.maxTs, s.maxTsEnd = s.times[n-1].ts, s.base+kafka.Offset(s.times[n-1].rel)
	}
	s.size, s.end = pos, base
	sc.pos, sc.expected = pos, base
}

// next takes the batch at pos; bad tells why there is none to take.
func (sc *recoverScan) next() (bad, io error) {
	b, bad, io := sc.r.at(sc.pos)
	if bad != nil || io != nil {
		return bad, io
	}
	if bad := sc.judge(b); bad != nil {
		return bad, nil
	}
	l, s := sc.l, sc.s
	s.size, s.end = sc.pos, b.BaseOffset()
	s.add(b, l.cfg.IndexIntervalBytes)
	l.epochs.assign(b.LeaderEpoch(), b.BaseOffset())
	if b.BaseOffset() >= l.since {
		l.producers.apply(b, l.boot.d.env.Clock.Now())
	}
	sc.pos += int64(len(b))
	l.boot.report.BytesScanned += int64(len(b))
	if sc.unread += int64(len(b)); sc.unread >= scanBytes {
		l.read(sc.unread)
		sc.unread = 0
	}
	sc.expected, sc.epoch = b.NextOffset(), b.LeaderEpoch()
	return nil, nil
}

func (sc *recoverScan) judge(b record.Batch) error {
	switch {
	case b.LastOffsetDelta() < 0, b.LastOffset()-sc.s.base > maxRelative, b.BaseOffset() < sc.s.base,
		sc.expected >= 0 && b.BaseOffset() != sc.expected, b.LeaderEpoch() < sc.epoch:
		return errOrder
	case !b.CRCValid():
		return errCRC
	}
	return nil
}

// mayCut tells that what stands here was never synced, so that a tear explains it.
func (sc *recoverScan) mayCut() bool {
	return sc.l.policy == FlushOS && !sc.l.boot.report.Clean && sc.expected >= sc.l.point
}

func (sc *recoverScan) cutHere() error {
	s, l := sc.s, sc.l
	l.cutBytes += sc.file.size - sc.pos
	s.size, s.written, s.synced, s.end = sc.pos, sc.pos, sc.pos, sc.expected
	if err := l.cutFile(sc.file, sc.pos); err != nil {
		return err
	}
	sc.finishIndexes()
	return nil
}

// endsEarly judges a segment that ends between batches, before the next one begins.
func (sc *recoverScan) endsEarly(last bool) (cut bool) {
	s, l := sc.s, sc.l
	if last {
		s.end = max(sc.expected, s.base)
		return false
	}
	next := l.segments[l.segmentFor(s.base)+1].base
	if sc.expected == next {
		s.end = next
		return false
	}
	if sc.mayCut() {
		s.end = sc.expected
		return true
	}
	if sc.expected >= 0 { // not reported yet
		l.damage(s.base, sc.pos, fmt.Sprintf("ends at offset %d, the next begins at %d", sc.expected, next))
	}
	s.end = next
	return false
}

// resync reports damage and looks for the next whole batch behind it: right behind, if the
// length can be believed, or where the index says. Without one the segment ends here, and
// if it is the last, nobody knows where the log does.
func (sc *recoverScan) resync(bad error, last bool) (bool, error) {
	l := sc.l
	l.damage(sc.s.base, sc.pos, bad.Error())
	places := make([]int64, 0, 8)
	if b, framing, err := sc.r.at(sc.pos); err == nil && framing == nil {
		places = append(places, sc.pos+int64(len(b)))
	}
	for _, e := range sc.index {
		if int64(e.pos) > sc.pos {
			places = append(places, int64(e.pos))
		}
	}
	for _, pos := range places {
		b, framing, err := sc.r.at(pos)
		if err != nil {
			return false, err
		}
		if framing == nil && b.CRCValid() && b.BaseOffset() >= max(sc.expected, sc.s.base) &&
			b.LeaderEpoch() >= sc.epoch {
			sc.pos, sc.expected = pos, b.BaseOffset()
			return true, nil
		}
	}
	if last {
		l.err = fmt.Errorf("log: %s: nothing to be read behind byte %d of %s: %w",
			l.tp, sc.pos, sc.r.path, ErrDamaged)
	} else {
		sc.expected = -1
	}
	return false, nil
}

// finishIndexes compares the index files with what was read. A closed segment's are
// written anew if they differ; the active one's are cut to what they have right, and go
// on from there. See bootSync for when.
func (sc *recoverScan) finishIndexes() {
	s, l := sc.s, sc.l
	if s.sealed {
		s.addTime()
	}
	index, times := s.index.appendBinary(nil), s.times.appendBinary(nil)
	s.indexSaved, s.timesSaved = len(s.index), len(s.times)
	sc.file.indexes = indexesSync
	if !sc.unreadable && bytes.Equal(index, sc.indexRaw) && bytes.Equal(times, sc.times) &&
		sc.file.index >= 0 == (len(index) > 0 || s.sealed) {
		return
	}
	if !sc.unreadable && !s.sealed && bytes.HasPrefix(index, sc.indexRaw) && bytes.HasPrefix(times, sc.times) {
		s.indexSaved, s.timesSaved = len(sc.indexRaw)/indexEntrySize, len(sc.times)/timeEntrySize
		return
	}
	l.boot.report.IndexesRebuilt++
	l.names = true
	sc.file.indexes = indexesRebuild
}

// cutAfter removes the segments behind the one where the log was found to end.
func (l *bootLog) cutAfter(i int) error {
	for j := len(l.files) - 1; j > i; j-- {
		l.cutBytes += max(0, l.files[j].size)
		if err := l.removeSegment(l.files[j]); err != nil {
			return err
		}
	}
	l.files, l.segments = l.files[:i+1], l.segments[:i+1]
	l.active().sealed = false
	l.end = l.active().end
	return nil
}
