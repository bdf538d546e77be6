package diskx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/envtest"
)

// inbox collects completions as a node would.
type inbox struct {
	mu   sync.Mutex
	done []env.Completion // guarded by mu
}

func (b *inbox) deliver(c env.Completion) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = append(b.done, c)
}

func (b *inbox) take() []env.Completion {
	b.mu.Lock()
	defer b.mu.Unlock()
	done := b.done
	b.done = nil
	return done
}

func open(t testing.TB) (*Disk, *inbox) {
	b := &inbox{}
	d := New(Config{Deliver: b.deliver})
	t.Cleanup(d.Close)
	return d, b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRealDiskIsADisk(t *testing.T) {
	for _, noDirect := range []bool{false, true} {
		t.Run(fmt.Sprintf("noDirect=%v", noDirect), func(t *testing.T) {
			envtest.TestDisk(t, func(t *testing.T) *envtest.DiskRig {
				d, b := open(t)
				d.noDirect = noDirect
				return &envtest.DiskRig{Disk: d, Root: t.TempDir(), Settle: func() []env.Completion {
					d.Quiesce()
					return b.take()
				}}
			})
		})
	}
}

// TestLogWritesWaitForNothing: a journal write completes while all other workers hang.
func TestLogWritesWaitForNothing(t *testing.T) {
	t.Parallel()
	got := make(chan env.Completion, 1)
	d := New(Config{Deliver: func(c env.Completion) { got <- c }})
	defer d.Close()
	hang := make(chan struct{})
	defer close(hang)
	for range 100 {
		d.data.submit(job{run: func() { <-hang }})
		d.slow.submit(job{run: func() { <-hang }})
	}
	f, err := d.OpenLog(filepath.Join(t.TempDir(), "log"), BlockSize)
	must(t, err)
	f.WriteAt(env.Write{Bufs: [][]byte{make([]byte, BlockSize)}, Durable: true}, 5)
	if c := <-got; c.Tag != 5 || c.Err != nil {
		t.Fatalf("completion %v", c)
	}
	must(t, f.Close())
}

func TestLogFilesHoldWrittenZeroes(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	path := filepath.Join(t.TempDir(), "log")
	const size = 3<<20 + 4096
	f, err := d.OpenLog(path, size)
	must(t, err)
	must(t, f.Close())
	var st unix.Stat_t
	must(t, unix.Stat(path, &st))
	if st.Size != size || st.Blocks*512 < size {
		t.Fatalf("%d bytes in %d blocks", st.Size, st.Blocks)
	}
}

// TestDirectWritesOfAnyShapeArriveWhole covers aligned buffers, gathered ones, and more
// than the bounce buffer holds.
func TestDirectWritesOfAnyShapeArriveWhole(t *testing.T) {
	t.Parallel()
	d, b := open(t)
	const size = bounceMax + 3*BlockSize
	f, err := d.OpenLog(filepath.Join(t.TempDir(), "log"), size)
	must(t, err)
	want := alignedBytes(size)
	for round, cuts := range [][]int{{size}, {1, 4095, 1 << 20, size}, {BlockSize, size}, {size - 7, size}} {
		for i := range want {
			want[i] = byte(i>>12 + i*7 + round)
		}
		w := env.Write{Durable: true}
		for i, from := 0, 0; i < len(cuts); i++ {
			w.Bufs = append(w.Bufs, want[from:cuts[i]])
			from = cuts[i]
		}
		f.WriteAt(w, 1)
		d.Quiesce()
		if done := b.take(); len(done) != 1 || done[0].Err != nil || done[0].N != size {
			t.Fatalf("completions %v", done)
		}
		got := make([]byte, size)
		if n, err := f.Pread(got, 0); n != size || err != nil || !slices.Equal(got, want) {
			t.Fatalf("round %d: read %d bytes, %v, or other ones", round, n, err)
		}
	}
	must(t, f.Close())
}

func TestCloseFinishesWhatIsQueued(t *testing.T) {
	t.Parallel()
	b := &inbox{}
	d := New(Config{Deliver: b.deliver, DataWorkers: 1})
	dir := t.TempDir()
	f := d.OpenLater(filepath.Join(dir, "a/b"))
	for i := range 500 {
		f.WriteAt(env.Write{Bufs: [][]byte{{byte(i)}}, Off: int64(i)}, env.Tag(i))
	}
	d.Close()
	if done := b.take(); len(done) != 500 {
		t.Fatalf("%d completions", len(done))
	}
	f.WriteAt(env.Write{Bufs: [][]byte{{1}}}, 1000)
	d.SyncDirLater(dir, 1001)
	d.RemoveAllLater(dir)
	done := b.take()
	if len(done) != 2 || !errors.Is(done[0].Err, env.ErrClosed) || !errors.Is(done[1].Err, env.ErrClosed) {
		t.Fatalf("after Close: %v", done)
	}
	must(t, f.Close())
}

func TestErrorsKeepCauseAndMeaning(t *testing.T) {
	t.Parallel()
	for cause, kind := range map[unix.Errno]error{
		unix.ENOENT: env.ErrNotExist, unix.EEXIST: env.ErrExist, unix.ENOTEMPTY: env.ErrExist,
		unix.ENOSPC: env.ErrNoSpace, unix.EDQUOT: env.ErrNoSpace, unix.EIO: env.ErrIO, unix.EROFS: env.ErrIO,
		unix.EMFILE: env.ErrTooManyFiles, unix.ENFILE: env.ErrTooManyFiles, unix.EBADF: env.ErrClosed,
	} {
		err := failed("write", "/x", &os.PathError{Op: "inner", Path: "/y", Err: cause})
		if !errors.Is(err, kind) || !errors.Is(err, cause) {
			t.Errorf("%v is not %v", err, kind)
		}
		if want := "diskx: write /x: " + cause.Error(); err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
	if err := failed("write", "/x", unix.EXDEV); !errors.Is(err, unix.EXDEV) {
		t.Errorf("%v", err)
	}
}

// TestFullDeviceIsErrNoSpace: /dev/full takes opens and refuses bytes.
func TestFullDeviceIsErrNoSpace(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	d, b := open(t)
	f, err := d.Open("/dev/full", env.OpenExisting)
	must(t, err)
	if err := f.Pwrite([]byte("x"), 0); !errors.Is(err, env.ErrNoSpace) {
		t.Fatal(err)
	}
	f.WriteAt(env.Write{Bufs: [][]byte{{1}, {2}}}, 1)
	d.Quiesce()
	if done := b.take(); len(done) != 1 || !errors.Is(done[0].Err, env.ErrNoSpace) {
		t.Fatalf("completions %v", done)
	}
	must(t, f.Close())
}

func TestHeldFilesStayReadable(t *testing.T) {
	t.Parallel()
	d, _ := open(t)
	f, err := d.Open(filepath.Join(t.TempDir(), "f"), env.OpenOrCreate)
	must(t, err)
	must(t, f.Pwrite([]byte("hello"), 0))
	fd, release, err := f.(*File).Hold()
	must(t, err)
	must(t, f.Close())
	buf := make([]byte, 5)
	if n, err := unix.Pread(fd, buf, 0); n != 5 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	release()
	if _, _, err := f.(*File).Hold(); !errors.Is(err, env.ErrClosed) {
		t.Fatalf("held a closed file: %v", err)
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, err := LockDir(dir)
	must(t, err)
	_, err = LockDir(dir)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) ||
		!strings.Contains(err.Error(), dir) {
		t.Fatalf("second lock: %v", err)
	}
	must(t, l.Release())
	l, err = LockDir(dir)
	must(t, err)
	must(t, l.Release())
	if _, err := LockDir(filepath.Join(dir, "no")); !errors.Is(err, env.ErrNotExist) {
		t.Fatal(err)
	}
}

// BenchmarkJournalWrite4K is one group commit of the smallest size, from submission to
// completion; p50-us and p99-us are its percentiles.
func BenchmarkJournalWrite4K(b *testing.B) {
	for _, noDirect := range []bool{false, true} {
		b.Run(fmt.Sprintf("noDirect=%v", noDirect), func(b *testing.B) {
			got := make(chan env.Completion, 1)
			d := New(Config{Deliver: func(c env.Completion) { got <- c }})
			d.noDirect = noDirect
			defer d.Close()
			f, err := d.OpenLog(filepath.Join(b.TempDir(), "log"), 16<<20)
			must(b, err)
			defer f.Close()
			bufs := [][]byte{make([]byte, 1000), make([]byte, 3096)}
			var took []time.Duration
			b.ReportAllocs()
			for i := int64(0); b.Loop(); i++ {
				start := time.Now()
				f.WriteAt(env.Write{Bufs: bufs, Off: i % 4096 * 4096, Durable: true}, 1)
				if c := <-got; c.Err != nil {
					b.Fatal(c.Err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}

func BenchmarkCachedRead4K(b *testing.B) {
	got := make(chan env.Completion, 1)
	d := New(Config{Deliver: func(c env.Completion) { got <- c }})
	defer d.Close()
	f, err := d.Open(filepath.Join(b.TempDir(), "f"), env.OpenOrCreate)
	must(b, err)
	defer f.Close()
	must(b, f.Pwrite(make([]byte, 1<<20), 0))
	buf := make([]byte, 4096)
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		f.ReadAt(env.Read{Buf: buf, Off: i % 255 * 4096}, 1)
		<-got
	}
}
