package netx

import (
	"sync"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/timers"
)

// Loop runs one env.Handler on one goroutine: everything that happens to a node goes
// through its inbox. It is also the node's clock.
type Loop struct {
	began  time.Time
	wake   chan struct{} // capacity 1
	timers timers.Table  // loop goroutine only
	net    *Net          // told when frames leave the inbox and when to write; may be nil

	mu       sync.Mutex // guards what follows
	inbox    []event
	sleeping bool
	stopped  bool
}

// event is one thing that happened. A struct and not an interface: the inbox is a slice
// that is reused, so an event allocates nothing.
type event struct {
	kind  eventKind
	conn  *conn
	frame env.Received
	done  env.Completion
	err   error
	call  func()
}

type eventKind uint8

const (
	eventAccepted eventKind = iota
	eventDialed
	eventFrame
	eventWritable
	eventClosed
	eventDisk
	eventCall
)

// NewLoop returns a loop whose clock starts now.
func NewLoop() *Loop {
	return &Loop{began: time.Now(), wake: make(chan struct{}, 1)}
}

// Now implements env.Clock.
func (l *Loop) Now() env.Instant { return env.Instant(time.Since(l.began)) }

// WallMillis implements env.Clock.
func (l *Loop) WallMillis() int64 { return time.Now().UnixMilli() }

// SetTimer implements env.Clock; only the handler may call it.
func (l *Loop) SetTimer(key env.TimerKey, at env.Instant) { l.timers.Set(key, at) }

// ClearTimer implements env.Clock; only the handler may call it.
func (l *Loop) ClearTimer(key env.TimerKey) { l.timers.Clear(key) }

// DiskDone puts a completion into the inbox. Any goroutine may call it.
func (l *Loop) DiskDone(done env.Completion) { l.post(event{kind: eventDisk, done: done}) }

// Call runs f on the loop's goroutine, some time; it reports false after the loop stopped.
func (l *Loop) Call(f func()) bool { return l.post(event{kind: eventCall, call: f}) }

// Do runs f on the loop's goroutine and waits for it; it reports false after the loop
// stopped. Never call it from the handler.
func (l *Loop) Do(f func()) bool {
	ran := make(chan struct{})
	if !l.Call(func() { f(); close(ran) }) {
		return false
	}
	<-ran
	return true
}

// Stop makes Run return when it has handled what is in the inbox.
func (l *Loop) Stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.signal()
}

func (l *Loop) post(e event) bool {
	l.mu.Lock()
	if l.stopped {
		l.mu.Unlock()
		if e.frame.Buffer != nil {
			e.frame.Buffer.Release()
		}
		return false
	}
	l.inbox = append(l.inbox, e)
	wake := l.sleeping
	l.sleeping = false
	l.mu.Unlock()
	if wake {
		l.signal()
	}
	return true
}

func (l *Loop) signal() {
	select {
	case l.wake <- struct{}{}:
	default: // a signal is waiting already
	}
}

// Run feeds h until Stop. It is the only caller of h.
func (l *Loop) Run(h env.Handler) {
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	l.flush() // what boot sent
	var batch []event
	for {
		var stopped bool
		batch, stopped = l.take(batch)
		for i := range batch {
			l.dispatch(h, &batch[i])
			if i%eventsPerFlush == eventsPerFlush-1 {
				l.flush()
			}
		}
		fired := l.fireTimers(h)
		if len(batch) > 0 || fired {
			h.Drained()
			l.flush()
			continue
		}
		if stopped {
			return
		}
		l.sleep(alarm)
	}
}

func (l *Loop) flush() {
	if l.net != nil {
		l.net.flush()
	}
}

// take swaps the inbox for the emptied batch. An empty result means that the loop is
// marked as sleeping: the next post will signal.
func (l *Loop) take(batch []event) ([]event, bool) {
	clear(batch) // drop references before the slice waits as the next inbox
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.inbox
	l.inbox = batch[:0]
	l.sleeping = len(taken) == 0
	return taken, l.stopped
}

// fireTimers delivers what was due when it was called. A timer that a handler sets to a
// moment already past waits for the next round, behind the inbox.
func (l *Loop) fireTimers(h env.Handler) bool {
	now, round := l.Now(), l.timers.Len()
	for i := range round {
		key, due := l.timers.PopDue(now)
		if !due {
			return i > 0
		}
		h.TimerFired(key)
	}
	return round > 0
}

// sleep waits for a signal or the next timer.
func (l *Loop) sleep(alarm *time.Timer) {
	at, armed := l.timers.Next()
	if !armed {
		<-l.wake
		return
	}
	alarm.Reset(max(0, at.Sub(l.Now())))
	select {
	case <-l.wake:
	case <-alarm.C:
	}
}

// dispatch hands one event to the handler. A connection this side closed is silent: its
// late events end here, in one place.
func (l *Loop) dispatch(h env.Handler, e *event) {
	switch e.kind {
	case eventDisk:
		h.DiskDone(e.done)
		return
	case eventCall:
		e.call()
		return
	}
	c := e.conn
	if e.kind == eventFrame {
		size := len(e.frame.Buffer.Bytes())
		c.left(size)
		l.net.left(size)
	}
	if c.silent || c.closing && (e.kind == eventFrame || e.kind == eventWritable) {
		if e.frame.Buffer != nil {
			e.frame.Buffer.Release()
		}
		return
	}
	l.dispatchConn(h, e)
}

func (l *Loop) dispatchConn(h env.Handler, e *event) {
	c := e.conn
	switch e.kind {
	case eventAccepted:
		l.net.conns[c.id] = c
		h.ConnAccepted(c.id, c.info)
	case eventDialed:
		if e.err != nil {
			l.net.forget(c)
		}
		h.ConnDialed(c.id, e.err)
	case eventFrame:
		h.FrameReceived(c.id, e.frame)
	case eventWritable:
		h.ConnWritable(c.id)
	case eventClosed:
		l.net.forget(c)
		h.ConnClosed(c.id, e.err)
	}
}
