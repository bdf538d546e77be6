package simdisk_test

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/envtest"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// faultRows turns on one fault each, so that it happens whenever it can. The story below
// meets all of them.
var faultRows = []struct {
	kind   simdisk.FaultKind
	faults simdisk.Faults
}{
	{simdisk.FaultSlow, simdisk.Faults{Slow: simdisk.Always}},
	{simdisk.FaultStall, simdisk.Faults{StallEvery: 10 * time.Millisecond}},
	{simdisk.FaultReorder, simdisk.Faults{Reorder: simdisk.Always / 2}},
	{simdisk.FaultWriteError, simdisk.Faults{WriteError: simdisk.Always / 4}},
	{simdisk.FaultShortWrite, simdisk.Faults{ShortWrite: simdisk.Always}},
	{simdisk.FaultLatentSector, simdisk.Faults{LatentSector: simdisk.Always / 4}},
	{simdisk.FaultBitRot, simdisk.Faults{BitRot: simdisk.Always / 4, Evict: simdisk.Always}},
	{simdisk.FaultSyncError, simdisk.Faults{SyncError: simdisk.Always / 2}},
	{simdisk.FaultSyncLie, simdisk.Faults{SyncLie: simdisk.Always / 4}},
	{simdisk.FaultLostWriteBack, simdisk.Faults{LostWriteBack: simdisk.Always}},
	{simdisk.FaultMisdirectedWrite, simdisk.Faults{MisdirectedWrite: simdisk.Always}},
	{simdisk.FaultWrongRead, simdisk.Faults{WrongRead: simdisk.Always}},
	{simdisk.FaultFull, simdisk.Faults{FullEvery: 20 * time.Millisecond, FullAt: simdisk.FullAtNames}},
	{simdisk.FaultLeftover, simdisk.Faults{Leftover: simdisk.Always}},
	{simdisk.FaultDescriptors, simdisk.Faults{DescriptorsMax: 3}},
}

// troubles is a process that meets whatever comes and writes it down.
type troubles struct {
	*bench
	out strings.Builder
}

func (b *troubles) note(what string, err error) {
	if err != nil {
		fmt.Fprintf(&b.out, "%s: %v\n", what, err)
	}
}

func (b *troubles) work(round int) {
	b.note("mkdir", b.view.MkdirAll("/a/b"))
	for i := range 4 {
		path := fmt.Sprintf("/a/b/f%d", i)
		f, err := b.view.Open(path, env.OpenOrCreate)
		if b.note("open", err); err != nil {
			continue
		}
		for k := range 4 {
			data := make([]byte, 1300+k)
			for at := range data {
				data[at] = byte(round<<5 + i<<3 + k + at*round)
			}
			f.WriteAt(env.Write{Bufs: [][]byte{data}, Off: int64(k * 1400)}, env.Tag(i*10+k))
		}
		b.Sleep(3 * time.Millisecond)
		f.Sync(env.Tag(i*10 + 9))
		b.note("pwrite", f.Pwrite([]byte("blocking"), int64(5600+200*round)))
		if round%2 == 0 {
			b.note("fsync", f.Fsync())
		}
		b.Sleep(3 * time.Millisecond)
		buf := make([]byte, 3000)
		f.ReadAt(env.Read{Buf: buf, Off: int64(100 * round)}, env.Tag(i*10+8))
		b.Sleep(3 * time.Millisecond)
		n, err := f.Pread(buf[1500:], 0)
		b.note("pread", err)
		fmt.Fprintf(&b.out, "%s %d %x\n", path, n, hashOf(buf))
		if i == 3 {
			b.note("close", f.Close())
		}
	}
	b.note("rename", b.view.Rename("/a/b/f1", fmt.Sprintf("/a/g%d", round)))
	for _, dir := range []string{"/a/b", "/a", "/"} {
		b.note("syncdir", b.view.SyncDir(dir))
		entries, err := b.view.List(dir)
		b.note("list", err)
		fmt.Fprintf(&b.out, "%v\n", entries)
	}
	b.view.SyncDirLater("/a", 77)
}

