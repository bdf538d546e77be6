package simdisk_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

func wantFull(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, env.ErrNoSpace) {
		t.Fatalf("error %v, want no space", err)
	}
}

func TestAFullVolumeRefusesWritesThatExtend(t *testing.T) {
	partial := 0
	for seed := range uint64(30) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed), Capacity: 20_000,
			Faults: simdisk.Faults{FullAt: simdisk.FullAtWrite}})
		f := b.synced(t, "/f", content('a', 2))
		wantFull(t, b.write(f, content('b', 4), 2*sector).Err)
		got, _ := b.disk.ReadCached("/f")
		switch len(got) {
		case 2 * sector:
		case 4 * sector:
			partial++
		default:
			t.Fatalf("the file has %d bytes", len(got))
		}
		if want := content('a', 2) + content('b', 2); string(got) != want[:len(got)] {
			t.Fatal("other bytes than those written")
		}
		must(t, f.Pwrite([]byte("within"), 0))
		must(t, f.Fsync())
		must(t, b.create(t, "/g", "").Close()) // names are free
		must(t, f.Truncate(0))
		must(t, b.write(f, content('b', 4), 0).Err)
	}
	if partial < 5 || partial > 25 {
		t.Fatalf("%d of 30 extended in part", partial)
	}
}

func TestAFullVolumeMayRefuseNames(t *testing.T) {
	b := broken(simdisk.Config{Capacity: 2 * sector, Faults: simdisk.Faults{FullAt: simdisk.FullAtNames}})
	f := b.synced(t, "/f", content('a', 2))
	must(t, b.create(t, "/f", "").Close())
	_, err := b.view.Open("/new", env.OpenOrCreate)
	wantFull(t, err)
	wantFull(t, b.view.MkdirAll("/d"))
	wantFull(t, b.view.Rename("/f", "/g"))
	later := b.view.OpenLater("/d/f")
	later.Sync(1)
	wantFull(t, b.settle()[0].Err)
	if names := b.disk.CachedFiles(); len(names) != 1 || names[0] != "/f" {
		t.Fatalf("names %v", names)
	}
	must(t, f.Truncate(10))
	must(t, b.view.Rename("/f", "/g"))
	must(t, b.view.MkdirAll("/d"))
}

func TestAFullVolumeMayOnlyShowAtSync(t *testing.T) {
	b := broken(simdisk.Config{Capacity: 3 * sector, Survival: simdisk.Survival{None: 1},
		Faults: simdisk.Faults{FullAt: simdisk.FullAtSync}})
	f := b.synced(t, "/f", content('a', 2))
	b.synced(t, "/g", "")
	must(t, b.write(f, content('c', 2), 2*sector).Err)
	b.wantCached(t, "/f", content('a', 4))
	for range 2 {
		f.Sync(1)
		wantFull(t, b.settle()[0].Err)
		wantFull(t, f.Fsync())
	}
	b.wantDurable(t, "/f", content('a', 2))
	if b.view.Free("/") != 0 || b.disk.FaultCounts().FullAtSync != 4 {
		t.Fatalf("free %d, %d syncs refused", b.view.Free("/"), b.disk.FaultCounts().FullAtSync)
	}
	must(t, f.Truncate(3*sector)) // frees enough
	must(t, f.Fsync())
	b.disk.PowerLoss()
	b.wantCached(t, "/f", content('a', 3))
	b.mount()
	l, err := b.view.OpenLog("/journal", sector)
	if err == nil {
		t.Fatalf("preallocated on a full volume: %v", l)
	}
	wantFull(t, err)
}

// TestAnOutsideWriterFillsAVolumeForAWhile: what the node frees meanwhile it has.
func TestAnOutsideWriterFillsAVolumeForAWhile(t *testing.T) {
	var events []simdisk.FaultEvent
	b := broken(simdisk.Config{
		Faults:  simdisk.Faults{FullEvery: time.Minute, FullMean: 20 * time.Second, FullAt: simdisk.FullAtWrite},
		OnFault: func(ev simdisk.FaultEvent) { events = append(events, ev) }})
	b.synced(t, "/spare", strings.Repeat("s", 200_000))
	f := b.create(t, "/f", "")
	chunk, size := strings.Repeat("x", 40_000), int64(0)
	full, freed := 0, 0
	for range 600 {
		if done := b.write(f, chunk, size); done.Err == nil {
			size += int64(len(chunk))
		} else {
			wantFull(t, done.Err)
			full++
			if _, err := b.view.Open("/spare", env.OpenExisting); err == nil {
				must(t, b.view.Remove("/spare"))
				must(t, b.write(f, chunk, size).Err)
				freed++
			}
		}
		b.Sleep(time.Second)
	}
	c := b.count(simdisk.FaultFull)
	if full < 20 || freed != 1 || c.Fired < 4 || c.Fired > 11 || size < 200*40_000 {
		t.Fatalf("%d times full, %d freed, counts %+v, size %d", full, freed, c, size)
	}
	ended := 0
	for _, ev := range events {
		if ev.Stage == simdisk.FaultEnded {
			ended++
		}
	}
	if ended < 4 {
		t.Fatalf("%d ends in %v", ended, events)
	}
}

