package simdisk_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// twins are a sound disk and a damaged one that get the same operations.
type twins struct {
	sound, hurt *bench
	files       [2][2]env.File // by disk and name
	fill        byte
}

var twinPaths = [2]string{"/f", "/g"}

func (w *twins) both() [2]*bench { return [2]*bench{w.sound, w.hurt} }

func (w *twins) open(t *rapid.T) {
	for i, b := range w.both() {
		for k, path := range twinPaths {
			f, err := b.view.Open(path, env.OpenOrCreate)
			if err != nil {
				t.Fatal(err)
			}
			w.files[i][k] = f
		}
		if err := b.view.SyncDir("/"); err != nil {
			t.Fatal(err)
		}
	}
}

// each does the same to the same file of both; only the damaged disk may say no.
func (w *twins) each(t *rapid.T, act func(env.File) error) {
	k := rapid.IntRange(0, 1).Draw(t, "file")
	if err := act(w.files[0][k]); err != nil {
		t.Fatal(err)
	}
	_ = act(w.files[1][k])
}

func (w *twins) actions() map[string]func(*rapid.T) {
	restart := func(t *rapid.T, crash func(*simdisk.Disk)) {
		for _, b := range w.both() {
			crash(b.disk)
			b.mount()
		}
		w.open(t)
	}
	return map[string]func(*rapid.T){
		"write": func(t *rapid.T) {
			w.fill++
			off, n := rapid.Int64Range(0, 6000).Draw(t, "off"), rapid.IntRange(1, 2000).Draw(t, "n")
			data := bytes.Repeat([]byte{w.fill}, n)
			w.each(t, func(f env.File) error { return f.Pwrite(data, off) })
		},
		"truncate": func(t *rapid.T) {
			size := rapid.Int64Range(0, 8000).Draw(t, "size")
			w.each(t, func(f env.File) error { return f.Truncate(size) })
		},
		"read": func(t *rapid.T) {
			off := rapid.Int64Range(0, 6000).Draw(t, "off")
			w.each(t, func(f env.File) error {
				_, err := f.Pread(make([]byte, 700), off)
				return err
			})
		},
		"sync":      func(t *rapid.T) { w.each(t, env.File.Fsync) },
		"sleep":     func(*rapid.T) { w.sound.Sleep(time.Second); w.hurt.Sleep(time.Second) },
		"kill":      func(t *rapid.T) { restart(t, func(d *simdisk.Disk) { d.Kill() }) },
		"powerLoss": func(t *rapid.T) { restart(t, func(d *simdisk.Disk) { d.PowerLoss() }) },
		"":          w.check,
	}
}

// check: what a disk returns is what was put there, except for listed damage; with damage
// off it is that everywhere.
func (w *twins) check(t *rapid.T) {
	dms := w.hurt.disk.Damages()
	for _, path := range twinPaths {
		for _, durable := range []bool{false, true} {
			want, got := w.image(t, w.sound, path, durable), w.image(t, w.hurt, path, durable)
			if len(want) != len(got) {
				t.Fatalf("%s has %d bytes, want %d (durable: %v)", path, len(got), len(want), durable)
			}
			for i := range want {
				if want[i] != got[i] && !listed(dms, path, int64(i), durable) {
					t.Fatalf("%s differs at %d (durable: %v), and damage is %+v", path, i, durable, dms)
				}
			}
		}
	}
	w.switchAll(dms, false)
	for _, path := range twinPaths {
		for _, durable := range []bool{false, true} {
			if !bytes.Equal(w.image(t, w.sound, path, durable), w.image(t, w.hurt, path, durable)) {
				t.Fatalf("%s differs with all damage off (durable: %v)", path, durable)
			}
		}
	}
	w.switchAll(dms, true)
}

func (w *twins) switchAll(dms []simdisk.Damage, on bool) {
	for _, dm := range dms {
		w.hurt.disk.SwitchDamage(dm.ID, on)
	}
}

func (w *twins) image(t *rapid.T, b *bench, path string, durable bool) []byte {
	read := b.disk.ReadCached
	if durable {
		read = b.disk.ReadDurable
	}
	got, err := read(path)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func listed(dms []simdisk.Damage, path string, at int64, durable bool) bool {
	for _, dm := range dms {
		shows := durable && dm.Durable || !durable && dm.Cached
		if shows && dm.Path == path && dm.Off <= at && at < dm.Off+dm.Len {
			return true
		}
	}
	return false
}

// TestBytesAreWhatWasPutThereExceptForListedDamage through rot, lies, misdirected writes,
// wrong reads, evictions and crashes.
func TestBytesAreWhatWasPutThereExceptForListedDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := simdisk.Config{SectorSize: 512, Decide: simdisk.Hashed(rapid.Uint64().Draw(t, "seed")),
			RecycledPerMille: -1}
		w := &twins{sound: newBench(cfg)}
		cfg.Faults = simdisk.Faults{BitRot: simdisk.Always / 20, Evict: simdisk.Always / 2,
			MisdirectedWrite: simdisk.Always / 4, WrongRead: simdisk.Always / 4,
			SyncLie: simdisk.Always / 4, Lie: simdisk.CleanNew + simdisk.LieModel(rapid.IntRange(0, 1).Draw(t, "lie")),
			PagesOutliveProcess: rapid.Bool().Draw(t, "pages")}
		w.hurt = newBench(cfg)
		w.open(t)
		t.Repeat(w.actions())
	})
}
