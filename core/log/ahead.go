package log

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// # Reading ahead
//
// Who reads a log from disk in one direction will ask for what comes next. It is read while
// the last bytes are on their way to him, so that his next request finds it in memory,
// checked. The page cache does the same for the bytes, but not for their checksums, nor for
// the wait of a worker and the event loop on each other.

// aheads is what was read, or is being read, before it was asked for.
type aheads struct {
	list  []*ahead // the one that was used the longest ago first
	bytes int      // of buffers
	// ends are where the last reads from disk ended: a read that begins there goes on.
	ends [aheadMax]readEnd
	last int // of ends
}

type readEnd struct {
	log *Log
	at  kafka.Offset
}

// ahead is a run of batches from offset from on.
type ahead struct {
	log     *Log
	version uint64
	from    kafka.Offset
	max     int
	bytes   int        // of buf, or what it will have
	buf     env.Buffer // nil: not here yet
	data    []byte     // checked batches in buf
	end     kafka.Offset

	// who asked meanwhile
	waiting bool
	request ReadRequest
	tag     env.Tag
}

// readOn notes that a read of [from, next) came from disk, and reads what follows if the one
// before it ended where this one began.
func (d *Dir) readOn(l *Log, from, next kafka.Offset, most int) {
	a := &d.ahead
	goesOn := false
	for i := range a.ends {
		if e := &a.ends[i]; e.log == l && e.at == from {
			e.at, goesOn = next, true
			break
		}
	}
	if !goesOn {
		a.last = (a.last + 1) % len(a.ends)
		a.ends[a.last] = readEnd{l, next}
		return
	}
	d.readAhead(l, next, most)
}

// readAhead starts reading from offset from on, if that is on disk and nobody does yet.
func (d *Dir) readAhead(l *Log, from kafka.Offset, most int) {
	size := min(most, readBytesMax)
	if from >= l.end || l.tail.find(from) >= 0 || size > aheadBytesMax || d.findAhead(l, from) != nil {
		return
	}
	for len(d.ahead.list) >= aheadMax || d.ahead.bytes+size > aheadBytesMax {
		if !d.dropOldestAhead() {
			return
		}
	}
	a := &ahead{log: l, version: l.version, from: from, max: most, bytes: size}
	d.ahead.list = append(d.ahead.list, a)
	d.ahead.bytes += size
	r := d.newRead(l)
	r.from, r.upTo, r.max, r.one, r.ahead = from, l.end, most, true, a
	r.tag = d.fetch(r)
	a.tag = r.tag
}

// dropOldestAhead gives up what nobody came for; false if all is still being read.
func (d *Dir) dropOldestAhead() bool {
	for _, a := range d.ahead.list {
		if a.buf != nil {
			d.removeAhead(a)
			return true
		}
	}
	return false
}

// findAhead finds what was read ahead at an offset, and moves it to the end of the list.
func (d *Dir) findAhead(l *Log, from kafka.Offset) *ahead {
	list := d.ahead.list
	for i, a := range list {
		if a.log == l && a.from == from && !a.waiting && a.version == l.version {
			copy(list[i:], list[i+1:])
			list[len(list)-1] = a
			return a
		}
	}
	return nil
}

// serve answers a read from what is here, or when it comes.
func (a *ahead) serve(r *ReadRequest) (ReadResult, env.Tag) {
	if a.buf == nil {
		a.waiting, a.request = true, *r
		return ReadResult{}, a.tag
	}
	return a.cut(r), 0
}

// cut takes what a read may have from the front, and sees to what comes after.
func (a *ahead) cut(r *ReadRequest) ReadResult {
	res := ReadResult{Chunks: r.Chunks, Next: r.From}
	n := 0
	for batch := range record.Batches(a.data) {
		full := n+len(batch) > r.MaxBytes && (n > 0 || !r.MinOneBatch)
		if full || batch.NextOffset() > r.UpTo {
			break
		}
		n += len(batch)
		res.Next = batch.NextOffset()
	}
	if n == 0 {
		return res
	}
	a.buf.Retain()
	res.Chunks = append(res.Chunks, env.Chunk{Bytes: a.data[:n:n], Owner: a.buf})
	res.Bytes = n
	a.data, a.from = a.data[n:], res.Next
	d, l, next := a.log.dir, a.log, a.end
	if len(a.data) == 0 {
		d.removeAhead(a)
	}
	d.readAhead(l, next, a.max)
	return res
}

// landAhead takes what was read. The batches below the log's end now may be more than there
// were when it was asked for; they are as good.
func (r *diskRead) landAhead(w *walk) {
	a, d := r.ahead, r.log.dir
	if w.from < 0 || a.gone(d) {
		r.dropAhead(nil)
		return
	}
	a.buf, a.data, a.end = r.buf, r.data[w.from:w.to:w.to], w.next
	d.ahead.bytes += len(a.buf.Bytes()) - a.bytes
	a.bytes = len(a.buf.Bytes())
	r.buf = nil // the reference is the ahead's now
	a.log.trace(traceAhead, int64(a.from), int64(a.end), int64(len(a.data)), 0)
	if a.waiting {
		a.waiting = false
		request, tag := a.request, a.tag
		a.request = ReadRequest{}
		d.effects.Reads = append(d.effects.Reads, ReadDone{Tag: tag, Log: a.log, Result: a.cut(&request)})
	}
	r.retire()
}

// dropAhead gives up a read that brought nothing. Who waits for it is told why, or that
// there was nothing and to ask again.
func (r *diskRead) dropAhead(err error) {
	a, d := r.ahead, r.log.dir
	if a.waiting {
		d.effects.Reads = append(d.effects.Reads, ReadDone{Tag: a.tag, Log: a.log, Result: ReadResult{
			Chunks: a.request.Chunks, Next: a.request.From, Err: err,
		}})
	}
	if !a.gone(d) {
		d.removeAhead(a)
	}
	r.retire()
}

// gone tells that the directory has forgotten it.
func (a *ahead) gone(d *Dir) bool {
	for _, other := range d.ahead.list {
		if other == a {
			return false
		}
	}
	return true
}

func (d *Dir) removeAhead(a *ahead) {
	d.ahead.list = deletePointer(d.ahead.list, a)
	d.ahead.bytes -= a.bytes
	if a.buf != nil {
		a.buf.Release()
		a.buf, a.data = nil, nil
	}
}

// forgetAhead drops what was read of a log at or past end: it was cut off.
func (d *Dir) forgetAhead(l *Log, end kafka.Offset) {
	for i := len(d.ahead.list) - 1; i >= 0; i-- {
		a := d.ahead.list[i]
		if a.log == l && (a.buf == nil || a.end > end) {
			d.removeAhead(a)
		}
	}
}
