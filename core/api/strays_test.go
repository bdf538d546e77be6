package api_test

import (
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
)

// A boot that dies while it sets strays aside, wherever it was, leaves every byte to the next
// one: each stray is found under one name or the other.
func TestStraysSurviveABootThatDies(t *testing.T) {
	for _, power := range []bool{false, true} {
		b := mustBoot(t)
		b.createTopic("t", 3)
		for p := range int32(3) {
			b.produceTo("t", p, batchOf(1))
		}
		if err := b.broker.Stop(); err != nil {
			t.Fatal(err)
		}
		b.kill(false)
		view := b.disk.Mount(func(env.Completion) {})
		if err := view.Rename("/d/__cluster_metadata-0", "/d/lost"); err != nil {
			t.Fatal(err)
		}
		b.failUnder = "/d/t-1"
		if err := b.boot(); err == nil {
			t.Fatal("a folder that cannot be renamed did not stop the boot")
		}
		b.kill(power)
		b.failUnder = ""
		if err := b.boot(); err != nil {
			t.Fatal(err)
		}
		if found := b.strays("/d"); found != 3 {
			t.Errorf("power loss %v: %d strays with their bytes", power, found)
		}
		b.createTopic("t", 3)
		b.produceTo("t", 0, batchOf(1))
	}
}

// strays counts the folders set aside that hold a batch.
func (b *bench) strays(dir string) (n int) {
	entries, err := b.view.List(dir)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name, "-stray") {
			continue
		}
		files, err := b.view.List(dir + "/" + e.Name)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f.Name, ".log") && f.Size > 0 {
				n++
			}
		}
	}
	return n
}
