package sim

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// drainBatch is the chance that a further event of the same host and instant is handled
// before the host hears that it is drained.
const drainBatch = 0.3

// dispatch runs an event of a host, or lets it wait while the host is busy. This is the
// one place where events for a life that has ended are dropped.
func (w *World) dispatch(ev *engine.Event) {
	h := w.hosts[ev.Host]
	switch {
	case h.life == nil || ev.Life != h.lives:
	case ev.At < h.busyUntil || len(h.inbox) > 0:
		h.wait(ev)
	default:
		h.fire(ev.Target, ev.Op, ev.Arg)
		h.drain(w.engine.Peek(), ev.At)
	}
}

// drain tells the process that no event waits, unless next is one more of this instant and
// is drawn into the batch. Then it settles how long the process is busy.
func (h *Host) drain(next *engine.Event, now env.Instant) {
	l := h.life
	if l == nil || h.world.failure != nil {
		return
	}
	if next != nil && next.At <= now && next.Host == h.index && next.Life == h.lives && l.worldNow() == now {
		h.batches++
		if h.choice.Of("drained.batch").Chance(h.batches, drainBatch) {
			h.owed += h.cost
			return
		}
	}
	if l.live {
		h.fire((*drained)(l), 0, 0)
	}
	if h.crashed() {
		h.crashDone()
		return
	}
	busy := l.takeLag()
	if h.cost > 0 {
		busy = h.charge(busy)
	}
	h.workUntil = busy
	if busy > h.busyUntil {
		h.busyUntil = busy
	}
}

// crashDone ends a process that was killed from within an event.
func (h *Host) crashDone() {
	if f := h.stopKill; f != nil {
		h.struck(f, true)
		return
	}
	h.Kill()
}

// drained is the event that calls Handler.Drained.
type drained life

func (d *drained) Fire(uint32, uint64) { d.handler.Drained() }

// wait puts ev behind what waits already and sees to it that somebody wakes the host.
func (h *Host) wait(ev *engine.Event) {
	if len(h.inbox) >= InboxMax {
		panic("sim: more than InboxMax events wait for host " + h.cfg.Name)
	}
	if len(h.frozen) > 0 {
		h.faults().Fired(h.frozen[0])
	}
	h.inbox = append(h.inbox, *ev)
	if len(h.inbox) == 1 {
		h.wakeAt(h.busyUntil)
	}
}

func (h *Host) wakeAt(t env.Instant) {
	h.world.engine.Post(engine.Event{At: t, Target: (*waker)(h), Arg: uint64(h.lives), Host: engine.NoHost})
}

// waker is the host as the target of its wake event.
type waker Host

// Fire runs what waits, in order, until the host is busy again. What arrives meanwhile
// queues up behind it.
func (k *waker) Fire(_ uint32, life uint64) {
	h := (*Host)(k)
	now := h.world.Now()
	for len(h.inbox) > 0 && uint64(h.lives) == life && h.world.failure == nil {
		if now < h.busyUntil {
			h.wakeAt(h.busyUntil)
			return
		}
		ev := h.inbox[0]
		h.inbox[0] = engine.Event{}
		h.inbox = h.inbox[1:]
		var next *engine.Event
		if len(h.inbox) > 0 {
			next = &h.inbox[0]
		}
		h.fire(ev.Target, ev.Op, ev.Arg)
		h.drain(next, now)
	}
}
