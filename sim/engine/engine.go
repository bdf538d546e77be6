package engine

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
)

// Engine is the clock and the queue that the parts of one world share.
type Engine struct {
	Choice Choice
	// Trace takes what the world itself decides: faults, starts, crashes.
	Trace func(trace.Event)
	// Faults are the records of all faults.
	Faults Faults

	queue Queue
	now   env.Instant
}

// New returns an engine at time zero.
func New(seed uint64) *Engine {
	e := &Engine{Choice: NewChoice(seed), Trace: func(trace.Event) {}}
	e.Faults.engine = e
	return e
}

// Now is the time of the event that runs.
func (e *Engine) Now() env.Instant { return e.now }

// Post makes ev happen, never before the present.
func (e *Engine) Post(ev Event) {
	if ev.At < e.now {
		ev.At = e.now
	}
	e.queue.Push(ev)
}

// Peek returns the next event, nil when nothing will ever happen again. The pointer is
// valid until the next Post.
func (e *Engine) Peek() *Event { return e.queue.Peek() }

// Next takes the next event and moves time to it.
func (e *Engine) Next() (Event, bool) {
	ev, ok := e.queue.Pop()
	if ok {
		e.now = ev.At
	}
	return ev, ok
}

// Skip moves time forward to t; no event may wait before it.
func (e *Engine) Skip(t env.Instant) { e.now = max(e.now, t) }

// Waiting is the number of events in the queue.
func (e *Engine) Waiting() int { return e.queue.Len() }
