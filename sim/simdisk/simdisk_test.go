package simdisk_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

func calm(string, string, uint64) uint64 { return 0 }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) create(t *testing.T, path, content string) env.File {
	t.Helper()
	f, err := b.view.Open(path, env.OpenOrCreate)
	must(t, err)
	must(t, f.Pwrite([]byte(content), 0))
	return f
}

func (b *bench) synced(t *testing.T, path, content string) env.File {
	t.Helper()
	f := b.create(t, path, content)
	must(t, f.Fsync())
	must(t, b.view.SyncDir(path[:strings.LastIndexByte(path, '/')+1]))
	return f
}

// story does a bit of everything and tells what came of it.
func story(t *testing.T, seed uint64) string {
	b := newBench(simdisk.Config{Decide: simdisk.Hashed(seed), WriteBackMean: time.Second, SectorSize: 512})
	var out strings.Builder
	for round := range 5 {
		must(t, b.view.MkdirAll("/a/b"))
		for i := range 6 {
			f := b.view.OpenLater(fmt.Sprintf("/a/b/f%d", i))
			for k := range 4 {
				data := bytes.Repeat([]byte{byte(16*round + i)}, 700+k)
				f.WriteAt(env.Write{Bufs: [][]byte{data}, Off: int64(k * 800)}, env.Tag(i*10+k))
			}
			if i%2 == 0 {
				f.Sync(env.Tag(i*10 + 9))
			}
		}
		b.Sleep(200 * time.Microsecond)
		if round%2 == 0 {
			must(t, b.view.SyncDir("/a/b"))
			must(t, b.view.SyncDir("/a"))
			must(t, b.view.SyncDir("/"))
		}
		_ = b.view.Rename("/a/b/f1", "/a/f1")
		fmt.Fprintf(&out, "%v %v %v\n", outcomes(b.done), b.view.Elapsed(), b.disk.PowerLoss())
		b.done = nil
		b.Run()
		b.mount()
		for _, path := range b.disk.CachedFiles() {
			content, err := b.disk.ReadCached(path)
			must(t, err)
			fmt.Fprintf(&out, "%s %x\n", path, content)
		}
	}
	return out.String()
}

// outcome is what a completion without a check tells.
type outcome struct {
	Tag env.Tag
	N   int
	Err error
}

func outcomes(done []env.Completion) (all []outcome) {
	for _, c := range done {
		all = append(all, outcome{c.Tag, c.N, c.Err})
	}
	return all
}

func TestSameSeedLeavesSameBytes(t *testing.T) {
	first := story(t, 1)
	if story(t, 1) != first {
		t.Fatal("two runs of one seed differ")
	}
	if story(t, 2) == first {
		t.Fatal("two seeds do the same")
	}
}

func TestZeroDecisionsAreCalm(t *testing.T) {
	b := newBench(simdisk.Config{Decide: calm, WriteBackMean: time.Nanosecond})
	f := b.create(t, "/f", "unsynced")
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("in flight")}, Off: 8}, 1)
	report := b.disk.PowerLoss()
	if got, _ := b.disk.ReadCached("/f"); string(got) != "unsyncedin flight" {
		t.Fatalf("a calm power loss left %q", got)
	}
	if want := (simdisk.CrashReport{Power: true, InFlight: 1, OpsKept: 2}); report != want {
		t.Fatalf("report %+v", report)
	}
}

