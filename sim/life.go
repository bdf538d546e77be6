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

	timers    timers.Table
	wakes     []env.Instant // by the world's time: timer events in the queue, the earliest last
	timersSet uint64        // by a coarse clock: ordinals
	elapsed   time.Duration // blocking disk time that was charged already

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
	l.buffers.pool = h.world.pool
	l.stack = h.node.Open(l.number, (*worldClock)(l), &l.buffers)
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
		if l.host.loop != nil {
			l.host.loopLive()
		}
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

// takeLag returns worldNow and ends the charge: the time until which the process is busy.
func (l *life) takeLag() env.Instant {
	now := l.worldNow()
	l.elapsed = l.view.Elapsed()
	return now
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
