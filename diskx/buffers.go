package diskx

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// Buffers is a pool of reference-counted buffers: env.Buffers. It keeps idle buffers by
// size class up to a bound in bytes.
//
// It is not a sync.Pool, because that forgets at each collection, and touching fresh memory
// is what costs. Its larger buffers lie outside the Go heap for the same reason: a heap that
// holds tens of megabytes of record bytes is let grow to twice that before it is collected.
type Buffers struct {
	retainedMax atomic.Int64
	retained    atomic.Int64 // bytes idle in all classes; may exceed the bound for a moment
	held        atomic.Int64 // bytes of buffers that somebody has
	uses        atomic.Int64 // of trim, to tell which class was used last
	classes     [classCount]bufferClass
}

type bufferClass struct {
	mu   sync.Mutex
	idle []*buffer // guarded by mu
	used atomic.Int64
}

// Classes are four per doubling, so that at most a fifth of a buffer is wasted.
const (
	stepsPerDoubling = 4
	doublings        = 15 // bufferMin<<15 = BufferMax
	classCount       = doublings*stepsPerDoubling + 1
)

var _ env.Buffers = (*Buffers)(nil)

// NewBuffers returns a pool that retains at most retainedMax bytes; 0: the default.
func NewBuffers(retainedMax int64) *Buffers {
	if retainedMax == 0 {
		retainedMax = BuffersRetainedDefault
	}
	p := &Buffers{}
	p.retainedMax.Store(retainedMax)
	return p
}

// Retained is the bytes of the idle buffers.
func (p *Buffers) Retained() int64 { return p.retained.Load() }

// Held is the bytes of the buffers that somebody has.
func (p *Buffers) Held() int64 { return p.held.Load() }

// Close gives up the idle buffers, and from now on each one as it is released: the garbage
// collector does not see them.
func (p *Buffers) Close() {
	p.retainedMax.Store(0)
	p.trim()
}

// Get returns a buffer of n bytes with one reference.
func (p *Buffers) Get(n int) env.Buffer {
	if n > BufferMax {
		b := &buffer{bytes: make([]byte, n), pool: p, class: unpooled}
		b.refs.Store(1)
		p.held.Add(int64(n))
		return b
	}
	class, size := classOf(n)
	c := &p.classes[class]
	b := c.pop()
	if b == nil {
		b = &buffer{pool: p, class: class, space: newSpace(size)}
	} else {
		p.retained.Add(-int64(size))
	}
	p.held.Add(int64(size))
	if now := p.uses.Load(); c.used.Load() != now {
		c.used.Store(now)
	}
	b.bytes = b.space[:n:n]
	b.refs.Store(1)
	return b
}

// newSpace is the memory of a buffer.
func newSpace(size int) []byte {
	if size >= offHeapMin {
		if space := mapSpace(size); space != nil {
			return space
		}
	}
	return make([]byte, size)
}

func (c *bufferClass) pop() *buffer {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.idle)
	if n == 0 {
		return nil
	}
	b := c.idle[n-1]
	c.idle[n-1] = nil
	c.idle = c.idle[:n-1]
	return b
}

// put keeps an idle buffer, and makes room for it where there is none.
func (p *Buffers) put(b *buffer) {
	c, size := &p.classes[b.class], int64(len(b.space)) // it may be gone once it is idle
	c.mu.Lock()
	c.idle = append(c.idle, b)
	c.mu.Unlock()
	p.held.Add(-size)
	if p.retained.Add(size) > p.retainedMax.Load() {
		p.trim()
	}
}

// trim gives idle buffers up until the bound holds: those of the class that has not been
// asked for the longest, since the sizes that are in use now will be asked for again.
func (p *Buffers) trim() {
	p.uses.Add(1)
	for p.retained.Load() > p.retainedMax.Load() {
		b := p.stalest().pop()
		if b == nil {
			return // another goroutine was faster
		}
		p.retained.Add(-int64(len(b.space)))
		b.free()
	}
}

// stalest is the class with idle buffers that was used the longest ago.
func (p *Buffers) stalest() *bufferClass {
	best, used := &p.classes[0], int64(-1)
	for i := range p.classes {
		c := &p.classes[i]
		c.mu.Lock()
		idle := len(c.idle)
		c.mu.Unlock()
		if u := c.used.Load(); idle > 0 && (used < 0 || u < used) {
			best, used = c, u
		}
	}
	return best
}

// classOf finds the smallest class that holds n bytes, and its size.
func classOf(n int) (class, size int) {
	if n <= bufferMin {
		return 0, bufferMin
	}
	// n-1 is in [1<<top, 2<<top); a step is a quarter of that doubling.
	top := bits.Len(uint(n-1)) - 1
	step := 1 << top / stepsPerDoubling
	steps := (n - 1<<top + step - 1) / step // 1..4
	doubling := top - (bits.Len(uint(bufferMin)) - 1)
	return doubling*stepsPerDoubling + steps, 1<<top + steps*step
}

// unpooled is the class of what is too large to be pooled.
const unpooled = -1

// buffer is env.Buffer.
type buffer struct {
	refs  atomic.Int32
	bytes []byte

	pool  *Buffers
	class int
	space []byte
}

func (b *buffer) Bytes() []byte { return b.bytes }

// Retain adds a reference.
func (b *buffer) Retain() {
	// Who retains must hold a reference; without one the bytes may be another's already.
	if b.refs.Add(1) <= 1 {
		invariant.Violated("diskx.buffer-retained-alive", "%d bytes retained after the last release", len(b.bytes))
	}
}

// Release drops a reference; the last one gives the buffer back.
func (b *buffer) Release() {
	left := b.refs.Add(-1)
	if left > 0 {
		return
	}
	// One release too many means that two owners believe in one reference, and that the
	// bytes of one of them are about to be overwritten.
	if left < 0 {
		invariant.Violated("diskx.buffer-released-once", "%d bytes released too often", len(b.bytes))
	}
	if b.class == unpooled {
		b.pool.held.Add(int64(-len(b.bytes)))
		return
	}
	if invariant.Slow {
		for i := range b.bytes {
			b.bytes[i] = 0xdb
		}
	}
	b.pool.put(b)
}

// free gives the memory back. Nobody holds a reference.
func (b *buffer) free() {
	if len(b.space) >= offHeapMin {
		unmapSpace(b.space)
	}
	b.bytes, b.space = nil, nil
}
