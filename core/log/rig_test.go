package log_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// rig is a log directory on a simulated disk, driven by hand.
type rig struct {
	t      fataler
	steps  *simdisk.Stepper
	disk   *simdisk.Disk
	view   *simdisk.View
	env    *env.Env
	cfg    log.DirConfig
	dir    *log.Dir
	bufs   *testBuffers
	reads  map[env.Tag]log.ReadDone
	failed error
	lines  []string
	keep   bool // keep trace lines
	rare   func(string) bool
	rands  uint64
	events []trace.Event
	// onDurable sees every durable end as it is announced.
	onDurable func(*log.Log)
	// onStarted sees every start as it is announced.
	onStarted func(*log.Log)
	wall      int64
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newRig(t fataler, change func(*simdisk.Config, *log.DirConfig)) *rig {
	r := &rig{t: t, steps: simdisk.NewStepper(), reads: map[env.Tag]log.ReadDone{}, wall: 1_700_000_000_000}
	dc := simdisk.Config{Schedule: r.steps.Schedule, Now: r.steps.Now}
	r.cfg = log.DirConfig{
		Path: "/data/d0", TagBase: 7 << 56, Node: 1, JournalFileBytes: 64 << 10, JournalFiles: 4,
		TailCacheBytes: 64 << 10,
	}
	if change != nil {
		change(&dc, &r.cfg)
	}
	r.disk = simdisk.New(dc)
	return r
}

func (r *rig) Rare(name string) bool { return r.rare != nil && r.rare(name) }
func (r *rig) Uint64(string) uint64  { r.rands++; return r.rands * 0x9e3779b97f4a7c15 }
func (r *rig) Trace(ev trace.Event) {
	if r.keep {
		r.lines = append(r.lines, ev.String())
	}
	r.events = append(r.events, ev)
}

type rigClock struct{ r *rig }

func (c rigClock) Now() env.Instant                   { return c.r.steps.Now() }
func (c rigClock) WallMillis() int64                  { return c.r.wall }
func (c rigClock) SetTimer(env.TimerKey, env.Instant) {}
func (c rigClock) ClearTimer(env.TimerKey)            {}

// open mounts the disk for a new process and opens the directory.
func (r *rig) open() error {
	r.bufs = &testBuffers{}
	r.view = r.disk.Mount(func(done env.Completion) {
		r.take(r.dir.DiskDone(done))
		r.take(r.dir.Drained())
	})
	r.env = &env.Env{Clock: rigClock{r}, Disk: r.view, Rand: r, Tracer: r, Rare: r, Buffers: r.bufs}
	r.cfg.Env = r.env
	r.events, r.failed = append(r.events, trace.Event{Text: "--- open"}), nil
	var told progressRule
	r.cfg.Progress = func(p log.Progress) { told.check(r.t, p) }
	dir, err := log.OpenDir(r.cfg)
	if err == nil {
		told.checkEnd(r.t)
	}
	r.dir = dir
	return err
}

// progressRule holds what an operator is told of every boot to what progress means: phases
// in their order, numbers that only grow, and each phase at its end when the next begins.
type progressRule struct {
	last log.Progress
	any  bool
}

func (r *progressRule) check(t fataler, p log.Progress) {
	t.Helper()
	switch {
	case p.Logs > p.LogsTotal || p.Bytes > p.BytesTotal:
		t.Fatalf("progress past its total: %+v", p)
	case !r.any || p.Phase > r.last.Phase:
		if r.any {
			r.checkWhole(t)
		}
	case p.Phase < r.last.Phase || p.Logs < r.last.Logs || p.Bytes < r.last.Bytes ||
		p.LogsTotal != r.last.LogsTotal || p.BytesTotal != r.last.BytesTotal:
		t.Fatalf("progress went from %+v to %+v", r.last, p)
	}
	r.last, r.any = p, true
}

// checkWhole leaves out the bytes of a replay, which are counted without their frames.
func (r *progressRule) checkWhole(t fataler) {
	t.Helper()
	if r.last.Logs != r.last.LogsTotal || r.last.Bytes != r.last.BytesTotal && r.last.Phase != log.PhaseReplay {
		t.Fatalf("phase ends at %+v", r.last)
	}
}

func (r *progressRule) checkEnd(t fataler) {
	t.Helper()
	if r.checkWhole(t); r.last.Phase != log.PhaseSync {
		t.Fatalf("boot ends in %s", r.last.Phase)
	}
}

func (r *rig) mustOpen() *rig {
	r.t.Helper()
	if err := r.open(); err != nil {
		r.t.Fatalf("open: %v", err)
	}
	return r
}

func (r *rig) take(e *log.Effects) {
	for _, l := range e.Durable {
		if r.onDurable != nil {
			r.onDurable(l)
		}
	}
	for _, l := range e.Started {
		if r.onStarted != nil {
			r.onStarted(l)
		}
	}
	for _, d := range e.Reads {
		r.reads[d.Tag] = d
	}
	if e.Failed != nil {
		r.failed = e.Failed
	}
}

// drain tells the directory that no event is waiting.
func (r *rig) drain() { r.take(r.dir.Drained()) }

// settle runs until nothing is in flight.
func (r *rig) settle() {
	r.drain()
	for n := 0; r.steps.Step(); n++ {
		if n > 50_000 {
			r.t.Fatalf("never at rest: last %v", r.events[len(r.events)-1])
		}
	}
}

// tick moves time and lets background work happen.
func (r *rig) tick(d time.Duration) {
	r.steps.Sleep(d)
	r.dir.Tick(r.steps.Now())
	r.settle()
}

func (r *rig) close() {
	r.t.Helper()
	r.settle()
	if err := r.dir.Close(); err != nil {
		r.t.Fatalf("close: %v", err)
	}
}

func (r *rig) kill()      { r.disk.Kill() }
func (r *rig) powerLoss() { r.disk.PowerLoss() }

func topicID(n byte) kafka.TopicID { return kafka.TopicID{0: 0x70, 15: n} }

func tp(topic string, p int32) kafka.TopicPartition {
	return kafka.TopicPartition{Topic: topic, Partition: p}
}

func (r *rig) create(topic string, p int32, cfg log.Config) *log.Log {
	r.t.Helper()
	id := topicID(topic[0])
	l, err := r.dir.Create(tp(topic, p), id, cfg)
	if err != nil {
		r.t.Fatalf("create %s: %v", topic, err)
	}
	return l
}

func (r *rig) log(topic string, p int32) *log.Log {
	r.t.Helper()
	l := r.dir.Log(tp(topic, p))
	if l == nil {
		r.t.Fatalf("no log %s-%d", topic, p)
	}
	return l
}

func smallConfig() log.Config {
	c := log.DefaultConfig()
	c.SegmentBytes, c.IndexIntervalBytes = 4<<10, 256
	return c
}

// batch builds n records of size bytes each; their content tells tag.
func batch(tag string, n, size int, ts kafka.Timestamp, p *record.Producer) record.Batch {
	b := record.NewBuilder(record.Options{Producer: p, LeaderEpoch: -1})
	for i := range n {
		v := fmt.Sprintf("%s/%d", tag, i)
		if len(v) < size {
			v += strings.Repeat(".", size-len(v))
		}
		b.Append(ts+kafka.Timestamp(i), nil, []byte(v), nil)
	}
	return record.Batch(append([]byte(nil), b.Build()...))
}

// append appends a batch in a buffer of its own, as a connection would hand it over.
func (r *rig) append(l *log.Log, b record.Batch, epoch kafka.LeaderEpoch) kafka.Offset {
	r.t.Helper()
	buf := r.bufs.Get(len(b))
	copy(buf.Bytes(), b)
	base, err := l.Append(record.Batch(buf.Bytes()), buf, epoch)
	if err != nil {
		r.t.Fatalf("append to %s: %v", l.TP(), err)
	}
	buf.Release()
	return base
}

func (r *rig) appendText(l *log.Log, text string) kafka.Offset {
	r.t.Helper()
	return r.append(l, batch(text, 1, 0, 1000, nil), 0)
}

// read returns all batches of [from, upTo), by as many reads as it takes.
func (r *rig) read(l *log.Log, from, upTo kafka.Offset) ([]record.Batch, error) {
	var out []record.Batch
	for from < upTo {
		res := r.read1(l, log.ReadRequest{From: from, UpTo: upTo, MaxBytes: 4 << 10, MinOneBatch: true})
		if res.Err != nil {
			return out, res.Err
		}
		if res.Bytes == 0 {
			return out, nil
		}
		for _, c := range res.Chunks {
			for b, err := range record.Batches(c.Bytes) {
				if err != nil {
					return out, err
				}
				out = append(out, append(record.Batch(nil), b...))
			}
			if c.Owner != nil {
				c.Owner.Release()
			}
		}
		from = res.Next
	}
	return out, nil
}

func (r *rig) read1(l *log.Log, q log.ReadRequest) log.ReadResult {
	r.t.Helper()
	res, tag := l.Read(q)
	if tag == 0 {
		return res
	}
	return r.wait(tag).Result
}

func (r *rig) wait(tag env.Tag) log.ReadDone {
	r.t.Helper()
	r.drain()
	for {
		if d, ok := r.reads[tag]; ok {
			delete(r.reads, tag)
			return d
		}
		if !r.steps.Step() {
			r.t.Fatalf("read %#x never finished", uint64(tag))
		}
	}
}

func (r *rig) time(res log.TimeResult, tag env.Tag) log.TimeResult {
	if tag == 0 {
		return res
	}
	return r.wait(tag).Time
}

// texts renders a log's records for scripts and comparisons.
func (r *rig) texts(l *log.Log) []string {
	r.t.Helper()
	batches, err := r.read(l, l.Start(), l.End())
	if err != nil {
		r.t.Fatalf("read %s: %v", l.TP(), err)
	}
	return texts(r.t, batches)
}

func texts(t fataler, batches []record.Batch) []string {
	t.Helper()
	var out []string
	for _, b := range batches {
		for rec, err := range record.Records(b, record.Limits{}) {
			if err != nil {
				t.Fatalf("records: %v", err)
			}
			out = append(out, fmt.Sprintf("%d:%s", rec.Offset, strings.TrimRight(string(rec.Value), ".")))
		}
	}
	return out
}

// testBuffers poisons what is released, and knows what is held.
type testBuffers struct{ held int }

type testBuffer struct {
	b    []byte
	refs int
	pool *testBuffers
}

func (p *testBuffers) Get(n int) env.Buffer {
	p.held++
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xdb
	}
	return &testBuffer{b: b, refs: 1, pool: p}
}

func (b *testBuffer) Bytes() []byte { return b.b }
func (b *testBuffer) Retain() {
	if b.refs <= 0 {
		panic("retain after release")
	}
	b.refs++
}

func (b *testBuffer) Release() {
	if b.refs--; b.refs < 0 {
		panic("released twice")
	}
	if b.refs == 0 {
		b.pool.held--
		for i := range b.b {
			b.b[i] = 0xdb
		}
	}
}

func has(events []trace.Event, name string) int {
	n := 0
	for _, e := range events {
		if e.Kind.Name() == name {
			n++
		}
	}
	return n
}

const allOffsets = kafka.Offset(math.MaxInt64)

var _ = testing.Short
