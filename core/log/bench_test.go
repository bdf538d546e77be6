package log_test

import (
	"fmt"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/trace"
)

// instantDisk completes every operation when it is asked to, and keeps nothing: what is
// measured is the log.
type instantDisk struct {
	env.Disk
	done []env.Completion
}

func (d *instantDisk) MkdirAll(string) error            { return nil }
func (d *instantDisk) List(string) ([]env.Entry, error) { return nil, nil }
func (d *instantDisk) SyncDir(string) error             { return nil }
func (d *instantDisk) SyncAll(_, _ []string) error      { return nil }
func (d *instantDisk) Rename(string, string) error      { return nil }
func (d *instantDisk) RemoveAllLater(string)            {}
func (d *instantDisk) Open(path string, mode env.OpenMode) (env.File, error) {
	if mode == env.OpenExisting {
		return nil, env.ErrNotExist
	}
	return &instantFile{disk: d}, nil
}
func (d *instantDisk) OpenLog(string, int64) (env.File, error) { return &instantFile{disk: d}, nil }
func (d *instantDisk) Free(string) int64                       { return -1 }
func (d *instantDisk) OpenLater(string) env.File               { return &instantFile{disk: d} }
func (d *instantDisk) OpenLogLater(_ string, _ int64, tag env.Tag) env.File {
	d.done = append(d.done, env.Completion{Tag: tag})
	return &instantFile{disk: d}
}
func (d *instantDisk) SyncDirLater(_ string, tag env.Tag) {
	d.done = append(d.done, env.Completion{Tag: tag})
}

type instantFile struct {
	env.File
	disk *instantDisk
}

func (f *instantFile) WriteAt(w env.Write, tag env.Tag) {
	n := 0
	for _, b := range w.Bufs {
		n += len(b)
	}
	f.disk.done = append(f.disk.done, env.Completion{Tag: tag, N: n})
}
func (f *instantFile) Sync(tag env.Tag) {
	f.disk.done = append(f.disk.done, env.Completion{Tag: tag})
}
func (f *instantFile) Pwrite([]byte, int64) error { return nil }
func (f *instantFile) Fsync() error               { return nil }
func (f *instantFile) Close() error               { return nil }

type quiet struct{ now env.Instant }

func (q *quiet) Now() env.Instant                   { return q.now }
func (q *quiet) WallMillis() int64                  { return 1 }
func (q *quiet) SetTimer(env.TimerKey, env.Instant) {}
func (q *quiet) ClearTimer(env.TimerKey)            {}
func (q *quiet) Uint64(string) uint64               { return 1 }
func (q *quiet) Trace(trace.Event)                  {}
func (q *quiet) Rare(string) bool                   { return false }

// plainBuffer is owned by the test, which reuses its batches.
type plainBuffer struct{ b []byte }

func (b *plainBuffer) Bytes() []byte      { return b.b }
func (*plainBuffer) Retain()              {}
func (*plainBuffer) Release()             {}
func (q *quiet) Get(n int) env.Buffer     { return &plainBuffer{make([]byte, n)} }
func (d *instantDisk) deliver(l *log.Dir) { d.deliverAll(l); l.Drained(); d.deliverAll(l) }
func (d *instantDisk) deliverAll(l *log.Dir) {
	for len(d.done) > 0 {
		c := d.done[0]
		d.done = append(d.done[:0], d.done[1:]...)
		l.DiskDone(c)
	}
}

