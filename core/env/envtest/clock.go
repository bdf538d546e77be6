package envtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// ClockRig is one process with a clock on the test bench. Do and Step are as in NetRig.
type ClockRig struct {
	NetProcess
	Step func() bool
}

// TestClock holds a clock to the words of env.Clock. The factory starts a process with the
// given handler.
func TestClock(t *testing.T, factory func(t *testing.T, h env.Handler) *ClockRig) {
	for _, c := range clockCases {
		t.Run(c.promise, func(t *testing.T) {
			b := &clockBench{T: t}
			b.ClockRig = factory(t, b)
			b.clock = b.Env.Clock
			c.check(b)
		})
	}
}

var clockCases = []struct {
	promise string
	check   func(b *clockBench)
}{
	{"a timer fires once and never early", timersAreNeverEarly},
	{"timers fire in the order of their times", timersFireInOrder},
	{"setting a timer again replaces it in place", timersAreReplaced},
	{"a cleared timer does not fire", clearedTimersAreSilent},
	{"a timer that is due can still be cleared or moved", dueTimersCanBeStopped},
	{"a timer may be set again from within TimerFired", timersRearm},
	{"a timer in the past fires soon", pastTimersFire},
	{"kinds and ids are told apart", keysAreToldApart},
	{"the clock does not step back", clockGoesForward},
	{"the wall clock tells this age", wallClockIsPlausible},
}

// tick is a span that a real clock can tell apart and a test can wait for.
const tick = 2 * time.Millisecond

// clockBench is one test's state and the handler of its process.
type clockBench struct {
	*testing.T
	*ClockRig
	clock   env.Clock
	fired   []firing
	onFired func(key env.TimerKey)
}

type firing struct {
	key env.TimerKey
	at  env.Instant
}

func (b *clockBench) TimerFired(key env.TimerKey) {
	b.fired = append(b.fired, firing{key, b.clock.Now()})
	if b.onFired != nil {
		b.onFired(key)
	}
}

func (b *clockBench) ConnAccepted(env.ConnID, env.ConnInfo)  {}
func (b *clockBench) ConnDialed(env.ConnID, error)           {}
func (b *clockBench) FrameReceived(env.ConnID, env.Received) {}
func (b *clockBench) ConnWritable(env.ConnID)                {}
func (b *clockBench) ConnClosed(env.ConnID, error)           {}
func (b *clockBench) DiskDone(env.Completion)                {}
func (b *clockBench) Drained()                               {}

func id(n int64) env.TimerKey { return env.TimerKey{Kind: "test", ID: n} }

// await lets time pass until cond holds, checked within the process.
func (b *clockBench) await(what string, cond func() bool) {
	b.Helper()
	check := func() (ok bool) {
		b.Do(func() { ok = cond() })
		return ok
	}
	for !check() {
		if !b.Step() && !check() {
			b.Fatalf("never %s; fired: %v", what, b.fired)
		}
	}
}

// pass lets d pass: it waits for a timer of its own.
func (b *clockBench) pass(d time.Duration) {
	b.Helper()
	key := env.TimerKey{Kind: "pass"}
	b.Do(func() { b.clock.SetTimer(key, b.clock.Now().Add(d)) })
	b.await("passed", func() bool {
		i := slices.IndexFunc(b.fired, func(f firing) bool { return f.key == key })
		if i >= 0 {
			b.fired = slices.Delete(b.fired, i, i+1)
		}
		return i >= 0
	})
}

// firedIDs returns what fired so far.
func (b *clockBench) firedIDs() (ids []int64) {
	b.Do(func() {
		for _, f := range b.fired {
			ids = append(ids, f.key.ID)
		}
	})
	return ids
}

func (b *clockBench) wantFired(want ...int64) {
	b.Helper()
	if got := b.firedIDs(); !slices.Equal(got, want) {
		b.Fatalf("fired %v, want %v", got, want)
	}
}

func timersAreNeverEarly(b *clockBench) {
	at := make(map[env.TimerKey]env.Instant)
	b.Do(func() {
		for i := range int64(50) {
			at[id(i)] = b.clock.Now().Add(time.Duration(i*37%50) * tick / 5)
			b.clock.SetTimer(id(i), at[id(i)])
		}
	})
	b.await("all fired", func() bool { return len(b.fired) >= 50 })
	b.pass(2 * tick)
	b.Do(func() {
		for _, f := range b.fired {
			if f.at < at[f.key] {
				b.Fatalf("timer %v fired %v early", f.key, at[f.key].Sub(f.at))
			}
			delete(at, f.key)
		}
		if len(b.fired) != 50 || len(at) != 0 {
			b.Fatalf("%d firings of 50 timers", len(b.fired))
		}
	})
}

