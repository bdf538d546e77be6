package simdisk_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// The naive second version of one file. It knows what is synced and which operations came
// after; what a crash may leave it finds by trying all subsets of them, sector by sector.

const modelSector = 512

type modelOp struct {
	truncate bool
	off      int // or the size
	data     []byte
}

type modelFile struct {
	synced  []byte
	after   []modelOp // completed and not synced
	flight  *modelOp  // at most one in flight
	durable bool      // the one in flight
}

func (op *modelOp) apply(b []byte) []byte {
	if op.truncate {
		if op.off <= len(b) {
			return b[:op.off:op.off]
		}
		return append(b, make([]byte, op.off-len(b))...)
	}
	if end := op.off + len(op.data); end > len(b) {
		b = append(b, make([]byte, end-len(b))...)
	}
	copy(b[op.off:], op.data)
	return b
}

func (m *modelFile) cached() []byte {
	b := bytes.Clone(m.synced)
	for i := range m.after {
		b = m.after[i].apply(b)
	}
	return b
}

func (m *modelFile) sync() { m.synced, m.after = m.cached(), nil }

// land completes the operation in flight.
func (m *modelFile) land() {
	if m.flight == nil {
		return
	}
	m.after = append(m.after, *m.flight)
	m.flight = nil
}

// checkLoss says whether got may be what a power loss left.
func (m *modelFile) checkLoss(got []byte) error {
	ops := m.after
	if m.flight != nil {
		ops = append(slices.Clone(ops), *m.flight)
	}
	if !m.sizeAllowed(ops, len(got)) {
		return fmt.Errorf("size %d; synced %d, then %v", len(got), len(m.synced), ops)
	}
	for from := 0; from < len(got); from += modelSector {
		to := min(from+modelSector, len(got))
		if !m.sectorAllowed(ops, from, got[from:to]) {
			return fmt.Errorf("sector at %d; synced %d, then %v", from, len(m.synced), ops)
		}
	}
	return nil
}

// sizeAllowed: each size operation survives or not.
func (m *modelFile) sizeAllowed(ops []modelOp, size int) bool {
	for subset := range 1 << len(ops) {
		n := len(m.synced)
		for i, op := range ops {
			switch {
			case subset>>i&1 == 0:
			case op.truncate:
				n = op.off
			default:
				n = max(n, op.off+len(op.data))
			}
		}
		if n == size {
			return true
		}
	}
	return false
}

// sectorAllowed: some subset of the operations, in order, gives these bytes. A truncation
// may have found the file shorter than it was in the cache, and then have cut nothing.
func (m *modelFile) sectorAllowed(ops []modelOp, from int, got []byte) bool {
	old := make([]byte, modelSector)
	if from < len(m.synced) {
		copy(old, m.synced[from:])
	}
	for subset := range 1 << len(ops) {
		s := bytes.Clone(old)
		for i, op := range ops {
			if subset>>i&1 == 1 {
				op.applySector(s, from)
			}
		}
		if bytes.Equal(s[:len(got)], got) {
			return true
		}
	}
	return false
}

func (op *modelOp) applySector(s []byte, from int) {
	if op.truncate {
		clear(s[min(max(op.off-from, 0), len(s)):])
		return
	}
	for i, x := range op.data {
		if at := op.off + i - from; at >= 0 && at < len(s) {
			s[at] = x
		}
	}
}

// lossBench runs random histories on a disk and the model side by side.
type lossBench struct {
	*bench
	file  env.File
	model modelFile
	fill  byte
}

func (b *lossBench) reopen(t *rapid.T) {
	f, err := b.view.Open("/f", env.OpenExisting)
	if err != nil {
		t.Fatal(err)
	}
	b.file = f
}

func (b *lossBench) drawWrite(t *rapid.T) modelOp {
	b.fill++
	off, n := rapid.IntRange(0, 1600).Draw(t, "off"), rapid.IntRange(1, 1300).Draw(t, "n")
	return modelOp{off: off, data: bytes.Repeat([]byte{b.fill}, n)}
}

func (b *lossBench) checkCache(t *rapid.T) {
	got, err := b.disk.ReadCached("/f")
	if err != nil || !bytes.Equal(got, b.model.cached()) {
		t.Fatalf("the cache differs from the model (%v)", err)
	}
}

func (b *lossBench) land() {
	durable := b.model.flight != nil && b.model.durable
	b.settle()
	b.model.land()
	if durable && len(b.model.after) == 1 {
		b.model.sync() // with others before it, which of those are durable is open
	}
}

func (b *lossBench) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"write": func(t *rapid.T) {
			b.land()
			op := b.drawWrite(t)
			if err := b.file.Pwrite(op.data, int64(op.off)); err != nil {
				t.Fatal(err)
			}
			b.model.after = append(b.model.after, op)
		},
		"writeLater": func(t *rapid.T) {
			b.land()
			op := b.drawWrite(t)
			b.model.durable = rapid.Bool().Draw(t, "durable")
			b.file.WriteAt(env.Write{Bufs: [][]byte{op.data}, Off: int64(op.off), Durable: b.model.durable}, 1)
			b.model.flight = &op
		},
		"truncate": func(t *rapid.T) {
			b.land()
			op := modelOp{truncate: true, off: rapid.IntRange(0, 2500).Draw(t, "size")}
			if op.off == len(b.model.cached()) {
				return
			}
			if err := b.file.Truncate(int64(op.off)); err != nil {
				t.Fatal(err)
			}
			b.model.after = append(b.model.after, op)
		},
		"sync": func(t *rapid.T) {
			b.land()
			if err := b.file.Fsync(); err != nil {
				t.Fatal(err)
			}
			b.model.sync()
		},
		"wait": func(t *rapid.T) { b.land(); b.Sleep(1e9) },
		"powerLoss": func(t *rapid.T) {
			b.disk.PowerLoss()
			got, err := b.disk.ReadCached("/f")
			if err == nil {
				err = b.model.checkLoss(got)
			}
			if err != nil {
				t.Fatal(err)
			}
			durable, _ := b.disk.ReadDurable("/f")
			if !bytes.Equal(got, durable) {
				t.Fatal("after a power loss the cache is not what is durable")
			}
			b.model = modelFile{synced: got}
			b.mount()
			b.reopen(t)
		},
		"": func(t *rapid.T) {
			if len(b.model.after) > 7 { // the model tries all subsets
				b.land()
				_ = b.file.Fsync()
				b.model.sync()
			}
			b.checkCache(t)
		},
	}
}

// TestPowerLossLeavesSomeSubsetPerSector: what was synced survives, and of what was not
// each sector shows some of the writes to it and nothing else.
func TestPowerLossLeavesSomeSubsetPerSector(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &lossBench{bench: newBench(simdisk.Config{
			Decide:           simdisk.Hashed(rapid.Uint64().Draw(t, "seed")),
			SectorSize:       modelSector,
			Survival:         simdisk.Survival{All: 1, None: 2, Prefix: 3, Subset: 3, Sectors: 3},
			WriteBackMean:    rapid.SampledFrom([]env.Instant{0, 1e6, 1e9}).Draw(t, "write-back").Sub(0),
			RecycledPerMille: -1,
		})}
		f, err := b.view.Open("/f", env.OpenOrCreate)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.view.SyncDir("/"); err != nil {
			t.Fatal(err)
		}
		b.file = f
		t.Repeat(b.actions())
	})
}