// TestCrashInABlockingOperation dies in each operation of a small boot in turn. What it
// had synced before is there, whichever crash it turns out to be.
func TestCrashInABlockingOperation(t *testing.T) {
	boot := func(v *simdisk.View, stage *int) error {
		f, err := v.Open("/new", env.OpenOrCreate)
		steps := []func() error{
			func() error { return f.Pwrite(bytes.Repeat([]byte("x"), 9000), 0) },
			func() error { return f.Fsync() },
			func() error { return v.SyncDir("/") },
			func() error { return v.Rename("/new", "/final") },
			func() error { return v.SyncDir("/") },
		}
		for *stage = 0; err == nil && *stage < len(steps); *stage++ {
			err = steps[*stage]()
		}
		return err
	}
	for n := 1; n <= 7; n++ {
		for seed := range uint64(40) {
			b := newBench(simdisk.Config{Decide: simdisk.Hashed(seed)})
			b.disk.CrashAfterOps(n)
			stage := 0
			err := boot(b.view, &stage)
			if crashed := n <= 6; crashed != errors.Is(err, env.ErrClosed) || crashed != b.disk.Crashed() {
				t.Fatalf("operation %d: %v, crashed %v", n, err, b.disk.Crashed())
			}
			if _, err := b.view.List("/"); b.disk.Crashed() && !errors.Is(err, env.ErrClosed) {
				t.Fatalf("a dead process lists: %v", err)
			}
			if b.disk.Crashed() && seed%2 == 0 {
				b.disk.Kill()
			} else {
				b.disk.PowerLoss()
			}
			b.mount()
			names := b.disk.CachedFiles()
			if n > 4 && len(names) == 0 {
				t.Fatalf("crash in operation %d after the name was synced: no file", n)
			}
			if n > 6 && (len(names) > 2 || names[0] != "/final") {
				t.Fatalf("files %v", names)
			}
			if _, err := b.view.List("/"); err != nil || b.disk.Crashed() {
				t.Fatalf("after the crash: %v", err)
			}
		}
	}
}

// TestTornSectorsStayInsideTheWrite: bytes around a torn write are those that were synced.
func TestTornSectorsStayInsideTheWrite(t *testing.T) {
	torn := 0
	for seed := range uint64(100) {
		b := newBench(simdisk.Config{Decide: simdisk.Hashed(seed), Survival: simdisk.Survival{TornLast: 1}})
		f := b.synced(t, "/f", strings.Repeat("o", 3*4096))
		must(t, f.Pwrite(bytes.Repeat([]byte("n"), 5000), 3000))
		torn += b.disk.PowerLoss().SectorsTorn
		got, _ := b.disk.ReadCached("/f")
		rest := string(got[:3000]) + string(got[8000:])
		if rest != strings.Repeat("o", len(rest)) || len(got) != 3*4096 {
			t.Fatalf("seed %d: synced bytes changed around a torn write", seed)
		}
		if !strings.HasPrefix(string(got[3000:]), "n") {
			t.Fatalf("seed %d: no prefix of the write", seed)
		}
	}
	if torn == 0 {
		t.Fatal("no sector was ever torn")
	}
}

func TestRecycledSectorsShowADeletedFile(t *testing.T) {
	seen := 0
	for seed := range uint64(50) {
		b := newBench(simdisk.Config{Decide: simdisk.Hashed(seed), RecycledPerMille: 1000,
			Survival: simdisk.Survival{Subset: 1}})
		b.synced(t, "/old", strings.Repeat("o", 8*4096))
		must(t, b.view.Remove("/old"))
		f := b.synced(t, "/f", "")
		must(t, f.Pwrite(bytes.Repeat([]byte("n"), 4*4096-100), 0))
		report := b.disk.PowerLoss()
		got, _ := b.disk.ReadCached("/f")
		if shows := bytes.Contains(got, []byte("o")); shows != (report.Recycled > 0) {
			t.Fatalf("seed %d: report %+v, shows old bytes: %v", seed, report, shows)
		}
		seen += report.Recycled
		b.mount()
		g, err := b.view.Open("/f", env.OpenOrCreate)
		must(t, err)
		must(t, g.Truncate(0))
		must(t, g.Truncate(4*4096))
		if got, _ := b.disk.ReadCached("/f"); !bytes.Equal(got, make([]byte, 4*4096)) {
			t.Fatal("recycled bytes after truncation")
		}
	}
	if seen == 0 {
		t.Fatal("no sector was ever recycled")
	}
}

