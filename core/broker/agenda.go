package broker

import (
	"container/heap"
	"math"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// # Retention
//
// Every log.retention.check.interval.ms the agenda is looked at, if there is anything on it:
// partitions that have grown or changed since the last look, whose size may be too much; and
// those whose oldest segment is too old by now, from a heap by that time. A partition that
// nobody writes to costs an entry in the heap and no work until its time has come. Times are
// those of the wall clock, as the records' are, so a clock that steps is heeded at the next
// look.

// agenda is which partitions retention looks at, and when.
type agenda struct {
	visits map[visitKey]*visit
	heap   visitHeap
	fresh  []*visit // to be looked at next time, in the order it came
	armed  bool
}

type visitKey struct {
	id        kafka.TopicID
	partition int32
}

// visit is one partition's entry.
type visit struct {
	p     *api.Partition
	due   int64 // ms of the wall clock
	at    int   // in the heap, −1: not in it
	fresh bool
	gone  bool
}

func (b *Broker) visitOf(p *api.Partition) *visit {
	key := visitKey{p.ID, p.TP.Partition}
	v := b.agenda.visits[key]
	if v == nil || v.p != p {
		v = &visit{p: p, at: -1}
		b.agenda.visits[key] = v
	}
	return v
}

// look has retention look at a partition next time.
func (b *Broker) look(p *api.Partition) {
	v := b.visitOf(p)
	if !v.fresh {
		v.fresh = true
		b.agenda.fresh = append(b.agenda.fresh, v)
	}
	b.armAgenda()
}

// unplan takes a partition off the agenda.
func (b *Broker) unplan(p *api.Partition) {
	key := visitKey{p.ID, p.TP.Partition}
	v := b.agenda.visits[key]
	if v == nil || v.p != p {
		return
	}
	v.gone = true
	if v.at >= 0 {
		heap.Remove(&b.agenda.heap, v.at)
	}
	delete(b.agenda.visits, key)
}

func (b *Broker) armAgenda() {
	a := &b.agenda
	if a.armed || len(a.fresh)+len(a.heap) == 0 {
		return
	}
	a.armed = true
	at := b.env.Clock.Now().Add(b.settings.retentionCheck)
	b.env.Clock.SetTimer(env.TimerKey{Kind: timerRetention}, at)
}

// retain is one look at the agenda.
func (b *Broker) retain() {
	a := &b.agenda
	a.armed = false
	wall := b.env.Clock.WallMillis()
	fresh := a.fresh
	a.fresh = nil
	for len(a.heap) > 0 && a.heap[0].due < wall {
		v := heap.Pop(&a.heap).(*visit)
		if !v.fresh {
			fresh = append(fresh, v)
		}
	}
	for _, v := range fresh {
		v.fresh = false
		if !v.gone {
			v.p.Log.Retain(wall, v.p.HighWatermark())
			b.plan(v)
		}
	}
	b.armAgenda()
}

// plan puts a partition where its next expiry is.
func (b *Broker) plan(v *visit) {
	a := &b.agenda
	v.due = v.p.Log.NextExpiry()
	switch {
	case v.due == math.MaxInt64 && v.at >= 0:
		heap.Remove(&a.heap, v.at)
	case v.due == math.MaxInt64:
	case v.at >= 0:
		heap.Fix(&a.heap, v.at)
	default:
		heap.Push(&a.heap, v)
	}
}

// visitHeap implements heap.Interface: the earliest first.
type visitHeap []*visit

func (h visitHeap) Len() int           { return len(h) }
func (h visitHeap) Less(i, j int) bool { return h[i].due < h[j].due }
func (h visitHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push implements heap.Interface.
func (h *visitHeap) Push(x any) {
	v := x.(*visit)
	v.at = len(*h)
	*h = append(*h, v)
}

// Pop implements heap.Interface.
func (h *visitHeap) Pop() any {
	old := *h
	v := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	v.at = -1
	return v
}
