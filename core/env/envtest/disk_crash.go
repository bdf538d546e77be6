package envtest

import (
	"bytes"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
)

var diskCrashCases = []crashCase{
	{"KillKeepsWhatCompleted", nil, killKeepsCompleted},
	{"KillLeavesAllNoneOrAPrefixOfAWriteInFlight", []string{"all", "none", "prefix"}, killInFlight},
	{"PowerLossKeepsWhatWasSynced", nil, powerKeepsSynced},
	{"PowerLossMayLoseWhatWasNot", []string{"old", "new", "mixed"}, powerLosesUnsynced},
	{"PowerLossKeepsDurableWrites", nil, powerKeepsDurable},
	{"PowerLossKeepsWhatOpenLogLaterMade", nil, powerKeepsPrepared},
	{"PowerLossLeavesPartOfWhatOpenLogLaterMakes", []string{"none", "short"}, powerInPreparation},
	{"PowerLossTearsADurableWriteInFlight", []string{"old", "new", "mixed"}, powerTearsInFlight},
	{"SyncCoversOnlyWhatCompletedBeforeIt", []string{"lost", "kept"}, syncCoversCompleted},
	{"PowerLossMayKeepSizeOrBytesAlone", []string{"short", "whole", "hole"}, powerSizeOrBytes},
	{"NamesNeedSyncDir", []string{"lost", "kept"}, namesNeedSyncDir},
	{"DirectoriesNeedSyncDirOfTheirParents", []string{"lost", "kept"}, dirsNeedSyncDir},
	{"RenameLeavesOldOrNew", []string{"old", "new"}, renameOldOrNew},
	{"RemovedNamesMayComeBack", []string{"back", "gone"}, removedComeBack},
	{"PowerLossKeepsWhatSyncAllSynced", nil, powerKeepsSyncAll},
	{"PowerLossInSyncAllLeavesAnyOfThem", []string{"none", "all", "first alone", "last alone"}, powerInSyncAll},
	{"SyncAllSyncsNamesAfterFiles", []string{"named"}, syncAllNamesLast},
	{"ADeadProcessHearsNothing", nil, deadHearsNothing},
}

// synced makes a file whose bytes and name are durable.
func (r *DiskRig) synced(t *testing.T, name string, content []byte) env.File {
	t.Helper()
	f := r.put(t, name, string(content))
	noErr(t, f.Fsync())
	noErr(t, r.SyncDir(r.Root))
	return f
}

// sort of says whether got is the old bytes, the new ones, or something between.
func sortOf(got, old, new []byte) string {
	switch {
	case bytes.Equal(got, old):
		return "old"
	case bytes.Equal(got, new):
		return "new"
	}
	return "mixed"
}

func killKeepsCompleted(t *testing.T, r *DiskRig, _ map[string]int) {
	noErr(t, r.MkdirAll(r.path("d")))
	f := r.put(t, "d/f", "blocking")
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("async")}, Off: 8}, 1)
	r.settleOK(t, 1, 5)
	noErr(t, r.Rename(r.path("d/f"), r.path("d/g")))
	r.Kill()
	r.wantNames(t, "d", "g")
	r.wantContent(t, "d/g", "blockingasync")
}

func killInFlight(t *testing.T, r *DiskRig, seen map[string]int) {
	f := r.put(t, "f", "")
	want := pattern(1, 5*4096)
	f.WriteAt(env.Write{Bufs: [][]byte{want[:7000], want[7000:]}, Off: 100}, 1)
	r.Kill()
	got, _ := r.content(t, "f")
	switch {
	case len(got) == 0:
		seen["none"]++
	case len(got) == 100+len(want):
		seen["all"]++
	case len(got)%4096 == 0:
		seen["prefix"]++
	default:
		t.Fatalf("the cache holds %d bytes", len(got))
	}
	if len(got) > 100 {
		sameBytes(t, []byte(got[100:]), want[:len(got)-100])
	}
}

func powerKeepsSynced(t *testing.T, r *DiskRig, _ map[string]int) {
	old := pattern(1, 3*4096)
	f := r.synced(t, "f", old)
	f.WriteAt(env.Write{Bufs: [][]byte{pattern(2, 4096)}, Off: 4096}, 1)
	r.settleOK(t, 1, 4096)
	f.Sync(2)
	r.settleOK(t, 2, 0)
	copy(old[4096:], pattern(2, 4096))
	noErr(t, f.Pwrite([]byte("unsynced"), 3*4096)) // beyond what was synced
	r.PowerLoss()
	got, _ := r.content(t, "f")
	if len(got) < len(old) {
		t.Fatalf("%d of %d synced bytes", len(got), len(old))
	}
	sameBytes(t, []byte(got[:len(old)]), old)
}

