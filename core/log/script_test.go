package log_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// TestStories runs the scripts in testdata. Every command prints the trace lines it caused,
// then its answer. The verbs are the methods of script below.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &script{t: t}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			return s.run(d)
		})
	})
}

type script struct {
	t    *testing.T
	r    *rig
	fail string // operations on files whose path holds this fail
}

func (s *script) run(d *datadriven.TestData) string {
	if s.r == nil {
		s.r = newRig(s.t, s.config)
	}
	s.r.t, s.r.keep, s.r.lines = s.t, true, nil
	out := s.do(d)
	text := strings.Join(s.r.lines, "\n")
	if text != "" && out != "" {
		text += "\n"
	}
	return text + out
}

// config is a calm disk: unsynced bytes are lost at power loss, names too.
func (s *script) config(dc *simdisk.Config, _ *log.DirConfig) {
	dc.Survival = simdisk.Survival{None: 1}
	dc.RecycledPerMille, dc.DirReorderPerMille = -1, -1
	dc.Fault = func(op simdisk.Op) simdisk.Fault {
		changes := op.Kind == simdisk.OpWrite || op.Kind == simdisk.OpSync
		if changes && s.fail != "" && strings.Contains(op.Path, s.fail) {
			return simdisk.Fault{Err: env.ErrIO}
		}
		return simdisk.Fault{}
	}
}

func (s *script) do(d *datadriven.TestData) string {
	verbs := map[string]func(*datadriven.TestData) string{
		"disk": s.disk, "open": s.open, "close": s.close, "kill": s.kill, "power-loss": s.powerLoss,
		"create": s.create, "delete": s.delete, "append": s.append, "drain": s.drain, "step": s.step,
		"settle": s.settle, "tick": s.tick, "read": s.read, "describe": s.describe, "files": s.files,
		"find-time": s.findTime, "check": s.check, "epoch": s.epoch, "truncate": s.truncate,
		"policy": s.policy, "rot": s.rot, "fail": s.failing, "journal": s.journal,
		"other": s.other, "raise": s.raise, "due": s.due,
	}
	verb := verbs[d.Cmd]
	if verb == nil {
		s.t.Fatalf("%s: no verb %q", d.Pos, d.Cmd)
	}
	return verb(d)
}

// disk segment=N journal-file=N journal-files=N cache=N capacity=N reserve=N torn
func (s *script) disk(d *datadriven.TestData) string {
	s.r = newRig(s.t, func(dc *simdisk.Config, lc *log.DirConfig) {
		s.config(dc, lc)
		if d.HasArg("torn") {
			dc.Survival = simdisk.Survival{TornLast: 1}
			dc.Decide = simdisk.Hashed(uint64(s.int(d, "torn", 1)))
		}
		lc.JournalFileBytes = s.int(d, "journal-file", 64<<10)
		lc.JournalFiles = int(s.int(d, "journal-files", 4))
		lc.TailCacheBytes = s.int(d, "cache", 64<<10)
		lc.ReserveBytes = s.int(d, "reserve", 0)
		dc.Capacity = s.int(d, "capacity", 0)
	})
	return ""
}

// other bytes=N: somebody else has so many bytes on the volume.
func (s *script) other(d *datadriven.TestData) string {
	if err := s.r.view.Reserve("/other", s.int(d, "bytes", 0)); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("free=%d", s.r.view.Free("/"))
}

func (s *script) int(d *datadriven.TestData, name string, or int64) int64 {
	if d.HasArg(name) {
		d.ScanArgs(s.t, name, &or)
	}
	return or
}

func (s *script) word(d *datadriven.TestData, name, or string) string {
	if d.HasArg(name) {
		d.ScanArgs(s.t, name, &or)
	}
	return or
}

func (s *script) open(*datadriven.TestData) string {
	if err := s.r.open(); err != nil {
		return "error: " + err.Error()
	}
	rec := s.r.dir.Recovery()
	out := fmt.Sprintf("clean=%v logs=%d segments=%d journal: groups=%d entries=%d torn=%d; ",
		rec.Clean, rec.Logs, rec.Segments, rec.Journal.Groups, rec.Journal.Entries, rec.Journal.TornGroups)
	out += fmt.Sprintf("cut=%d rebuilt=%d damages=%d", rec.CutBytes, rec.IndexesRebuilt, rec.DamageCount)
	for _, dm := range rec.Damages {
		out += "\n" + dm.String()
	}
	return out
}

func (s *script) close(*datadriven.TestData) string {
	if err := s.r.dir.Close(); err != nil {
		return "error: " + err.Error()
	}
	return ""
}

func (s *script) kill(*datadriven.TestData) string {
	s.r.kill()
	return ""
}

func (s *script) powerLoss(*datadriven.TestData) string {
	s.r.powerLoss()
	return ""
}

