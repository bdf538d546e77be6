package journal_test

import (
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// rig is a journal on a simulated disk.
type rig struct {
	steps *simdisk.Stepper
	disk  *simdisk.Disk
	cfg   journal.Config
	j     *journal.Journal
	err   error // of a write
	rand  uint64
	tiny  bool

	passed int // files that scans passed over
}

func newRig(change func(*simdisk.Config)) *rig {
	r := &rig{steps: simdisk.NewStepper()}
	dc := simdisk.Config{Schedule: r.steps.Schedule, Now: r.steps.Now}
	if change != nil {
		change(&dc)
	}
	r.disk = simdisk.New(dc)
	r.cfg = journal.Config{Path: "/journal", Tag: 1, PrepareTag: 2, FileBytes: 16 << 10, Files: 3}
	return r
}

func (r *rig) Now() env.Instant                   { return r.steps.Now() }
func (r *rig) WallMillis() int64                  { return 0 }
func (r *rig) SetTimer(env.TimerKey, env.Instant) {}
func (r *rig) ClearTimer(env.TimerKey)            {}
func (r *rig) Uint64(string) uint64               { r.rand++; return r.rand * 0x9e3779b97f4a7c15 }
func (r *rig) Trace(trace.Event)                  {}
func (r *rig) Rare(string) bool                   { return r.tiny }

// replayed is an entry as boot gave it, with a payload of its own.
type replayed struct {
	seq journal.Seq
	e   journal.Entry
}

// open mounts the disk for a new process, scans, replays and starts.
func (r *rig) open() ([]replayed, journal.Report, error) {
	v := r.disk.Mount(func(done env.Completion) {
		report := r.j.Done
		if done.Tag == r.cfg.PrepareTag {
			report = r.j.Prepared
		}
		if err := report(done.Err); err != nil {
			r.err = err
		}
	})
	r.cfg.Env = &env.Env{Clock: r, Disk: v, Rand: r, Tracer: r, Rare: r}
	s, err := journal.NewScan(r.cfg)
	full, fullErr := journal.NewFullScan(r.cfg)
	if r.disk.Crashed() {
		return nil, s.Report(), errors.Join(err, fullErr)
	}
	if (err == nil) != (fullErr == nil) || err == nil && s.Outcome() != full.Outcome() {
		return nil, s.Report(), fmt.Errorf("a scan that passes files over finds %s, %w, a full one %s, %w",
			s.Outcome(), err, full.Outcome(), fullErr)
	}
	r.passed += s.PassedOver()
	if err != nil {
		return nil, s.Report(), err
	}
	if err := s.Secure(); err != nil {
		return nil, s.Report(), err
	}
	var out []replayed
	err = s.Replay(func(seq journal.Seq, e journal.Entry) error {
		e.Payload = append([]byte(nil), e.Payload...)
		out = append(out, replayed{seq, e})
		return nil
	})
	if err != nil {
		return nil, s.Report(), err
	}
	r.j, err = s.Start(nil)
	return out, s.Report(), err
}

func key(n byte) journal.Key { return journal.Key{Topic: kafka.TopicID{15: n}, Partition: int32(n)} }

// entry n is different from all others.
func entry(n, size int) journal.Entry {
	b := record.NewBuilder(record.Options{BaseOffset: kafka.Offset(n)})
	value := make([]byte, size)
	for i := range value {
		value[i] = byte(n + i)
	}
	b.Append(kafka.Timestamp(n), nil, value, nil)
	return journal.Entry{Kind: journal.KindBatch, Key: key(byte(n)), A: int64(n), B: 7, Payload: b.Build()}
}