// TestMovesBetweenDirectoriesLeaveAName: old, new or both, also when only one of the two
// directories is synced; neither only on a loose file system.
func TestMovesBetweenDirectoriesLeaveAName(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(400) {
		b := newBench(simdisk.Config{Decide: simdisk.Hashed(seed), FS: simdisk.FS(seed % 3)})
		must(t, b.view.MkdirAll("/a"))
		must(t, b.view.MkdirAll("/b"))
		b.synced(t, "/a/f", "1")
		must(t, b.view.SyncDir("/"))
		must(t, b.view.Rename("/a/f", "/b/g"))
		if seed%5 == 0 {
			must(t, b.view.SyncDir("/a"))
		} else if seed%5 == 1 {
			must(t, b.view.SyncDir("/b"))
		}
		b.disk.PowerLoss()
		names := strings.Join(b.disk.CachedFiles(), " ")
		seen[names]++
		switch {
		case names == "" && simdisk.FS(seed%3) != simdisk.Loose:
			t.Fatalf("seed %d: neither name", seed)
		case seed%5 == 0 && strings.Contains(names, "/a/f"):
			t.Fatalf("seed %d: the old name outlived SyncDir", seed)
		case seed%5 == 1 && !strings.Contains(names, "/b/g"):
			t.Fatalf("seed %d: the new name did not outlive SyncDir", seed)
		}
	}
	for _, want := range []string{"", "/a/f", "/b/g", "/a/f /b/g"} {
		if seen[want] == 0 {
			t.Errorf("never seen: %q in %v", want, seen)
		}
	}
}

func TestExt4SyncsTheNameOfANewFile(t *testing.T) {
	for seed := range uint64(50) {
		b := newBench(simdisk.Config{Decide: simdisk.Hashed(seed), FS: simdisk.Ext4})
		must(t, b.view.MkdirAll("/a/b"))
		f := b.create(t, "/a/b/f", "data")
		must(t, f.Fsync())
		must(t, b.create(t, "/a/b/tmp", "newer").Close())
		must(t, b.view.Rename("/a/b/tmp", "/a/b/f")) // forces the data first
		b.disk.PowerLoss()
		got, err := b.disk.ReadCached("/a/b/f")
		if err != nil || (string(got) != "data" && string(got) != "newer") {
			t.Fatalf("seed %d: %q %v", seed, got, err)
		}
	}
}

func TestVolumesAreApartAndBounded(t *testing.T) {
	b := newBench(simdisk.Config{Volumes: []string{"/d0", "/d1"}, Capacity: 10_000})
	f := b.create(t, "/d0/f", strings.Repeat("x", 9000))
	if b.view.Free("/d0/f") != 1000 || b.view.Free("/d1") != 10_000 {
		t.Fatalf("free: %d, %d", b.view.Free("/d0"), b.view.Free("/d1"))
	}
	if err := f.Pwrite(make([]byte, 2000), 9000); !errors.Is(err, env.ErrNoSpace) {
		t.Fatalf("a full volume: %v", err)
	}
	must(t, f.Pwrite(make([]byte, 2000), 7000)) // nothing new
	if b.view.Rename("/d0/f", "/d1/f") == nil {
		t.Fatal("renamed between volumes")
	}
	must(t, b.view.Remove("/d0/f"))
	if b.view.Free("/d0") != 10_000 {
		t.Fatalf("%d free after removal", b.view.Free("/d0"))
	}
}

func TestFaultHookDelaysAndRefuses(t *testing.T) {
	var asked []simdisk.Op
	b := newBench(simdisk.Config{Decide: calm, Fault: func(op simdisk.Op) simdisk.Fault {
		asked = append(asked, op)
		switch op.Kind {
		case simdisk.OpSync:
			return simdisk.Fault{Err: env.ErrIO}
		case simdisk.OpWrite:
			return simdisk.Fault{Delay: time.Hour}
		}
		return simdisk.Fault{}
	}})
	f := b.create(t, "/f", "1")
	if err := f.Fsync(); !errors.Is(err, env.ErrIO) {
		t.Fatal(err)
	}
	if b.view.Elapsed() < time.Hour {
		t.Fatalf("elapsed %v", b.view.Elapsed())
	}
	f.Sync(1)
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("2")}}, 2)
	done := b.settle()
	if len(done) != 2 || !errors.Is(done[0].Err, env.ErrIO) || done[1].Err != nil {
		t.Fatalf("completions %v", done)
	}
	if len(asked) != 5 || asked[4].Path != "/f" || asked[4].Len != 1 || !asked[4].Async {
		t.Fatalf("asked about %+v", asked)
	}
}

