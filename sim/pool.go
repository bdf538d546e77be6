package sim

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/tidemark-log/tidemark/core/invariant"
)

// poison fills released buffers: no batch, length or offset made of it looks right.
const poison = 0xdb

const sizeClasses = 40

// pool keeps the memory of a world's released buffers, poisoned, by the power of two that
// holds its size. The lives share it: what a process leaves is as good as new.
type pool [sizeClasses]quarantine

// quarantine is a queue of poisoned memory. The oldest is used again when so much has been
// released after it that a late read of it would have found poison.
type quarantine struct {
	ring    [][]byte
	head, n int
	// free was in quarantine in worlds before this one.
	free [][]byte
}

// capacity keeps the quarantine of a class of large buffers small.
func capacity(class int) int {
	return min(BufferQuarantine, max(2, QuarantineBytes>>class))
}

func classOf(size int) int { return bits.Len(uint(max(size, 1) - 1)) }

// get gives n bytes of poison.
func (p *pool) get(n int) []byte {
	class := classOf(n)
	q := &p[class]
	if q.n >= capacity(class) {
		mem := q.pop()[:n]
		if i := firstScar(mem); i >= 0 {
			// Bytes of a buffer belong to somebody else after the last Release.
			invariant.Violated("sim.buffer-written-after-release", "%s", scarText(n, i))
		}
		return mem
	}
	if last := len(q.free) - 1; last >= 0 {
		mem := q.free[last]
		q.free = q.free[:last]
		return mem[:n]
	}
	mem := make([]byte, 1<<class)
	fill(mem)
	return mem[:n]
}

// put takes the memory of a buffer that nobody holds any more.
func (p *pool) put(mem []byte) {
	fill(mem)
	class := classOf(cap(mem))
	q := &p[class]
	if q.ring == nil {
		// More than is kept back, for what a burst has held at once.
		q.ring = make([][]byte, 2*capacity(class))
	}
	if q.n < len(q.ring) {
		q.ring[(q.head+q.n)%len(q.ring)] = mem
		q.n++
	}
}

func (q *quarantine) pop() []byte {
	mem := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	return mem
}

// scarred looks for a late write to what is in quarantine; size 0: there was none.
func (p *pool) scarred() (at, size int) {
	for class := range p {
		q := &p[class]
		for i := range q.n {
			mem := q.ring[(q.head+i)%len(q.ring)]
			if at := firstScar(mem); at >= 0 {
				return at, len(mem)
			}
		}
	}
	return 0, 0
}

// reset makes all of it fresh for another world.
func (p *pool) reset() {
	for class := range p {
		q := &p[class]
		for q.n > 0 {
			if mem := q.pop(); len(q.free) < 2*len(q.ring) {
				q.free = append(q.free, mem)
			}
		}
	}
}

var poisonPage = bytes.Repeat([]byte{poison}, 4096)

func fill(mem []byte) {
	for len(mem) > 0 {
		mem = mem[copy(mem, poisonPage):]
	}
}

// firstScar looks at both ends only: enough to catch a late write of a frame or batch.
func firstScar(mem []byte) int {
	for i := 0; i < min(64, len(mem)); i++ {
		if mem[i] != poison || mem[len(mem)-1-i] != poison {
			return i
		}
	}
	return -1
}

func scarText(size, at int) string { return fmt.Sprintf("size=%d at=%d", size, at) }
