package simdisk

import (
	"cmp"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
)

// SyncAll syncs files, then directories, one after the other in a drawn order: whoever
// crashes in it has synced any of them. Its time is the sum, as if there were one worker.
func (v *View) SyncAll(files, dirs []string) error {
	for _, path := range v.inAnyOrder(files) {
		if err := v.syncPath(path); err != nil {
			return err
		}
	}
	for _, path := range v.inAnyOrder(dirs) {
		if err := v.SyncDir(path); err != nil {
			return err
		}
	}
	return nil
}

func (v *View) syncPath(path string) error {
	f, err := v.Open(path, env.OpenExisting)
	if err != nil {
		return err
	}
	err = f.Fsync()
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// inAnyOrder sorts by what is drawn for each path: all zero leaves them as they are.
func (v *View) inAnyOrder(paths []string) []string {
	type drawn struct {
		path string
		at   uint64
	}
	all := make([]drawn, len(paths))
	for i, path := range paths {
		obj := v.disk.object(clean(path))
		all[i] = drawn{path, v.disk.cfg.Decide(purposeSyncOrder, obj.name, obj.ops)}
	}
	slices.SortStableFunc(all, func(a, b drawn) int { return cmp.Compare(a.at, b.at) })
	order := make([]string, len(all))
	for i, x := range all {
		order[i] = x.path
	}
	return order
}
