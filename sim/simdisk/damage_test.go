package simdisk_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

const sector = 4096

// content is n sectors, each of one letter: a, b, c …
func content(first byte, sectors int) string {
	var s strings.Builder
	for i := range sectors {
		s.WriteString(strings.Repeat(string(first+byte(i)), sector))
	}
	return s.String()
}

// broken is a bench whose device breaks by these knobs from now on.
func broken(cfg simdisk.Config) *bench {
	if cfg.Decide == nil {
		cfg.Decide = simdisk.Hashed(1)
	}
	return newBench(cfg)
}

func pread(t *testing.T, f env.File) (string, error) {
	t.Helper()
	buf := make([]byte, 64*sector)
	n, err := f.Pread(buf, 0)
	return string(buf[:n]), err
}

func (b *bench) wantCached(t *testing.T, path, want string) {
	t.Helper()
	got, err := b.disk.ReadCached(path)
	if err != nil || string(got) != want {
		t.Fatalf("%s differs from what it should be (%v), first at %d", path, err, firstByte(string(got), want))
	}
}

func (b *bench) wantDurable(t *testing.T, path, want string) {
	t.Helper()
	got, err := b.disk.ReadDurable(path)
	if err != nil || string(got) != want {
		t.Fatalf("%s differs on the device (%v), first at %d", path, err, firstByte(string(got), want))
	}
}