// partition parses orders-0.
func (s *script) partition(d *datadriven.TestData) kafka.TopicPartition {
	tp, err := kafka.ParseTopicPartition(d.CmdArgs[0].Key)
	if err != nil {
		s.t.Fatalf("%s: %v", d.Pos, err)
	}
	return tp
}

func (s *script) log(d *datadriven.TestData) *log.Log {
	tp := s.partition(d)
	return s.r.log(tp.Topic, tp.Partition)
}

// create orders-0 [flush=os] [segment=N] [id=x]
func (s *script) create(d *datadriven.TestData) string {
	tp := s.partition(d)
	id := topicID(s.word(d, "id", tp.Topic)[0])
	if _, err := s.r.dir.Create(tp, id, s.logConfig(d)); err != nil {
		return "error: " + err.Error()
	}
	return ""
}

func (s *script) logConfig(d *datadriven.TestData) log.Config {
	c := log.DefaultConfig()
	c.SegmentBytes = s.int(d, "segment", 1<<20)
	c.IndexIntervalBytes = s.int(d, "interval", 100)
	c.FileDeleteDelay = time.Second
	c.FlushMessages, c.FlushMs = s.int(d, "flush-messages", 0), s.int(d, "flush-ms", 1<<62)
	var err error
	if c.Flush, err = log.ParseFlushPolicy(s.word(d, "flush", "group")); err != nil {
		s.t.Fatalf("%s: %v", d.Pos, err)
	}
	return c
}

func (s *script) delete(d *datadriven.TestData) string {
	s.r.dir.Delete(s.log(d))
	return ""
}

// append orders-0 text [n=3] [ts=1000] [epoch=2] [pid=7 seq=0 pepoch=0]
func (s *script) append(d *datadriven.TestData) string {
	l := s.log(d)
	b := s.batch(d)
	buf := s.r.bufs.Get(len(b))
	copy(buf.Bytes(), b)
	defer buf.Release()
	base, err := l.Append(record.Batch(buf.Bytes()), buf, kafka.LeaderEpoch(s.int(d, "epoch", 0)))
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprintf("base=%d end=%d durable=%d", base, l.End(), l.DurableEnd())
}

func (s *script) batch(d *datadriven.TestData) record.Batch {
	var p *record.Producer
	if d.HasArg("pid") {
		p = &record.Producer{
			ID: kafka.ProducerID(s.int(d, "pid", 0)), Epoch: kafka.ProducerEpoch(s.int(d, "pepoch", 0)),
			BaseSequence: kafka.Sequence(s.int(d, "seq", 0)),
		}
	}
	text := "x"
	if len(d.CmdArgs) > 1 && len(d.CmdArgs[1].Vals) == 0 {
		text = d.CmdArgs[1].Key
	}
	return batch(text, int(s.int(d, "n", 1)), int(s.int(d, "size", 0)), kafka.Timestamp(s.int(d, "ts", 1000)), p)
}

// check asks what a batch of an idempotent producer would get.
func (s *script) check(d *datadriven.TestData) string {
	c := s.log(d).CheckProducer(s.batch(d))
	if c.Duplicate {
		return fmt.Sprintf("duplicate of %d, timestamp %d", c.Base, c.Timestamp)
	}
	return c.Code.String()
}

func (s *script) drain(*datadriven.TestData) string {
	s.r.drain()
	return ""
}

func (s *script) step(d *datadriven.TestData) string {
	for range s.int(d, "n", 1) {
		s.r.steps.Step()
	}
	return s.failed()
}

func (s *script) settle(*datadriven.TestData) string {
	s.r.settle()
	return s.failed()
}

func (s *script) tick(d *datadriven.TestData) string {
	wait, err := time.ParseDuration(s.word(d, "after", "1s"))
	if err != nil {
		s.t.Fatalf("%s: %v", d.Pos, err)
	}
	s.r.tick(wait)
	return s.failed()
}

func (s *script) failed() string {
	if s.r.failed == nil {
		return ""
	}
	err := s.r.failed
	s.r.failed = nil
	return "failed: " + err.Error()
}

// read orders-0 [from=N] [up-to=N] [max=N] [one]
func (s *script) read(d *datadriven.TestData) string {
	l := s.log(d)
	q := log.ReadRequest{
		From:     kafka.Offset(s.int(d, "from", int64(l.Start()))),
		UpTo:     kafka.Offset(s.int(d, "up-to", int64(l.End()))),
		MaxBytes: int(s.int(d, "max", 1<<20)), MinOneBatch: d.HasArg("one"),
	}
	res, tag := l.Read(q)
	from := "cache"
	if tag != 0 {
		from, res = "disk", s.r.wait(tag).Result
	}
	var batches []record.Batch
	for _, c := range res.Chunks {
		for b := range record.Batches(c.Bytes) {
			batches = append(batches, slices.Clone(b))
		}
		c.Owner.Release()
	}
	out := fmt.Sprintf("%s: %s next=%d", from, strings.Join(texts(s.t, batches), " "), res.Next)
	if res.Err != nil {
		out += " error: " + res.Err.Error()
		if errors.Is(res.Err, log.ErrDamaged) {
			out += " (damaged)"
		}
	}
	return out
}

