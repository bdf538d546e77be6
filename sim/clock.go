package sim

import (
	"math"
	"math/bits"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// clock is what a machine takes for the time: a function of the world's time. It outlives
// processes. Where it is crooked, "own" is its monotonic time and "world" the world's.
type clock struct {
	crooked bool
	// own = ownFrom + (world − worldFrom) × (1 + rate/1e9), and own never steps back.
	worldFrom, ownFrom env.Instant
	rate               int64
	slept              time.Duration // of wall time that own has not counted
	wall               time.Duration // how much the wall clock is ahead of own + slept

	coarse time.Duration // timers are up to this late

	// to be told when a process reads the time
	drift   *engine.Fault
	wallBy  []*engine.Fault
	coarser *engine.Fault
}

// rateUnit is the unit of rates: parts per so many.
const rateUnit = 1_000_000_000

// forever is further away than any timer that has a meaning.
const forever = math.MaxInt64 >> 2

// own is the monotonic time at t.
func (c *clock) own(t env.Instant) env.Instant {
	if !c.crooked {
		return t
	}
	d := int64(t - c.worldFrom)
	return c.ownFrom + env.Instant(d+d/rateUnit*c.rate+d%rateUnit*c.rate/rateUnit)
}

// world is the first moment of the world at which the monotonic time has reached own.
func (c *clock) world(own env.Instant) env.Instant {
	if !c.crooked {
		return own
	}
	x := int64(own - c.ownFrom)
	switch {
	case x <= 0:
		return c.worldFrom
	case x > forever:
		return math.MaxInt64
	}
	hi, lo := bits.Mul64(uint64(x), rateUnit)
	quotient, _ := bits.Div64(hi, lo, uint64(rateUnit+c.rate))
	t := c.worldFrom + env.Instant(quotient)
	for c.own(t) < own {
		t++
	}
	for t > c.worldFrom && c.own(t-1) >= own {
		t--
	}
	return t
}

// setRate changes the speed from a moment on, without a jump.
func (c *clock) setRate(from env.Instant, rate int64) {
	c.ownFrom = c.own(from)
	c.worldFrom, c.rate, c.crooked = from, rate, true
}

// sleep makes the monotonic time at t what it was the gap before, and keeps the wall clock.
func (c *clock) sleep(t env.Instant, gap time.Duration) {
	c.setRate(t, c.rate)
	c.ownFrom = c.ownFrom.Add(-gap)
	c.slept += gap
}

// steady is the moment from which the machine's process may read another time: it may have
// read already all times before.
func (h *Host) steady() env.Instant { return max(h.world.Now(), h.busyUntil) }

// Now is the monotonic clock of the machine. Blocking disk calls of the running handler
// move it on.
func (l *life) Now() env.Instant {
	t := l.worldNow()
	if c := &l.host.clock; c.crooked {
		l.host.world.engine.Faults.Observed(c.drift)
		return c.own(t)
	}
	return t
}

// worldNow is the time of the world, and what the running handler was charged.
func (l *life) worldNow() env.Instant {
	return l.host.world.engine.Now().Add(l.view.Elapsed() - l.elapsed)
}

// WallMillis is the wall clock of the machine.
func (l *life) WallMillis() int64 {
	c := &l.host.clock
	for _, f := range c.wallBy {
		l.host.world.engine.Faults.Observed(f)
	}
	clear(c.wallBy)
	c.wallBy = c.wallBy[:0]
	return l.host.world.cfg.WallStart + int64(l.Now().Add(c.slept))/1e6 + c.wall.Milliseconds()
}

// worldClock is a life as the network's clock.
type worldClock life

func (w *worldClock) Now() env.Instant { return (*life)(w).worldNow() }

// SetTimer arms a timer, on the machine's monotonic clock.
func (l *life) SetTimer(key env.TimerKey, at env.Instant) {
	if c := &l.host.clock; c.coarse > 0 {
		l.timersSet++
		late := l.host.choice.Of("timer.late").Num(uint64(l.number)).Between(l.timersSet, 0, c.coarse)
		if late > 0 && at < forever {
			at = at.Add(late)
			l.host.world.engine.Faults.Fired(c.coarser)
		}
	}
	l.timers.Set(key, at)
	l.wakeAt(at)
}

func (l *life) ClearTimer(key env.TimerKey) { l.timers.Clear(key) }

// wakeAt makes sure that a timer event comes at or before the given own time. A new one is
// put into the queue only if it is earlier than all that are there, so they are few.
func (l *life) wakeAt(own env.Instant) {
	at := max(l.host.clock.world(own), l.host.world.engine.Now())
	if n := len(l.wakes); n == 0 || at < l.wakes[n-1] {
		l.wakes = append(l.wakes, at)
		l.post(at, opTimer, 0)
	}
}

// timersDue delivers one due timer; another that is due as well gets its own event, so
// that the first may still clear it.
func (l *life) timersDue() {
	l.wakes = l.wakes[:len(l.wakes)-1]
	key, due := l.timers.PopDue(l.Now())
	l.wakeForTimers()
	if due {
		l.handler.TimerFired(key)
	}
}

// wakeForTimers makes sure that the earliest timer wakes the process, by the clock as it
// goes now.
func (l *life) wakeForTimers() {
	if next, armed := l.timers.Next(); armed {
		l.wakeAt(next)
	}
}
