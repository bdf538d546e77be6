package log_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// The law of this room: whatever was announced as durable is there after a restart, byte
// for byte, and what is there was appended, in that order. A naive model keeps lists of
// batches; the log runs on a disk that kills and cuts the power at drawn moments.

type machine struct {
	t     *rapid.T
	r     *rig
	logs  []*modelLog
	gone  []*modelLog
	seqs  map[string]kafka.Sequence // by log and producer
	count int
	ids   byte
	noOS  bool
	small bool // the volume is
}

func TestWhatWasAnnouncedDurableSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { newMachine(t).run() })
}

func newMachine(t *rapid.T) *machine {
	m := &machine{t: t, seqs: map[string]kafka.Sequence{}}
	seed := rapid.Uint64().Draw(t, "seed")
	m.noOS = rapid.Bool().Draw(t, "group only")
	decide := simdisk.Hashed(seed)
	m.r = newRig(t, func(dc *simdisk.Config, lc *log.DirConfig) {
		dc.Decide = decide
		dc.FS = rapid.SampledFrom([]simdisk.FS{simdisk.Strict, simdisk.Ext4}).Draw(t, "fs")
		dc.SectorSize = rapid.SampledFrom([]int{512, 4096}).Draw(t, "sector")
		dc.WriteBackMean = rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second}).Draw(t, "writeback")
		dc.RecycledPerMille = 500
		if !m.noOS { // old bytes with a good checksum may stand behind an os log's tail
			dc.RecycledPerMille = -1
		}
		lc.JournalFileBytes = rapid.SampledFrom([]int64{16 << 10, 32 << 10, 64 << 10}).Draw(t, "journal file")
		lc.JournalFiles = rapid.IntRange(2, 4).Draw(t, "journal files")
		lc.TailCacheBytes = rapid.SampledFrom([]int64{1, 4 << 10, 1 << 20}).Draw(t, "cache")
		lc.FlushAge = 100 * time.Millisecond
		if m.small = rapid.IntRange(0, 3).Draw(t, "small volume") == 0; m.small {
			dc.Capacity = smallVolume
			lc.ReserveBytes = rapid.SampledFrom([]int64{0, 30_000, 100_000}).Draw(t, "reserve")
		}
	})
	rare := rapid.SampledFrom([]uint64{0, 2, 8, 64}).Draw(t, "rare")
	calls := uint64(0)
	m.r.rare = func(name string) bool {
		calls++
		return rare != 0 && decide("rare", name, calls)%rare == 0
	}
	m.r.onDurable, m.r.onStarted = m.durable, m.started
	m.r.mustOpen()
	return m
}

func (m *machine) run() {
	actions := []struct {
		name   string
		weight int
		do     func()
	}{
		{"append", 20, m.append}, {"step", 12, m.step}, {"drain", 8, m.drain}, {"settle", 4, m.settle},
		{"tick", 5, m.tick}, {"read", 6, m.read}, {"time", 3, m.time}, {"create", 3, m.create},
		{"delete", 1, m.delete}, {"truncate", 2, m.truncate}, {"epoch", 2, m.beginEpoch}, {"policy", 2, m.policy},
		{"producer", 3, m.producer}, {"room", 3, m.room}, {"raise", 3, m.raise},
		{"kill", 1, m.kill}, {"power", 2, m.power}, {"close", 1, m.close},
	}
	var names []string
	do := map[string]func(){}
	for _, a := range actions {
		do[a.name] = a.do
		for range a.weight {
			names = append(names, a.name)
		}
	}
	m.create()
	for range rapid.IntRange(1, 120).Draw(m.t, "steps") {
		do[rapid.SampledFrom(names).Draw(m.t, "action")]()
	}
	m.power()
	m.r.settle()
	m.checkAll()
}

func (m *machine) fatalf(format string, args ...any) {
	m.t.Helper()
	for _, ev := range m.r.events {
		m.t.Log(ev.String())
	}
	m.t.Fatalf(format, args...)
}

// pick draws a log, nil if there is none.
func (m *machine) pick() (*modelLog, *log.Log) {
	if len(m.logs) == 0 {
		return nil, nil
	}
	ml := m.logs[rapid.IntRange(0, len(m.logs)-1).Draw(m.t, "log")]
	return ml, m.r.dir.Log(ml.tp)
}

func (m *machine) durable(l *log.Log) {
	for _, ml := range m.logs {
		if ml.id == l.ID() {
			if l.DurableEnd() < ml.durable {
				m.fatalf("%s durable end fell from %d to %d", ml.tp, ml.durable, l.DurableEnd())
			}
			ml.durable = l.DurableEnd()
			ml.maybe = false
			ml.others = slices.DeleteFunc(ml.others, func(o otherPast) bool { return ml.durable > o.to })
		}
	}
}

