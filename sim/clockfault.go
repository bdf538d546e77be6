package sim

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/sim/engine"
)

var (
	faultOffset  = engine.DefineFault("clock.offset")
	faultDrift   = engine.DefineFault("clock.drift")
	faultStep    = engine.DefineFault("clock.step")
	faultSuspend = engine.DefineFault("clock.suspend")
	faultCoarse  = engine.DefineFault("clock.coarse-timers")
)

// Suspension says what the monotonic clock does while a machine is suspended; systems of
// both kinds exist.
type Suspension uint8

const (
	// MonoStops: the time asleep is not counted. Timers wait that much longer.
	MonoStops Suspension = iota
	// MonoJumps: it is counted. At the wake, all timers that were due are due.
	MonoJumps
)

func (s Suspension) String() string { return [...]string{"mono=stops", "mono=jumps"}[s] }

// SetWallOffset makes the wall clock of the machine differ from the world's by d. It is
// the way to set up a world; OffsetClock is the fault.
func (h *Host) SetWallOffset(d time.Duration) { h.clock.wall = d }

// OffsetClock makes the wall clock differ from the world's by d, for good.
func (h *Host) OffsetClock(d time.Duration) *Fault { return h.offsetClock(d, "") }

func (h *Host) offsetClock(d time.Duration, key string) *Fault {
	if d == h.clock.wall {
		return nil
	}
	return h.moveWall(faultOffset, d-h.clock.wall, key)
}

// StepClock makes the wall clock jump by d, forward or back, now. The monotonic clock does
// not.
func (h *Host) StepClock(d time.Duration) *Fault { return h.stepClock(d, "") }

func (h *Host) stepClock(d time.Duration, key string) *Fault {
	if d == 0 {
		return nil
	}
	return h.moveWall(faultStep, d, key)
}

func (h *Host) moveWall(kind engine.FaultKind, d time.Duration, key string) *Fault {
	record := h.fault(kind, key)
	record.Params = "by=" + d.String()
	if kind == faultStep {
		record.To = record.From
	}
	f := h.faults().Offer(record)
	if f != nil {
		h.clock.wall += d
		h.clock.wallBy = append(h.clock.wallBy, f)
	}
	return f
}

// DriftClock makes both clocks of the machine advance ppm millionths faster than the
// world, or slower, from now on and for good. The last drift rules.
func (h *Host) DriftClock(ppm int64) *Fault { return h.driftClock(ppm, "") }

func (h *Host) driftClock(ppm int64, key string) *Fault {
	rate := ppm * (rateUnit / 1_000_000)
	if rate == h.clock.rate || rate <= -rateUnit/2 || rate >= rateUnit {
		return nil
	}
	record := h.fault(faultDrift, key)
	record.Params = "ppm=" + strconv.FormatInt(ppm, 10)
	f := h.faults().Offer(record)
	if f != nil {
		h.clock.setRate(h.steady(), rate)
		h.clock.drift = f
		h.clockChanged()
	}
	return f
}

// CoarseTimers lets the timers of the machine fire up to late later than asked, each by a
// drawn time, from now on and for good. Timers that are armed stay as they are.
func (h *Host) CoarseTimers(late time.Duration) *Fault { return h.coarseTimers(late, "") }

func (h *Host) coarseTimers(late time.Duration, key string) *Fault {
	if late == h.clock.coarse {
		return nil
	}
	record := h.fault(faultCoarse, key)
	record.Params = "late=" + late.String()
	f := h.faults().Offer(record)
	if f != nil {
		h.clock.coarse, h.clock.coarser = late, f
	}
	return f
}

// Suspend puts the machine to sleep for d: nothing of it runs, it answers no dial, and what
// is sent to it waits. At the wake all comes at once, the wall clock has gone on, and the
// monotonic one has or has not.
func (h *Host) Suspend(d time.Duration, kind Suspension) *Fault { return h.suspend(d, kind, "") }

func (h *Host) suspend(d time.Duration, kind Suspension, key string) *Fault {
	if h.life == nil || h.asleep {
		return nil
	}
	stopped := h.clock.own(h.steady())
	f := h.freeze(h.fault(faultSuspend, key), d, kind.String(), func() {
		if gap := h.clock.own(h.world.Now()).Sub(stopped); kind == MonoStops && gap > 0 {
			h.clock.sleep(h.world.Now(), gap)
			h.clockChanged()
		}
		h.asleep = false
		h.node.SetAsleep(false)
	})
	if f != nil {
		h.asleep = true
		h.node.SetAsleep(true)
	}
	return f
}

// clockChanged lets the timers of the process go by the clock as it is now.
func (h *Host) clockChanged() {
	if h.life != nil {
		h.life.wakeForTimers()
	}
}
