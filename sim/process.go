package sim

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/engine"
)

var (
	faultKill      = engine.DefineFault("process.kill")
	faultPower     = engine.DefineFault("process.power-loss")
	faultRackPower = engine.DefineFault("process.rack-power-loss")
	faultCrashLoop = engine.DefineFault("process.crash-loop")
	faultPause     = engine.DefineFault("process.pause")
	faultStall     = engine.DefineFault("process.stall")
	faultSlow      = engine.DefineFault("process.slow")
	faultStopKill  = engine.DefineFault("process.kill-in-stop")
)

// Crash is Kill as a fault with a record, if a process runs. The caller starts the next.
func (h *Host) Crash() *Fault { return h.crash(faultKill, "") }

// Blackout is PowerLoss as a fault with a record. The caller starts the next process.
func (h *Host) Blackout() *Fault { return h.crash(faultPower, "") }

func (h *Host) crash(kind engine.FaultKind, key string) *Fault {
	if h.life == nil && (kind == faultKill || h.node.Off()) {
		return nil
	}
	record := h.fault(kind, key)
	record.To = record.From
	f := h.faults().Offer(record)
	if f != nil {
		h.struck(f, kind == faultKill)
	}
	return f
}

// struck is a crash that is part of the fault f. The next boot observes it.
func (h *Host) struck(f *Fault, kill bool) {
	h.faults().Fired(f)
	if kill {
		h.Kill()
	} else {
		h.PowerLoss()
	}
	h.crashedBy = f
}

// RackLoss is a loss of power of whole racks.
type RackLoss struct {
	// Racks are the racks that lose power. Default: all hosts that are in a rack.
	Racks []string
	// Within is the time in which they all go dark, each at a drawn moment. Default: 50 ms.
	Within time.Duration
	// DownMin and DownMax bound the time after which each starts again (log-uniform). A
	// DownMax of 0 leaves that to the caller. A host that was down stays so.
	DownMin, DownMax time.Duration

	key string
}

// RackPowerLoss takes the power from every host of some racks. A ledger may take hosts away
// from the record; these keep their power.
func (w *World) RackPowerLoss(loss RackLoss) *Fault {
	if loss.Within == 0 {
		loss.Within = 50 * time.Millisecond
	}
	record := engine.Fault{Kind: faultRackPower, From: w.Now(), Key: loss.key}
	record.Params = "within=" + loss.Within.String()
	record.To = record.From.Add(loss.Within)
	for _, h := range w.hosts {
		if h.inRacks(loss.Racks) {
			record.Hosts = append(record.Hosts, h.cfg.Name)
			record.Scope += "," + h.cfg.Name
		}
	}
	if len(record.Hosts) == 0 {
		return nil
	}
	record.Scope = record.Scope[1:]
	f := w.engine.Faults.Offer(record)
	if f == nil || len(f.Hosts) == 0 {
		return nil
	}
	for _, name := range f.Hosts {
		h := w.Host(name)
		h.blackouts++
		c := h.choice.Of("rack.power").Num(h.blackouts)
		w.call(w.Now().Add(c.Between(0, 0, loss.Within)), func() {
			wasUp := h.Up()
			h.struck(f, false)
			if loss.DownMax > 0 && wasUp {
				h.Start(c.LogBetween(1, max(loss.DownMin, time.Millisecond), loss.DownMax))
			}
		})
	}
	return f
}

func (h *Host) inRacks(racks []string) bool {
	if h.cfg.Rack == "" {
		return false
	}
	for _, r := range racks {
		if r == h.cfg.Rack {
			return true
		}
	}
	return len(racks) == 0
}

// CrashLoop kills a process again and again.
type CrashLoop struct {
	Times int // kills; default: 3
	// Run bounds how long a process is live before it is killed; the time is drawn.
	Run time.Duration
	// Down is the time between a kill and the next start.
	Down time.Duration

	key string
}

// CrashLoop kills the process of the host a number of times, each time after it is live.
func (h *Host) CrashLoop(l CrashLoop) *Fault {
	if l.Times == 0 {
		l.Times = 3
	}
	if h.loop != nil {
		return nil
	}
	record := h.fault(faultCrashLoop, l.key)
	record.Params = "times=" + strconv.Itoa(l.Times)
	f := h.faults().Offer(record)
	if f == nil {
		return nil
	}
	loop := &crashLoop{CrashLoop: l, fault: f}
	h.loop = loop
	h.loops++
	h.faults().Begin(f, func() { h.loop = nil })
	if h.Live() {
		h.loopLive()
	}
	return f
}

type crashLoop struct {
	CrashLoop
	fault *Fault
	done  int
}

// loopLive is told that the process is live: it is to be killed.
func (h *Host) loopLive() {
	loop, life := h.loop, h.life
	c := h.choice.Of("crash.loop").Num(h.loops)
	h.world.call(h.world.Now().Add(c.Between(uint64(loop.done), 0, loop.Run)), func() {
		if h.loop != loop || h.life != life {
			return
		}
		loop.done++
		h.struck(loop.fault, true)
		h.Start(loop.Down)
		if loop.done >= loop.Times {
			h.faults().End(loop.fault)
		}
	})
}