// leaveInFlight has the crash meet operations of every kind, some half way.
func (b *troubles) leaveInFlight(round int) {
	f := b.view.OpenLater(fmt.Sprintf("/late/f%d", round))
	for k := range 4 {
		f.WriteAt(env.Write{Bufs: [][]byte{make([]byte, 9000)}, Off: int64(k) * 9000, Durable: k == 3}, 1)
	}
	f.Sync(2)
	f.ReadAt(env.Read{Buf: make([]byte, 100)}, 3)
	b.Sleep(40 * time.Microsecond)
	b.view.SyncDirLater("/a", 4)
	b.view.RemoveAllLater(fmt.Sprintf("/late/f%d", round-2))
}

func hashOf(b []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(b)
	return h.Sum64()
}

// troubled runs the process through five lives and tells all that it and a checker saw.
func troubled(seed uint64, cfg simdisk.Config) (string, *simdisk.Disk) {
	cfg.Decide, cfg.SectorSize, cfg.WriteBackMean = simdisk.Hashed(seed), 512, 4*time.Millisecond
	b := &troubles{bench: newBench(cfg)}
	for round := range 5 {
		b.work(round)
		b.Run()
		fmt.Fprintf(&b.out, "%v %v %v\n", b.done, b.view.Elapsed(), b.Now())
		b.done = nil
		b.leaveInFlight(round)
		if round%2 == 0 {
			fmt.Fprintf(&b.out, "%+v\n", b.disk.Kill())
		} else {
			fmt.Fprintf(&b.out, "%+v\n", b.disk.PowerLoss())
		}
		b.mount()
		b.Run() // what lands now belongs to a dead process
		for _, path := range b.disk.CachedFiles() {
			cached, err := b.disk.ReadCached(path)
			b.note(path, err)
			durable, _ := b.disk.ReadDurable(path)
			fmt.Fprintf(&b.out, "%s %x %x\n", path, hashOf(cached), hashOf(durable))
		}
	}
	return b.out.String(), b.disk
}

// TestFaultsOffAreTheDiskWithoutThem: these are the bytes, times and reports from before
// there were faults. They change with the disk's own behaviour only.
func TestFaultsOffAreTheDiskWithoutThem(t *testing.T) {
	for i, want := range []uint64{0x3ce638f20f0435dc, 0x7e40d974e03b8549, 0xc9d212ac13383271} {
		if got := hashOf([]byte(story(t, uint64(i+1)))); got != want {
			t.Errorf("seed %d: %#x, want %#x", i+1, got, want)
		}
	}
}