// raise lets go of what lies below a drawn offset, often the one where a batch begins.
func (m *machine) raise() {
	ml, l := m.pick()
	if l == nil || l.Err() != nil || l.DurableEnd() <= ml.top() {
		return
	}
	to := kafka.Offset(rapid.Int64Range(int64(ml.top()), int64(l.DurableEnd())).Draw(m.t, "to"))
	if rest := kept(ml.batches, to); len(rest) > 0 && rapid.Bool().Draw(m.t, "at a batch") {
		to = max(ml.top(), rest[0].BaseOffset())
	}
	before := l.Start()
	l.RaiseStart(to)
	if to > ml.top() {
		ml.raised = append(ml.raised, to)
	}
	if l.Start() != before {
		m.fatalf("%s: start %d before it is durable", ml.tp, l.Start())
	}
}

// started sees a start as it is announced: one that was asked for.
func (m *machine) started(l *log.Log) {
	for _, ml := range m.logs {
		if ml.id == l.ID() {
			m.takeStart(ml, l, ml.start)
		}
	}
}

// takeStart takes the start of a log for the truth, if it may be that.
func (m *machine) takeStart(ml *modelLog, l *log.Log, least kafka.Offset) {
	at := slices.Index(ml.raised, l.Start())
	if l.Start() < least || at < 0 && l.Start() != ml.start {
		m.fatalf("%s starts at %d; it did at %d, and was asked for %v", ml.tp, l.Start(), ml.start, ml.raised)
	}
	ml.start, ml.raised = l.Start(), slices.Clone(ml.raised[at+1:])
}

func (m *machine) config(ml *modelLog) log.Config {
	c := log.DefaultConfig()
	c.SegmentBytes = rapid.SampledFrom([]int64{600, 4 << 10, 64 << 10}).Draw(m.t, "segment")
	c.IndexIntervalBytes = rapid.SampledFrom([]int64{0, 300, 4096}).Draw(m.t, "interval")
	c.FileDeleteDelay = time.Second
	c.Flush = ml.policy
	c.FlushMessages = rapid.SampledFrom([]int64{0, 0, 1, 5}).Draw(m.t, "flush messages")
	return c
}

func (m *machine) create() {
	if len(m.logs) >= 4 {
		return
	}
	p := int32(0)
	for slices.ContainsFunc(m.logs, func(l *modelLog) bool { return l.tp.Partition == p }) {
		p++
	}
	m.ids++
	ml := &modelLog{tp: tp("t", p), id: topicID(m.ids), maybe: true, epoch: -1}
	if !m.noOS && rapid.Bool().Draw(m.t, "os") {
		ml.policy = log.FlushOS
	}
	if _, err := m.r.dir.Create(ml.tp, ml.id, m.config(ml)); err != nil {
		m.fatalf("create: %v", err)
	}
	m.logs = append(m.logs, ml)
}

func (m *machine) delete() {
	ml, l := m.pick()
	if l == nil || rapid.IntRange(0, 2).Draw(m.t, "really") > 0 {
		return
	}
	m.r.dir.Delete(l)
	m.logs = slices.DeleteFunc(m.logs, func(o *modelLog) bool { return o == ml })
	ml.deleted, ml.inForce = true, l.Policy()
	m.gone = append(m.gone, ml)
}

func (m *machine) append() {
	ml, l := m.pick()
	if l == nil {
		return
	}
	var p *record.Producer
	n := rapid.IntRange(1, 4).Draw(m.t, "records")
	if id := rapid.IntRange(-1, 2).Draw(m.t, "producer"); id >= 0 {
		key := fmt.Sprintf("%s/%d", ml.id, id)
		p = &record.Producer{ID: kafka.ProducerID(id), Epoch: 1, BaseSequence: m.seqs[key]}
		m.seqs[key] = m.seqs[key].Add(int32(n))
	}
	size := rapid.SampledFrom([]int{0, 10, 100, 700, 9000}).Draw(m.t, "size")
	m.count++
	ts := kafka.Timestamp(1000 + rapid.IntRange(0, 50).Draw(m.t, "ts")*10)
	b := batch(fmt.Sprintf("%s#%d", ml.tp, m.count), n, size, ts, p)
	epoch := max(0, ml.epoch)
	base := m.r.append(l, b, epoch)
	if base != ml.end() {
		m.fatalf("%s: appended at %d, the model ends at %d", ml.tp, base, ml.end())
	}
	b.SetBaseOffset(base)
	b.SetLeaderEpoch(epoch)
	ml.epoch = epoch
	ml.batches = append(ml.batches, b)
}

