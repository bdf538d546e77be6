package journal_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/log/journal"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// machine drives a journal against the list of what was put in.
type machine struct {
	t       *rapid.T
	r       *rig
	entries []replayed // collected, with the group each went to
	durable int        // so many of them were reported durable
	n       int
}

func TestDurableGroupsAreReplayedInOrderAndOlderOnesNever(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		decide := simdisk.Hashed(rapid.Uint64().Draw(t, "seed"))
		m := &machine{t: t}
		m.r = newRig(func(dc *simdisk.Config) {
			dc.Decide = decide
			dc.SectorSize = rapid.SampledFrom([]int{512, 4096}).Draw(t, "sector")
			dc.WriteBackMean = rapid.SampledFrom([]time.Duration{0, time.Millisecond}).Draw(t, "writeback")
			dc.RecycledPerMille = 500
		})
		m.r.cfg.Files = rapid.IntRange(2, 4).Draw(t, "files")
		m.r.tiny = rapid.Bool().Draw(t, "tiny groups")
		m.open()
		t.Repeat(map[string]func(*rapid.T){
			"collect":    m.collect,
			"submit":     func(*rapid.T) { m.submit() },
			"step":       func(*rapid.T) { m.r.steps.Step(); m.settle() },
			"checkpoint": m.checkpoint,
			"crash":      m.crash,
			"":           func(*rapid.T) {},
		})
	})
}

func (m *machine) open() {
	got, report, err := m.r.open()
	if err != nil {
		m.t.Fatalf("open: %v", err)
	}
	if len(report.Damages) > 0 {
		m.t.Fatalf("damage without rot: %v", report.Damages)
	}
	// What came back is a run of what was collected that ends at or behind the durable end.
	from := len(m.entries)
	if len(got) > 0 {
		for from = 0; from < len(m.entries) && !same(m.entries[from], got[0]); from++ {
		}
	}
	for i, g := range got {
		if from+i >= len(m.entries) || !same(m.entries[from+i], g) {
			m.t.Fatalf("entry %d of %d replayed is not what was collected", i, len(got))
		}
	}
	if len(got) > 0 && from+len(got) < m.durable {
		m.t.Fatalf("replayed up to %d, durable are %d", from+len(got), m.durable)
	}
	if len(got) == 0 && m.durable > 0 && m.entries[m.durable-1].seq >= m.lastCheckpoint() {
		m.t.Fatalf("nothing replayed, %d were durable", m.durable)
	}
	m.entries, m.durable = nil, 0 // sealed: never again
}

// lastCheckpoint is the newest checkpoint asked for: groups below may be gone.
func (m *machine) lastCheckpoint() journal.Seq {
	if m.r.j == nil {
		return 0
	}
	return m.r.j.Checkpoint()
}

func same(a, b replayed) bool {
	return a.seq == b.seq && a.e.Kind == b.e.Kind && a.e.Key == b.e.Key && a.e.A == b.e.A && a.e.B == b.e.B &&
		bytes.Equal(a.e.Payload, b.e.Payload)
}

func (m *machine) collect(t *rapid.T) {
	m.n++
	e := entry(m.n, rapid.SampledFrom([]int{0, 50, 3000, 9000, 40000}).Draw(t, "size"))
	if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
		e = journal.Entry{Kind: journal.KindEpoch, Key: key(1), A: int64(m.n), B: 3}
	}
	seq := m.r.j.Collect(&e, nil, false)
	m.entries = append(m.entries, replayed{seq, e})
}

func (m *machine) submit() {
	if _, err := m.r.j.Submit(); err != nil {
		m.t.Fatalf("submit: %v", err)
	}
}

func (m *machine) settle() {
	for m.durable < len(m.entries) && m.entries[m.durable].seq < m.r.j.Durable() {
		m.durable++
	}
}

// checkpoint says that some of the durable groups are not needed. What they held must not
// come back once a file was used again.
func (m *machine) checkpoint(t *rapid.T) {
	if j := m.r.j; j.Durable() > j.Checkpoint() {
		j.SetCheckpoint(journal.Seq(rapid.Uint64Range(uint64(j.Checkpoint()), uint64(j.Durable())).Draw(t, "to")))
		j.CarryCheckpoint()
		m.submit()
	}
}

