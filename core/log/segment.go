package log

import (
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// segment is a file of batches from base on. Only the last of a log grows.
//
//	0 ───── synced ───── written ───── size
//	  after a sync    in the cache    assigned; the rest is in the tail cache
type segment struct {
	base    kafka.Offset
	end     kafka.Offset // after the last batch
	size    int64
	written int64
	synced  int64
	named   bool // its name was synced
	sealed  bool // no longer the last

	file  env.File // nil until used
	used  uint64   // when it was used last, for closing the least used
	reads int      // under way

	// index of what is in the segment; of a closed segment only after it was needed.
	loaded     bool
	index      offsetIndex
	times      timeIndex
	indexSaved int // entries in the files
	timesSaved int
	sinceIndex int64 // bytes since the last entry

	appended int64           // wall clock, ms: when a batch without timestamps came last
	jitter   int64           // ms by which segment.ms is shortened for it
	firstTs  kafka.Timestamp // of the first batch, −1 if unknown
	maxTs    kafka.Timestamp // −1 if empty
	maxTsEnd kafka.Offset    // last offset of the first batch that has maxTs
}

func newSegment(base kafka.Offset) *segment {
	return &segment{
		base: base, end: base, loaded: true,
		firstTs: kafka.NoTimestamp, maxTs: kafka.NoTimestamp, maxTsEnd: kafka.NoOffset,
	}
}

// add accounts for a batch that goes to the end, and indexes it.
func (s *segment) add(b record.Batch, interval int64) {
	n, ts, last := int64(b.Len()), b.MaxTimestamp(), b.LastOffset()
	rel := last - s.base
	// An index entry could not name it, and the segment could not be read by others.
	if rel > maxRelative || s.size+n > SegmentBytesMax && s.size > 0 || last < s.end {
		invariant.Violated("log.segment-holds-batch", "base=%d end=%d last=%d size=%d", s.base, s.end, last, s.size)
	}
	if s.size == 0 {
		s.firstTs = ts
	}
	if ts > s.maxTs {
		s.maxTs, s.maxTsEnd = ts, last
	}
	if s.sinceIndex > interval {
		s.index = append(s.index, indexEntry{uint32(rel), uint32(s.size)})
		s.addTime()
		s.sinceIndex = 0
	}
	s.sinceIndex += n
	s.size += n
	s.end = last + 1
}

// addTime notes the largest timestamp, if it has grown.
func (s *segment) addTime() {
	n := len(s.times)
	if s.maxTs < 0 || n > 0 && s.times[n-1].ts >= s.maxTs {
		return
	}
	rel := uint32(s.maxTsEnd - s.base)
	// The batch with a larger maximum came later, or the scan was not in order.
	if n > 0 && s.times[n-1].rel >= rel {
		invariant.Violated("log.time-index-increases", "base=%d ts=%d rel=%d after ts=%d rel=%d",
			s.base, s.maxTs, rel, s.times[n-1].ts, s.times[n-1].rel)
	}
	s.times = append(s.times, timeEntry{s.maxTs, rel})
}

// seal closes the segment for appends.
func (s *segment) seal() {
	s.addTime()
	s.sealed = true
}

func (s *segment) indexBytes() int64 {
	return max(int64(len(s.index)+1)*indexEntrySize, int64(len(s.times)+1)*timeEntrySize)
}

func (s *segment) String() string { return fmt.Sprintf("%020d", s.base) }

func segmentName(base kafka.Offset, suffix string) string {
	return fmt.Sprintf("%020d%s", base, suffix)
}

// parseSegmentName splits <20 digits><suffix>.
func parseSegmentName(name string) (base kafka.Offset, suffix string, ok bool) {
	if len(name) < 21 || name[20] != '.' {
		return 0, "", false
	}
	for _, c := range []byte(name[:20]) {
		if c < '0' || c > '9' || base > (1<<63-1-kafka.Offset(c-'0'))/10 {
			return 0, "", false
		}
		base = base*10 + kafka.Offset(c-'0')
	}
	return base, name[20:], true
}

// indexesSaved tells that the index files have all that is in memory.
func (s *segment) indexesSaved() bool {
	return !s.loaded || s.indexSaved == len(s.index) && s.timesSaved == len(s.times)
}

// opened gives the segment's file, opening it when it is first used.
func (l *Log) opened(s *segment) env.File {
	d := l.dir
	d.uses++
	s.used = d.uses
	if s.file == nil {
		s.file = d.env.Disk.OpenLater(l.path + "/" + segmentName(s.base, ".log"))
		if s.sealed && s.synced == s.size {
			d.closed.add(s)
		}
	}
	return s.file
}

// settleSegment lets go of what a closed and synced segment holds, when others need it.
// Not before: an error of writing back is reported only to who had the file open.
func (d *Dir) settleSegment(s *segment) {
	if s.file != nil {
		d.closed.add(s)
	}
	if s.loaded && s.indexesSaved() {
		d.indexes.add(s)
	}
}

// closedFiles bounds the closed segments whose files are open.
type closedFiles struct{ open []*segment }

func (c *closedFiles) add(s *segment) {
	for _, o := range c.open {
		if o == s {
			return
		}
	}
	if len(c.open) < openFilesMax {
		c.open = append(c.open, s)
		return
	}
	oldest := 0
	for i, o := range c.open {
		if o.used < c.open[oldest].used {
			oldest = i
		}
	}
	c.open[oldest].close()
	c.open[oldest] = s
}

func (c *closedFiles) drop(s *segment) { c.open = deletePointer(c.open, s) }

func (s *segment) close() {
	if s.file != nil {
		_ = s.file.Close() // synced, or given up
		s.file = nil
	}
}

// indexCache bounds the memory of closed segments' indexes: first in, first out, because
// loading one again costs one read.
type indexCache struct {
	loaded []*segment
	bytes  int64
}

func (c *indexCache) add(s *segment) {
	for _, o := range c.loaded {
		if o == s {
			return
		}
	}
	c.loaded = append(c.loaded, s)
	c.bytes += s.indexMemory()
	for c.bytes > indexCacheBytes && len(c.loaded) > 1 {
		old := c.loaded[0]
		c.drop(old)
		old.loaded, old.index, old.times = false, nil, nil
	}
}

func (c *indexCache) drop(s *segment) {
	n := len(c.loaded)
	if c.loaded = deletePointer(c.loaded, s); len(c.loaded) < n {
		c.bytes -= s.indexMemory()
	}
}

func (s *segment) indexMemory() int64 { return int64(8*len(s.index) + 16*len(s.times)) }

// segmentFor gives the index of the segment that offset belongs to, −1 before the first.
func (l *Log) segmentFor(offset kafka.Offset) int {
	i, found := slices.BinarySearchFunc(l.segments, offset, func(s *segment, o kafka.Offset) int {
		return compareInt64(int64(s.base), int64(o))
	})
	if !found {
		i--
	}
	return i
}
