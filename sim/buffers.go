package sim

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// buffers is the env.Buffers of one life.
type buffers struct {
	pool *pool
	held int
}

// Get gives n bytes of poison: undefined contents that look like nothing a process knows.
func (p *buffers) Get(n int) env.Buffer {
	p.held++
	return &buffer{b: p.pool.get(n), refs: 1, owner: p}
}

type buffer struct {
	b     []byte
	refs  int32
	owner *buffers
}

func (b *buffer) Bytes() []byte {
	if b.refs <= 0 {
		// A buffer may be read only while a reference is held.
		invariant.Violated("sim.buffer-used-after-release", "size=%d", len(b.b))
	}
	// Without spare capacity: what is appended goes elsewhere, and never into memory that
	// the next holder takes for poison.
	return b.b[:len(b.b):len(b.b)]
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
		b.owner.held--
		b.owner.pool.put(b.b)
	}
}
