package engine

import "github.com/tidemark-log/tidemark/core/env"

// Target runs events. Op and arg mean what the target says.
type Target interface {
	Fire(op uint32, arg uint64)
}

// NoHost marks an event of the world itself.
const NoHost int32 = -1

// Event is something that will happen at an instant.
type Event struct {
	At     env.Instant
	Target Target
	Arg    uint64
	Op     uint32
	// Host is the host the event is for, or NoHost; Life the incarnation it is for. An
	// event for a past life of a host is dropped by the world.
	Host int32
	Life uint32
}

// entry keeps the heap small: four children fill one cache line. The key is the sequence
// number over the slot of the payload; sequences are unique, so the slot never decides.
type entry struct {
	at  env.Instant
	key uint64
}

const slotBits = 24

func (a entry) before(b entry) bool { return a.at < b.at || a.at == b.at && a.key < b.key }

// Queue orders events by time, and those of one instant by the order they were put in.
type Queue struct {
	heap  []entry
	slots []Event
	free  []uint32
	seq   uint64
}

// Len is the number of events waiting.
func (q *Queue) Len() int { return len(q.heap) }

// Peek returns the next event without taking it. The pointer is valid until the next Push.
func (q *Queue) Peek() *Event {
	if len(q.heap) == 0 {
		return nil
	}
	return &q.slots[q.heap[0].key&(1<<slotBits-1)]
}

// Push puts an event in.
func (q *Queue) Push(ev Event) {
	var slot uint32
	if n := len(q.free); n > 0 {
		slot = q.free[n-1]
		q.free = q.free[:n-1]
		q.slots[slot] = ev
	} else {
		slot = uint32(len(q.slots))
		if slot >= EventsMax {
			panic("engine: more than EventsMax events waiting")
		}
		q.slots = append(q.slots, ev)
	}
	q.seq++
	q.heap = append(q.heap, entry{ev.At, q.seq<<slotBits | uint64(slot)})
	q.up(len(q.heap) - 1)
}

// Pop takes the next event.
func (q *Queue) Pop() (Event, bool) {
	if len(q.heap) == 0 {
		return Event{}, false
	}
	slot := uint32(q.heap[0].key & (1<<slotBits - 1))
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap = q.heap[:last]
	if last > 1 {
		q.down()
	}
	ev := q.slots[slot]
	q.slots[slot].Target = nil // let the past be collected
	q.free = append(q.free, slot)
	return ev, true
}

func (q *Queue) up(i int) {
	h, e := q.heap, q.heap[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
}

func (q *Queue) down() {
	h, e, i := q.heap, q.heap[0], 0
	for {
		child := 4*i + 1
		if child >= len(h) {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, len(h)); c++ {
			if h[c].before(h[least]) {
				least = c
			}
		}
		if !h[least].before(e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}