func firstByte(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func (b *bench) count(kind simdisk.FaultKind) simdisk.FaultCount {
	c := b.disk.FaultCounts()
	return c.Of(kind)
}

func TestALatentSectorFailsUntilItIsOverwritten(t *testing.T) {
	b := broken(simdisk.Config{})
	f := b.synced(t, "/f", content('a', 4))
	b.disk.SetFaults(simdisk.Faults{LatentSector: simdisk.Always})
	if _, err := f.Pread(make([]byte, 100), sector); !errors.Is(err, env.ErrIO) {
		t.Fatalf("read: %v", err)
	}
	b.disk.SetFaults(simdisk.Faults{})
	want := []simdisk.Damage{{ID: 1, Kind: simdisk.FaultLatentSector, Path: "/f", Off: sector, Len: sector,
		Cached: true, Durable: true}}
	if got := b.disk.Damages(); !slices.Equal(got, want) {
		t.Fatalf("damage %+v", got)
	}
	for range 3 { // stable, also across both crashes
		if _, err := f.Pread(make([]byte, 10), 2*sector-5); !errors.Is(err, env.ErrIO) {
			t.Fatalf("read over it: %v", err)
		}
		if _, err := f.Pread(make([]byte, sector), 2*sector); err != nil {
			t.Fatalf("read beside it: %v", err)
		}
		f.ReadAt(env.Read{Buf: make([]byte, 10), Off: sector}, 9)
		if done := b.settle(); !errors.Is(done[0].Err, env.ErrIO) || done[0].N != 0 {
			t.Fatalf("asynchronous read: %v", done)
		}
		b.disk.PowerLoss()
		b.mount()
		f, _ = b.view.Open("/f", env.OpenExisting)
	}
	if err := f.Pwrite([]byte("part"), sector+7); !errors.Is(err, env.ErrIO) {
		t.Fatalf("a write to a part of it: %v", err)
	}
	must(t, f.Pwrite(bytes.Repeat([]byte("X"), sector), sector))
	b.wantCached(t, "/f", content('a', 1)+strings.Repeat("X", sector)+content('c', 2))
	if got := b.disk.Damages(); len(got) != 1 || got[0].Cached || !got[0].Durable {
		t.Fatalf("overwritten and not synced: %+v", got)
	}
	must(t, f.Fsync())
	if got := b.disk.Damages(); len(got) != 0 || b.disk.FaultCounts().Healed != 1 {
		t.Fatalf("overwritten and synced: %+v", got)
	}
	if c := b.count(simdisk.FaultLatentSector); c != (simdisk.FaultCount{Fired: 1, Observed: 1}) {
		t.Fatalf("counts %+v", c)
	}
}

func TestALostOverwritingBringsDamageBack(t *testing.T) {
	b := broken(simdisk.Config{Survival: simdisk.Survival{None: 1}})
	f := b.synced(t, "/f", content('a', 2))
	id, err := b.disk.FailSector("/f", 10)
	must(t, err)
	must(t, f.Pwrite(bytes.Repeat([]byte("X"), sector), 0))
	b.wantCached(t, "/f", strings.Repeat("X", sector)+content('b', 1))
	b.disk.PowerLoss()
	if _, err := b.disk.ReadCached("/f"); !errors.Is(err, env.ErrIO) {
		t.Fatalf("read: %v", err)
	}
	b.disk.SwitchDamage(id, false)
	b.wantCached(t, "/f", content('a', 2))
	b.disk.SwitchDamage(id, true)
	if _, err := b.disk.ReadCached("/f"); !errors.Is(err, env.ErrIO) {
		t.Fatalf("switched on: %v", err)
	}
}

func flipped(got, want string) int {
	n := 0
	for i := range want {
		for x := got[i] ^ want[i]; x != 0; x &= x - 1 {
			n++
		}
	}
	return n
}

// TestRotFlipsBitsAtRest: each durable sector rots at rate one, by 1 to 8 bits; reads see it
// once the cache has let go of the page, and the same way each time.
func TestRotFlipsBitsAtRest(t *testing.T) {
	const sectors = 40
	want := content('0', sectors) + "tail"
	b := broken(simdisk.Config{Faults: simdisk.Faults{BitRot: simdisk.Always}})
	f := b.synced(t, "/f", want)
	b.wantCached(t, "/f", want)
	if c := b.count(simdisk.FaultBitRot); c != (simdisk.FaultCount{Fired: sectors + 1}) {
		t.Fatalf("counts %+v", c)
	}
	b.disk.SetFaults(simdisk.Faults{Evict: simdisk.Always})
	got, err := pread(t, f)
	must(t, err)
	seen := map[int]bool{}
	for i := 0; i < len(want); i += sector {
		end := min(i+sector, len(want))
		n := flipped(got[i:end], want[i:end])
		if n < 1 || n > 8 {
			t.Fatalf("%d bits flipped in sector %d", n, i/sector)
		}
		seen[n] = true
	}
	if len(seen) < 5 {
		t.Fatalf("only these numbers of bits: %v", seen)
	}
	if c := b.count(simdisk.FaultBitRot); c.Observed != sectors+1 {
		t.Fatalf("counts %+v", c)
	}
	b.disk.PowerLoss()
	b.mount()
	b.wantCached(t, "/f", got)
	for _, dm := range b.disk.Damages() {
		b.disk.SwitchDamage(dm.ID, false)
	}
	b.wantCached(t, "/f", want)
	if last := b.disk.Damages()[sectors]; last.Len != 4 || !last.SwitchedOff {
		t.Fatalf("the last damage is %+v", last)
	}
}

// TestRotIsKeptByAPartialOverwriting and healed in the bytes that are written.
func TestRotIsKeptByAPartialOverwriting(t *testing.T) {
	b := broken(simdisk.Config{})
	f := b.synced(t, "/f", content('a', 1))
	_, err := b.disk.FlipBits("/f", 0)
	must(t, err)
	rotten, err := pread(t, f)
	must(t, err)
	at := firstByte(rotten, content('a', 1))
	must(t, f.Pwrite([]byte("X"), int64(at)))
	must(t, f.Fsync())
	got, err := pread(t, f)
	must(t, err)
	if want := rotten[:at] + "X" + rotten[at+1:]; got != want {
		t.Fatal("the rest of the sector changed")
	}
	must(t, f.Truncate(int64(at+1)))
	must(t, f.Fsync())
	must(t, f.Truncate(sector))
	b.wantCached(t, "/f", content('a', 1)[:at]+"X"+strings.Repeat("\x00", sector-at-1))
}

func TestResidentPagesHealWhatTheDeviceHasWrong(t *testing.T) {
	b := broken(simdisk.Config{Faults: simdisk.Faults{BitRot: simdisk.Always}})
	f := b.synced(t, "/f", content('a', 3))
	b.disk.SetFaults(simdisk.Faults{})
	must(t, f.Pwrite([]byte("X"), sector)) // the page is in the cache, and well
	must(t, f.Fsync())
	must(t, f.Pwrite([]byte("YZ"), 2*sector-1)) // likewise, and two at once
	must(t, b.create(t, "/other", "").Fsync())
	f.Sync(1)
	b.settle()
	got := b.disk.Damages()
	if len(got) != 1 || got[0].Off != 0 || got[0].Cached {
		t.Fatalf("damage %+v", got)
	}
}

// TestAPageIsWrittenBackWhole also when only a part of it was written, and when others of
// the file stay pending.
func TestAPageIsWrittenBackWhole(t *testing.T) {
	b := broken(simdisk.Config{Faults: simdisk.Faults{BitRot: simdisk.Always}})
	f := b.synced(t, "/f", content('a', 2))
	b.disk.SetFaults(simdisk.Faults{})
	must(t, f.Pwrite([]byte("pending"), 0))
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("X")}, Off: sector + 9, Durable: true}, 1)
	must(t, b.settle()[0].Err)
	if got := b.disk.Damages(); len(got) != 1 || got[0].Off != 0 {
		t.Fatalf("damage %+v", got)
	}
}