func (m *machine) beginEpoch() {
	if ml, l := m.pick(); l != nil {
		ml.epoch++
		l.BeginEpoch(ml.epoch)
		if l.LatestEpoch() != ml.epoch {
			m.fatalf("%s: latest epoch %d, want %d", ml.tp, l.LatestEpoch(), ml.epoch)
		}
	}
}

func (m *machine) truncate() {
	ml, l := m.pick()
	if l == nil || len(ml.batches) == 0 || l.Err() != nil {
		return
	}
	keep := rapid.IntRange(max(0, len(ml.batches)-6), len(ml.batches)).Draw(m.t, "keep")
	to := endOf(ml.batches[:keep])
	if to < ml.top() { // what was committed is never cut off
		return
	}
	ml.others = append(ml.others, otherPast{ml.batches, to})
	ml.batches = slices.Clone(ml.batches[:keep])
	if err := l.Truncate(to); err != nil {
		m.fatalf("truncate %s to %d: %v", ml.tp, to, err)
	}
	ml.durable = min(ml.durable, to)
	if l.End() != to || l.DurableEnd() > to {
		m.fatalf("%s truncated to %d: end %d durable %d", ml.tp, to, l.End(), l.DurableEnd())
	}
	m.resequence(ml)
}

// resequence lets producers go on from what the log holds.
func (m *machine) resequence(ml *modelLog) {
	for id := range kafka.ProducerID(3) {
		last := kafka.Sequence(-1)
		for _, b := range ml.batches {
			if b.ProducerID() == id {
				last = b.LastSequence()
			}
		}
		m.seqs[fmt.Sprintf("%s/%d", ml.id, id)] = last.Add(1)
	}
}

func (m *machine) policy() {
	ml, l := m.pick()
	if l == nil || m.noOS {
		return
	}
	ml.policy = 1 - ml.policy
	l.SetConfig(m.config(ml))
}

func (m *machine) step() {
	for range rapid.IntRange(1, 6).Draw(m.t, "events") {
		m.r.steps.Step()
	}
}

func (m *machine) drain() { m.r.drain() }

// settle waits until nothing is under way: then all must be durable, or somebody's
// acknowledgement would hang until the next event. What waits for room waits for a Tick,
// too.
func (m *machine) settle() {
	m.r.settle()
	if m.r.dir.WantsRoom() {
		_ = m.r.view.Remove("/other")
		m.r.tick(time.Second)
	}
	for _, ml := range m.logs {
		if l := m.r.dir.Log(ml.tp); l.DurableEnd() != l.End() || l.Start() != ml.top() {
			m.fatalf("%s at rest: start %d, want %d, durable %d, end %d",
				ml.tp, l.Start(), ml.top(), l.DurableEnd(), l.End())
		}
	}
}

func (m *machine) tick() {
	waits := []time.Duration{time.Millisecond, time.Second, time.Minute}
	m.r.steps.Sleep(rapid.SampledFrom(waits).Draw(m.t, "sleep"))
	m.r.dir.Tick(m.r.steps.Now())
	m.r.drain()
}

// read compares a drawn range, read while other things are under way, and what follows, as
// a consumer does.
func (m *machine) read() {
	ml, l := m.pick()
	if l == nil || len(kept(ml.batches, ml.start)) == 0 {
		return
	}
	below := log.ReadRequest{From: ml.start - 1, UpTo: l.End(), MaxBytes: 1, MinOneBatch: true}
	if res := m.r.read1(l, below); !errors.Is(res.Err, log.ErrOutOfRange) {
		m.fatalf("%s read below its start %d: %v", ml.tp, ml.start, res)
	}
	gone := len(ml.batches) - len(kept(ml.batches, ml.start))
	at := rapid.IntRange(gone, len(ml.batches)-1).Draw(m.t, "from")
	q := log.ReadRequest{
		From: ml.batches[at].LastOffset(), MinOneBatch: true,
		MaxBytes: rapid.SampledFrom([]int{0, 200, 5000}).Draw(m.t, "max"),
	}
	for n := rapid.SampledFrom([]int{1, 1, 8}).Draw(m.t, "reads"); n > 0 && at < len(ml.batches); n-- {
		last := rapid.IntRange(at, len(ml.batches)-1).Draw(m.t, "up to")
		q.UpTo = ml.batches[last].NextOffset()
		at = m.readFrom(ml, l, q, at)
		q.From = ml.batches[at-1].NextOffset()
	}
}

