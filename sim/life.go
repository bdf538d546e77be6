package sim

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/timers"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simdisk"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// life is one run of a host's process and the world as that process sees it.
type life struct {
	host    *Host
	number  uint32
	handler env.Handler
	live    bool
	dead    bool

	env     env.Env
	stack   *simnet.Stack
	view    *simdisk.View
	buffers buffers

	timers  timers.Table
	wakes   []env.Instant // timer events in the queue, the earliest last
	elapsed time.Duration // blocking disk time that was charged already

	// what events name by slot
	done  slots[env.Completion]
	calls slots[func()]

	rands map[string]*ordinal
}

type ordinal struct {
	choice engine.Choice
	n      uint64
}

// Operations of a life's events.
const (
	opLive uint32 = iota
	opTimer
	opDisk
	opCall
)

func newLife(h *Host) *life {
	l := &life{host: h, number: h.lives, rands: make(map[string]*ordinal)}
	l.view = h.disk.Mount(l.diskDone)
	l.stack = h.node.Open(l.number, l, &l.buffers)
	l.env = env.Env{
		Clock: l, Net: l.stack, Disk: l.view, Rand: l, Host: l, Buffers: &l.buffers,
		Tracer: tracer{h.world, h.cfg.ID},
		Rare:   &rare{all: &h.world.rare, host: uint64(h.index), points: make(map[string]*rareOfHost)},
	}
	return l
}

func (l *life) post(at env.Instant, op uint32, arg uint64) {
	l.host.world.engine.Post(engine.Event{
		At: at, Target: l, Op: op, Arg: arg, Host: l.host.index, Life: l.number})
}

// Fire runs the life's own events; those of connections go to simnet.
func (l *life) Fire(op uint32, arg uint64) {
	switch op {
	case opLive:
		l.live = true
		l.host.trace(trace.Event{Kind: kindLive, N: [4]int64{int64(l.host.Lives())}})
		l.stack.Serve(l.handler, l.host.cfg.Decode)
	case opTimer:
		l.timersDue()
	case opDisk:
		l.handler.DiskDone(l.done.take(arg))
	case opCall:
		l.calls.take(arg)()
	}
}

// diskDone is called by the disk from within its own events.
func (l *life) diskDone(done env.Completion) {
	if !l.dead {
		l.post(l.host.world.Now(), opDisk, l.done.put(done))
	}
}

func (l *life) do(fn func()) { l.post(l.host.world.Now(), opCall, l.calls.put(fn)) }

// Now is the monotonic clock: simulated time. Blocking disk calls of the running handler
// move it on.
func (l *life) Now() env.Instant { return l.host.world.Now().Add(l.view.Elapsed() - l.elapsed) }

// takeLag returns Now and ends the charge: the time until which the process is busy.
func (l *life) takeLag() env.Instant {
	now := l.Now()
	l.elapsed = l.view.Elapsed()
	return now
}

// WallMillis is the wall clock of the machine.
func (l *life) WallMillis() int64 {
	return l.host.world.cfg.WallStart + int64(l.Now())/1e6 + l.host.wallOffset.Milliseconds()
}

// SetTimer arms a timer.
func (l *life) SetTimer(key env.TimerKey, at env.Instant) {
	l.timers.Set(key, at)
	l.wakeAt(at)
}

func (l *life) ClearTimer(key env.TimerKey) { l.timers.Clear(key) }

// wakeAt makes sure that a timer event comes at or before the given instant. A new one is
// put into the queue only if it is earlier than all that are there, so they are few.
func (l *life) wakeAt(at env.Instant) {
	at = max(at, l.host.world.Now())
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
	if next, armed := l.timers.Next(); armed {
		l.wakeAt(next)
	}
	if due {
		l.handler.TimerFired(key)
	}
}

// Uint64 decides by purpose and by how often the host was asked for it in this life.
func (l *life) Uint64(purpose string) uint64 {
	r := l.rands[purpose]
	if r == nil {
		r = &ordinal{choice: l.host.choice.Of("rand").Of(purpose).Num(uint64(l.number))}
		l.rands[purpose] = r
	}
	r.n++
	return r.choice.Uint64(r.n)
}

// BootID changes at a power loss and only there.
func (l *life) BootID() string {
	return l.host.cfg.Name + "-boot-" + strconv.FormatUint(l.host.power, 10)
}

// slots keep values that events name by number.
type slots[T any] struct {
	all  []T
	free []uint32
}

func (s *slots[T]) put(v T) uint64 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		s.all[i] = v
		return uint64(i)
	}
	s.all = append(s.all, v)
	return uint64(len(s.all) - 1)
}

func (s *slots[T]) take(i uint64) T {
	v := s.all[i]
	var zero T
	s.all[i] = zero
	s.free = append(s.free, uint32(i))
	return v
}
