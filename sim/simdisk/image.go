package simdisk

import (
	"maps"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
)

// DurableFiles lists the files that durable names lead to, sorted.
func (d *Disk) DurableFiles() []string { return d.files(true) }

// CachedFiles lists the files a process would find, sorted.
func (d *Disk) CachedFiles() []string { return d.files(false) }

// ReadDurable and ReadCached show damage as a process would see it.
//
// ReadDurable returns what is durable of a file found by durable names: what every power
// loss leaves at least, except where it leaves something newer.
func (d *Disk) ReadDurable(path string) ([]byte, error) { return d.image(path, true) }

// ReadCached returns what a process would read.
func (d *Disk) ReadCached(path string) ([]byte, error) { return d.image(path, false) }

func (d *Disk) image(path string, durable bool) ([]byte, error) {
	n, err := d.lookup(path, durable)
	switch {
	case err != nil:
		return nil, failed("read", path, err)
	case n.file == nil:
		return nil, failed("read", path, errIsDir)
	}
	size := n.file.size
	if durable {
		size = n.file.durableSize
	}
	for s := int64(0); s*n.file.sector < size; s++ {
		sl := n.file.peek(s)
		if b := sl.cache; !durable && b.dead() || durable && sl.durable.dead() {
			return nil, failed("read", path, env.ErrIO)
		}
	}
	buf := make([]byte, size)
	n.file.read(buf, 0, size, durable)
	return buf, nil
}

func (d *Disk) files(durable bool) []string {
	var paths []string
	d.eachFile(durable, func(path string, _ *file) { paths = append(paths, path) })
	return paths
}

// eachFile visits the files that cached or durable names lead to, sorted.
func (d *Disk) eachFile(durable bool, visit func(path string, f *file)) {
	var walk func(at *dir, path string)
	walk = func(at *dir, path string) {
		names := at.cached
		if durable {
			names = at.durable
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if n := names[name]; n.dir != nil {
				walk(n.dir, path+"/"+name)
			} else {
				visit(path+"/"+name, n.file)
			}
		}
	}
	walk(d.root, "")
}
