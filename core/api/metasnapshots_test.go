package api_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

const metadataFolder = "/d/__cluster_metadata-0"

// snapshotsOf lists the files of metadata snapshots, whole or not, oldest first.
func snapshotsOf(t *testing.T, view *simdisk.View) (names []string) {
	t.Helper()
	entries, err := view.List(metadataFolder)
	if err != nil && !errors.Is(err, env.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name, ".checkpoint") && !strings.HasPrefix(e.Name, "leader-epoch") {
			names = append(names, e.Name)
		}
	}
	return names
}

// damage turns a byte in the middle of a file.
func damage(t *testing.T, view *simdisk.View, path string) {
	t.Helper()
	f, err := view.Open(path, env.OpenExisting)
	if err != nil {
		t.Fatal(err)
	}
	size, err := f.Size()
	b := make([]byte, 1)
	if err == nil {
		_, err = f.Pread(b, size/2)
	}
	b[0] ^= 1
	if err == nil {
		err = f.Pwrite(b, size/2)
	}
	if err == nil {
		err = f.Fsync()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// grown is a bench whose metadata has two snapshots and a log that begins at the older one.
func grown(t *testing.T) *bench {
	b := newBench(t)
	b.static["metadata.log.max.record.bytes.between.snapshots"] = "1000"
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		b.createTopic(fmt.Sprintf("t%d", i), 1)
	}
	if names := snapshotsOf(t, b.view); len(names) != 2 {
		t.Fatalf("snapshots: %v", names)
	}
	return b
}

func (b *bench) reboot(t *testing.T, powerLoss bool) error {
	t.Helper()
	b.kill(powerLoss)
	err := b.boot()
	if err == nil {
		b.settle()
	}
	return err
}

func (b *bench) mustKnowTopics(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		b.produceTo(fmt.Sprintf("t%d", i), 0, batchOf(1))
	}
}

func TestAStartGoesOnFromTheSnapshot(t *testing.T) {
	for _, powerLoss := range []bool{false, true} {
		b := grown(t)
		for range 3 {
			if err := b.reboot(t, powerLoss); err != nil {
				t.Fatal(err)
			}
			b.mustKnowTopics(t, 20)
		}
	}
}

func TestADamagedSnapshotIsPassedOver(t *testing.T) {
	b := grown(t)
	names := snapshotsOf(t, b.view)
	b.kill(false)
	damage(t, b.disk.Mount(func(env.Completion) {}), metadataFolder+"/"+names[1])
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.mustKnowTopics(t, 20)
	if left := snapshotsOf(t, b.view); slices.Contains(left, names[1]) {
		t.Errorf("the damaged snapshot is still there: %v", left)
	}
}

// Without any whole snapshot there is no way to know what was below the log's start.
func TestTwoDamagedSnapshotsAreRefusedByName(t *testing.T) {
	b := grown(t)
	names := snapshotsOf(t, b.view)
	b.kill(false)
	view := b.disk.Mount(func(env.Completion) {})
	for _, name := range names {
		damage(t, view, metadataFolder+"/"+name)
	}
	err := b.boot()
	if err == nil || !strings.Contains(err.Error(), metadataFolder) || !strings.Contains(err.Error(), names[0]) {
		t.Fatalf("boot: %v", err)
	}
	if left := snapshotsOf(t, b.disk.Mount(func(env.Completion) {})); !slices.Equal(left, names) {
		t.Errorf("a refused start left %v of %v", left, names)
	}
}

func TestAnUnfinishedSnapshotIsRemovedAtTheStart(t *testing.T) {
	b := grown(t)
	b.kill(false)
	view := b.disk.Mount(func(env.Completion) {})
	part := "00000000000000000900-0000000000.checkpoint.part"
	if _, err := view.Open(metadataFolder+"/"+part, env.OpenOrCreate); err != nil {
		t.Fatal(err)
	}
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	if left := snapshotsOf(t, b.view); slices.Contains(left, part) {
		t.Errorf("left: %v", left)
	}
}

// A snapshot that cannot be written costs nothing but the snapshot.
func TestASnapshotThatFailsIsGivenUp(t *testing.T) {
	b := newBench(t)
	b.static["metadata.log.max.record.bytes.between.snapshots"] = "1000"
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	b.failPart = true
	for i := range 20 {
		b.createTopic(fmt.Sprintf("t%d", i), 1)
	}
	if names := snapshotsOf(t, b.view); len(names) != 0 {
		t.Fatalf("snapshots: %v", names)
	}
	b.failPart = false
	for i := range 20 {
		b.createTopic(fmt.Sprintf("u%d", i), 1)
	}
	if names := snapshotsOf(t, b.view); len(names) == 0 {
		t.Fatal("no snapshot was tried again")
	}
	if err := b.reboot(t, true); err != nil {
		t.Fatal(err)
	}
	b.mustKnowTopics(t, 20)
}

func TestTimeAloneAsksForASnapshotOnce(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t0", 1)
	if names := snapshotsOf(t, b.view); len(names) != 0 {
		t.Fatalf("snapshots: %v", names)
	}
	b.advance(time.Hour + time.Second)
	first := snapshotsOf(t, b.view)
	if len(first) != 1 {
		t.Fatalf("after an hour: %v", first)
	}
	b.advance(3 * time.Hour)
	if again := snapshotsOf(t, b.view); !slices.Equal(again, first) {
		t.Errorf("with nothing new: %v, then %v", first, again)
	}
}

// A broker dies while one operation after another of its snapshots is in flight, and all that
// begin later; what was acknowledged is there, and the next snapshots can be written.
func TestACrashWhileASnapshotIsWrittenLosesNothing(t *testing.T) {
	for _, powerLoss := range []bool{false, true} {
		moments := 0
		for crashAtSnapshotOp(t, powerLoss, moments+1) {
			moments++
		}
		// The third lets go of the first, and each is at least a write, a sync and two folders synced.
		if moments < 3*4 {
			t.Errorf("only %d moments", moments)
		}
	}
}

// crashAtSnapshotOp reports false if there were fewer such operations.
func crashAtSnapshotOp(t *testing.T, powerLoss bool, nth int) bool {
	b := newBench(t)
	b.static["metadata.log.max.record.bytes.between.snapshots"] = "500"
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	b.watch = func(op simdisk.Op) {
		if op.Async && (strings.HasSuffix(op.Path, ".part") || op.Path == metadataFolder || op.Path == "/d") {
			nth--
			b.hold = b.hold || nth == 0
		}
	}
	made := 0
	for ; made < 25 && !b.hold; made++ {
		b.createTopic(fmt.Sprintf("t%d", made), 1)
	}
	struck := b.hold
	b.watch = nil
	if err := b.reboot(t, powerLoss); err != nil {
		t.Fatal(err)
	}
	b.mustKnowTopics(t, made)
	for i := range 10 {
		b.createTopic(fmt.Sprintf("u%d", i), 1)
	}
	for _, name := range snapshotsOf(t, b.view) {
		if strings.HasSuffix(name, ".part") {
			t.Errorf("left: %s", name)
		}
	}
	if err := b.reboot(t, powerLoss); err != nil {
		t.Fatal(err)
	}
	b.mustKnowTopics(t, made)
	return struck
}