func (s *script) describe(*datadriven.TestData) string {
	var out []string
	for _, l := range s.r.dir.All() {
		line := fmt.Sprintf("%s %s start=%d durable=%d end=%d epoch=%d size=%d", l.TP(), l.Policy(), l.Start(),
			l.DurableEnd(), l.End(), l.LatestEpoch(), l.Size())
		if l.Tight() {
			line += " tight"
		}
		if l.Err() != nil {
			line += " error: " + l.Err().Error()
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// files lists what a new process would see, or with durable, what is certainly durable.
func (s *script) files(d *datadriven.TestData) string {
	var out []string
	if d.HasArg("durable") {
		for _, path := range s.r.disk.DurableFiles() {
			b, _ := s.r.disk.ReadDurable(path)
			out = append(out, fmt.Sprintf("%s %d", strings.TrimPrefix(path, "/data/d0/"), len(b)))
		}
		return strings.Join(out, "\n")
	}
	var walk func(string)
	walk = func(dir string) {
		entries, _ := s.r.view.List(dir)
		for _, e := range entries {
			path := dir + "/" + e.Name
			if e.Dir {
				walk(path)
				continue
			}
			out = append(out, fmt.Sprintf("%s %d", strings.TrimPrefix(path, "/data/d0/"), e.Size))
		}
	}
	walk("/data/d0")
	return strings.Join(out, "\n")
}

// find-time orders-0 ts=N | max
func (s *script) findTime(d *datadriven.TestData) string {
	l := s.log(d)
	var res log.TimeResult
	if d.HasArg("max") {
		res = s.r.time(l.MaxTimestamp(l.End()))
	} else {
		res = s.r.time(l.OffsetForTime(kafka.Timestamp(s.int(d, "ts", 0)), l.End()))
	}
	if res.Err != nil {
		return "error: " + res.Err.Error()
	}
	return fmt.Sprintf("offset=%d timestamp=%d epoch=%d", res.Offset, res.Timestamp, res.LeaderEpoch)
}

// epoch orders-0 begin=N | end-of=N
func (s *script) epoch(d *datadriven.TestData) string {
	l := s.log(d)
	if d.HasArg("begin") {
		l.BeginEpoch(kafka.LeaderEpoch(s.int(d, "begin", 0)))
		return ""
	}
	e, end := l.EndOffsetFor(kafka.LeaderEpoch(s.int(d, "end-of", 0)))
	return fmt.Sprintf("epoch=%d end=%d", e, end)
}

func (s *script) truncate(d *datadriven.TestData) string {
	if err := s.log(d).Truncate(kafka.Offset(s.int(d, "to", 0))); err != nil {
		return "error: " + err.Error()
	}
	return ""
}

// due tells when Tick should be called though nothing else happens.
func (s *script) due(*datadriven.TestData) string {
	at, ok := s.r.dir.DueAt()
	if !ok {
		return "never"
	}
	return fmt.Sprintf("in %v", at.Sub(s.r.steps.Now()).Round(100*time.Millisecond))
}

// raise orders-0 to=N
func (s *script) raise(d *datadriven.TestData) string {
	s.log(d).RaiseStart(kafka.Offset(s.int(d, "to", 0)))
	return ""
}

func (s *script) policy(d *datadriven.TestData) string {
	s.log(d).SetConfig(s.logConfig(d))
	return ""
}

// rot flips a byte of a file at rest: file=orders-0/….log at=N [as=text]
func (s *script) rot(d *datadriven.TestData) string {
	v := s.r.disk.Mount(func(env.Completion) {})
	f, err := v.Open("/data/d0/"+s.word(d, "file", ""), env.OpenExisting)
	if err != nil {
		return "error: " + err.Error()
	}
	at := s.int(d, "at", 0)
	b := make([]byte, s.int(d, "n", 1))
	if _, err := f.Pread(b, at); err != nil {
		return "error: " + err.Error()
	}
	for i := range b {
		b[i] ^= 0x40
	}
	if err := errors.Join(f.Pwrite(b, at), f.Fsync(), f.Close()); err != nil {
		return "error: " + err.Error()
	}
	s.r.disk.Kill()
	return ""
}

// fail makes writes and syncs of files whose path holds the word fail; without, no more.
func (s *script) failing(d *datadriven.TestData) string {
	s.fail = s.word(d, "on", "")
	return ""
}

func (s *script) journal(*datadriven.TestData) string {
	st := s.r.dir.JournalStats()
	return "files=" + strconv.Itoa(st.Files) + " free=" + strconv.Itoa(st.FilesFree)
}