// bench opens a directory of n logs on the instant disk.
func bench(t testing.TB, n int, flush log.FlushPolicy) (*instantDisk, *log.Dir, []*log.Log) {
	disk, q := &instantDisk{}, &quiet{}
	d, err := log.OpenDir(log.DirConfig{
		Path: "/data", TailCacheBytes: 4 << 20,
		Env: &env.Env{Clock: q, Disk: disk, Rand: q, Tracer: q, Rare: q, Buffers: q},
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := log.DefaultConfig()
	cfg.Flush = flush
	logs := make([]*log.Log, n)
	for i := range logs {
		if logs[i], err = d.Create(tp("t", int32(i)), topicID('t'), cfg); err != nil {
			t.Fatal(err)
		}
	}
	disk.deliver(d)
	return disk, d, logs
}

// round appends to each log and lets the disk answer.
func round(t testing.TB, disk *instantDisk, d *log.Dir, logs []*log.Log, b *plainBuffer) {
	for _, l := range logs {
		if _, err := l.Append(record.Batch(b.b), b, 0); err != nil {
			t.Fatal(err)
		}
	}
	d.Drained()
	disk.deliver(d)
}

// TestAppendAllocatesNothingPerRecord: in the long run. Rings grow, a roll makes a segment,
// a checkpoint writes small files; none of it is per record or per batch.
func TestAppendAllocatesNothingPerRecord(t *testing.T) {
	for _, flush := range []log.FlushPolicy{log.FlushGroup, log.FlushOS} {
		disk, d, logs := bench(t, 8, flush)
		b := &plainBuffer{batch("x", 10, 100, 1000, &record.Producer{ID: 7})}
		for range 4000 {
			round(t, disk, d, logs, b)
		}
		n := testing.AllocsPerRun(2000, func() { round(t, disk, d, logs, b) })
		if n >= 1 {
			t.Errorf("%s: %v allocations for 8 batches of 10 records", flush, n)
		}
	}
}

func TestCachedReadAllocatesNothing(t *testing.T) {
	disk, d, logs := bench(t, 1, log.FlushGroup)
	b := &plainBuffer{batch("x", 10, 100, 1000, nil)}
	for range 100 {
		round(t, disk, d, logs, b)
	}
	l := logs[0]
	chunks := make([]env.Chunk, 0, 64)
	n := testing.AllocsPerRun(1000, func() {
		res, tag := l.Read(log.ReadRequest{
			From: l.End() - 300, UpTo: l.End(), MaxBytes: 1 << 20, Chunks: chunks[:0],
		})
		if tag != 0 || res.Err != nil || len(res.Chunks) != 30 {
			t.Fatalf("tag %d, %d chunks, %v", tag, len(res.Chunks), res.Err)
		}
	})
	if n > 0 {
		t.Fatalf("%v allocations for a read of 30 batches from the cache", n)
	}
}

// BenchmarkAppend is the whole way of a batch but for the disk: accounting, journal group,
// write behind, checkpoints.
func BenchmarkAppend(b *testing.B) {
	for _, flush := range []log.FlushPolicy{log.FlushGroup, log.FlushOS} {
		for _, partitions := range []int{1, 64, 5000} {
			b.Run(fmt.Sprintf("%s/%d", flush, partitions), func(b *testing.B) {
				disk, d, logs := bench(b, partitions, flush)
				one := &plainBuffer{batch("x", 10, 100, 1000, &record.Producer{ID: 7})}
				b.SetBytes(int64(len(one.b)))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					l := logs[i%partitions]
					if _, err := l.Append(one.b, one, 0); err != nil {
						b.Fatal(err)
					}
					if i%32 == 31 {
						disk.deliver(d)
					}
				}
			})
		}
	}
}

func BenchmarkCachedRead(b *testing.B) {
	disk, d, logs := bench(b, 1, log.FlushGroup)
	one := &plainBuffer{batch("x", 10, 100, 1000, nil)}
	for range 2000 {
		round(b, disk, d, logs, one)
	}
	l := logs[0]
	chunks := make([]env.Chunk, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		res, _ := l.Read(log.ReadRequest{
			From: l.End() - 300, UpTo: kafka.Offset(1 << 40), MaxBytes: 1 << 20, Chunks: chunks[:0],
		})
		b.SetBytes(int64(res.Bytes))
	}
}
