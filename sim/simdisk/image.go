package simdisk

import (
	"bytes"
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
	buf := d.cfg.Arena.bytes(int(size))
	n.file.read(buf, 0, size, durable)
	return buf, nil
}

// IsDurable tells whether a power loss would leave a file under its name and just as a process
// reads it now.
func (d *Disk) IsDurable(path string) bool {
	n, err := d.lookup(path, false)
	if same, gone := d.lookup(path, true); err != nil || gone != nil || same != n || n.file == nil {
		return false
	}
	f := n.file
	if f.size != f.durableSize {
		return false
	}
	for s := int64(0); s*f.sector < f.size; s++ {
		if sl := f.peek(s); sl.cache != sl.durable && !sl.agree() {
			return false
		}
	}
	return true
}

// agree tells whether both blocks read alike.
func (s *slot) agree() bool {
	show := func(b *block) []byte {
		if b == nil {
			return nil
		}
		return b.bytes()
	}
	a, b := show(s.cache), show(s.durable)
	switch {
	case s.cache.dead() || s.durable.dead():
		return false
	case a == nil:
		return allZero(b)
	case b == nil:
		return allZero(a)
	}
	return bytes.Equal(a, b)
}

// CopyDurable gives an empty disk the files that durable names lead to, with their durable
// bytes. The two share memory until one of them changes it. A file with a sector that cannot be
// read is left out if mayMiss agrees; it is an error otherwise.
func (d *Disk) CopyDurable(to *Disk, mayMiss func(path string) bool) error {
	var failure error
	d.eachFile(true, func(path string, f *file) {
		switch {
		case !f.readable():
			if failure == nil && !mayMiss(path) {
				failure = failed("copy", path, env.ErrIO)
			}
		default:
			f.shareDurable(to, path)
		}
	})
	return failure
}

// readable tells that every durable sector below the size can be read.
func (f *file) readable() bool {
	for s := int64(0); s*f.sector < f.durableSize; s++ {
		if f.peek(s).durable.dead() {
			return false
		}
	}
	return true
}

func (f *file) shareDurable(to *Disk, path string) {
	at, name := to.durableDir(parentOf(path)), path[len(parentOf(path))+1:]
	c := to.newFile(path, at)
	for i, shared := range f.chunks {
		c.chunks = append(c.chunks, nil)
		if shared == nil {
			continue
		}
		c.chunks[i] = new(chunk)
		for k := range shared {
			if b := shared[k].durable; b != nil {
				// No pass has this block in hand any more: neither side changes it in place.
				b.frozen, b.pass = true, 0
				both := &block{data: b.data, frozen: true}
				if b.scar != nil {
					both.data = bytes.Clone(b.bytes())
				}
				c.chunks[i][k] = slot{cache: both, durable: both}
			}
		}
	}
	c.size, c.durableSize = f.durableSize, f.durableSize
	c.vol.used += c.size
	at.cached[name], at.durable[name] = node{file: c}, node{file: c}
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
