package envtest

import (
	"bytes"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
)

var diskAsyncCases = []diskCase{
	{"EveryOperationCompletesOnceWithItsTag", tagsOnce},
	{"GatheredWritesAreOneWrite", gatheredWrite},
	{"ManyBuffersAreOneWrite", manyBuffers},
	{"ReadAtStopsAtTheEnd", readAtEnd},
	{"ReadsAreCheckedInOrder", checkedReads},
	{"DurableWritesNeedNoOpenLog", durableAnywhere},
	{"OpenLaterCreatesOnFirstUse", openLater},
	{"OpenLaterFailsInTheCompletion", openLaterFails},
	{"OpenLaterTakesManyOperationsAtOnce", openLaterMany},
	{"OpenLogLaterMakesAWholeFile", openLogLater},
	{"OpenLogLaterFailsInTheCompletion", openLogLaterFails},
	{"OpenLogLaterMayBeClosedAtOnce", openLogLaterClosed},
	{"ClosingLetsOperationsComplete", closeInFlight},
	{"BuffersAreFreeAfterTheCompletion", buffersReused},
}

func tagsOnce(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "0123456789")
	g := r.open(t, "g", env.OpenOrCreate)
	bufs := make([][]byte, 40)
	for i := range bufs {
		switch i % 4 {
		case 0:
			bufs[i] = make([]byte, 10)
			f.ReadAt(env.Read{Buf: bufs[i], Off: 0}, env.Tag(100+i))
		case 1:
			g.WriteAt(env.Write{Bufs: [][]byte{pattern(byte(i), 100)}, Off: int64(i) * 100}, env.Tag(100+i))
		case 2:
			f.Sync(env.Tag(100 + i))
		case 3:
			g.Sync(env.Tag(100 + i))
		}
	}
	seen := map[env.Tag]int{}
	for _, c := range r.Settle() {
		noErr(t, c.Err)
		seen[c.Tag]++
	}
	for i := range bufs {
		if seen[env.Tag(100+i)] != 1 {
			t.Fatalf("tag %d completed %d times", 100+i, seen[env.Tag(100+i)])
		}
		if i%4 == 0 && string(bufs[i]) != "0123456789" {
			t.Fatalf("read %q", bufs[i])
		}
	}
	if len(r.Settle()) != 0 {
		t.Fatal("completions after all had come")
	}
}

func gatheredWrite(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "..............")
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("ab"), nil, []byte("cde"), {}, []byte("f")}, Off: 3}, 9)
	r.settleOK(t, 9, 6)
	r.wantContent(t, "f", "...abcdef.....")
	f.WriteAt(env.Write{Off: 2}, 10)
	r.settleOK(t, 10, 0)
	r.wantContent(t, "f", "...abcdef.....")
}

// manyBuffers has more of them than one system call takes.
func manyBuffers(t *testing.T, r *DiskRig) {
	f := r.open(t, "f", env.OpenOrCreate)
	want := pattern(7, 3000*17)
	w := env.Write{Off: 1}
	for i := range 3000 {
		w.Bufs = append(w.Bufs, want[i*17:(i+1)*17])
	}
	f.WriteAt(w, 1)
	r.settleOK(t, 1, len(want))
	sameBytes(t, readAll(t, f)[1:], want)
}

func readAtEnd(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "hello")
	buf := make([]byte, 10)
	f.ReadAt(env.Read{Buf: buf, Off: 2}, 1)
	r.settleOK(t, 1, 3)
	sameBytes(t, buf[:3], []byte("llo"))
	f.ReadAt(env.Read{Buf: buf, Off: 5}, 2)
	r.settleOK(t, 2, 0)
	f.ReadAt(env.Read{Buf: buf, Off: 1 << 40}, 3)
	r.settleOK(t, 3, 0)
	f.ReadAt(env.Read{Buf: buf, Off: -1}, 4)
	if r.settleOne(t, 4).Err == nil {
		t.Fatal("read before the start of the file")
	}
}

func durableAnywhere(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "hello")
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("HE")}, Durable: true}, 1)
	r.settleOK(t, 1, 2)
	r.wantContent(t, "f", "HEllo")
}

func openLater(t *testing.T, r *DiskRig) {
	f := r.OpenLater(r.path("a/b/f"))
	r.Settle()
	r.wantNames(t, "")
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("x")}, Off: 2}, 1)
	r.settleOK(t, 1, 1)
	r.wantContent(t, "a/b/f", "\x00\x00x")
	noErr(t, f.Close())
	g := r.OpenLater(r.path("a/b/f")) // an existing file keeps its bytes
	buf := make([]byte, 3)
	g.ReadAt(env.Read{Buf: buf, Off: 0}, 2)
	r.settleOK(t, 2, 3)
	noErr(t, g.Close())
	noErr(t, r.OpenLater(r.path("unused")).Close())
	r.wantNames(t, "", "a")
}

