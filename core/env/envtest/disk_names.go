package envtest

import (
	"fmt"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
)

var diskNameCases = []diskCase{
	{"OpenModesTreatNames", openModes},
	{"MissingNamesAreErrNotExist", missingNames},
	{"ListIsSortedWithSizes", listSorted},
	{"MkdirAllMakesParentsAndRepeats", mkdirAll},
	{"RenameReplacesAFile", renameReplaces},
	{"RenameMovesADirectoryWithItsFiles", renameDirectory},
	{"RemoveUnlinksAndRefusesFullDirectories", removeNames},
	{"AnOpenFileOutlivesItsName", openOutlivesName},
	{"RemoveAllLaterRemovesAllSomeTime", removeAllLater},
	{"SyncDirKnowsDirectoriesOnly", syncDirNames},
	{"SyncAllKnowsFilesAndThenDirectories", syncAllNames},
	{"FreeIsUnknownOrNotNegative", freeBytes},
}

func openModes(t *testing.T, r *DiskRig) {
	_, err := r.Open(r.path("a"), env.OpenExisting)
	wantErr(t, err, env.ErrNotExist)
	f := r.open(t, "a", env.OpenOrCreate)
	noErr(t, f.Pwrite([]byte("hello"), 0))
	noErr(t, f.Close())
	for _, mode := range []env.OpenMode{env.OpenExisting, env.OpenOrCreate} {
		noErr(t, r.open(t, "a", mode).Close())
		r.wantContent(t, "a", "hello")
	}
	noErr(t, r.open(t, "a", env.CreateTruncated).Close())
	r.wantContent(t, "a", "")
	noErr(t, r.open(t, "b", env.CreateTruncated).Close())
	r.wantNames(t, "", "a", "b")
}

func missingNames(t *testing.T, r *DiskRig) {
	_, err := r.Open(r.path("no/file"), env.OpenOrCreate)
	wantErr(t, err, env.ErrNotExist)
	_, err = r.OpenLog(r.path("no/file"), 4096)
	wantErr(t, err, env.ErrNotExist)
	_, err = r.List(r.path("no"))
	wantErr(t, err, env.ErrNotExist)
	wantErr(t, r.Remove(r.path("no")), env.ErrNotExist)
	wantErr(t, r.Rename(r.path("no"), r.path("yes")), env.ErrNotExist)
	noErr(t, r.put(t, "a", "").Close())
	wantErr(t, r.Rename(r.path("a"), r.path("no/a")), env.ErrNotExist)
	r.wantNames(t, "", "a")
}

func listSorted(t *testing.T, r *DiskRig) {
	for _, name := range []string{"c", "a", "b10", "b9"} {
		noErr(t, r.put(t, name, name).Close())
	}
	noErr(t, r.MkdirAll(r.path("bb")))
	entries, err := r.List(r.Root)
	noErr(t, err)
	want := []env.Entry{{Name: "a", Size: 1}, {Name: "b10", Size: 3}, {Name: "b9", Size: 2},
		{Name: "bb", Dir: true}, {Name: "c", Size: 1}}
	if len(entries) != len(want) {
		t.Fatalf("entries %v, want %v", entries, want)
	}
	for i, e := range entries {
		if e.Dir {
			e.Size = 0 // a directory's size means nothing
		}
		if e != want[i] {
			t.Fatalf("entry %d is %v, want %v", i, e, want[i])
		}
	}
}

func mkdirAll(t *testing.T, r *DiskRig) {
	noErr(t, r.MkdirAll(r.path("x/y/z")))
	noErr(t, r.MkdirAll(r.path("x/y/z")))
	r.wantNames(t, "x/y", "z")
	noErr(t, r.put(t, "x/f", "1").Close())
	if err := r.MkdirAll(r.path("x/f/g")); err == nil {
		t.Fatal("a directory below a file")
	}
}

