package netx

import (
	"sync"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/timers"
)

// Loop runs one env.Handler: everything that happens to a node goes through its inbox, one
// event after the other. It is also the node's clock.
//
// There is one turn to be had. Whoever posts an event while nobody has it takes it, and
// handles that event himself, with those that come meanwhile: at low load a request goes
// from the socket to the journal without a goroutine being woken in between, which would
// take longer than all the rest. A turn that becomes long is handed to Run's goroutine, so
// that a reader gets back to its socket; under load that is who handles everything.
type Loop struct {
	began  time.Time
	handed chan struct{} // capacity 1: the turn, for Run's goroutine
	net    *Net          // told when frames leave the inbox and when to write; may be nil

	// who has the turn only
	handler env.Handler
	timers  timers.Table
	batch   []event
	alarm   *time.Timer
	alarmAt env.Instant // when it rings, −1: it does not

	mu      sync.Mutex // guards what follows
	inbox   []event
	taken   bool // somebody has the turn
	rang    bool // the alarm rang meanwhile
	stopped bool
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
	return &Loop{began: time.Now(), handed: make(chan struct{}, 1), alarmAt: -1, taken: true}
}

// Now implements env.Clock.
func (l *Loop) Now() env.Instant { return env.Instant(time.Since(l.began)) }

// WallMillis implements env.Clock.
func (l *Loop) WallMillis() int64 { return time.Now().UnixMilli() }

// SetTimer implements env.Clock; only the handler may call it.
func (l *Loop) SetTimer(key env.TimerKey, at env.Instant) { l.timers.Set(key, at) }

// ClearTimer implements env.Clock; only the handler may call it.
func (l *Loop) ClearTimer(key env.TimerKey) { l.timers.Clear(key) }

// DiskDone puts a completion into the inbox. Any goroutine may call it that holds no lock
// which the handler may want: the handler may run on it.
func (l *Loop) DiskDone(done env.Completion) { l.post(event{kind: eventDisk, done: done}) }

// Call has Run's goroutine run f, some time; it reports false after the loop stopped.
func (l *Loop) Call(f func()) bool { return l.post(event{kind: eventCall, call: f}) }

// Do is Call that returns when f has run. Never call it from the handler.
func (l *Loop) Do(f func()) bool {
	ran := make(chan struct{})
	if !l.Call(func() { f(); close(ran) }) {
		return false
	}
	<-ran
	return true
}

// Stop makes Run return when what is in the inbox has been handled.
func (l *Loop) Stop() {
	l.mu.Lock()
	l.stopped = true
	free := !l.taken
	l.taken = true
	l.mu.Unlock()
	if free {
		l.handed <- struct{}{}
	}
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
	free := !l.taken
	l.taken = true
	l.mu.Unlock()
	switch {
	case !free:
	case e.kind == eventCall: // its caller may hold what f waits for
		l.handed <- struct{}{}
	default:
		l.turn()
	}
	return true
}

// Run feeds h until Stop. What was posted before is handled first.
func (l *Loop) Run(h env.Handler) {
	l.handler = h
	l.alarm = time.AfterFunc(time.Hour, l.ring)
	l.alarm.Stop()
	defer l.alarm.Stop()
	l.flush() // what boot sent
	for {
		for l.round() {
		}
		switch l.rest() {
		case restedForEver:
			return
		case rested:
			<-l.handed
		}
	}
}

// turn handles events until there are none, or for so many rounds.
func (l *Loop) turn() {
	for range turnRounds {
		if l.round() {
			continue
		}
		switch l.rest() {
		case rested:
			return
		case restedForEver:
			l.handed <- struct{}{} // Run's goroutine ends the loop
			return
		}
	}
	l.handed <- struct{}{}
}

// round handles what is in the inbox and the timers that are due, if there are any.
func (l *Loop) round() bool {
	l.take()
	for i := range l.batch {
		l.dispatch(l.handler, &l.batch[i])
		if i%eventsPerFlush == eventsPerFlush-1 {
			l.flush()
		}
	}
	fired := l.fireTimers(l.handler)
	if len(l.batch) == 0 && !fired {
		return false
	}
	l.handler.Drained()
	l.flush()
	return true
}

// take swaps the inbox for the emptied batch.
func (l *Loop) take() {
	clear(l.batch) // drop references before the slice waits as the next inbox
	l.mu.Lock()
	l.inbox, l.batch = l.batch[:0], l.inbox
	l.mu.Unlock()
}

type restful uint8

const (
	restless      restful = iota // something has happened
	rested                       // the turn is free
	restedForEver                // the loop was stopped, and nobody gets the turn any more
)

// rest sets the alarm and gives up the turn, unless something has happened meanwhile.
func (l *Loop) rest() restful {
	if at, armed := l.timers.Next(); armed && at != l.alarmAt {
		l.alarm.Reset(max(0, at.Sub(l.Now())))
		l.alarmAt = at
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(l.inbox) > 0:
		return restless
	case l.rang:
		l.rang, l.alarmAt = false, -1
		return restless
	case l.stopped:
		return restedForEver
	}
	l.taken = false
	return rested
}

// ring is the alarm's: the timers are looked at by who has the turn, or now.
func (l *Loop) ring() {
	l.mu.Lock()
	l.rang = true
	free := !l.taken
	l.taken = true
	l.mu.Unlock()
	if free {
		l.turn()
	}
}

func (l *Loop) flush() {
	if l.net != nil {
		l.net.flush()
	}
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
