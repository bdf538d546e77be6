package simdisk_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

func (b *bench) write(f env.File, data string, off int64) env.Completion {
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte(data)}, Off: off}, 1)
	return b.settle()[0]
}

func TestAFailedWriteLeavesNothingOrAPagePrefix(t *testing.T) {
	lengths := map[int]int{}
	for seed := range uint64(60) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed)})
		f := b.synced(t, "/f", "")
		b.disk.SetFaults(simdisk.Faults{WriteError: simdisk.Always})
		data := content('a', 3)
		var err error
		if seed%2 == 0 {
			err = b.write(f, data, 100).Err
		} else {
			err = f.Pwrite([]byte(data), 100)
		}
		if !errors.Is(err, env.ErrIO) {
			t.Fatalf("error %v", err)
		}
		got, _ := b.disk.ReadCached("/f")
		lengths[len(got)]++
		if len(got) > 100 && string(got[100:]) != data[:len(got)-100] {
			t.Fatal("other bytes than those written")
		}
		must(t, f.Truncate(0))
		b.disk.SetFaults(simdisk.Faults{})
		if done := b.write(f, "fine", 0); done.Err != nil {
			t.Fatalf("the next write: %v", done.Err)
		}
	}
	for n := range lengths {
		if n%sector != 0 || n > 3*sector {
			t.Fatalf("lengths %v", lengths)
		}
	}
	if len(lengths) != 4 {
		t.Fatalf("lengths %v", lengths)
	}
}

// TestAShortWriteIsContinued: its first part is there before its completion, and a kill
// between the two leaves that part at least.
func TestAShortWriteIsContinued(t *testing.T) {
	parts := 0
	for seed := range uint64(60) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed),
			Faults: simdisk.Faults{ShortWrite: simdisk.Always}})
		f := b.create(t, "/f", "")
		data := content('a', 3)
		f.WriteAt(env.Write{Bufs: [][]byte{[]byte(data)}}, 1)
		b.Step()
		got, _ := b.disk.ReadCached("/f")
		if len(got) == 0 || len(got) >= len(data) || len(b.done) > 0 {
			t.Fatalf("%d bytes went ahead, completions %v", len(got), b.done)
		}
		if seed%2 == 0 {
			b.disk.Kill()
			left, _ := b.disk.ReadCached("/f")
			if len(left) < len(got) || string(left) != data[:len(left)] {
				t.Fatalf("the kill left %d of %d bytes", len(left), len(got))
			}
			if len(left) < len(data) {
				parts++
			}
			continue
		}
		if done := b.settle(); len(done) != 1 || done[0].Err != nil || done[0].N != len(data) {
			t.Fatalf("completions %v", done)
		}
		b.wantCached(t, "/f", data)
		must(t, f.Pwrite([]byte(content('x', 2)), 0))
		b.wantCached(t, "/f", content('x', 2)+content('c', 1))
	}
	if parts == 0 {
		t.Fatal("no kill ever left a part")
	}
}

func TestAShortDurableWriteIsDurableWhole(t *testing.T) {
	for seed := range uint64(20) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed), Survival: simdisk.Survival{None: 1},
			Faults: simdisk.Faults{ShortWrite: simdisk.Always}})
		f, err := b.view.OpenLog("/journal", 4*sector)
		must(t, err)
		must(t, b.view.SyncDir("/"))
		f.WriteAt(env.Write{Bufs: [][]byte{[]byte(content('a', 3))}, Durable: true}, 1)
		must(t, b.settle()[0].Err)
		b.disk.PowerLoss()
		b.wantCached(t, "/journal", content('a', 3)+strings.Repeat("\x00", sector))
	}
}

func TestAnHonestSyncErrorKeepsWhatIsPending(t *testing.T) {
	kinds := map[error]int{}
	for seed := range uint64(20) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed), Survival: simdisk.Survival{None: 1}})
		f := b.synced(t, "/f", "old")
		must(t, f.Pwrite([]byte("new"), 0))
		b.disk.SetFaults(simdisk.Faults{SyncError: simdisk.Always})
		f.Sync(1)
		for _, err := range []error{b.settle()[0].Err, f.Fsync(), b.view.SyncDir("/")} {
			switch {
			case errors.Is(err, env.ErrIO):
				kinds[env.ErrIO]++
			case errors.Is(err, env.ErrNoSpace):
				kinds[env.ErrNoSpace]++
			default:
				t.Fatalf("error %v", err)
			}
		}
		b.wantCached(t, "/f", "new")
		b.wantDurable(t, "/f", "old")
		b.disk.SetFaults(simdisk.Faults{})
		if seed%2 == 0 {
			b.disk.PowerLoss()
			b.wantCached(t, "/f", "old")
			continue
		}
		must(t, f.Fsync())
		b.disk.PowerLoss()
		b.wantCached(t, "/f", "new")
	}
	if len(kinds) != 2 {
		t.Fatalf("errors %v", kinds)
	}
}