func renameReplaces(t *testing.T, r *DiskRig) {
	noErr(t, r.put(t, "old", "old").Close())
	f := r.put(t, "new", "new")
	noErr(t, r.Rename(r.path("new"), r.path("old")))
	r.wantNames(t, "", "old")
	r.wantContent(t, "old", "new")
	noErr(t, f.Pwrite([]byte("NEW"), 0)) // the handle followed
	r.wantContent(t, "old", "NEW")
	noErr(t, f.Close())
}

func renameDirectory(t *testing.T, r *DiskRig) {
	noErr(t, r.MkdirAll(r.path("d")))
	noErr(t, r.put(t, "d/f", "1").Close())
	noErr(t, r.Rename(r.path("d"), r.path("e")))
	r.wantNames(t, "", "e")
	r.wantContent(t, "e/f", "1")
	noErr(t, r.MkdirAll(r.path("full")))
	noErr(t, r.put(t, "full/g", "").Close())
	wantErr(t, r.Rename(r.path("e"), r.path("full")), env.ErrExist)
	r.wantNames(t, "", "e", "full")
}

func removeNames(t *testing.T, r *DiskRig) {
	noErr(t, r.MkdirAll(r.path("d")))
	noErr(t, r.put(t, "d/f", "1").Close())
	wantErr(t, r.Remove(r.path("d")), env.ErrExist)
	noErr(t, r.Remove(r.path("d/f")))
	wantErr(t, r.Remove(r.path("d/f")), env.ErrNotExist)
	noErr(t, r.Remove(r.path("d")))
	r.wantNames(t, "")
}

func openOutlivesName(t *testing.T, r *DiskRig) {
	f := r.put(t, "f", "before")
	noErr(t, r.Remove(r.path("f")))
	noErr(t, f.Pwrite([]byte("B"), 0))
	if got := string(readAll(t, f)); got != "Before" {
		t.Fatalf("read %q", got)
	}
	noErr(t, r.put(t, "f", "other").Close())
	if got := string(readAll(t, f)); got != "Before" {
		t.Fatalf("read %q after the name was given anew", got)
	}
	noErr(t, f.Close())
	r.wantContent(t, "f", "other")
}

func removeAllLater(t *testing.T, r *DiskRig) {
	noErr(t, r.MkdirAll(r.path("d/e")))
	noErr(t, r.put(t, "d/e/f", "1").Close())
	noErr(t, r.put(t, "keep", "1").Close())
	r.RemoveAllLater(r.path("d"))
	r.RemoveAllLater(r.path("missing"))
	if done := r.Settle(); len(done) != 0 {
		t.Fatalf("completions %v of what has none", done)
	}
	r.wantNames(t, "", "keep")
}

func syncDirNames(t *testing.T, r *DiskRig) {
	noErr(t, r.SyncDir(r.Root))
	wantErr(t, r.SyncDir(r.path("no")), env.ErrNotExist)
	r.SyncDirLater(r.Root, 7)
	r.settleOK(t, 7, 0)
	r.SyncDirLater(r.path("no"), 8)
	wantErr(t, r.settleOne(t, 8).Err, env.ErrNotExist)
}

func syncAllNames(t *testing.T, r *DiskRig) {
	noErr(t, r.MkdirAll(r.path("d")))
	var files []string
	for i := range 100 {
		name := fmt.Sprintf("d/%02d", i)
		noErr(t, r.put(t, name, name).Close())
		files = append(files, r.path(name))
	}
	noErr(t, r.SyncAll(files, []string{r.path("d"), r.Root}))
	noErr(t, r.SyncAll(files, nil))
	noErr(t, r.SyncAll(nil, []string{r.Root}))
	noErr(t, r.SyncAll(nil, nil))
	wantErr(t, r.SyncAll(append(files, r.path("no")), []string{r.Root}), env.ErrNotExist)
	wantErr(t, r.SyncAll(files, []string{r.Root, r.path("no")}), env.ErrNotExist)
	if done := r.Settle(); len(done) != 0 {
		t.Fatalf("completions %v of what blocks", done)
	}
	r.wantContent(t, "d/42", "d/42")
}

func freeBytes(t *testing.T, r *DiskRig) {
	if free := r.Free(r.Root); free < -1 {
		t.Fatalf("%d bytes free", free)
	}
}
