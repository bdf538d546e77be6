package log

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// opKind says what to do with a completion.
type opKind uint8

const (
	opNone opKind = iota
	opJournal
	opPrepare // the journal's next file was made
	opSegment // a write behind
	opJob     // a step of a sync job
	opRead
	opNames   // the directory's own names were synced, after a rename
	opTrimmed // a log's names were, after segments were let go
)

// op is an asynchronous operation under way.
type op struct {
	kind  opKind
	gen   uint32
	log   *Log
	write *segmentWrite
	job   *syncJob
	seg   *segment // of a sync within job
	upTo  int64    // what that sync covers
	read  *diskRead
	gone  *deletion
	trim  *trimming
}

// opTable gives tags to operations: a slot and its generation, so that nothing is allocated
// and a completion that comes twice is noticed. The first slots are the journal's.
type opTable struct {
	base     env.Tag
	slots    []op
	free     []uint32
	inFlight int
}

const (
	journalSlot = iota
	prepareSlot // the journal's next file
	ownedSlots  // the rest is for whoever comes
)

func (t *opTable) init(base env.Tag) {
	t.base = base
	t.slots = append(t.slots[:0], op{kind: opJournal}, op{kind: opPrepare})
}

func (t *opTable) tag(slot uint32, gen uint32) env.Tag {
	return t.base | env.Tag(gen&0xffffff)<<32 | env.Tag(slot+1)
}

func (t *opTable) start(o op) env.Tag {
	t.inFlight++
	if n := len(t.free); n > 0 {
		slot := t.free[n-1]
		t.free = t.free[:n-1]
		o.gen = t.slots[slot].gen + 1
		t.slots[slot] = o
		return t.tag(slot, o.gen)
	}
	t.slots = append(t.slots, o)
	return t.tag(uint32(len(t.slots)-1), 0)
}

// finish takes the operation of a completion.
func (t *opTable) finish(tag env.Tag) op {
	slot := uint32(tag) - 1
	if int(slot) < len(t.slots) && slot >= ownedSlots {
		o := t.slots[slot]
		if o.kind != opNone && tag == t.tag(slot, o.gen) {
			t.slots[slot] = op{gen: o.gen}
			t.free = append(t.free, slot)
			t.inFlight--
			return o
		}
	}
	for owned := range uint32(ownedSlots) {
		if tag == t.tag(owned, 0) {
			return t.slots[owned]
		}
	}
	// A completion that is not ours, or comes twice, would acknowledge something else.
	invariant.Violated("log.completion-expected", "tag=%#x", uint64(tag))
	return op{}
}
