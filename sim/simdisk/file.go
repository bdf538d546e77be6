package simdisk

import "github.com/tidemark-log/tidemark/core/env"

// object is what decisions are keyed by: a path under which something was once made. It
// lives as long as the Disk, so that ordinals never repeat.
type object struct {
	name    string
	ops     uint64  // operations so far
	crashes uint64  // power losses so far
	vol     *volume // once somebody asked
}

func (o *object) next() uint64 {
	o.ops++
	return o.ops
}

// block is one sector's bytes. Its owner may change it in place only while it is in the
// cache alone: not frozen, and not the durable block of the same slot.
type block struct {
	data   []byte
	frozen bool   // the bytes belong to a pending operation too, or to another file
	pass   uint64 // the pass over pending operations that made this durable block
	scar   *scar  // nil: the device shows data
}

// slot is a sector: what reads return, and what a power loss leaves. nil is zeroes.
type slot struct{ cache, durable *block }

type chunk [chunkSectors]slot

// file is an inode. Names lead to it; it does not know them.
type file struct {
	obj    *object
	vol    *volume
	arena  *Arena
	sector int64
	parent *dir
	entry  *dirOp // the last operation that named it, nil once that is durable

	chunks      []*chunk
	size        int64
	durableSize int64

	pending      []pendingOp // completed, not durable; in order of completion
	pendingBytes int
	lastOp       uint64 // ordinal of the last pending operation ever
	pass         uint64 // counts the passes over pending operations

	visited uint64 // the last power loss that went over it
	removed bool   // no name leads to it

	// what a broken device did to it
	scarred  bool             // some sector was damaged once
	diverged bool             // clean pages in the cache may differ from the device
	doomed   int              // pending operations whose write-back will fail
	losses   uint64           // write-backs that failed
	lastLoss *fault           // the last of them
	before   map[int64]*block // what sectors held before; only for wrong reads
	leftover *fault           // no process has made it
	path     string           // scratch of Damages
}

func (f *file) slot(i int64) *slot {
	c := int(i / chunkSectors)
	for c >= len(f.chunks) {
		f.chunks = append(f.chunks, nil)
	}
	if f.chunks[c] == nil {
		f.chunks[c] = new(chunk)
	}
	return &f.chunks[c][i%chunkSectors]
}

// peek is slot without making one.
func (f *file) peek(i int64) slot {
	c := int(i / chunkSectors)
	if c >= len(f.chunks) || f.chunks[c] == nil {
		return slot{}
	}
	return f.chunks[c][i%chunkSectors]
}

// read copies cached bytes (or durable ones) from off on, up to size.
func (f *file) read(buf []byte, off, size int64, durable bool) int {
	if off >= size {
		return 0
	}
	n := int(min(int64(len(buf)), size-off))
	for done := 0; done < n; {
		at := off + int64(done)
		s := f.peek(at / f.sector)
		b := s.cache
		if durable {
			b = s.durable
		}
		in := int(at % f.sector)
		part := buf[done:min(n, done+int(f.sector)-in)]
		if b == nil {
			clear(part)
		} else {
			copy(part, b.bytes()[in:])
		}
		done += len(part)
	}
	return n
}

// store puts data into the cache. Whole sectors share data's memory, which nobody changes
// any more; the rest is copied.
func (f *file) store(off int64, data []byte) {
	whole := int(int64(len(data)) / f.sector)
	blocks := make([]block, 0, whole)
	for done := 0; done < len(data); {
		at := off + int64(done)
		in := int(at % f.sector)
		part := data[done:min(len(data), done+int(f.sector)-in)]
		s := f.slot(at / f.sector)
		if len(part) == int(f.sector) {
			blocks = append(blocks, block{data: part, frozen: true})
			s.cache = &blocks[len(blocks)-1]
		} else {
			f.own(s).put(in, part)
		}
		done += len(part)
	}
	f.size = max(f.size, off+int64(len(data)))
}

// own returns the cached block of s for changing in place.
func (f *file) own(s *slot) *block {
	if b := s.cache; b != nil && !b.frozen && b != s.durable {
		return b
	}
	s.cache = f.copied(s.cache)
	return s.cache
}

func (f *file) copied(b *block) *block {
	c := &block{data: f.arena.bytes(int(f.sector))}
	if b != nil {
		copy(c.data, b.data)
		c.scar = b.scar.clone()
	} else {
		clear(c.data)
	}
	return c
}

// resizeCache sets the cached size; what is beyond it reads as zeroes from now on.
func (f *file) resizeCache(size int64) {
	if size < f.size {
		if in := size % f.sector; in != 0 && f.peek(size/f.sector).cache != nil {
			f.own(f.slot(size / f.sector)).zero(int(in))
		}
		f.eachSlotFrom(ceilDiv(size, f.sector), func(s *slot) { s.cache = nil })
	}
	f.size = size
}

// trimDurable sets the durable size and zeroes what is beyond it.
func (f *file) trimDurable(size int64) {
	if in := size % f.sector; in != 0 {
		if b := f.peek(size / f.sector).durable; b != nil && (b.scar != nil || !allZero(b.data[in:])) {
			cut := f.copied(b)
			cut.zero(int(in))
			f.slot(size / f.sector).durable = cut
		}
	}
	f.eachSlotFrom(ceilDiv(size, f.sector), func(s *slot) { s.durable = nil })
	f.durableSize = size
}

// eachSlotFrom visits the slots that exist from sector i on.
func (f *file) eachSlotFrom(i int64, visit func(*slot)) {
	for c := i / chunkSectors; c < int64(len(f.chunks)); c++ {
		if f.chunks[c] == nil {
			continue
		}
		for k := max(0, i-c*chunkSectors); k < chunkSectors; k++ {
			visit(&f.chunks[c][k])
		}
	}
}

// extend accounts for growth on the volume.
func (f *file) extend(size int64) error {
	if size <= f.size || f.removed {
		return nil
	}
	if f.vol.bound > 0 && !f.vol.overcommit && f.vol.used+size-f.size > f.vol.bound {
		return env.ErrNoSpace
	}
	f.vol.used += size - f.size
	return nil
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