// TestEachFaultIsCalmWhenVetoed: each fault, offered and refused, leaves a run that is that
// of a sound disk, byte for byte and nanosecond for nanosecond.
func TestEachFaultIsCalmWhenVetoed(t *testing.T) {
	for _, row := range faultRows {
		t.Run(row.kind.String(), func(t *testing.T) {
			calm, _ := troubled(7, simdisk.Config{})
			events := 0
			got, d := troubled(7, simdisk.Config{Faults: row.faults,
				Allow: func(simdisk.FaultEvent) bool { return false },
				OnFault: func(ev simdisk.FaultEvent) {
					if events++; ev.Stage != simdisk.FaultVetoed || ev.Kind != row.kind {
						t.Fatalf("event %v", ev)
					}
				}})
			counts := d.FaultCounts()
			if n := counts.Of(row.kind).Vetoed; n == 0 || int(n) != events {
				t.Fatalf("%d vetoed, %d events", n, events)
			}
			if got != calm {
				t.Fatalf("a vetoed fault has an effect: %s", firstDifference(got, calm))
			}
			if len(d.Damages()) > 0 {
				t.Fatalf("damage %v", d.Damages())
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i, g[i], w[i])
		}
	}
	return "length"
}

// TestEachFaultHappensTheSameWayTwice: the run differs from the calm one, each instance
// rises through its stages, and a second run tells the same.
func TestEachFaultHappensTheSameWayTwice(t *testing.T) {
	for _, row := range faultRows {
		t.Run(row.kind.String(), func(t *testing.T) {
			run := func() (string, simdisk.FaultCounts) {
				var log strings.Builder
				stages := map[uint64]simdisk.FaultStage{}
				out, d := troubled(7, simdisk.Config{Faults: row.faults, OnFault: func(ev simdisk.FaultEvent) {
					if last, ok := stages[ev.ID]; ok && ev.Stage <= last {
						t.Fatalf("%v after %v", ev, last)
					}
					if ev.Purpose == "" || ev.Object == "" || ev.Volume != "/" {
						t.Fatalf("no key or scope: %+v", ev)
					}
					stages[ev.ID] = ev.Stage
					fmt.Fprintln(&log, ev.At, ev)
				}})
				return out + log.String() + fmt.Sprint(d.Damages()), d.FaultCounts()
			}
			first, counts := run()
			second, again := run()
			if first != second || counts != again {
				t.Fatalf("two runs differ: %s", firstDifference(first, second))
			}
			if counts.Of(row.kind).Fired == 0 {
				t.Fatalf("never fired: %+v", counts)
			}
			calm, _ := troubled(7, simdisk.Config{})
			if strings.HasPrefix(first, calm) {
				t.Fatal("it fired without an effect")
			}
		})
	}
}

// TestHarmlessFaultsKeepTheDisksWord: what is slow, late, in pieces or out of order is still
// a disk as env.Disk says.
func TestHarmlessFaultsKeepTheDisksWord(t *testing.T) {
	faults := simdisk.Faults{Slow: simdisk.Always / 4, StallEvery: 50 * time.Millisecond,
		Reorder: simdisk.Always / 2, ShortWrite: simdisk.Always / 2, Evict: simdisk.Always / 2}
	envtest.TestDisk(t, func(t *testing.T) *envtest.DiskRig {
		return rig(t, simdisk.Config{Faults: faults})
	})
	faults.ShortWrite = 0 // a part that went ahead lives on, and need not end at a page
	envtest.TestDiskCrashes(t, func(t *testing.T, seed uint64) *envtest.DiskRig {
		return rig(t, simdisk.Config{Decide: simdisk.Hashed(seed), Faults: faults})
	})
}

// TestATapeWithoutFaultsIsCalm: decisions that a tape does not have are zero.
func TestATapeWithoutFaultsIsCalm(t *testing.T) {
	for _, row := range faultRows {
		b := newBench(simdisk.Config{Decide: calm, Faults: row.faults})
		b.synced(t, "/f", strings.Repeat("x", 9000))
		b.disk.Kill()
		b.mount()
		b.create(t, "/g", "y")
		if n := b.disk.FaultCounts().Kinds[row.kind].Fired; n != 0 {
			t.Errorf("%v fired %d times", row.kind, n)
		}
	}
}

// everything breaks all that can break, now and then.
var everything = simdisk.Faults{
	Slow: simdisk.Always / 20, StallEvery: 50 * time.Millisecond, Reorder: simdisk.Always / 10,
	WriteError: simdisk.Always / 30, ShortWrite: simdisk.Always / 5, LatentSector: simdisk.Always / 20,
	BitRot: simdisk.Always / 30, SyncError: simdisk.Always / 20, SyncLie: simdisk.Always / 20,
	LostWriteBack: simdisk.Always / 10, Evict: simdisk.Always / 5, MisdirectedWrite: simdisk.Always / 10,
	WrongRead: simdisk.Always / 10, FullEvery: 40 * time.Millisecond, Leftover: simdisk.Always / 3,
	DescriptorsMax: 3,
}

// TestAllFaultsTogether: they meet in every combination, and a run is still that of its seed.
func TestAllFaultsTogether(t *testing.T) {
	var sum simdisk.FaultCounts
	for seed := range uint64(150) {
		first, d := troubled(seed, simdisk.Config{Faults: everything})
		if seed%10 == 0 {
			if second, _ := troubled(seed, simdisk.Config{Faults: everything}); second != first {
				t.Fatalf("seed %d: two runs differ: %s", seed, firstDifference(first, second))
			}
		}
		counts := d.FaultCounts()
		for _, kind := range simdisk.FaultKinds() {
			sum.Kinds[kind].Fired += counts.Of(kind).Fired
			sum.Kinds[kind].Observed += counts.Of(kind).Observed
		}
		sum.UnbackedReads += counts.UnbackedReads
		sum.Evictions += counts.Evictions
		sum.FullAtSync += counts.FullAtSync
		sum.Healed += counts.Healed
	}
	for _, kind := range simdisk.FaultKinds() {
		observable := kind > simdisk.FaultReorder && kind != simdisk.FaultShortWrite
		if c := sum.Of(kind); c.Fired == 0 || (observable && c.Observed == 0) {
			t.Errorf("%v: %+v", kind, c)
		}
	}
	if sum.UnbackedReads == 0 || sum.Evictions == 0 || sum.FullAtSync == 0 || sum.Healed == 0 {
		t.Errorf("goals missed: %+v", sum)
	}
}
