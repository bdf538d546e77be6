package sim

import (
	"bytes"
	"math/bits"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// poison fills released buffers: no batch, length or offset made of it looks right.
const poison = 0xdb

// buffers is the env.Buffers of one life. Released memory is poisoned at once and used
// again only after a number of further releases of its size class.
type buffers struct {
	classes [sizeClasses]quarantine // by the power of two that holds the size
	held    int
	bytes   int64
}

const sizeClasses = 40

// quarantine is a queue of poisoned memory; the oldest is used again when it is full.
type quarantine struct {
	ring    [BufferQuarantine][]byte
	head, n int
}

// capacity keeps the quarantine of a class of large buffers small.
func capacity(class int) int {
	return min(BufferQuarantine, max(2, QuarantineBytes>>class))
}

func (p *buffers) Get(n int) env.Buffer {
	p.held++
	p.bytes += int64(n)
	class := bits.Len(uint(max(n, 1) - 1))
	q := &p.classes[class]
	if q.n < capacity(class) {
		return &buffer{b: make([]byte, n, 1<<class), refs: 1, pool: p}
	}
	mem := q.ring[q.head][:n]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % BufferQuarantine
	q.n--
	checkPoison(mem)
	return &buffer{b: mem, refs: 1, pool: p}
}

func (p *buffers) put(mem []byte) {
	fill(mem)
	class := bits.Len(uint(max(cap(mem), 1) - 1))
	q := &p.classes[class]
	if q.n < capacity(class) {
		q.ring[(q.head+q.n)%BufferQuarantine] = mem[:0]
		q.n++
	}
}

var poisonPage = bytes.Repeat([]byte{poison}, 4096)

func fill(mem []byte) {
	for len(mem) > 0 {
		mem = mem[copy(mem, poisonPage):]
	}
}

// checkPoison looks at both ends only: enough to catch a late write of a frame or batch.
func checkPoison(mem []byte) {
	for i := 0; i < min(64, len(mem)); i++ {
		if mem[i] != poison && mem[i] != 0 || mem[len(mem)-1-i] != poison && mem[len(mem)-1-i] != 0 {
			// Bytes of a buffer belong to somebody else after the last Release.
			invariant.Violated("sim.buffer-written-after-release", "size=%d at=%d", len(mem), i)
		}
	}
}

type buffer struct {
	b    []byte
	refs int32
	pool *buffers
}

func (b *buffer) Bytes() []byte {
	if b.refs <= 0 {
		// A buffer may be read only while a reference is held.
		invariant.Violated("sim.buffer-used-after-release", "size=%d", len(b.b))
	}
	return b.b
}

func (b *buffer) Retain() {
	if b.refs <= 0 {
		// A reference can only be taken by somebody who holds one.
		invariant.Violated("sim.buffer-retained-after-release", "size=%d", len(b.b))
	}
	b.refs++
}

func (b *buffer) Release() {
	if b.refs <= 0 {
		// Each reference is released once.
		invariant.Violated("sim.buffer-released-twice", "size=%d", len(b.b))
	}
	b.refs--
	if b.refs == 0 {
		b.pool.held--
		b.pool.bytes -= int64(len(b.b))
		b.pool.put(b.b)
	}
}
