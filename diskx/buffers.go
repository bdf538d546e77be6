package diskx

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// Buffers is a pool of reference-counted buffers: env.Buffers. It keeps idle buffers by
// size class up to a bound in bytes, and gives the rest to the garbage collector. It is not
// a sync.Pool, because that forgets at each collection, and touching fresh memory is what
// costs.
type Buffers struct {
	retainedMax int64
	retained    atomic.Int64 // bytes idle in all classes; may exceed the bound for a moment
	classes     [classCount]bufferClass
}

type bufferClass struct {
	mu   sync.Mutex
	idle []*buffer // guarded by mu
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
	return &Buffers{retainedMax: retainedMax}
}

// Retained is the bytes of the idle buffers.
func (p *Buffers) Retained() int64 { return p.retained.Load() }

// Get returns a buffer of n bytes with one reference.
func (p *Buffers) Get(n int) env.Buffer {
	if n > BufferMax {
		b := &buffer{bytes: make([]byte, n)}
		b.refs.Store(1)
		return b
	}
	class, size := classOf(n)
	b := p.classes[class].pop()
	if b == nil {
		b = &buffer{pool: p, class: class, space: make([]byte, size)}
	} else {
		p.retained.Add(-int64(size))
	}
	b.bytes = b.space[:n:n]
	b.refs.Store(1)
	return b
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

// put keeps an idle buffer if there is room.
func (p *Buffers) put(b *buffer) {
	size := int64(len(b.space))
	if p.retained.Add(size) > p.retainedMax {
		p.retained.Add(-size)
		return
	}
	c := &p.classes[b.class]
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = append(c.idle, b)
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

// buffer is env.Buffer.
type buffer struct {
	refs  atomic.Int32
	bytes []byte

	pool  *Buffers // nil: too large to be pooled
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
	if b.pool == nil {
		return
	}
	if invariant.Slow {
		for i := range b.bytes {
			b.bytes[i] = 0xdb
		}
	}
	b.pool.put(b)
}
