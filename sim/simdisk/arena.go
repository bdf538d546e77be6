package simdisk

const (
	// arenaPiece is how much an Arena asks for at a time; what is larger than a quarter of it
	// is asked for alone.
	arenaPiece = 256 << 10
	// arenaPieces bounds what an Arena keeps. A disk that needs more gets memory of its own,
	// which is collected when its sectors are overwritten, as an Arena's is not.
	arenaPieces = 64
)

// Arena is memory for the bytes of disks, one after the other: a sector lives as long as its
// disk, or nearly so, and asking the runtime for each costs more than all else that a
// simulated disk does. The zero value is ready; nil is none: every piece comes from the runtime.
type Arena struct {
	pieces [][]byte
	next   int    // of pieces, to be cut when rest is used up
	rest   []byte // of the piece before
}

// Reset makes all memory free again. The disks that had it must not be used any more.
func (a *Arena) Reset() { a.next, a.rest = 0, nil }

// bytes gives n bytes of undefined contents.
func (a *Arena) bytes(n int) []byte {
	if a == nil || n > arenaPiece/4 {
		return make([]byte, n)
	}
	if n > len(a.rest) && !a.refill() {
		return make([]byte, n)
	}
	b := a.rest[:n:n]
	a.rest = a.rest[n:]
	return b
}

func (a *Arena) refill() bool {
	if a.next == arenaPieces {
		return false
	}
	if a.next == len(a.pieces) {
		a.pieces = append(a.pieces, make([]byte, arenaPiece))
	}
	a.rest = a.pieces[a.next]
	a.next++
	return true
}

// clone is bytes.Clone into the arena.
func (a *Arena) clone(b []byte) []byte {
	c := a.bytes(len(b))
	copy(c, b)
	return c
}

// gather puts the pieces of a write together.
func (a *Arena) gather(bufs [][]byte) []byte {
	n := 0
	for _, b := range bufs {
		n += len(b)
	}
	data := a.bytes(n)
	for at := 0; len(bufs) > 0; bufs = bufs[1:] {
		at += copy(data[at:], bufs[0])
	}
	return data
}