func TestAGrownSizeHealsNothing(t *testing.T) {
	b := broken(simdisk.Config{Faults: simdisk.Faults{BitRot: simdisk.Always}})
	f := b.synced(t, "/f", "short")
	b.disk.SetFaults(simdisk.Faults{})
	must(t, f.Truncate(100))
	must(t, f.Fsync())
	if got := b.disk.Damages(); len(got) != 1 || got[0].Len != 100 || !got[0].Durable {
		t.Fatalf("damage %+v", got)
	}
}

func TestAReadFromTheCacheDoesNotAskTheDevice(t *testing.T) {
	b := broken(simdisk.Config{Faults: simdisk.Faults{LatentSector: simdisk.Always}})
	f := b.create(t, "/f", content('a', 1))
	must(t, f.Fsync())
	must(t, f.Pwrite([]byte("dirty"), 0))
	if _, err := pread(t, f); err != nil {
		t.Fatal(err)
	}
}

func TestAMisdirectedWriteDamagesBothPlaces(t *testing.T) {
	same, other := 0, 0
	for seed := range uint64(40) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed)})
		f := b.synced(t, "/f", content('a', 8))
		b.synced(t, "/g", content('A', 8))
		b.disk.SetFaults(simdisk.Faults{MisdirectedWrite: simdisk.Always})
		must(t, f.Pwrite([]byte(content('x', 2)), 2*sector))
		must(t, f.Fsync())
		b.disk.SetFaults(simdisk.Faults{})
		fresh := content('a', 2) + content('x', 2) + content('e', 4)
		dms := b.disk.Damages()
		if len(dms) != 2 || dms[0].Len != 2*sector || dms[1] != (simdisk.Damage{ID: 1, Path: "/f", Off: 2 * sector,
			Len: 2 * sector, Kind: simdisk.FaultMisdirectedWrite, Durable: true}) || !dms[0].Cached {
			t.Fatalf("seed %d: damage %+v", seed, dms)
		}
		victim, want := dms[0].Path, map[string][]byte{"/f": []byte(fresh), "/g": []byte(content('A', 8))}
		if victim == "/f" {
			same++
		} else {
			other++
		}
		b.disk.PowerLoss()
		b.mount()
		copy(want["/f"][2*sector:], content('c', 2)) // the old bytes
		copy(want[victim][dms[0].Off:], content('x', 2))
		b.wantCached(t, "/f", string(want["/f"]))
		b.wantCached(t, "/g", string(want["/g"]))
		b.disk.SwitchDamage(1, false)
		b.wantCached(t, "/f", fresh)
		b.wantCached(t, "/g", content('A', 8))
	}
	if same < 20 || other < 5 {
		t.Fatalf("%d in the same file, %d in another", same, other)
	}
}