func openLaterFails(t *testing.T, r *DiskRig) {
	noErr(t, r.put(t, "file", "").Close())
	f := r.OpenLater(r.path("file/below"))
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("x")}}, 1)
	if r.settleOne(t, 1).Err == nil {
		t.Fatal("a file below a file")
	}
	f.Sync(2)
	if r.settleOne(t, 2).Err == nil {
		t.Fatal("a file below a file")
	}
	noErr(t, f.Close())
}

func openLaterMany(t *testing.T, r *DiskRig) {
	f := r.OpenLater(r.path("d/f"))
	want := pattern(9, 64*100)
	for i := range 64 {
		f.WriteAt(env.Write{Bufs: [][]byte{want[i*100 : (i+1)*100]}, Off: int64(i) * 100}, env.Tag(i))
	}
	done := r.Settle()
	if len(done) != 64 {
		t.Fatalf("%d completions", len(done))
	}
	for _, c := range done {
		noErr(t, c.Err)
	}
	sameBytes(t, readAll(t, f), want)
}

func closeInFlight(t *testing.T, r *DiskRig) {
	f := r.open(t, "f", env.OpenOrCreate)
	want := pattern(2, 32*1000)
	for i := range 32 {
		f.WriteAt(env.Write{Bufs: [][]byte{want[i*1000 : (i+1)*1000]}, Off: int64(i) * 1000}, env.Tag(i))
	}
	noErr(t, f.Close())
	done := r.Settle()
	if len(done) != 32 {
		t.Fatalf("%d completions", len(done))
	}
	for _, c := range done {
		noErr(t, c.Err)
	}
	r.wantContent(t, "f", string(want))
}

func openLogLater(t *testing.T, r *DiskRig) {
	f := r.OpenLogLater(r.path("log"), 3*4096, 5)
	noErr(t, r.settleOne(t, 5).Err)
	size, err := f.Size()
	noErr(t, err)
	if size != 3*4096 {
		t.Fatalf("%d bytes", size)
	}
	f.WriteAt(env.Write{Bufs: [][]byte{pattern(1, 4096)}, Off: 4096, Durable: true}, 6)
	r.settleOK(t, 6, 4096)
	want := make([]byte, 3*4096)
	copy(want[4096:], pattern(1, 4096))
	sameBytes(t, readAll(t, f), want)
	f.WriteAt(env.Write{Bufs: [][]byte{pattern(1, 100)}, Durable: true}, 7)
	if r.settleOne(t, 7).Err == nil {
		t.Fatal("a write of less than a block was taken")
	}
	noErr(t, f.Close())
}

func openLogLaterFails(t *testing.T, r *DiskRig) {
	r.put(t, "f", "not a directory")
	f := r.OpenLogLater(r.path("f/log"), 4096, 5)
	if r.settleOne(t, 5).Err == nil {
		t.Fatal("a file below a file was made")
	}
	noErr(t, f.Close())
}

func openLogLaterClosed(t *testing.T, r *DiskRig) {
	noErr(t, r.OpenLogLater(r.path("log"), 8*4096, 5).Close())
	noErr(t, r.settleOne(t, 5).Err)
	r.wantContent(t, "log", string(make([]byte, 8*4096)))
}

// checkedReads: a check sees what has arrived and it did not accept, from the front on, and
// the completion has the sum of what it accepted.
func checkedReads(t *testing.T, r *DiskRig) {
	const unit = 1000
	want := pattern(1, 700*unit)
	f := r.put(t, "f", string(want))
	for _, reach := range []int{0, 1, 350, 700} { // units that are accepted
		buf, accepted := make([]byte, len(want)+50), 0
		f.ReadAt(env.Read{Buf: buf, Check: func(b []byte) int {
			if !bytes.HasPrefix(want[accepted:], b) {
				t.Errorf("a check of other bytes than those after %d", accepted)
			}
			n := min(len(b)/unit, reach-accepted/unit) * unit
			accepted += n
			return n
		}}, 3)
		c := r.settleOne(t, 3)
		noErr(t, c.Err)
		if c.N != len(want) || c.Checked != reach*unit || c.Checked != accepted {
			t.Fatalf("%d bytes, %d checked, %d accepted of %d", c.N, c.Checked, accepted, reach*unit)
		}
	}
	f.ReadAt(env.Read{Buf: make([]byte, 10)}, 4)
	if c := r.settleOne(t, 4); c.Checked != 0 {
		t.Fatalf("%d bytes checked by nobody", c.Checked)
	}
}

// buffersReused: what was written is what the buffer held until the completion, whatever
// it holds after.
func buffersReused(t *testing.T, r *DiskRig) {
	f := r.open(t, "f", env.OpenOrCreate)
	l, err := r.OpenLog(r.path("log"), 8*4096)
	noErr(t, err)
	buf := make([]byte, 4096)
	var want []byte
	for i := range 8 {
		copy(buf, pattern(byte(i), 4096))
		want = append(want, buf...)
		for _, file := range []env.File{f, l} {
			file.WriteAt(env.Write{Bufs: [][]byte{buf}, Off: int64(i) * 4096, Durable: true}, 1)
			r.settleOK(t, 1, 4096)
		}
		clear(buf)
	}
	sameBytes(t, readAll(t, f), want)
	sameBytes(t, readAll(t, l), want)
}