// lied makes a sync of two new sectors fail and lie. It returns the file's content as a
// process wrote it.
func lied(t *testing.T, seed uint64, model simdisk.LieModel) (*bench, env.File, string) {
	b := broken(simdisk.Config{Decide: simdisk.Hashed(seed)})
	f := b.synced(t, "/f", content('a', 4))
	must(t, f.Pwrite([]byte(content('x', 2)), sector))
	must(t, f.Pwrite([]byte("tail"), 4*sector))
	b.disk.SetFaults(simdisk.Faults{SyncLie: simdisk.Always, Lie: model})
	if err := f.Fsync(); !errors.Is(err, env.ErrIO) {
		t.Fatalf("sync: %v", err)
	}
	b.disk.SetFaults(simdisk.Faults{})
	return b, f, content('a', 1) + content('x', 2) + content('d', 1) + "tail"
}

// checkLied says whether got is the old bytes in at least one and perhaps not in all of
// the sectors that were written, and tells how many are old.
func checkLied(t *testing.T, got, fresh string) int {
	t.Helper()
	old := content('a', 4) + "\x00\x00\x00\x00"
	lost := 0
	for i := 0; i < len(fresh); i += sector {
		end := min(i+sector, len(fresh))
		switch got[i:end] {
		case fresh[i:end]:
		case old[i:end]:
			lost++
		default:
			t.Fatalf("sector %d is neither old nor new", i/sector)
		}
	}
	if len(got) != len(fresh) || lost == 0 {
		t.Fatalf("%d bytes, %d sectors lost", len(got), lost)
	}
	return lost
}

func TestCleanNewShowsNewBytesUntilThePageIsGone(t *testing.T) {
	losses := map[int]int{}
	for seed := range uint64(40) {
		b, f, fresh := lied(t, seed, simdisk.CleanNew)
		must(t, f.Fsync()) // the lie
		if got, err := pread(t, f); err != nil || got != fresh {
			t.Fatalf("seed %d: the cache lost the new bytes (%v)", seed, err)
		}
		if b.disk.FaultCounts().UnbackedReads == 0 {
			t.Fatal("a read of bytes that are not durable was not counted")
		}
		switch seed % 3 {
		case 0:
			b.disk.SetFaults(simdisk.Faults{Evict: simdisk.Always})
		case 1:
			b.disk.PowerLoss()
			b.mount()
		case 2:
			b.disk.Kill()
			b.mount()
		}
		f, err := b.view.Open("/f", env.OpenExisting)
		must(t, err)
		got, err := pread(t, f)
		must(t, err)
		losses[checkLied(t, got, fresh)]++
		b.disk.SwitchDamage(1, false)
		b.wantCached(t, "/f", fresh)
	}
	if len(losses) != 3 {
		t.Fatalf("sectors lost: %v", losses)
	}
}

func TestCleanNewPagesMayOutliveAProcess(t *testing.T) {
	b, _, fresh := lied(t, 1, simdisk.CleanNew)
	b.disk.SetFaults(simdisk.Faults{PagesOutliveProcess: true})
	b.disk.Kill()
	b.mount()
	b.wantCached(t, "/f", fresh)
	b.disk.PowerLoss()
	got, _ := b.disk.ReadCached("/f")
	checkLied(t, string(got), fresh)
}

func TestCleanOldShowsOldBytesAtOnce(t *testing.T) {
	for seed := range uint64(20) {
		b, f, fresh := lied(t, seed, simdisk.CleanOld)
		got, err := pread(t, f)
		must(t, err)
		checkLied(t, got, fresh)
		must(t, f.Fsync())
		b.disk.PowerLoss()
		b.mount()
		b.wantCached(t, "/f", got)
		f, _ = b.view.Open("/f", env.OpenExisting)
		must(t, f.Pwrite([]byte(fresh), 0)) // written again, it is as good as new
		must(t, f.Fsync())
		b.disk.PowerLoss()
		b.wantCached(t, "/f", fresh)
		if len(b.disk.Damages()) != 0 {
			t.Fatal("damage that was overwritten")
		}
	}
}

