package envtest

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
)

// DiskRig is a disk on the test bench.
type DiskRig struct {
	env.Disk
	// Root is an existing, empty directory that the test may fill.
	Root string
	// Settle lets time pass until nothing is in flight or in the background, and returns
	// the completions since the last call in the order they came.
	Settle func() []env.Completion
	// Kill and PowerLoss end the process and put a new one's disk into the rig. nil: this
	// disk cannot.
	Kill, PowerLoss func()
	// DieIn makes the n-th blocking operation from now (1: the next) the last that this
	// process begins; Kill or PowerLoss must follow. nil: this disk cannot.
	DieIn func(n int)
}

// path names something below the root.
func (r *DiskRig) path(name string) string { return r.Root + "/" + name }

// TestDisk holds a disk to the words of env.Disk and env.File, as far as no crash is
// needed to tell. The factory gives a fresh disk each time.
func TestDisk(t *testing.T, factory func(t *testing.T) *DiskRig) {
	for _, c := range slices.Concat(diskNameCases, diskByteCases, diskAsyncCases) {
		t.Run(c.promise, func(t *testing.T) { c.check(t, factory(t)) })
	}
}

// TestDiskCrashes holds a disk that can crash to what env.Disk says of crashes. It runs each
// case with many seeds: what must hold holds in all of them, what may happen happens in one.
func TestDiskCrashes(t *testing.T, factory func(t *testing.T, seed uint64) *DiskRig) {
	for _, c := range diskCrashCases {
		t.Run(c.promise, func(t *testing.T) {
			seen := map[string]int{}
			for seed := range crashSeeds {
				c.check(t, factory(t, seed), seen)
			}
			for _, want := range c.mustSee {
				if seen[want] == 0 {
					t.Errorf("never seen in %d crashes: %s (seen: %v)", crashSeeds, want, seen)
				}
			}
		})
	}
}

// crashSeeds is enough that what happens with probability 1/20 is seen practically surely.
const crashSeeds = uint64(200)

type diskCase struct {
	promise string
	check   func(t *testing.T, r *DiskRig)
}

type crashCase struct {
	promise string
	mustSee []string
	check   func(t *testing.T, r *DiskRig, seen map[string]int)
}

func noErr(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func (r *DiskRig) open(t *testing.T, name string, mode env.OpenMode) env.File {
	t.Helper()
	f, err := r.Open(r.path(name), mode)
	noErr(t, err)
	return f
}

// put makes a file with that content, not synced.
func (r *DiskRig) put(t *testing.T, name, content string) env.File {
	t.Helper()
	f := r.open(t, name, env.CreateTruncated)
	noErr(t, f.Pwrite([]byte(content), 0))
	return f
}

// content reads a whole file by name; missing is reported by ok.
func (r *DiskRig) content(t *testing.T, name string) (content string, ok bool) {
	t.Helper()
	f, err := r.Open(r.path(name), env.OpenExisting)
	if errors.Is(err, env.ErrNotExist) {
		return "", false
	}
	noErr(t, err)
	defer func() { noErr(t, f.Close()) }()
	return string(readAll(t, f)), true
}

func (r *DiskRig) wantContent(t *testing.T, name, want string) {
	t.Helper()
	got, ok := r.content(t, name)
	if !ok || got != want {
		t.Fatalf("%s holds %q (exists: %v), want %q", name, got, ok, want)
	}
}

func (r *DiskRig) wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := r.List(r.path(dir))
	noErr(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	if !slices.Equal(names, want) {
		t.Fatalf("%s lists %q, want %q", dir, names, want)
	}
}

func readAll(t *testing.T, f env.File) []byte {
	t.Helper()
	size, err := f.Size()
	noErr(t, err)
	buf := make([]byte, size)
	n, err := f.Pread(buf, 0)
	noErr(t, err)
	if int64(n) != size {
		t.Fatalf("read %d of %d bytes", n, size)
	}
	return buf
}

// settleOne expects exactly one completion.
func (r *DiskRig) settleOne(t *testing.T, tag env.Tag) env.Completion {
	t.Helper()
	done := r.Settle()
	if len(done) != 1 || done[0].Tag != tag {
		t.Fatalf("completions %v, want one with tag %d", done, tag)
	}
	return done[0]
}

func (r *DiskRig) settleOK(t *testing.T, tag env.Tag, n int) {
	t.Helper()
	c := r.settleOne(t, tag)
	noErr(t, c.Err)
	if c.N != n {
		t.Fatalf("completion of %d bytes, want %d", c.N, n)
	}
}

// pattern is n bytes that differ from place to place and from seed to seed.
func pattern(seed byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = seed ^ byte(i) ^ byte(i>>8)*31
	}
	return b
}

func sameBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%d bytes, want %d; the first difference is at %d", len(got), len(want), i)
		}
	}
	t.Fatalf("%d bytes, want %d", len(got), len(want))
}
