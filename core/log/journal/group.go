package journal

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// group collects entries as pieces of one gathered write. Batches are not copied: the
// pieces point into their buffers, which the group holds until its write is reported.
// Groups are reused, so that steady appending allocates nothing.
type group struct {
	seq     Seq
	entries int
	body    int64
	sum     uint32 // over the entries' checksums
	urgent  bool   // carries what a checkpoint waits for: may pass the limit of files

	head   [headerSize]byte
	word   [4]byte // scratch: a local one would be allocated for each entry
	heads  []byte  // arena of entry heads and control payloads
	bufs   [][]byte
	owners []env.Buffer
}

func (g *group) reset(seq Seq) {
	g.seq, g.entries, g.body, g.sum, g.urgent = seq, 0, 0, 0, false
	if cap(g.heads) > headsKeepMax {
		g.heads = nil
	}
	g.heads = g.heads[:0]
	clear(g.bufs)
	g.bufs = append(g.bufs[:0], g.head[:])
	clear(g.owners)
	g.owners = g.owners[:0]
}

// full tells that an entry of n payload bytes belongs into the next group.
func (g *group) full(n, limit int) bool {
	return g.entries > 0 && (g.body+headSize+int64(n) > groupBytesMax || g.entries >= limit)
}

// add takes an entry. A batch's payload stays where it is, kept by owner; any other
// payload is copied.
func (g *group) add(e *Entry, owner env.Buffer) {
	limit := controlPayloadMax
	if e.Kind == KindBatch {
		limit = payloadMax
	}
	// A payload past its bound could not be read back at boot.
	if len(e.Payload) > limit {
		invariant.Violated("journal.payload-bounded", "kind=%s bytes=%d", e.Kind, len(e.Payload))
	}
	from := len(g.heads)
	g.heads = append(g.heads, zeros[:headSize]...)
	crc := putHead(g.heads[from:], e)
	if e.Kind != KindBatch {
		g.heads = append(g.heads, e.Payload...)
	}
	g.bufs = append(g.bufs, g.heads[from:len(g.heads):len(g.heads)])
	if e.Kind == KindBatch {
		g.bufs = append(g.bufs, e.Payload)
		if owner != nil {
			owner.Retain()
			g.owners = append(g.owners, owner)
		}
	}
	binary.BigEndian.PutUint32(g.word[:], crc)
	g.sum = crc32.Update(g.sum, castagnoli, g.word[:])
	g.entries++
	g.body += headSize + int64(len(e.Payload))
}

// seal completes the write: header in front, zeroes up to the next block behind.
func (g *group) seal(h header) [][]byte {
	h.seq, h.bodyLen, h.entries, h.entriesCRC = g.seq, uint32(g.body), uint32(g.entries), g.sum
	h.put(g.head[:])
	if pad := padded(headerSize+g.body) - headerSize - g.body; pad > 0 {
		g.bufs = append(g.bufs, zeros[:pad])
	}
	return g.bufs
}

func (g *group) size() int64 { return padded(headerSize + g.body) }

// release gives up the buffers after the write was reported.
func (g *group) release() {
	for _, o := range g.owners {
		o.Release()
	}
	clear(g.owners)
	g.owners = g.owners[:0]
	clear(g.bufs)
	g.bufs = g.bufs[:0]
}

var zeros [Block]byte