func powerLosesUnsynced(t *testing.T, r *DiskRig, seen map[string]int) {
	old, fresh := pattern(1, 4*4096), pattern(2, 4*4096)
	f := r.synced(t, "f", old)
	for i := range 4 {
		noErr(t, f.Pwrite(fresh[i*4096:(i+1)*4096], int64(i)*4096))
	}
	r.PowerLoss()
	got, _ := r.content(t, "f")
	if len(got) != len(old) {
		t.Fatalf("%d bytes", len(got))
	}
	seen[sortOf([]byte(got), old, fresh)]++
}

func powerKeepsDurable(t *testing.T, r *DiskRig, _ map[string]int) {
	f, err := r.OpenLog(r.path("log"), 4*4096)
	noErr(t, err)
	noErr(t, r.SyncDir(r.Root))
	want := make([]byte, 4*4096)
	copy(want[4096:], pattern(1, 8192))
	f.WriteAt(env.Write{Bufs: [][]byte{pattern(1, 8192)}, Off: 4096, Durable: true}, 1)
	r.settleOK(t, 1, 8192)
	r.PowerLoss()
	r.wantContent(t, "log", string(want))
}

func powerKeepsPrepared(t *testing.T, r *DiskRig, _ map[string]int) {
	r.OpenLogLater(r.path("log"), 8*4096, 5)
	noErr(t, r.settleOne(t, 5).Err)
	r.PowerLoss()
	r.wantContent(t, "log", string(make([]byte, 8*4096)))
}

func powerInPreparation(t *testing.T, r *DiskRig, seen map[string]int) {
	r.OpenLogLater(r.path("log"), 8*4096, 5)
	r.PowerLoss()
	switch got, ok := r.content(t, "log"); {
	case !ok:
		seen["none"]++
	case len(got) < 8*4096:
		seen["short"]++
	}
}

func powerTearsInFlight(t *testing.T, r *DiskRig, seen map[string]int) {
	f, err := r.OpenLog(r.path("log"), 4*4096)
	noErr(t, err)
	noErr(t, r.SyncDir(r.Root))
	fresh := pattern(1, 4*4096)
	f.WriteAt(env.Write{Bufs: [][]byte{fresh}, Durable: true}, 1)
	r.PowerLoss()
	got, _ := r.content(t, "log")
	if len(got) != len(fresh) {
		t.Fatalf("%d bytes", len(got))
	}
	seen[sortOf([]byte(got), make([]byte, 4*4096), fresh)]++
}

// syncCoversCompleted: the second write is in flight when the Sync is submitted.
func syncCoversCompleted(t *testing.T, r *DiskRig, seen map[string]int) {
	old, fresh := pattern(1, 4096), pattern(2, 4096)
	f := r.synced(t, "f", append(bytes.Clone(old), old...))
	f.WriteAt(env.Write{Bufs: [][]byte{fresh}}, 1)
	r.settleOK(t, 1, 4096)
	f.WriteAt(env.Write{Bufs: [][]byte{fresh}, Off: 4096}, 2)
	f.Sync(3)
	for _, c := range r.Settle() {
		noErr(t, c.Err)
	}
	r.PowerLoss()
	got, _ := r.content(t, "f")
	sameBytes(t, []byte(got[:4096]), fresh)
	if sortOf([]byte(got[4096:]), old, fresh) == "new" {
		seen["kept"]++
	} else {
		seen["lost"]++
	}
}

func powerSizeOrBytes(t *testing.T, r *DiskRig, seen map[string]int) {
	f := r.synced(t, "f", nil)
	want := pattern(1, 3*4096)
	for i := range 3 {
		noErr(t, f.Pwrite(want[i*4096:(i+1)*4096], int64(i)*4096))
	}
	r.PowerLoss()
	got, _ := r.content(t, "f")
	switch {
	case got == string(want):
		seen["whole"]++
	case len(got) < len(want):
		seen["short"]++
	default:
		seen["hole"]++
	}
}

func namesNeedSyncDir(t *testing.T, r *DiskRig, seen map[string]int) {
	noErr(t, r.put(t, "named", "").Close())
	noErr(t, r.SyncDir(r.Root))
	f := r.put(t, "f", "content")
	noErr(t, f.Fsync())
	r.PowerLoss()
	if _, ok := r.content(t, "named"); !ok {
		t.Fatal("a name is gone after SyncDir")
	}
	if _, ok := r.content(t, "f"); !ok {
		seen["lost"]++
		return
	}
	seen["kept"]++
	r.wantContent(t, "f", "content") // its bytes were synced, name or not
}

func dirsNeedSyncDir(t *testing.T, r *DiskRig, seen map[string]int) {
	noErr(t, r.MkdirAll(r.path("a/b")))
	noErr(t, r.put(t, "a/b/f", "").Close())
	noErr(t, r.SyncDir(r.path("a/b")))
	noErr(t, r.SyncDir(r.Root))
	r.PowerLoss()
	r.wantNames(t, "", "a")
	entries, err := r.List(r.path("a"))
	noErr(t, err)
	if len(entries) == 0 {
		seen["lost"]++
		return
	}
	seen["kept"]++
	r.wantNames(t, "a/b", "f")
}

