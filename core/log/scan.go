package log

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// errStop ends a scan without being an error.
var errStop = errors.New("enough")

// batchReader reads a segment file forward, blocking.
type batchReader struct {
	file env.File
	path string
	size int64 // bytes beyond are not looked at
	buf  []byte
	pos  int64 // of buf[0]
	told int64 // where what the disk was told to read ahead ends

	spare *[]byte // where buf came from and goes to
}

// openReader opens a segment's file. A boot opens thousands, one after the other, so they
// read into the same memory, if no other reader has it.
func (d *Dir) openReader(path string, size int64) (*batchReader, error) {
	f, err := d.env.Disk.Open(path, env.OpenExisting)
	if err != nil {
		return nil, fmt.Errorf("log: open %s: %w", path, err)
	}
	r := &batchReader{file: f, path: path, size: size, buf: d.scanBuf[:0], spare: &d.scanBuf}
	d.scanBuf = nil
	return r, nil
}

func (r *batchReader) close() {
	_ = r.file.Close()
	*r.spare = r.buf
}

// at gives the batch at pos, valid until the next call. The errors of record.First say
// that none starts there; io tells them from a disk that does not answer.
func (r *batchReader) at(pos int64) (b record.Batch, bad, io error) {
	head, err := r.bytes(pos, record.PeekMin)
	if err != nil {
		return nil, nil, err
	}
	n, bad := record.PeekLen(head)
	if bad != nil {
		return nil, bad, nil
	}
	if pos+int64(n) > r.size {
		return nil, record.ErrShort, nil
	}
	whole, err := r.bytes(pos, n)
	if err != nil {
		return nil, nil, err
	}
	if len(whole) < n {
		return nil, record.ErrShort, nil
	}
	return record.Batch(whole), nil, nil
}

func (r *batchReader) bytes(pos int64, n int) ([]byte, error) {
	if pos >= r.pos && pos+int64(n) <= r.pos+int64(len(r.buf)) {
		return r.buf[pos-r.pos:][:n], nil
	}
	want := int(max(0, min(int64(max(n, scanBytes)), r.size-pos)))
	if len(r.buf) > 0 && pos >= r.pos && pos <= r.pos+int64(len(r.buf)) {
		r.ahead(pos + int64(want))
	}
	r.buf = slices.Grow(r.buf[:0], want)[:want]
	read, err := r.file.Pread(r.buf, pos)
	r.buf, r.pos = r.buf[:max(read, 0)], pos
	if err != nil {
		return nil, fmt.Errorf("log: read %s at %d: %w", r.path, pos, err)
	}
	return r.buf[:min(n, read)], nil
}

// ahead has the disk go on with what follows pos while what lies before is worked on.
func (r *batchReader) ahead(pos int64) {
	from, to := max(pos, r.told), min(pos+scanAheadBytes, r.size)
	if to-from >= scanAheadBytes/2 || to == r.size && from < to {
		r.file.Ahead(from, to-from)
		r.told = to
	}
}

// Scan hands the batches from the one that holds offset from on to fn, in order. It reads
// blocking: for boot only. A batch is valid during the call. An error of fn ends it.
func (l *Log) Scan(from kafka.Offset, fn func(record.Batch) error) error {
	return l.scan(from, func(b record.Batch, _ *segment, _ int64) error { return fn(b) })
}

func (l *Log) scan(from kafka.Offset, fn func(record.Batch, *segment, int64) error) error {
	first := max(0, l.segmentFor(from))
	for _, s := range l.segments[first:] {
		if err := l.scanSegment(s, from, fn); err != nil {
			return err
		}
	}
	for i := max(0, l.tail.find(max(from, l.written))); i < l.tail.n; i++ {
		c := l.tail.at(i)
		if err := fn(c.batch, c.seg, c.pos); err != nil {
			return err
		}
	}
	return nil
}

// scanSegment goes over what the file of a segment has.
func (l *Log) scanSegment(s *segment, from kafka.Offset, fn func(record.Batch, *segment, int64) error) error {
	if s.written == 0 || from >= s.end {
		return nil
	}
	r, err := l.dir.openReader(l.path+"/"+segmentName(s.base, ".log"), s.written)
	if err != nil {
		return err
	}
	defer r.close()
	pos := int64(0)
	if s.loaded && from > s.base {
		pos, _ = s.index.floor(uint32(min(from-s.base, maxRelative)))
	}
	for next := kafka.NoOffset; pos < s.written; {
		b, bad, err := r.at(pos)
		if err != nil {
			return err
		}
		if bad == nil && !b.CRCValid() {
			bad = errCRC
		}
		if bad == nil && next >= 0 && b.BaseOffset() != next {
			bad = errOrder
		}
		if bad != nil {
			return fmt.Errorf("log: %s at byte %d: %w: %w", r.path, pos, ErrDamaged, bad)
		}
		at := pos
		pos, next = pos+int64(len(b)), b.NextOffset()
		if next <= from {
			continue
		}
		if err := fn(b, s, at); err != nil {
			return err
		}
	}
	return nil
}