// readFrom reads once, from the batch at on, and gives the first batch it did not get.
func (m *machine) readFrom(ml *modelLog, l *log.Log, q log.ReadRequest, at int) int {
	res := m.r.read1(l, q)
	if q.From < ml.start && errors.Is(res.Err, log.ErrOutOfRange) {
		return len(ml.batches) // it was let go while it was read
	}
	if res.Err != nil || res.Bytes == 0 {
		m.fatalf("read %s from %d: %d bytes, err %v", ml.tp, q.From, res.Bytes, res.Err)
	}
	sum := 0
	for _, c := range res.Chunks {
		for b := range record.Batches(c.Bytes) {
			if !bytes.Equal(b, ml.batches[at]) {
				m.fatalf("%s batch %d differs: %v, want %v", ml.tp, at, b, ml.batches[at])
			}
			if sum += len(b); sum > q.MaxBytes && sum > len(b) {
				m.fatalf("%s: %d bytes, more than %d", ml.tp, sum, q.MaxBytes)
			}
			at++
		}
		if c.Owner != nil {
			c.Owner.Release()
		}
	}
	if next := ml.batches[at-1].NextOffset(); res.Next != next || next > q.UpTo {
		m.fatalf("%s: next %d after batch %d, up to %d", ml.tp, res.Next, at-1, q.UpTo)
	}
	return at
}

func (m *machine) time() {
	ml, l := m.pick()
	if l == nil {
		return
	}
	ts := 1000 + rapid.IntRange(0, 55).Draw(m.t, "ts")*10 + rapid.IntRange(0, 3).Draw(m.t, "more")
	m.checkTime(ml, l, kafka.Timestamp(ts))
}

// checkTime compares lookups with the records. A start may move while one is under way.
func (m *machine) checkTime(ml *modelLog, l *log.Log, ts kafka.Timestamp) {
	want, _ := ml.byTime(ts)
	got := m.r.time(l.OffsetForTime(ts, l.End()))
	if now, _ := ml.byTime(ts); got.Err != nil || got.Offset != want && got.Offset != now {
		m.fatalf("%s: offset for time %d is %v, want %d", ml.tp, ts, got, want)
	}
	_, want = ml.byTime(ts)
	got = m.r.time(l.MaxTimestamp(l.End()))
	if _, now := ml.byTime(ts); got.Err != nil || got.Offset != want && got.Offset != now {
		m.fatalf("%s: offset of max timestamp is %v, want %d", ml.tp, got, want)
	}
}

// byTime finds the first record at or after ts, and the first that has the largest time.
func (ml *modelLog) byTime(ts kafka.Timestamp) (first, largest kafka.Offset) {
	first, largest = kafka.NoOffset, kafka.NoOffset
	top := kafka.Timestamp(-1)
	for _, b := range ml.batches {
		for rec := range record.Records(b, record.Limits{}) {
			if rec.Offset < ml.start {
				continue
			}
			if first < 0 && rec.Timestamp >= ts {
				first = rec.Offset
			}
			if rec.Timestamp > top {
				top, largest = rec.Timestamp, rec.Offset
			}
		}
	}
	return first, largest
}

func (m *machine) producer() {
	if ml, l := m.pick(); l != nil {
		m.checkProducers(ml, l)
	}
}

// checkProducers asks about the last five batches of each producer, and the next one.
func (m *machine) checkProducers(ml *modelLog, l *log.Log) {
	for id := range kafka.ProducerID(3) {
		var own []record.Batch
		for _, b := range ml.batches {
			if b.ProducerID() == id {
				own = append(own, b)
			}
		}
		for i, b := range own {
			got := l.CheckProducer(b)
			if i < len(own)-5 {
				if got.Code != kafka.OutOfOrderSequenceNumber {
					m.fatalf("%s: batch %d of producer %d of %d: %+v", ml.tp, i, id, len(own), got)
				}
			} else if !got.Duplicate || got.Base != b.BaseOffset() || got.Timestamp != b.MaxTimestamp() {
				m.fatalf("%s: batch %d of producer %d of %d not recognised: %+v", ml.tp, i, id, len(own), got)
			}
		}
		next := record.Producer{ID: id, Epoch: 1, BaseSequence: m.seqs[fmt.Sprintf("%s/%d", ml.id, id)]}
		if got := l.CheckProducer(batch("x", 1, 0, 1, &next)); got.Code != kafka.None || got.Duplicate {
			m.fatalf("%s: next batch of producer %d, sequence %d: %+v", ml.tp, id, next.BaseSequence, got)
		}
	}
}