func TestOneMisdirectedWriteLivesPerVolume(t *testing.T) {
	b := broken(simdisk.Config{Faults: simdisk.Faults{MisdirectedWrite: simdisk.Always}})
	f := b.synced(t, "/f", content('a', 8))
	for range 5 {
		for i := range int64(4) {
			must(t, f.Pwrite([]byte(content('A'+byte(i), 1)), i*sector))
			must(t, f.Fsync())
			if dms := b.disk.Damages(); len(dms) > 2 {
				t.Fatalf("damage %+v", dms)
			}
		}
		must(t, f.Pwrite([]byte(content('m', 8)), 0)) // all of it: nowhere to go
		must(t, f.Fsync())
		if dms := b.disk.Damages(); len(dms) != 0 {
			t.Fatalf("overwritten damage %+v", dms)
		}
	}
	if c := b.count(simdisk.FaultMisdirectedWrite); c.Fired != 5 {
		t.Fatalf("counts %+v", c)
	}
}

func TestADirectWriteGoneAstrayIsMissedAtOnce(t *testing.T) {
	b := broken(simdisk.Config{})
	f, err := b.view.OpenLog("/journal", 8*sector)
	must(t, err)
	must(t, b.view.SyncDir("/"))
	b.disk.SetFaults(simdisk.Faults{MisdirectedWrite: simdisk.Always})
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte(content('x', 1))}, Off: 2 * sector, Durable: true}, 1)
	if done := b.settle(); done[0].Err != nil || done[0].N != sector {
		t.Fatalf("completion %v", done)
	}
	got, err := pread(t, f)
	must(t, err)
	at := strings.Index(got, content('x', 1))
	if at < 0 || at == 2*sector || at%sector != 0 || strings.Count(got, "x") != sector {
		t.Fatalf("it is at %d", at)
	}
}

// TestAWrongReadIsRightTheNextTime and shows another sector of the file, or older bytes.
func TestAWrongReadIsRightTheNextTime(t *testing.T) {
	older, elsewhere := 0, 0
	for seed := range uint64(40) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed), Faults: simdisk.Faults{WrongRead: 1}})
		f := b.synced(t, "/f", content('a', 6))
		must(t, f.Pwrite([]byte(content('A', 6)), 0))
		must(t, f.Fsync())
		b.disk.SetFaults(simdisk.Faults{WrongRead: simdisk.Always})
		got, err := pread(t, f)
		must(t, err)
		b.disk.SetFaults(simdisk.Faults{})
		fired := b.count(simdisk.FaultWrongRead).Observed
		at := firstByte(got, content('A', 6))
		switch {
		case fired == 0:
			if got != content('A', 6) {
				t.Fatal("wrong without a fault")
			}
			continue
		case strings.Count(got, got[at:at+1]) == 2*sector:
			elsewhere++
		case got[at] == content('a', 6)[at]:
			older++
		default:
			t.Fatalf("seed %d: read %q at %d", seed, got[at], at)
		}
		if again, err := pread(t, f); err != nil || again != content('A', 6) {
			t.Fatalf("the next read is wrong too (%v)", err)
		}
	}
	if older < 5 || elsewhere < 5 {
		t.Fatalf("%d older, %d from elsewhere", older, elsewhere)
	}
}