func renameOldOrNew(t *testing.T, r *DiskRig, seen map[string]int) {
	noErr(t, r.synced(t, "f", []byte("old")).Close())
	noErr(t, r.synced(t, "f.tmp", []byte("new")).Close())
	noErr(t, r.Rename(r.path("f.tmp"), r.path("f")))
	r.PowerLoss()
	got, ok := r.content(t, "f")
	if !ok || (got != "old" && got != "new") {
		t.Fatalf("f holds %q (exists: %v)", got, ok)
	}
	seen[got]++
	if _, ok := r.content(t, "f.tmp"); got == "old" && !ok {
		t.Fatal("neither rename nor the old name")
	}
}

func removedComeBack(t *testing.T, r *DiskRig, seen map[string]int) {
	noErr(t, r.synced(t, "f", []byte("1")).Close())
	noErr(t, r.synced(t, "g", []byte("2")).Close())
	noErr(t, r.Remove(r.path("f")))
	noErr(t, r.SyncDir(r.Root))
	noErr(t, r.Remove(r.path("g")))
	r.PowerLoss()
	if _, ok := r.content(t, "f"); ok {
		t.Fatal("a name removed before SyncDir came back")
	}
	if got, ok := r.content(t, "g"); ok {
		seen["back"]++
		sameBytes(t, []byte(got), []byte("2"))
	} else {
		seen["gone"]++
	}
}

func powerKeepsSyncAll(t *testing.T, r *DiskRig, _ map[string]int) {
	noErr(t, r.MkdirAll(r.path("d")))
	noErr(t, r.put(t, "d/f", "one").Close())
	noErr(t, r.put(t, "g", "two").Close())
	noErr(t, r.SyncAll([]string{r.path("d/f"), r.path("g")}, []string{r.path("d"), r.Root}))
	r.PowerLoss()
	r.wantContent(t, "d/f", "one")
	r.wantContent(t, "g", "two")
}

// powerInSyncAll dies in each of the operations that a SyncAll may consist of.
func powerInSyncAll(t *testing.T, r *DiskRig, seen map[string]int) {
	seen["runs"]++
	old, fresh := pattern(1, 4096), pattern(2, 4096)
	names := []string{"a", "b", "c"}
	var files []string
	for _, name := range names {
		noErr(t, r.synced(t, name, old).Pwrite(fresh, 0))
		files = append(files, r.path(name))
	}
	r.DieIn(1 + seen["runs"]%7)
	wantErr(t, r.SyncAll(files, []string{r.Root}), env.ErrClosed)
	r.PowerLoss()
	state := ""
	for _, name := range names {
		got, _ := r.content(t, name)
		state += sortOf([]byte(got), old, fresh) + " "
	}
	switch state {
	case "old old old ":
		seen["none"]++
	case "new new new ":
		seen["all"]++
	case "new old old ":
		seen["first alone"]++
	case "old old new ":
		seen["last alone"]++
	}
}

// syncAllNamesLast: a name that only SyncAll made durable leads to bytes that are, too.
func syncAllNamesLast(t *testing.T, r *DiskRig, seen map[string]int) {
	seen["runs"]++
	want := pattern(1, 2*4096)
	noErr(t, r.MkdirAll(r.path("d")))
	noErr(t, r.SyncDir(r.Root))
	noErr(t, r.put(t, "d/f", string(want)).Close())
	if n := seen["runs"] % 8; n > 0 {
		r.DieIn(n)
	}
	err := r.SyncAll([]string{r.path("d/f")}, []string{r.path("d")})
	r.PowerLoss()
	got, ok := r.content(t, "d/f")
	if err == nil && !ok {
		t.Fatal("a name is gone after SyncAll")
	}
	if err == nil {
		seen["named"]++
		sameBytes(t, []byte(got), want)
	}
}

func deadHearsNothing(t *testing.T, r *DiskRig, _ map[string]int) {
	f := r.synced(t, "f", []byte("1"))
	dead := r.Disk
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("2")}, Off: 1}, 1)
	f.Sync(2)
	r.Kill()
	f.WriteAt(env.Write{Bufs: [][]byte{[]byte("3")}, Off: 2}, 3)
	if done := r.Settle(); len(done) != 0 {
		t.Fatalf("a dead process got %v", done)
	}
	wantErr(t, f.Pwrite([]byte("3"), 2), env.ErrClosed)
	wantErr(t, dead.Remove(r.path("f")), env.ErrClosed)
	_, err := dead.Open(r.path("f"), env.OpenExisting)
	wantErr(t, err, env.ErrClosed)
	if got, _ := r.content(t, "f"); len(got) > 2 {
		t.Fatalf("a dead process wrote: %q", got)
	}
}
