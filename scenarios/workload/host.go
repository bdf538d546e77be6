package workload

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// errStopped is what every blocking call returns once the host is closed.
var errStopped = errors.New("workload: stopped")

// Host runs fibers in one process. It implements env.Handler; calls never overlap, and no
// fiber runs except within one of them.
type Host struct {
	env    *env.Env
	fibers []*Fiber
	conns  map[env.ConnID]*Conn
	closed bool
}

var _ env.Handler = (*Host)(nil)

// Fiber is one client's thread of control.
type Fiber struct {
	host  *Host
	name  string
	index int64

	next    func() (struct{}, bool)
	cancel  func()
	yield   func(struct{}) bool
	alarm   env.Instant // of the armed timer, 0 for none
	stopped bool
	done    bool
}

const timerKind = "fiber"

func newHost(e *env.Env) *Host { return &Host{env: e, conns: make(map[env.ConnID]*Conn)} }

// Go starts a fiber after delay. The name is for errors.
func (h *Host) Go(name string, delay time.Duration, run func(f *Fiber)) {
	if len(h.fibers) >= FibersMax {
		panic(fmt.Sprintf("workload: more than %d clients", FibersMax))
	}
	f := &Fiber{host: h, name: name, index: int64(len(h.fibers))}
	f.next, f.cancel = iter.Pull(func(yield func(struct{}) bool) {
		f.yield = yield
		run(f)
		f.done = true
	})
	h.fibers = append(h.fibers, f)
	f.setAlarm(h.env.Clock.Now().Add(delay))
}

// Close ends all fibers: each blocking call they are in, and every later one, returns. It
// frees the coroutines and must be called in the end.
func (h *Host) Close() {
	if h.closed {
		return
	}
	h.closed = true
	for _, f := range h.fibers {
		f.cancel()
	}
}

func (h *Host) resume(f *Fiber) {
	if !f.done && !h.closed {
		f.next()
	}
}

// park gives up control until an event of this fiber comes, or until that instant (0: no
// limit). It may return without either: callers loop. It reports false when the host closed.
func (f *Fiber) park(until env.Instant) bool {
	if f.stopped {
		return false
	}
	if until != 0 && (f.alarm == 0 || until != f.alarm) {
		f.setAlarm(until)
	}
	if !f.yield(struct{}{}) {
		f.stopped = true
	}
	return !f.stopped
}

// setAlarm arms the fiber's one timer. It is not disarmed when something else wakes the
// fiber: a wake-up for nothing costs less than that.
func (f *Fiber) setAlarm(at env.Instant) {
	f.alarm = max(at, 1)
	f.host.env.Clock.SetTimer(env.TimerKey{Kind: timerKind, ID: f.index}, f.alarm)
}

// Now is the monotonic clock.
func (f *Fiber) Now() env.Instant { return f.host.env.Clock.Now() }

// Sleep waits. It reports false when the host closed.
func (f *Fiber) Sleep(d time.Duration) bool {
	for end := f.Now().Add(d); f.Now() < end; {
		if !f.park(end) {
			return false
		}
	}
	return !f.stopped
}

// Draw is a random number below n, by purpose.
func (f *Fiber) Draw(purpose string, n int) int {
	if n <= 1 {
		return 0
	}
	return int(f.host.env.Rand.Uint64(purpose) % uint64(n))
}

// TimerFired implements env.Handler.
func (h *Host) TimerFired(key env.TimerKey) {
	if key.Kind != timerKind || key.ID < 0 || key.ID >= int64(len(h.fibers)) {
		return
	}
	f := h.fibers[key.ID]
	f.alarm = 0
	h.resume(f)
}

// ConnAccepted implements env.Handler; nobody dials a client.
func (h *Host) ConnAccepted(c env.ConnID, _ env.ConnInfo) { h.env.Net.Close(c) }

// ConnDialed implements env.Handler.
func (h *Host) ConnDialed(id env.ConnID, err error) {
	c := h.conns[id]
	if c == nil {
		return
	}
	c.open = err == nil
	if err != nil {
		c.fail(err)
	}
	h.resume(c.fiber)
}

// FrameReceived implements env.Handler. The frame is decoded here, and its bytes are free
// again when the fiber waits for the next thing.
func (h *Host) FrameReceived(id env.ConnID, f env.Received) {
	defer f.Buffer.Release()
	c := h.conns[id]
	if c == nil {
		return
	}
	if err := c.received(f.Buffer.Bytes()); err != nil {
		h.env.Net.Close(id)
		c.fail(err)
	}
	h.resume(c.fiber)
}

// ConnWritable implements env.Handler; clients wait for replies, which bounds them.
func (h *Host) ConnWritable(env.ConnID) {}

// ConnClosed implements env.Handler.
func (h *Host) ConnClosed(id env.ConnID, err error) {
	c := h.conns[id]
	if c == nil {
		return
	}
	if err == nil {
		err = errClosedByPeer
	}
	c.fail(err)
	h.resume(c.fiber)
}

// DiskDone implements env.Handler; clients have no disk.
func (h *Host) DiskDone(env.Completion) {}

// Drained implements env.Handler.
func (h *Host) Drained() {}
