package log

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// segmentWrite is a write of batches from the tail cache to a segment file. It holds the
// buffers itself: the log may drop them from its cache meanwhile.
type segmentWrite struct {
	log     *Log
	seg     *segment
	from    int64
	bytes   int64
	end     kafka.Offset // of the last batch in it
	count   int
	version uint64
	bufs    [][]byte
	owners  []env.Buffer
}

// queueWrite has the log's next bytes written when the event loop is done with its events.
func (l *Log) queueWrite() {
	if !l.queued && !l.gone {
		l.queued = true
		l.dir.writes = append(l.dir.writes, l)
	}
}

// hurry is queueWrite without waiting for more bytes to gather.
func (l *Log) hurry() {
	l.urgent = true
	l.queueWrite()
}

// writable is the offset below which batches may go to the segment. Under FlushGroup that
// is the durable end: a segment never holds what the journal might not, or boot could not
// tell the two apart.
func (l *Log) writable() kafka.Offset {
	if l.policy == FlushGroup {
		return l.durable
	}
	return l.end
}

// submitWrites starts the writes of the queued logs, one at a time for each.
func (d *Dir) submitWrites() {
	queue := d.writes
	d.writes = d.spareQueue[:0]
	for _, l := range queue {
		l.queued = false
		l.submitWrite()
	}
	clear(queue)
	d.spareQueue = queue
}

// submitWrite starts a write if there is something worth writing.
func (l *Log) submitWrite() {
	d := l.dir
	if l.writing != nil || l.gone || d.err != nil || l.tail.written == l.tail.n {
		return
	}
	if l.blocked || l.cut != nil || l.gate >= d.journal.Durable() {
		l.queueWrite() // its time will come
		return
	}
	if !l.worthWriting() {
		return
	}
	if !l.named { // the folder first says whose it is
		d.queueJob(l)
		l.queueWrite()
		return
	}
	w := d.newWrite(l)
	l.gather(w)
	if w.count == 0 {
		l.urgent = false
		d.dropWrite(w)
		return
	}
	// Two writes of one range in flight could land in either order.
	if w.from != w.seg.written {
		invariant.Violated("log.write-behind-in-order", "%s from=%d written=%d", l.tp, w.from, w.seg.written)
	}
	l.writing = w
	l.ops++
	tag := d.ops.start(op{kind: opSegment, log: l, write: w})
	l.opened(w.seg).WriteAt(env.Write{Bufs: w.bufs, Off: w.from}, tag)
}

// worthWriting lets a group log's bytes gather: they are safe in the journal and read from
// the cache.
func (l *Log) worthWriting() bool {
	return l.policy == FlushOS || l.urgent || l.unwritten >= segmentWriteBytes ||
		l.tail.n-l.tail.written >= segmentWritePieces || l.dir.env.Rare.Rare("log.early-write")
}

// gather collects what follows the written part of the tail cache, within one segment.
func (l *Log) gather(w *segmentWrite) {
	limit := l.writable()
	for i := l.tail.written; i < l.tail.n; i++ {
		c := l.tail.at(i)
		if c.next > limit || w.count > 0 && (c.seg != w.seg || w.count >= segmentWritePieces ||
			w.bytes+int64(len(c.batch)) > segmentWriteMax) {
			return
		}
		if w.count == 0 {
			w.seg, w.from = c.seg, c.pos
		}
		w.bufs = append(w.bufs, c.batch)
		if c.owner != nil {
			c.owner.Retain()
			w.owners = append(w.owners, c.owner)
		}
		w.bytes += int64(len(c.batch))
		w.end = c.next
		w.count++
	}
}

func (d *Dir) newWrite(l *Log) *segmentWrite {
	var w *segmentWrite
	if n := len(d.spareWrites); n > 0 {
		w, d.spareWrites = d.spareWrites[n-1], d.spareWrites[:n-1]
	} else {
		w = new(segmentWrite)
	}
	w.log, w.version = l, l.version
	return w
}

func (d *Dir) dropWrite(w *segmentWrite) {
	for _, o := range w.owners {
		o.Release()
	}
	clear(w.owners)
	clear(w.bufs)
	*w = segmentWrite{bufs: w.bufs[:0], owners: w.owners[:0]}
	d.spareWrites = append(d.spareWrites, w)
}

// segmentWritten reports a write behind.
func (d *Dir) segmentWritten(w *segmentWrite, done env.Completion) {
	l := w.log
	l.writing = nil
	l.ops--
	if done.Err == nil && int64(done.N) != w.bytes {
		done.Err = fmt.Errorf("%d of %d bytes: %w", done.N, w.bytes, env.ErrIO)
	}
	switch {
	case d.noRoom(done.Err): // the bytes are still in memory, and most of them in the journal
		l.queueWrite()
	case done.Err != nil:
		d.fail(fmt.Errorf("log: write %s %s at %d: %w", l.tp, w.seg, w.from, done.Err))
	case !l.gone && l.version == w.version:
		l.wrote(w)
	default:
		l.queueWrite() // what a truncation has left is written again
	}
	d.dropWrite(w)
}

func (l *Log) wrote(w *segmentWrite) {
	w.seg.written += w.bytes
	l.written = w.end
	l.tail.written += w.count
	l.unwritten -= w.bytes
	if l.policy == FlushOS {
		l.age()
		l.flushOften()
		l.arrive()
	}
	l.queueWrite() // for what came meanwhile
	l.dir.evict()
}

// writtenEnd is what counts as written: during a switch to FlushGroup no less than the
// journal has, once everything before the switch is written.
func (l *Log) writtenEnd() kafka.Offset {
	if l.written >= l.switchAt {
		return max(l.written, min(l.journaled, l.end))
	}
	return l.written
}
