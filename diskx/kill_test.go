package diskx

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidemark-log/tidemark/core/env"
)

// childDir tells the test binary to be the process that gets killed, and where.
const childDir = "DISKX_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		writeForever(dir)
	}
	goleak.VerifyTestMain(m)
}

// writeForever writes numbered pages into a file and a log and says which completed.
func writeForever(dir string) {
	got := make(chan env.Completion, 2)
	d := New(Config{Deliver: func(c env.Completion) { got <- c }})
	const pages = 1 << 12
	log, err := d.OpenLog(filepath.Join(dir, "log"), pages*BlockSize)
	if err != nil {
		panic(err)
	}
	plain := d.OpenLater(filepath.Join(dir, "sub/plain"))
	for i := range int64(pages) {
		for tag, f := range []env.File{log, plain} {
			f.WriteAt(env.Write{Bufs: [][]byte{numberedPage(i)}, Off: i * BlockSize}, env.Tag(tag))
		}
		for range 2 {
			if c := <-got; c.Err != nil {
				panic(c.Err)
			}
		}
		fmt.Println(i)
	}
	select {} // until the parent kills us
}

func numberedPage(i int64) []byte {
	return bytes.Repeat(binary.BigEndian.AppendUint64(nil, uint64(i)+1), BlockSize/8)
}

// TestKillMinusNineKeepsWhatCompleted is the simulator's first assumption, on the real
// system: a process kill takes back nothing that had completed.
func TestKillMinusNineKeepsWhatCompleted(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	lines := bufio.NewScanner(out)
	last := int64(-1)
	for lines.Scan() {
		last, err = strconv.ParseInt(lines.Text(), 10, 64)
		must(t, err)
		if last == 200 {
			must(t, child.Process.Kill())
		}
	}
	_ = child.Wait() // it was killed
	if last < 200 {
		t.Fatalf("the child wrote %d pages", last)
	}
	for _, name := range []string{"log", "sub/plain"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		for i := range last + 1 {
			if !bytes.Equal(content[i*BlockSize:(i+1)*BlockSize], numberedPage(i)) {
				t.Fatalf("%s: page %d of %d completed ones is not there", name, i, last)
			}
		}
	}
}
