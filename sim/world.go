package sim

import (
	"io"
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// World is a set of hosts in simulated time. It is driven by one goroutine.
type World struct {
	cfg    Config
	engine *engine.Engine
	net    *simnet.Network
	hosts  []*Host
	rare   rares
	pool   *pool

	hash    trace.Hash
	ring    ring
	onTrace []func(*trace.Event)
	events  uint64
	spin    spin
	failure *Failure

	// functions given to At and to the disks, in slots that events name
	calls     []func()
	freeCalls []uint32
}

// wallStart is 2026-01-01T00:00:00Z in milliseconds.
const wallStart = 1767225600000

// NewWorld returns an empty world at time zero.
func NewWorld(cfg Config) *World {
	if cfg.WallStart == 0 {
		cfg.WallStart = wallStart
	}
	w := &World{cfg: cfg, engine: engine.New(cfg.Seed)}
	if cfg.Memory != nil {
		w.pool = &cfg.Memory.pool
	} else {
		w.pool = new(pool)
	}
	w.engine.Trace = w.trace
	w.net = simnet.New(w.engine, cfg.Net)
	w.rare = newRares(w.engine.Choice, cfg.RareOff)
	w.planRacks()
	return w
}

// Seed is the seed of the world.
func (w *World) Seed() uint64 { return w.cfg.Seed }

// Now is the simulated time.
func (w *World) Now() env.Instant { return w.engine.Now() }

// Net is the network, for faults on links.
func (w *World) Net() *simnet.Network { return w.net }

// Hosts are the hosts in the order they were added.
func (w *World) Hosts() []*Host { return w.hosts }

// Host is the host of that name; nil if there is none.
func (w *World) Host(name string) *Host {
	for _, h := range w.hosts {
		if h.cfg.Name == name {
			return h
		}
	}
	return nil
}

// Choice is the root of the world's keyed decisions, for fault plans and workloads.
func (w *World) Choice() engine.Choice { return w.engine.Choice }

// Decide answers a keyed decision: the same purpose and ids, the same answer, whatever
// else is asked. The last id is best an ordinal.
func (w *World) Decide(purpose string, ids ...uint64) uint64 {
	c := w.engine.Choice.Of(purpose)
	if len(ids) == 0 {
		return c.Uint64(0)
	}
	for _, id := range ids[:len(ids)-1] {
		c = c.Num(id)
	}
	return c.Uint64(ids[len(ids)-1])
}

// OnTrace adds a reader of every trace event, called as it happens. It must not keep ev.
func (w *World) OnTrace(fn func(ev *trace.Event)) { w.onTrace = append(w.onTrace, fn) }

// TraceTo writes every trace event as a line.
func (w *World) TraceTo(out io.Writer) {
	var line []byte
	w.OnTrace(func(ev *trace.Event) {
		line = append(ev.Append(line[:0]), '\n')
		_, _ = out.Write(line)
	})
}

// At calls fn at t, or now if t is past, outside of all hosts. The name is traced.
func (w *World) At(t env.Instant, name string, fn func()) {
	w.call(t, func() {
		w.trace(trace.Event{Node: -1, Kind: kindAt, Partition: -1, Text: name})
		fn()
	})
}

// After is At, d from now.
func (w *World) After(d time.Duration, name string, fn func()) { w.At(w.Now().Add(d), name, fn) }

// call posts fn without a trace.
func (w *World) call(t env.Instant, fn func()) {
	var slot uint32
	if n := len(w.freeCalls); n > 0 {
		slot, w.freeCalls = w.freeCalls[n-1], w.freeCalls[:n-1]
		w.calls[slot] = fn
	} else {
		slot = uint32(len(w.calls))
		w.calls = append(w.calls, fn)
	}
	w.engine.Post(engine.Event{At: t, Target: (*caller)(w), Arg: uint64(slot), Host: engine.NoHost})
}

// caller runs the functions in the slots of call.
type caller World

func (c *caller) Fire(_ uint32, slot uint64) {
	fn := c.calls[slot]
	c.calls[slot] = nil
	c.freeCalls = append(c.freeCalls, uint32(slot))
	fn()
}

// Step runs one event. It reports false when there was none or the world has failed.
func (w *World) Step() bool {
	if w.failure != nil {
		return false
	}
	ev, ok := w.engine.Next()
	if !ok {
		return false
	}
	w.events++
	w.spin.step(w, &ev)
	w.hash.AddUint(uint64(ev.At) ^ uint64(ev.Op)<<56 ^ uint64(uint32(ev.Host))<<40 ^ ev.Arg<<20)
	if ev.Host == engine.NoHost {
		ev.Target.Fire(ev.Op, ev.Arg)
	} else {
		w.dispatch(&ev)
	}
	return w.failure == nil
}

// Run runs all events up to and including until and moves the clock there. It returns the
// failure of the world, if it has one.
func (w *World) Run(until env.Instant) error {
	for w.failure == nil {
		next := w.engine.Peek()
		if next == nil || next.At > until {
			w.engine.Skip(until)
			return nil
		}
		w.Step()
	}
	return w.failure
}

// RunUntil runs events until done holds, checked after each event, but not beyond limit.
// It reports whether done held.
func (w *World) RunUntil(limit env.Instant, done func() bool) (bool, error) {
	for w.failure == nil {
		if done() {
			return true, nil
		}
		next := w.engine.Peek()
		if next == nil || next.At > limit {
			w.engine.Skip(limit)
			return false, nil
		}
		w.Step()
	}
	return false, w.failure
}

// Hash is the running hash over all trace events and scheduling decisions.
func (w *World) Hash() uint64 { return w.hash.Sum() }

// Events is the number of events run.
func (w *World) Events() uint64 { return w.events }

// RareCounts tells, by name, how often each rare point was reached and forced.
func (w *World) RareCounts() []RareCount { return w.rare.counts() }

// LastTrace returns the last trace events as lines, oldest first.
func (w *World) LastTrace() []string { return slices.Clone(w.ring.lines()) }
