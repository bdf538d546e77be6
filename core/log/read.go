package log

import (
	"errors"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Why a log gives no bytes or takes none. Test with errors.Is.
var (
	// ErrDamaged: stored bytes are not what was written. They are never served.
	ErrDamaged = errors.New("stored batch is damaged")
	// ErrOffline: a write or sync of this log directory failed.
	ErrOffline = errors.New("log directory is offline")
	// ErrDeleted: the log was deleted.
	ErrDeleted = errors.New("log is deleted")
	// ErrOutOfRange: the offset is below the log's start or past its end.
	ErrOutOfRange = errors.New("offset is out of range")
	// ErrOffsetsExhausted: the partition has used every offset there is.
	ErrOffsetsExhausted = errors.New("log has no offsets left")
)

// ReadRequest says what to read.
type ReadRequest struct {
	From kafka.Offset
	UpTo kafka.Offset // exclusive; only batches that end at or below it are given
	// MaxBytes bounds the bytes given; MinOneBatch gives the first batch even if it is
	// larger.
	MaxBytes    int
	MinOneBatch bool
	// Chunks, if not nil, is appended to, so that a reader can reuse its slice.
	Chunks []env.Chunk
}

// ReadResult is whole batches in order, the first of which holds offset From. The receiver
// owns one reference of each chunk's Owner.
type ReadResult struct {
	Chunks []env.Chunk
	Bytes  int
	Next   kafka.Offset // offset after the last batch given, From if there is none
	Err    error
}

// TimeResult is a record found by time. Offset is −1 if there is none.
type TimeResult struct {
	Offset      kafka.Offset
	Timestamp   kafka.Timestamp
	LeaderEpoch kafka.LeaderEpoch
	Err         error
}

// Read gives batches. What the tail cache holds comes at once, with tag 0; else the disk
// is asked, and the result comes in Effects.Reads under the tag.
func (l *Log) Read(r ReadRequest) (ReadResult, env.Tag) {
	res := ReadResult{Chunks: r.Chunks, Next: r.From}
	r.UpTo = min(r.UpTo, l.end)
	switch {
	case l.gone || l.dir.err != nil:
		res.Err = l.Err()
		return res, 0
	case r.From < l.start || r.From > l.end:
		res.Err = ErrOutOfRange
		return res, 0
	case r.From >= r.UpTo:
		return res, 0
	}
	if i := l.cachedAt(r.From); i >= 0 {
		l.dir.counts.readsCached++
		l.readCached(i, &r, &res)
		return res, 0
	}
	if a := l.dir.findAhead(l, r.From); a != nil && !l.dir.env.Rare.Rare("log.ahead-missed") {
		l.dir.counts.readsAhead++
		return a.serve(&r)
	}
	l.dir.counts.readsDisk++
	d := l.dir.newRead(l)
	d.from, d.upTo, d.max, d.one, d.chunks = r.From, r.UpTo, max(r.MaxBytes, 0), r.MinOneBatch, r.Chunks
	d.tag = l.dir.fetch(d)
	return ReadResult{}, d.tag
}

// cachedAt gives the place of offset in the tail cache, −1 if the disk must be asked.
func (l *Log) cachedAt(offset kafka.Offset) int {
	i := l.tail.find(offset)
	if i >= 0 && i < l.tail.written && l.dir.env.Rare.Rare("log.cache-miss") {
		return -1
	}
	return i
}

func (l *Log) readCached(i int, r *ReadRequest, res *ReadResult) {
	for ; i < l.tail.n; i++ {
		c := l.tail.at(i)
		n := len(c.batch)
		if c.next > r.UpTo || res.Bytes+n > r.MaxBytes && (res.Bytes > 0 || !r.MinOneBatch) {
			return
		}
		if c.owner != nil {
			c.owner.Retain()
		}
		res.Chunks = append(res.Chunks, env.Chunk{Bytes: c.batch, Owner: c.owner})
		res.Bytes += n
		res.Next = c.next
	}
}
