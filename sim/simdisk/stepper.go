package simdisk

import (
	"container/heap"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// Stepper is a clock and an event queue, for tests of rooms that need a disk and no world:
//
//	s := simdisk.NewStepper()
//	d := simdisk.New(simdisk.Config{Schedule: s.Schedule, Now: s.Now})
//	v := d.Mount(func(c env.Completion) { … })
//	s.Run() // until nothing is in flight
type Stepper struct {
	now  env.Instant
	next uint64
	heap stepHeap
}

// NewStepper starts at zero.
func NewStepper() *Stepper { return &Stepper{} }

// Now is the time of the last event run.
func (s *Stepper) Now() env.Instant { return s.now }

// Schedule queues fn; equal times run in the order of their scheduling.
func (s *Stepper) Schedule(delay time.Duration, fn func()) {
	heap.Push(&s.heap, stepEvent{at: s.now.Add(delay), seq: s.next, fn: fn})
	s.next++
}

// Step runs one event; false: there was none.
func (s *Stepper) Step() bool {
	if len(s.heap) == 0 {
		return false
	}
	e := heap.Pop(&s.heap).(stepEvent)
	s.now = e.at
	e.fn()
	return true
}

// Run steps until nothing is queued.
func (s *Stepper) Run() {
	for s.Step() {
	}
}

// Sleep runs what is due within d and moves the clock to its end.
func (s *Stepper) Sleep(d time.Duration) {
	end := s.now.Add(d)
	for len(s.heap) > 0 && s.heap[0].at <= end {
		s.Step()
	}
	s.now = end
}

type stepEvent struct {
	at  env.Instant
	seq uint64
	fn  func()
}

type stepHeap []stepEvent

func (h stepHeap) Len() int { return len(h) }
func (h stepHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].seq < h[j].seq
}
func (h stepHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *stepHeap) Push(x any)   { *h = append(*h, x.(stepEvent)) }
func (h *stepHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = stepEvent{}
	*h = old[:len(old)-1]
	return e
}