func TestShutdownFailsTheVolumeUntilTheNextProcess(t *testing.T) {
	b := broken(simdisk.Config{Volumes: []string{"/d0", "/d1"}, Survival: simdisk.Survival{None: 1}})
	f := b.synced(t, "/d0/f", "old")
	g := b.create(t, "/d0/unsynced", "gone")
	h := b.create(t, "/d1/h", "kept")
	must(t, f.Pwrite([]byte("new"), 0))
	b.disk.SetFaults(simdisk.Faults{SyncLie: simdisk.Always, Lie: simdisk.Shutdown})
	f.Sync(1)
	if done := b.settle(); !errors.Is(done[0].Err, env.ErrIO) {
		t.Fatalf("sync: %v", done)
	}
	b.disk.SetFaults(simdisk.Faults{})
	_, read := pread(t, f)
	_, open := b.view.Open("/d0/f", env.OpenExisting)
	b.view.SyncDirLater("/d0", 2)
	for _, err := range []error{read, open, f.Fsync(), g.Pwrite([]byte("x"), 0), b.view.Remove("/d0/f"),
		b.view.Rename("/d0/f", "/d0/g"), b.write(f, "x", 0).Err, b.settle2()} {
		if !errors.Is(err, env.ErrIO) {
			t.Fatalf("on a volume shut down: %v", err)
		}
	}
	must(t, h.Pwrite([]byte("KEPT"), 0)) // the other volume lives on
	b.disk.Kill()
	b.mount()
	if names := b.disk.CachedFiles(); strings.Join(names, " ") != "/d0/f /d1/h" {
		t.Fatalf("names %v", names)
	}
	b.wantCached(t, "/d0/f", "old")
	b.wantCached(t, "/d1/h", "KEPT")
	must(t, b.create(t, "/d0/again", "x").Fsync())
}

// settle2 is the error of the only operation in flight, or nil.
func (b *bench) settle2() error {
	b.view.SyncDirLater("/d0", 3)
	return b.settle()[0].Err
}

func TestTheLieModelIsDrawnPerVolume(t *testing.T) {
	models := map[string]int{}
	for seed := range uint64(30) {
		model := ""
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed), Faults: simdisk.Faults{SyncLie: simdisk.Always},
			OnFault: func(ev simdisk.FaultEvent) { model = ev.Model }})
		f := b.create(t, "/f", "x")
		if f.Fsync() == nil {
			t.Fatal("no lie")
		}
		models[model]++
	}
	if len(models) != 3 {
		t.Fatalf("models %v", models)
	}
}

func TestADurableWriteThatLiesShowsOldBytes(t *testing.T) {
	b := broken(simdisk.Config{})
	f, err := b.view.OpenLog("/journal", 2*sector)
	must(t, err)
	must(t, b.view.SyncDir("/"))
	b.disk.SetFaults(simdisk.Faults{SyncLie: simdisk.Always, Lie: simdisk.CleanNew})
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte(content('x', 1))}, Durable: true}, 1)
	if done := b.settle(); !errors.Is(done[0].Err, env.ErrIO) {
		t.Fatalf("completion %v", done)
	}
	b.wantCached(t, "/journal", strings.Repeat("\x00", 2*sector))
}

// TestALostWriteBackIsReportedOnce to each handle that was open before it and to no other,
// and what it lost stays lost.
func TestALostWriteBackIsReportedOnce(t *testing.T) {
	b := broken(simdisk.Config{WriteBackMean: time.Millisecond})
	f := b.synced(t, "/f", content('a', 2))
	g, err := b.view.Open("/f", env.OpenExisting)
	must(t, err)
	b.disk.SetFaults(simdisk.Faults{LostWriteBack: simdisk.Always})
	must(t, f.Pwrite([]byte(content('x', 1)), 0))
	b.disk.SetFaults(simdisk.Faults{})
	b.Sleep(time.Second)
	later, err := b.view.Open("/f", env.OpenExisting)
	must(t, err)
	must(t, later.Fsync())
	if err := f.Fsync(); !errors.Is(err, env.ErrIO) {
		t.Fatalf("the first sync: %v", err)
	}
	must(t, f.Fsync())
	g.Sync(1)
	if done := b.settle(); !errors.Is(done[0].Err, env.ErrIO) {
		t.Fatalf("another handle: %v", done)
	}
	must(t, g.Fsync())
	b.wantCached(t, "/f", content('x', 1)+content('b', 1))
	b.disk.PowerLoss()
	b.wantCached(t, "/f", content('a', 2))
	if c := b.count(simdisk.FaultLostWriteBack); c != (simdisk.FaultCount{Fired: 1, Observed: 1}) {
		t.Fatalf("counts %+v", c)
	}
}