func TestWhereAVolumeIsFullIsDrawn(t *testing.T) {
	seen := [3]int{}
	for seed := range uint64(60) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed), Capacity: sector,
			Faults: simdisk.Faults{FullEvery: 1000 * time.Hour}})
		f := b.create(t, "/f", content('a', 1))
		_, name := b.view.Open("/g", env.OpenOrCreate)
		err := f.Pwrite([]byte("x"), sector)
		switch {
		case name != nil:
			seen[0]++
		case err != nil:
			seen[1]++
		default:
			wantFull(t, f.Fsync())
			seen[2]++
		}
	}
	for _, n := range seen {
		if n < 10 {
			t.Fatalf("names, write, sync: %v", seen)
		}
	}
}

func TestDescriptorsRunOutAndComeBack(t *testing.T) {
	var stages []simdisk.FaultStage
	b := broken(simdisk.Config{Faults: simdisk.Faults{DescriptorsMax: 3},
		OnFault: func(ev simdisk.FaultEvent) { stages = append(stages, ev.Stage) }})
	f := b.create(t, "/f", "x")
	b.create(t, "/g", "x")
	later := b.view.OpenLater("/h")
	later.Sync(1)
	must(t, b.settle()[0].Err)
	_, open := b.view.Open("/f", env.OpenExisting)
	_, list := b.view.List("/")
	unused := b.view.OpenLater("/i")
	unused.Sync(2)
	for _, err := range []error{open, list, b.view.SyncDir("/"), b.settle()[0].Err} {
		if !errors.Is(err, env.ErrTooManyFiles) {
			t.Fatalf("error %v", err)
		}
	}
	must(t, unused.Close()) // it never had one
	must(t, f.Pwrite([]byte("open files work"), 0))
	must(t, b.view.Rename("/f", "/k"))
	must(t, f.Close())
	must(t, b.view.SyncDir("/"))
	must(t, b.create(t, "/k", "y").Close())
	want := []simdisk.FaultStage{simdisk.FaultFired, simdisk.FaultObserved, simdisk.FaultEnded}
	if !slices.Equal(stages, want) {
		t.Fatalf("stages %v", stages)
	}
	b.disk.Kill()
	b.mount()
	for range 3 { // a new process has all of them
		b.create(t, "/k", "z")
	}
}

// TestLeftoversArePlantedAtARestart beside what is there, durable, and never in its place.
func TestLeftoversArePlantedAtARestart(t *testing.T) {
	dirs, files, suffixes := 0, 0, map[string]bool{}
	for seed := range uint64(60) {
		b := broken(simdisk.Config{Decide: simdisk.Hashed(seed), Faults: simdisk.Faults{Leftover: simdisk.Always}})
		must(t, b.view.MkdirAll("/t-0"))
		must(t, b.view.SyncDir("/"))
		b.synced(t, "/t-0/0.log", content('a', 2))
		if len(b.disk.CachedFiles()) != 1 {
			t.Fatal("leftovers before the first restart")
		}
		b.disk.Kill()
		b.mount()
		b.wantCached(t, "/t-0/0.log", content('a', 2))
		planted := b.count(simdisk.FaultLeftover).Fired
		if planted < 1 || planted > 3 {
			t.Fatalf("%d leftovers", planted)
		}
		for _, dir := range []string{"/", "/t-0"} {
			entries, err := b.view.List(dir)
			must(t, err)
			for _, e := range entries {
				switch {
				case e.Name == "t-0" || e.Name == "0.log":
				case e.Dir:
					dirs++
					_, err := b.view.List(dir + "/" + e.Name)
					must(t, err)
				default:
					files++
					suffixes[e.Name[strings.LastIndexByte(e.Name, '.'):]] = true
				}
			}
		}
		if c := b.count(simdisk.FaultLeftover); c.Observed != planted {
			t.Fatalf("counts %+v", c)
		}
		names := strings.Join(b.disk.CachedFiles(), " ")
		b.disk.SetFaults(simdisk.Faults{})
		b.disk.PowerLoss()
		if got := strings.Join(b.disk.CachedFiles(), " "); got != names {
			t.Fatalf("after a power loss %s, before %s", got, names)
		}
	}
	if dirs < 10 || files < 20 || len(suffixes) != 4 {
		t.Fatalf("%d directories, %d files, suffixes %v", dirs, files, suffixes)
	}
}

func TestLeftoversMayBeNamedByWhoKnows(t *testing.T) {
	b := broken(simdisk.Config{Faults: simdisk.Faults{Leftover: simdisk.Always},
		Leftover: func(dir string, names []string, _ uint64) (string, []byte) {
			if dir != "/" || len(names) == 0 {
				return "", nil
			}
			return "half", []byte("created")
		}})
	b.synced(t, "/f", "x")
	b.disk.Kill()
	b.mount()
	b.wantCached(t, "/half", "created")
	f, err := b.view.Open("/half", env.OpenExisting)
	must(t, err)
	must(t, f.Pwrite(bytes.Repeat([]byte("y"), 10), 0))
	must(t, b.view.Remove("/half"))
}