func (m *machine) kill()  { m.crash(false) }
func (m *machine) power() { m.crash(true) }

// crash ends the process at a drawn moment, and maybe again while it recovers.
func (m *machine) crash(power bool) {
	policies := m.policies()
	m.end(power)
	lost := power
	for rapid.IntRange(0, 3).Draw(m.t, "crash again") == 0 {
		m.r.disk.CrashAfterOps(rapid.IntRange(1, 80).Draw(m.t, "ops"))
		err := m.r.open()
		if err == nil {
			m.r.disk.CrashAfterOps(0)
		}
		full := m.small && errors.Is(err, env.ErrNoSpace)
		if err != nil && !m.r.disk.Crashed() && !full {
			m.fatalf("open: %v", err)
		}
		again := rapid.Bool().Draw(m.t, "power")
		m.end(again)
		lost = lost || again
	}
	m.open()
	m.reconcile(policies, lost)
}

// open starts a process. If it finds no room even without the reserve, the operator makes
// some, and then it must start. It tells whether the first try did.
func (m *machine) open() bool {
	err := m.r.open()
	full := m.small && errors.Is(err, env.ErrNoSpace)
	if full {
		if err := m.r.view.Remove("/other"); err != nil {
			m.fatalf("full without anybody else: %v", err)
		}
		m.r.kill()
		err = m.r.open()
	}
	if err != nil {
		m.fatalf("open: %v", err)
	}
	return !full
}

const smallVolume = 16 << 20 // more than the logs ever fill

// room is somebody else who takes of a small volume what he likes, or gives it back.
func (m *machine) room() {
	if m.small {
		_ = m.r.view.Remove("/other") // there may be none
		left := rapid.Int64Range(0, 300_000).Draw(m.t, "left")
		_ = m.r.view.Reserve("/other", max(0, m.r.view.Free("/")-left))
	}
}

func (m *machine) policies() map[kafka.TopicID]log.FlushPolicy {
	out := map[kafka.TopicID]log.FlushPolicy{}
	for _, ml := range m.logs {
		out[ml.id] = m.r.dir.Log(ml.tp).Policy()
	}
	for _, ml := range m.gone {
		out[ml.id] = ml.inForce
	}
	return out
}

func (m *machine) end(power bool) {
	if power {
		m.r.powerLoss()
	} else {
		m.r.kill()
	}
}

func (m *machine) close() {
	m.r.settle()
	if !m.r.dir.Idle() {
		m.fatalf("not idle after everything completed")
	}
	writeOut := rapid.Bool().Draw(m.t, "write out first")
	if rapid.IntRange(0, 2).Draw(m.t, "crash in close") == 0 {
		policies := m.policies()
		m.r.disk.CrashAfterOps(rapid.IntRange(1, 60).Draw(m.t, "ops"))
		m.writeOut(writeOut)
		err := m.r.dir.Close()
		full := m.small && (errors.Is(err, env.ErrNoSpace) || errors.Is(err, log.ErrBusy))
		if err != nil && !errors.Is(err, env.ErrClosed) && !full {
			m.fatalf("close: %v", err)
		}
		m.r.disk.CrashAfterOps(0)
		power := rapid.Bool().Draw(m.t, "power")
		m.end(power)
		m.open()
		m.reconcile(policies, power)
		return
	}
	policies := m.policies()
	m.writeOut(writeOut)
	err := m.r.dir.Close()
	if m.small && (errors.Is(err, env.ErrNoSpace) || errors.Is(err, log.ErrBusy)) {
		m.end(false)
		m.open()
		m.reconcile(policies, false)
		return
	}
	if err != nil {
		m.fatalf("close: %v", err)
	}
	if m.r.bufs.held != 0 {
		m.fatalf("%d buffers held after close", m.r.bufs.held)
	}
	for _, ml := range m.logs {
		ml.start, ml.raised = ml.top(), nil
		ml.durable, ml.others, ml.maybe = ml.end(), nil, false
	}
	m.gone = nil
	m.end(rapid.Bool().Draw(m.t, "power"))
	if atOnce := m.open(); atOnce && !m.r.dir.Recovery().Clean {
		m.fatalf("clean stop not recognised")
	}
	m.reconcile(nil, false)
}

// writeOut is what a broker does before it closes, if it has the time.
func (m *machine) writeOut(do bool) {
	if do {
		m.r.dir.WriteOut()
		m.r.settle()
	}
}