func wantViolation(t *testing.T, name string, act func()) {
	t.Helper()
	defer func() {
		if v, ok := recover().(invariant.Violation); !ok || v.Name != name {
			t.Fatalf("violated %v, want %s", v, name)
		}
	}()
	act()
}

func TestChangingABufferInFlightIsCaught(t *testing.T) {
	b := newBench(simdisk.Config{})
	buf := []byte("hello")
	b.create(t, "/f", "").WriteAt(env.Write{Bufs: [][]byte{buf[:2], buf[2:]}}, 1)
	buf[3] = 'X'
	wantViolation(t, "simdisk.write-buffer-stable", b.Run)
}

func TestOverlappingWritesAreCaught(t *testing.T) {
	b := newBench(simdisk.Config{})
	f := b.create(t, "/f", "")
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("hello")}}, 1)
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("apart")}, Off: 5}, 2)
	wantViolation(t, "simdisk.writes-apart", func() {
		f.WriteAt(env.Write{Bufs: [][]byte{[]byte("x")}, Off: 4}, 3)
	})
}

// TestUnsyncedOperationsAreBounded: a segment that nobody syncs costs bounded memory, and
// a bounded part of it is at risk.
func TestUnsyncedOperationsAreBounded(t *testing.T) {
	b := newBench(simdisk.Config{Survival: simdisk.Survival{None: 1}})
	f := b.synced(t, "/f", "")
	for i := range int64(3 * simdisk.PendingOpsMax) {
		must(t, f.Pwrite([]byte("0123456789"), 10*i))
	}
	if dropped := b.disk.PowerLoss().OpsDropped; dropped == 0 || dropped > simdisk.PendingOpsMax {
		t.Fatalf("%d operations lost", dropped)
	}
}

func BenchmarkDurableWrite4K(b *testing.B) {
	s := simdisk.NewStepper()
	d := simdisk.New(simdisk.Config{Schedule: s.Schedule, Now: s.Now})
	v := d.Mount(func(env.Completion) {})
	f, _ := v.OpenLog("/journal", 64<<20)
	bufs := [][]byte{make([]byte, 4096)}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		f.WriteAt(env.Write{Bufs: bufs, Off: i % 16384 * 4096, Durable: true}, 1)
		s.Step()
	}
}

func BenchmarkAppend300AndSyncEvery100(b *testing.B) {
	s := simdisk.NewStepper()
	d := simdisk.New(simdisk.Config{Schedule: s.Schedule, Now: s.Now})
	v := d.Mount(func(env.Completion) {})
	f, _ := v.Open("/segment", env.OpenOrCreate)
	bufs := [][]byte{make([]byte, 300)}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		f.WriteAt(env.Write{Bufs: bufs, Off: i % 1_000_000 * 300}, 1)
		if i%100 == 99 {
			f.Sync(2)
		}
		s.Run()
	}
}

func BenchmarkRead4K(b *testing.B) {
	s := simdisk.NewStepper()
	d := simdisk.New(simdisk.Config{Schedule: s.Schedule, Now: s.Now})
	v := d.Mount(func(env.Completion) {})
	f, _ := v.Open("/segment", env.OpenOrCreate)
	_ = f.Pwrite(make([]byte, 1<<20), 0)
	buf := make([]byte, 4096)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		f.ReadAt(env.Read{Buf: buf, Off: i%255*4096 + 100}, 1)
		s.Step()
	}
}
