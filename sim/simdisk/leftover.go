package simdisk

import (
	"maps"
	"slices"
	"strconv"

	"github.com/tidemark-log/tidemark/core/env"
)

// leftoverSuffixes are names that brokers give to what is not, or no longer, a file of theirs.
var leftoverSuffixes = [...]string{".tmp", ".deleted", ".swap", ".cleaned"}

// plant puts leftovers onto the volumes, at a restart.
func (in *injector) plant() {
	in.mounts++
	if in.mounts == 1 {
		return // nothing has run here yet
	}
	for _, vol := range in.d.volumes {
		k := key{vol.obj, in.mounts}
		decision, hit := in.decide(in.Leftover, purposeLeftover, k)
		if !hit {
			continue
		}
		for i := range 1 + draw(decision, 0, 3) {
			in.plantOne(vol, k, spread(decision, 1+i))
		}
	}
}

func (in *injector) plantOne(vol *volume, k key, decision uint64) {
	at := pickDir(dirsOf(vol), decision)
	if at == nil {
		return
	}
	names := slices.Sorted(maps.Keys(at.cached))
	name, content, isDir := in.leftoverNamed(at, names, decision)
	if _, ok := at.cached[name]; ok || at.durable[name] != (node{}) {
		return
	}
	path := at.obj.name + "/" + name
	if at == in.d.root {
		path = "/" + name
	}
	ft := in.offer(purposeLeftover, k, FaultEvent{Kind: FaultLeftover, Path: path, Len: int64(len(content))})
	if ft == nil {
		return
	}
	n := node{}
	if isDir {
		n.dir = in.d.newDir(path, at)
		n.dir.leftover = ft
	} else {
		n.file = in.d.newFile(path, at)
		n.file.leftover = ft
		n.file.store(0, content)
		n.file.resizeDurable(n.file.size)
		n.file.eachSlotFrom(0, func(s *slot) { s.durable = s.cache })
		vol.used += n.file.size
	}
	at.cached[name], at.durable[name] = n, n
	in.fire(ft)
}

// leftoverNamed draws what is left over: what Config.Leftover knows, an unknown directory,
// or a file named like one that is there, empty, with the start of that one, or with junk.
func (in *injector) leftoverNamed(at *dir, names []string, decision uint64) (string, []byte, bool) {
	if known := in.d.cfg.Leftover; known != nil {
		if name, content := known(at.obj.name, names, spread(decision, 1)); name != "" {
			return name, content, false
		}
	}
	if len(names) == 0 || draw(decision, 2, 5) == 0 {
		return "leftover-" + strconv.FormatUint(in.mounts, 10), nil, true
	}
	like := names[draw(decision, 3, uint64(len(names)))]
	name := like + leftoverSuffixes[draw(decision, 4, uint64(len(leftoverSuffixes)))]
	size := int64(1 + draw(decision, 5, leftoverBytesMax))
	switch draw(decision, 6, 3) {
	case 0:
		return name, nil, false
	case 1:
		if f := at.cached[like].file; f != nil {
			content := make([]byte, size)
			return name, content[:f.read(content, 0, f.size, false)], false
		}
	}
	junk := make([]byte, size)
	for i := range junk {
		junk[i] = byte(spread(decision, uint64(i)+7))
	}
	return name, junk, false
}

// dirsOf lists the directories of a volume that both a process and a power loss would find.
func dirsOf(vol *volume) []*dir {
	if vol.top == nil {
		return nil
	}
	all := []*dir{vol.top}
	for i := 0; i < len(all); i++ {
		for _, name := range slices.Sorted(maps.Keys(all[i].cached)) {
			n := all[i].cached[name]
			if n.dir != nil && n.dir.vol == vol && all[i].durable[name] == n {
				all = append(all, n.dir)
			}
		}
	}
	return all
}

func pickDir(dirs []*dir, decision uint64) *dir {
	if len(dirs) == 0 {
		return nil
	}
	return dirs[draw(decision, 0, uint64(len(dirs)))]
}

// listed tells that a process has found leftovers.
func (in *injector) listed(at *dir) {
	for _, name := range slices.Sorted(maps.Keys(at.cached)) {
		switch n := at.cached[name]; {
		case n.dir != nil && n.dir.leftover != nil:
			in.observe(n.dir.leftover)
		case n.file != nil && n.file.leftover != nil:
			in.observe(n.file.leftover)
		}
	}
}

// admitHandle says whether the process may open one more file.
func (v *View) admitHandle(k key) error {
	in := v.disk.inject
	if in == nil || in.DescriptorsMax <= 0 || v.open < in.DescriptorsMax {
		return nil
	}
	if in.exhausted == nil {
		in.exhausted = in.offer(purposeDescriptors, k,
			FaultEvent{Kind: FaultDescriptors, Path: k.obj.name, Err: env.ErrTooManyFiles})
	}
	if in.exhausted == nil {
		return nil
	}
	in.observe(in.exhausted)
	return env.ErrTooManyFiles
}

// closed ends the instance once there are descriptors again.
func (v *View) closed() {
	v.open--
	in := v.disk.inject
	if in != nil && in.exhausted != nil && v.open < in.DescriptorsMax {
		in.tell(in.exhausted, FaultEnded)
		in.exhausted = nil
	}
}
