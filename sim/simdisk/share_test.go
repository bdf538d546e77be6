package simdisk_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// scribble writes to some files, syncs some, in whole sectors and in parts.
func (b *bench) scribble(t *testing.T, seed uint64) {
	t.Helper()
	draw := simdisk.Hashed(seed)
	must(t, b.view.MkdirAll("/a"))
	for i := range uint64(20) {
		pick := draw("scribble", "", i)
		f, err := b.view.Open(fmt.Sprintf("/a/f%d", pick%3), env.OpenOrCreate)
		must(t, err)
		data := bytes.Repeat([]byte{byte(seed<<4 | i)}, 1+int(pick>>8%5000))
		must(t, f.Pwrite(data, int64(pick>>24%9000)))
		if pick>>40%3 == 0 {
			must(t, f.Fsync())
		}
		if pick>>44%8 == 0 {
			must(t, f.Truncate(int64(pick>>50%9000)))
		}
		must(t, f.Close())
		if pick>>42%4 == 0 {
			must(t, b.view.SyncDir("/a"))
			must(t, b.view.SyncDir("/"))
		}
	}
}

// images reads all files, as they are cached or as they are durable.
func (b *bench) images(t *testing.T, durable bool) map[string]string {
	t.Helper()
	paths, read := b.disk.CachedFiles(), b.disk.ReadCached
	if durable {
		paths, read = b.disk.DurableFiles(), b.disk.ReadDurable
	}
	all := map[string]string{}
	for _, path := range paths {
		content, err := read(path)
		must(t, err)
		all[path] = string(content)
	}
	return all
}

// A copy has what is durable, and from then on neither notices what the other one does,
// though they share memory.
func TestCopyOfTheDurableImageIsAnother(t *testing.T) {
	files := 0
	for seed := range uint64(50) {
		cfg := simdisk.Config{Decide: simdisk.Hashed(seed), SectorSize: 512, WriteBackMean: time.Second}
		b, c := newBench(cfg), newBench(cfg)
		b.scribble(t, seed)
		cached, durable := b.images(t, false), b.images(t, true)
		must(t, b.disk.CopyDurable(c.disk, nil))
		for _, fromDisk := range []bool{false, true} {
			if got := c.images(t, fromDisk); !maps.Equal(got, durable) {
				t.Fatalf("seed %d: the copy differs", seed)
			}
		}
		files += len(durable)
		c.scribble(t, seed+100)
		c.disk.PowerLoss()
		c.mount()
		c.scribble(t, seed+200)
		if !maps.Equal(b.images(t, false), cached) || !maps.Equal(b.images(t, true), durable) {
			t.Fatalf("seed %d: the copy changed what it was copied from", seed)
		}
		kept := c.images(t, false)
		b.disk.PowerLoss()
		b.mount()
		b.scribble(t, seed+300)
		if !maps.Equal(c.images(t, false), kept) {
			t.Fatalf("seed %d: the copy changed with what it was copied from", seed)
		}
	}
	if files == 0 {
		t.Fatal("nothing was ever durable")
	}
}

func TestCopyIsRefusedWhereTheDeviceCannotRead(t *testing.T) {
	b, c := broken(simdisk.Config{}), newBench(simdisk.Config{})
	b.synced(t, "/f", "lost")
	_, err := b.disk.FailSector("/f", 0)
	must(t, err)
	b.synced(t, "/g", "well")
	if err := b.disk.CopyDurable(c.disk, func(string) bool { return false }); !errors.Is(err, env.ErrIO) {
		t.Fatal("a sector that cannot be read was copied:", err)
	}
	c = newBench(simdisk.Config{})
	must(t, b.disk.CopyDurable(c.disk, func(path string) bool { return path == "/f" }))
	if got := c.images(t, true); len(got) != 1 || got["/g"] != "well" {
		t.Fatal(got)
	}
}

// IsDurable says what reading both images says.
func TestDurableFilesAreThoseThatReadTheSameAfterPowerLoss(t *testing.T) {
	seen := map[bool]int{}
	for seed := range uint64(50) {
		b := newBench(simdisk.Config{Decide: simdisk.Hashed(seed), SectorSize: 512})
		b.scribble(t, seed)
		durable := b.images(t, true)
		for path, content := range b.images(t, false) {
			want, named := durable[path]
			got := b.disk.IsDurable(path)
			if got != (named && want == content) {
				t.Fatalf("seed %d: IsDurable(%s) is %t", seed, path, got)
			}
			seen[got]++
		}
	}
	if seen[true] == 0 || seen[false] == 0 || newBench(simdisk.Config{}).disk.IsDurable("/none") {
		t.Fatalf("vacuous: %v", seen)
	}
}

// A disk does not see what was in its memory before.
func TestMemoryOfAnotherDiskIsNotSeen(t *testing.T) {
	story := func(seed uint64, arena *simdisk.Arena) string {
		b := newBench(simdisk.Config{Decide: simdisk.Hashed(seed), SectorSize: 512, Arena: arena})
		b.scribble(t, seed)
		b.disk.PowerLoss()
		b.mount()
		b.scribble(t, seed+1)
		return fmt.Sprint(b.images(t, false), b.images(t, true))
	}
	arena := new(simdisk.Arena)
	for seed := range uint64(20) {
		if got := story(seed, arena); got != story(seed, nil) {
			t.Fatalf("seed %d sees the disk before", seed)
		}
		arena.Reset()
	}
}

func TestPathsAreReadAsTheyAreMeant(t *testing.T) {
	b := newBench(simdisk.Config{})
	must(t, b.view.MkdirAll("a//b/"))
	b.create(t, "//a/b//f", "x")
	if got, err := b.disk.ReadCached("a/b/f"); err != nil || string(got) != "x" {
		t.Fatalf("%q %v", got, err)
	}
	if names := b.disk.CachedFiles(); len(names) != 1 || names[0] != "/a/b/f" {
		t.Fatal(names)
	}
	must(t, b.view.Remove("/a/b/f/"))
	for _, path := range []string{"", "/", "//"} {
		if _, err := b.view.Open(path, env.OpenOrCreate); err == nil {
			t.Errorf("%q was opened", path)
		}
	}
}
