package envtest

import (
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
)

var diskByteCases = []diskCase{
	{"PreadStopsAtTheEnd", preadAtEnd},
	{"PwriteBeyondTheEndLeavesZeroes", pwriteBeyondEnd},
	{"TruncateCutsAndGrowsWithZeroes", truncateBothWays},
	{"AClosedFileIsErrClosed", closedFile},
	{"TwoHandlesSeeOneFile", twoHandles},
	{"AheadIsAHint", aheadHint},
	{"OpenLogExtendsWithZeroesAndKeepsBytes", openLogGrows},
	{"OpenLogTakesWholeBlocksOnly", openLogBlocks},
}

func preadAtEnd(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "hello")
	buf := make([]byte, 4)
	for _, c := range []struct {
		off  int64
		want string
	}{{0, "hell"}, {3, "lo"}, {5, ""}, {5000, ""}} {
		n, err := f.Pread(buf, c.off)
		noErr(t, err)
		if got := string(buf[:n]); got != c.want {
			t.Fatalf("read %q at %d, want %q", got, c.off, c.want)
		}
	}
	noErr(t, f.Close())
}

func aheadHint(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "hello")
	f.Ahead(0, 5)
	f.Ahead(3, 1<<40)
	f.Ahead(1<<40, 1)
	f.Ahead(-1, 2)
	r.wantContent(t, "f", "hello")
	noErr(t, f.Close())
	f.Ahead(0, 5)
	if done := r.Settle(); len(done) != 0 {
		t.Fatalf("completions %v of what has none", done)
	}
}

func pwriteBeyondEnd(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "ab")
	noErr(t, f.Pwrite([]byte("z"), 10_000))
	want := make([]byte, 10_001)
	copy(want, "ab")
	want[10_000] = 'z'
	sameBytes(t, readAll(t, f), want)
	noErr(t, f.Pwrite(pattern(1, 5000), 3000)) // over the borders of pages
	copy(want[3000:], pattern(1, 5000))
	sameBytes(t, readAll(t, f), want)
	noErr(t, f.Close())
}

func truncateBothWays(t *testing.T, r *DiskRig) {
	f := r.open(t, "f", env.OpenOrCreate)
	want := pattern(3, 9000)
	noErr(t, f.Pwrite(want, 0))
	noErr(t, f.Truncate(4100))
	sameBytes(t, readAll(t, f), want[:4100])
	noErr(t, f.Truncate(9000))
	clear(want[4100:])
	sameBytes(t, readAll(t, f), want)
	noErr(t, f.Truncate(0))
	sameBytes(t, readAll(t, f), nil)
	noErr(t, f.Close())
}

func closedFile(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "1")
	noErr(t, f.Close())
	wantErr(t, f.Close(), env.ErrClosed)
	wantErr(t, f.Pwrite([]byte("2"), 0), env.ErrClosed)
	wantErr(t, f.Fsync(), env.ErrClosed)
	wantErr(t, f.Truncate(0), env.ErrClosed)
	_, err := f.Pread(make([]byte, 1), 0)
	wantErr(t, err, env.ErrClosed)
	_, err = f.Size()
	wantErr(t, err, env.ErrClosed)
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("2")}}, 1)
	wantErr(t, r.settleOne(t, 1).Err, env.ErrClosed)
	f.Sync(2)
	wantErr(t, r.settleOne(t, 2).Err, env.ErrClosed)
	r.wantContent(t, "f", "1")
}

func twoHandles(t *testing.T, r *DiskRig) {
	a := r.put(t, "f", "one")
	b := r.open(t, "f", env.OpenExisting)
	noErr(t, a.Pwrite([]byte("two"), 0))
	sameBytes(t, readAll(t, b), []byte("two"))
	noErr(t, a.Close())
	sameBytes(t, readAll(t, b), []byte("two"))
	noErr(t, b.Close())
}

func openLogGrows(t *testing.T, r *DiskRig) {
	f, err := r.OpenLog(r.path("log"), 3*4096)
	noErr(t, err)
	sameBytes(t, readAll(t, f), make([]byte, 3*4096))
	block := pattern(5, 8192)
	f.WriteAt(env.Write{Bufs: [][]byte{block[:100], block[100:]}, Off: 4096, Durable: true}, 1)
	r.settleOK(t, 1, 8192)
	noErr(t, f.Close())

	f, err = r.OpenLog(r.path("log"), 5*4096)
	noErr(t, err)
	want := make([]byte, 5*4096)
	copy(want[4096:], block)
	sameBytes(t, readAll(t, f), want)
	buf := make([]byte, 1000)
	f.ReadAt(env.Read{Buf: buf, Off: 4000}, 2) // reads need no alignment
	r.settleOK(t, 2, 1000)
	sameBytes(t, buf, want[4000:5000])
	noErr(t, f.Close())

	f, err = r.OpenLog(r.path("log"), 4096) // never shrinks
	noErr(t, err)
	sameBytes(t, readAll(t, f), want)
	noErr(t, f.Close())
}

func openLogBlocks(t *testing.T, r *DiskRig) {
	f, err := r.OpenLog(r.path("log"), 4*4096)
	noErr(t, err)
	for _, w := range []env.Write{
		{Bufs: [][]byte{make([]byte, 4095)}, Durable: true},
		{Bufs: [][]byte{make([]byte, 4096), make([]byte, 1)}, Durable: true},
		{Bufs: [][]byte{make([]byte, 4096)}, Off: 512, Durable: true},
	} {
		f.WriteAt(w, 1)
		if c := r.settleOne(t, 1); c.Err == nil {
			t.Fatalf("a write of %d buffers at %d was taken", len(w.Bufs), w.Off)
		}
	}
	noErr(t, f.Close())
}
