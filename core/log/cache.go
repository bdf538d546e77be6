package log

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// cached is a batch in memory, in the buffer it arrived in.
type cached struct {
	base, next kafka.Offset
	seg        *segment
	pos        int64 // in the segment
	batch      record.Batch
	owner      env.Buffer
	ordinal    uint64 // of the append, over the directory
}

// tail is the newest batches of one log, oldest first, without gap up to the log's end.
// The first written of them have reached the segment file; only those may be evicted.
type tail struct {
	ring    []cached // length a power of two
	head    int
	n       int
	written int
}

func (t *tail) at(i int) *cached { return &t.ring[(t.head+i)&(len(t.ring)-1)] }

func (t *tail) push(c cached) {
	if t.n == len(t.ring) {
		grown := make([]cached, max(8, 2*len(t.ring)))
		for i := range t.n {
			grown[i] = *t.at(i)
		}
		t.ring, t.head = grown, 0
	}
	t.n++
	*t.at(t.n - 1) = c
}

func (t *tail) popFront() {
	*t.at(0) = cached{}
	t.head = (t.head + 1) & (len(t.ring) - 1)
	t.n--
	t.written--
}

func (t *tail) popBack() {
	*t.at(t.n - 1) = cached{}
	t.n--
	t.written = min(t.written, t.n)
}

// find gives the index of the batch that holds offset, t.n if it lies past the end, −1 if
// before the first.
func (t *tail) find(offset kafka.Offset) int {
	if t.n == 0 || offset < t.at(0).base {
		return -1
	}
	lo, hi := 0, t.n // first with next > offset
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if t.at(mid).next > offset {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// cacheUse is a step of the directory-wide order of appends.
type cacheUse struct {
	log     *Log
	ordinal uint64
}

// cacheOrder is which batch of which log is the oldest in memory.
type cacheOrder struct {
	ring    []cacheUse // length a power of two
	head, n int
	bytes   int64
	limit   int64
	ordinal uint64
}

func (o *cacheOrder) push(l *Log) uint64 {
	if o.n == len(o.ring) {
		grown := make([]cacheUse, max(64, 2*len(o.ring)))
		for i := range o.n {
			grown[i] = o.ring[(o.head+i)&(len(o.ring)-1)]
		}
		o.ring, o.head = grown, 0
	}
	o.ordinal++
	o.ring[(o.head+o.n)&(len(o.ring)-1)] = cacheUse{l, o.ordinal}
	o.n++
	return o.ordinal
}

func (o *cacheOrder) drop() {
	o.ring[o.head] = cacheUse{}
	o.head = (o.head + 1) & (len(o.ring) - 1)
	o.n--
}

// remember puts an appended batch into the tail cache.
func (l *Log) remember(c cached) {
	o := &l.dir.cache
	c.ordinal = o.push(l)
	if c.owner != nil {
		c.owner.Retain()
	}
	o.bytes += int64(len(c.batch)) + cachedOverhead
	l.tail.push(c)
}

// evict makes room. What has not reached its segment file stays: it is nowhere else to be
// read; writing it comes first.
func (d *Dir) evict() {
	o := &d.cache
	for o.n > 0 && o.bytes > o.limit {
		use := o.ring[o.head]
		t := &use.log.tail
		if t.n == 0 || t.at(0).ordinal != use.ordinal { // truncated or deleted meanwhile
			o.drop()
			continue
		}
		if t.written == 0 {
			for i := range min(o.n, evictAhead) {
				o.ring[(o.head+i)&(len(o.ring)-1)].log.hurry()
			}
			return
		}
		use.log.forgetFirst()
		o.drop()
	}
}

func (l *Log) forgetFirst() {
	c := l.tail.at(0)
	// Evicting what is in no file would lose it.
	if l.tail.written == 0 || c.pos+int64(len(c.batch)) > c.seg.written {
		invariant.Violated("log.evict-after-write", "%s base=%d pos=%d written=%d",
			l.tp, c.base, c.pos, c.seg.written)
	}
	l.dir.cache.bytes -= int64(len(c.batch)) + cachedOverhead
	if c.owner != nil {
		c.owner.Release()
	}
	l.tail.popFront()
}

// forgetFrom drops what begins at or after end, written or not.
func (l *Log) forgetFrom(end kafka.Offset) {
	l.dir.forgetAhead(l, end)
	for l.tail.n > 0 {
		c := l.tail.at(l.tail.n - 1)
		if c.base < end {
			return
		}
		l.dir.cache.bytes -= int64(len(c.batch)) + cachedOverhead
		if c.owner != nil {
			c.owner.Release()
		}
		l.tail.popBack()
	}
}