func timersFireInOrder(b *clockBench) {
	b.Do(func() {
		now := b.clock.Now()
		for _, i := range []int64{4, 2, 5, 1, 3} {
			b.clock.SetTimer(id(i), now.Add(time.Duration(i)*tick))
		}
	})
	b.await("all fired", func() bool { return len(b.fired) == 5 })
	b.wantFired(1, 2, 3, 4, 5)
}

func timersAreReplaced(b *clockBench) {
	var late env.Instant
	b.Do(func() {
		now := b.clock.Now()
		late = now.Add(4 * tick)
		b.clock.SetTimer(id(1), now.Add(tick))
		b.clock.SetTimer(id(1), late)
		b.clock.SetTimer(id(2), now.Add(100*time.Hour))
		b.clock.SetTimer(id(2), now.Add(2*tick))
	})
	b.await("both fired", func() bool { return len(b.fired) == 2 })
	b.pass(2 * tick)
	b.wantFired(2, 1)
	b.Do(func() {
		if b.fired[1].at < late {
			b.Fatal("the replaced time was used")
		}
	})
}

func clearedTimersAreSilent(b *clockBench) {
	b.Do(func() {
		now := b.clock.Now()
		for i := range int64(10) {
			b.clock.SetTimer(id(i), now.Add(tick))
		}
		for i := range int64(10) {
			if i != 7 {
				b.clock.ClearTimer(id(i))
			}
		}
		b.clock.ClearTimer(id(99))
	})
	b.await("one fired", func() bool { return len(b.fired) == 1 })
	b.pass(2 * tick)
	b.wantFired(7)
}

func dueTimersCanBeStopped(b *clockBench) {
	b.onFired = func(key env.TimerKey) {
		if key == id(1) {
			b.clock.ClearTimer(id(2))
			b.clock.SetTimer(id(3), b.clock.Now().Add(tick))
		}
	}
	var moved env.Instant
	b.Do(func() {
		at := b.clock.Now().Add(tick)
		moved = at.Add(tick)
		for i := range int64(4) {
			b.clock.SetTimer(id(i), at.Add(time.Duration(i)))
		}
	})
	b.await("three fired", func() bool { return len(b.fired) == 3 })
	b.pass(2 * tick)
	b.wantFired(0, 1, 3)
	b.Do(func() {
		if b.fired[2].at < moved {
			b.Fatal("a timer that was moved when due fired at its old time")
		}
	})
}

func timersRearm(b *clockBench) {
	n := 0
	b.onFired = func(key env.TimerKey) {
		if n++; n < 5 {
			b.clock.SetTimer(key, b.clock.Now().Add(tick/4))
		}
	}
	b.Do(func() { b.clock.SetTimer(id(1), b.clock.Now()) })
	b.await("five firings", func() bool { return len(b.fired) == 5 })
	b.onFired = nil
	b.pass(tick)
	b.wantFired(1, 1, 1, 1, 1)
}

func pastTimersFire(b *clockBench) {
	b.pass(tick)
	b.Do(func() {
		b.clock.SetTimer(id(1), b.clock.Now().Add(-time.Hour))
		b.clock.SetTimer(id(2), 0)
		if len(b.fired) > 0 {
			b.Fatal("a timer fired from within SetTimer")
		}
	})
	b.await("both fired", func() bool { return len(b.fired) == 2 })
}

func keysAreToldApart(b *clockBench) {
	b.Do(func() {
		at := b.clock.Now().Add(tick)
		for i := range int64(6) {
			b.clock.SetTimer(env.TimerKey{Kind: fmt.Sprint("kind", i%3), ID: i / 3}, at)
		}
		b.clock.ClearTimer(env.TimerKey{Kind: "kind1", ID: 1})
	})
	b.await("five fired", func() bool { return len(b.fired) >= 5 })
	b.pass(tick)
	if n := len(b.firedIDs()); n != 5 {
		b.Fatalf("%d of 5 fired", n)
	}
}

func clockGoesForward(b *clockBench) {
	var last env.Instant
	for range 100 {
		b.Do(func() {
			if now := b.clock.Now(); now < last {
				b.Fatalf("from %v back to %v", last, now)
			} else {
				last = now
			}
		})
	}
}

func wallClockIsPlausible(b *clockBench) {
	b.Do(func() {
		const year2020, year2100 = 1577836800000, 4102444800000
		if ms := b.clock.WallMillis(); ms < year2020 || ms > year2100 {
			b.Fatalf("%d ms since 1970", ms)
		}
	})
}