// Pause lets no event of the process happen for d; what arrives waits.
func (h *Host) Pause(d time.Duration) *Fault { return h.pause(d, "") }

func (h *Host) pause(d time.Duration, key string) *Fault {
	if h.life == nil || d <= 0 {
		return nil
	}
	f := h.freeze(h.fault(faultPause, key), d, "", nil)
	if f != nil {
		h.trace(trace.Event{Kind: kindPause, N: [4]int64{d.Milliseconds()}})
	}
	return f
}

// Stall is a pause of the event loop alone, as by a slow handler. A host has one loop, and
// what is received waits in the sender's buffer until it is taken; so the difference to
// Pause is the name under which it is counted.
func (h *Host) Stall(d time.Duration) *Fault { return h.stall(d, "") }

func (h *Host) stall(d time.Duration, key string) *Fault {
	if h.life == nil || d <= 0 {
		return nil
	}
	return h.freeze(h.fault(faultStall, key), d, "", nil)
}

// freeze lets no event of the process happen for d. wake is called at the end.
func (h *Host) freeze(record engine.Fault, d time.Duration, params string, wake func()) *Fault {
	record.To, record.Params = record.From.Add(d), params
	f := h.faults().Offer(record)
	if f == nil {
		return nil
	}
	h.busyUntil = max(h.busyUntil, record.To)
	h.frozen = append(h.frozen, f)
	h.node.SetTrouble(f)
	h.faults().Begin(f, func() { h.thaw(f, wake) })
	return f
}

// thaw ends a freeze, in time or early. The host stays frozen if another freeze lasts.
func (h *Host) thaw(f *Fault, wake func()) {
	now, until := h.world.Now(), env.Instant(0)
	left := h.frozen[:0]
	for _, other := range h.frozen {
		if other != f {
			left = append(left, other)
			until = max(until, other.To)
		}
	}
	clear(h.frozen[len(left):])
	h.frozen = left
	if len(left) == 0 {
		h.node.SetTrouble(nil)
	}
	if wake != nil {
		wake()
	}
	if until = max(until, now, h.workUntil); h.busyUntil > until {
		h.busyUntil = until
		if len(h.inbox) > 0 {
			h.wakeAt(until)
		}
	}
}

// SlowDown makes every event of the process take cost more, for d; 0: until EndFault.
func (h *Host) SlowDown(cost, d time.Duration) *Fault { return h.slowDown(cost, d, "") }

func (h *Host) slowDown(cost, d time.Duration, key string) *Fault {
	if cost <= 0 || h.slowed != nil {
		return nil
	}
	record := h.fault(faultSlow, key)
	record.To, record.Params = h.world.until(d), "cost="+cost.String()
	f := h.faults().Offer(record)
	if f != nil {
		h.cost, h.slowed = cost, f
		h.faults().Begin(f, func() { h.cost, h.owed, h.slowed = 0, 0, nil })
	}
	return f
}

// charge adds what the events since the last drain cost a slow host.
func (h *Host) charge(busy env.Instant) env.Instant {
	h.faults().Fired(h.slowed)
	busy = busy.Add(h.owed + h.cost)
	h.owed = 0
	return busy
}

// UncertainStop is a clean stop that may turn into a kill.
type UncertainStop struct {
	// Stop is the process's own stop routine, as for Host.Stop.
	Stop func() error
	// KillChance is the chance of a kill. Default: 0.2.
	KillChance float64
	// Ops bounds the blocking disk operation of the routine at which it is killed. A
	// routine that needs fewer than are drawn ends cleanly. Default: 32.
	Ops int
	// Within, if set, makes half of the kills come at a drawn moment within that time of
	// the order instead, for stops that take more than one event.
	Within time.Duration
}

// StopUncertain stops the process cleanly, or kills it at a drawn point of that. It returns
// the record of the kill, nil if none was drawn or it was vetoed: then the stop is clean.
func (h *Host) StopUncertain(s UncertainStop) *Fault {
	if h.life == nil {
		return nil
	}
	if s.KillChance == 0 {
		s.KillChance = 0.2
	}
	if s.Ops == 0 {
		s.Ops = 32
	}
	h.stops++
	c := h.choice.Of("stop.kill").Num(h.stops)
	var f *Fault
	if c.Chance(0, s.KillChance) {
		record := h.fault(faultStopKill, "stop.kill/"+h.cfg.Name+"/"+strconv.FormatUint(h.stops, 10))
		record.To = record.From
		f = h.faults().Offer(record)
	}
	op := 1 + int(c.Below(1, uint64(s.Ops)))
	switch {
	case f == nil:
		h.Stop(s.Stop)
	case s.Within > 0 && c.Chance(2, 0.5):
		life := h.life
		h.Stop(s.Stop)
		h.world.call(h.world.Now().Add(c.Between(3, 0, s.Within)), func() {
			if h.life == life {
				h.struck(f, true)
			}
		})
	default:
		h.Stop(func() error {
			h.CrashAtDiskOp(op)
			h.stopKill = f
			if s.Stop == nil {
				return nil
			}
			return s.Stop()
		})
	}
	return f
}