func (m *machine) crash(t *rapid.T) {
	if rapid.IntRange(0, 5).Draw(t, "really") > 0 {
		return
	}
	m.end(t)
	for rapid.IntRange(0, 3).Draw(t, "again") == 0 {
		m.r.disk.CrashAfterOps(rapid.IntRange(1, 30).Draw(t, "ops"))
		j := m.r.j
		_, _, err := m.r.open()
		if err == nil {
			m.r.disk.CrashAfterOps(0) // it is sealed: what it replayed is the caller's now
			m.entries, m.durable = nil, 0
		} else {
			m.r.j = j
		}
		if err != nil && !errors.Is(err, env.ErrClosed) {
			t.Fatalf("open: %v", err)
		}
		m.end(t)
		if err == nil {
			break
		}
		if m.sealedUnheard() {
			break
		}
	}
	m.open()
}

// sealedUnheard: a boot that died in its last steps may have sealed the journal.
func (m *machine) sealedUnheard() bool {
	v := m.r.disk.Mount(func(env.Completion) {})
	cfg := m.r.cfg
	cfg.Env = &env.Env{Clock: m.r, Disk: v, Rand: m.r, Tracer: m.r, Rare: m.r}
	s, err := journal.NewScan(cfg)
	if err != nil {
		m.t.Fatalf("scan: %v", err)
	}
	m.r.disk.Kill()
	if len(m.entries) > 0 && s.Report().First > m.entries[len(m.entries)-1].seq {
		m.entries, m.durable = nil, 0
		return true
	}
	return false
}

func (m *machine) end(t *rapid.T) {
	if rapid.Bool().Draw(t, "power") {
		m.r.disk.PowerLoss()
	} else {
		m.r.disk.Kill()
	}
}

// TestRotIsToldFromATornTail damages one byte of a journal at rest. Either it changes
// nothing, or the boot refuses, or it was in the newest group, which is the one place
// where a torn write looks the same.
func TestRotIsToldFromATornTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(nil)
		if _, _, err := r.open(); err != nil {
			t.Fatalf("open: %v", err)
		}
		var entries []replayed
		groups := rapid.IntRange(2, 8).Draw(t, "groups")
		for g := range groups {
			for n := range rapid.IntRange(1, 3).Draw(t, "entries") {
				e := entry(g*10+n, rapid.SampledFrom([]int{0, 5000}).Draw(t, "size"))
				entries = append(entries, replayed{r.j.Collect(&e, nil, true), e})
			}
			for r.j.Waiting() { // for a file, at times
				if _, err := r.j.Submit(); err != nil {
					t.Fatalf("submit: %v", err)
				}
				r.steps.Run()
			}
		}
		r.disk.Kill()
		flip(t, r)
		got, report, err := r.open()
		if err != nil {
			if !errors.Is(err, journal.ErrDamaged) || len(report.Damages) != 1 {
				t.Fatalf("open: %v", err)
			}
			return
		}
		for i, g := range got {
			if !same(g, entries[i]) {
				t.Fatalf("entry %d is not what was collected", i)
			}
		}
		if len(got) < len(entries) && entries[len(got)].seq != entries[len(entries)-1].seq {
			t.Fatalf("%d of %d entries came back without a word", len(got), len(entries))
		}
	})
}

func flip(t *rapid.T, r *rig) {
	v := r.disk.Mount(func(env.Completion) {})
	files, err := v.List(r.cfg.Path)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	e := files[rapid.IntRange(0, len(files)-1).Draw(t, "file")]
	f, err := v.Open(r.cfg.Path+"/"+e.Name, env.OpenExisting)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	at := rapid.Int64Range(0, e.Size-1).Draw(t, "at")
	var b [1]byte
	_, err = f.Pread(b[:], at)
	b[0] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	if err := errors.Join(err, f.Pwrite(b[:], at), f.Fsync(), f.Close()); err != nil {
		t.Fatalf("flip: %v", err)
	}
	r.disk.Kill()
}
