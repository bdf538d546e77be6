package timers

import "github.com/tidemark-log/tidemark/core/env"

// Table holds the armed timers. The zero value is empty and ready.
type Table struct {
	heap  []*timer
	byKey map[env.TimerKey]*timer
	free  []*timer
	seq   uint64
}

type timer struct {
	key   env.TimerKey
	at    env.Instant
	seq   uint64 // timers of one instant fire in the order they were armed
	index int
}

// Len is the number of armed timers.
func (t *Table) Len() int { return len(t.heap) }

// Set arms the timer of key for at, replacing an armed one in place.
func (t *Table) Set(key env.TimerKey, at env.Instant) {
	t.seq++
	if old := t.byKey[key]; old != nil {
		old.at, old.seq = at, t.seq
		t.fix(old.index)
		return
	}
	if t.byKey == nil {
		t.byKey = make(map[env.TimerKey]*timer)
	}
	var n *timer
	if k := len(t.free); k > 0 {
		n, t.free = t.free[k-1], t.free[:k-1]
	} else {
		n = new(timer)
	}
	*n = timer{key: key, at: at, seq: t.seq, index: len(t.heap)}
	t.byKey[key] = n
	t.heap = append(t.heap, n)
	t.up(n.index)
}

// Clear disarms the timer of key, if it is armed.
func (t *Table) Clear(key env.TimerKey) {
	if old := t.byKey[key]; old != nil {
		t.remove(old)
	}
}

// Next is the instant of the earliest timer; false when none is armed.
func (t *Table) Next() (env.Instant, bool) {
	if len(t.heap) == 0 {
		return 0, false
	}
	return t.heap[0].at, true
}

// PopDue disarms and returns the earliest timer if it is due at now. Take one, deliver it,
// and ask again: the delivery may clear the next.
func (t *Table) PopDue(now env.Instant) (env.TimerKey, bool) {
	if len(t.heap) == 0 || t.heap[0].at > now {
		return env.TimerKey{}, false
	}
	first := t.heap[0]
	key := first.key
	t.remove(first)
	return key, true
}

func (t *Table) remove(n *timer) {
	delete(t.byKey, n.key)
	i, last := n.index, len(t.heap)-1
	moved := t.heap[last]
	t.heap[last] = nil
	t.heap = t.heap[:last]
	if i != last {
		t.heap[i], moved.index = moved, i
		t.fix(i)
	}
	n.key = env.TimerKey{}
	t.free = append(t.free, n)
}

func (t *Table) less(a, b *timer) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

func (t *Table) fix(i int) {
	if !t.down(i) {
		t.up(i)
	}
}

func (t *Table) up(i int) {
	n := t.heap[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !t.less(n, t.heap[parent]) {
			break
		}
		t.heap[i], t.heap[parent].index = t.heap[parent], i
		i = parent
	}
	t.heap[i], n.index = n, i
}

// down reports whether the timer at i moved.
func (t *Table) down(i int) bool {
	n, start := t.heap[i], i
	for {
		child := 2*i + 1
		if child >= len(t.heap) {
			break
		}
		if r := child + 1; r < len(t.heap) && t.less(t.heap[r], t.heap[child]) {
			child = r
		}
		if !t.less(t.heap[child], n) {
			break
		}
		t.heap[i], t.heap[child].index = t.heap[child], i
		i = child
	}
	t.heap[i], n.index = n, i
	return i > start
}