func TestASyncInTimeSavesAWriteBack(t *testing.T) {
	b := broken(simdisk.Config{WriteBackMean: time.Hour, Faults: simdisk.Faults{LostWriteBack: simdisk.Always}})
	f := b.synced(t, "/f", "x")
	b.Sleep(100 * time.Hour)
	must(t, f.Fsync())
	b.wantDurable(t, "/f", "x")
	b.write(f, "y", 0)
	b.Sleep(time.Microsecond)
	f.Sync(1)
	must(t, b.settle()[0].Err)
	if c := b.count(simdisk.FaultLostWriteBack); c.Fired != 0 {
		t.Fatalf("counts %+v", c)
	}
}

func TestSlowAndStalledOperationsTakeTime(t *testing.T) {
	b := broken(simdisk.Config{})
	f := b.synced(t, "/f", "x")
	b.disk.SetFaults(simdisk.Faults{Slow: simdisk.Always, SlowMean: time.Second})
	start, elapsed := b.Now(), b.view.Elapsed()
	for range 50 {
		f.ReadAt(env.Read{Buf: make([]byte, 1), Off: 0}, 1)
		b.Run()
		must(t, f.Fsync())
	}
	async, blocking := b.Now().Sub(start), b.view.Elapsed()-elapsed
	for _, d := range []time.Duration{async, blocking} {
		if d < 25*time.Second || d > 100*time.Second {
			t.Fatalf("50 operations took %v and %v", async, blocking)
		}
	}
}

// TestAStallHoldsAllOperationsOfAVolume and ends for all of them at the same time.
func TestAStallHoldsAllOperationsOfAVolume(t *testing.T) {
	var stalls []simdisk.FaultEvent
	b := broken(simdisk.Config{Volumes: []string{"/d0", "/d1"},
		Faults:  simdisk.Faults{StallEvery: time.Minute, StallMean: 2 * time.Second},
		OnFault: func(ev simdisk.FaultEvent) { stalls = append(stalls, ev) }})
	files := []env.File{b.create(t, "/d0/f", "x"), b.create(t, "/d1/g", "x")}
	stalls = nil
	hung := map[string]int{}
	for range 10 * 60 * 10 { // ten minutes in steps of a tenth of a second
		for i, f := range files {
			volume := []string{"/d0", "/d1"}[i]
			at := b.Now()
			f.ReadAt(env.Read{Buf: make([]byte, 1), Off: 0}, 1)
			for len(b.done) == 0 {
				b.Step()
			}
			b.done = nil
			if took := b.Now().Sub(at); took > 20*time.Millisecond {
				hung[volume]++
				if last := stalls[len(stalls)-1]; last.Volume != volume || b.Now() < last.To {
					t.Fatalf("%v ended at %v", last, b.Now())
				}
			}
		}
		b.Sleep(100 * time.Millisecond)
	}
	if hung["/d0"] < 5 || hung["/d1"] < 5 || hung["/d0"] > 15 {
		t.Fatalf("hung: %v", hung)
	}
}

func TestOperationsOvertakeEachOther(t *testing.T) {
	b := broken(simdisk.Config{Faults: simdisk.Faults{Reorder: simdisk.Always / 2}})
	f := b.synced(t, "/f", content('a', 8))
	for tag := range env.Tag(20) {
		f.ReadAt(env.Read{Buf: make([]byte, 10), Off: 0}, tag)
	}
	done, behind := b.settle(), uint64(0)
	for i := range done {
		for _, earlier := range done[:i] {
			if earlier.Tag > done[i].Tag {
				behind++
				break
			}
		}
	}
	if counts := b.disk.FaultCounts(); behind < 5 || counts.Overtaken != behind {
		t.Fatalf("%d overtaken, counted %d", behind, counts.Overtaken)
	}
	must(t, f.Pwrite(bytes.Repeat([]byte("z"), 9), 0))
}
