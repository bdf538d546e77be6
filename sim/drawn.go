package sim

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/sim/engine"
)

// ClockConfig draws faults of the clocks of machines. The zero value draws none.
type ClockConfig struct {
	// OffsetMax bounds how far a wall clock is off, either way; YearChance is the chance of
	// up to a year instead.
	OffsetMax  time.Duration
	YearChance float64
	// DriftMax bounds the drift of a machine either way, in millionths.
	DriftMax int64
	// StepMean is the mean time between jumps of a wall clock, by 1 ms to StepMax (default
	// 1 h) either way; 0: never.
	StepMean, StepMax time.Duration
	// SuspendMean is the mean time between suspensions of a machine, each of SuspendMin to
	// SuspendMax (log-uniform; default 100 ms to 10 min); 0: never.
	SuspendMean, SuspendMin, SuspendMax time.Duration
	// CoarseMax bounds how late the timers of a machine are; each machine draws its own.
	CoarseMax time.Duration
}

// ProcessConfig draws faults of processes. The zero value draws none. After a crash that
// is drawn here the process starts again after DownMin to DownMax (log-uniform; default
// 10 ms to 60 s); a host that is down already is spared.
type ProcessConfig struct {
	// KillMean and PowerMean are the mean times between crashes of a machine's process; a
	// share Loop of the kills begins a crash loop of 2 to 10. 0: never.
	KillMean, PowerMean time.Duration
	Loop                float64
	// RackPowerMean is the mean time between losses of power of a drawn rack, or of all.
	RackPowerMean    time.Duration
	DownMin, DownMax time.Duration
	// PauseMean is the mean time between pauses, each of 1 ms to PauseMax (log-uniform;
	// default 120 s); StallMean that between stalls of 1 ms to 5 s. 0: never.
	PauseMean, PauseMax, StallMean time.Duration
	// SlowChance is the share of machines whose events all cost 10 µs to SlowMax more
	// (log-uniform; default 50 ms).
	SlowChance float64
	SlowMax    time.Duration
}

// DrawnClocks returns clocks with faults, by the decisions of c: one of a swarm.
func DrawnClocks(c engine.Choice) ClockConfig {
	c = c.Of("clock.config")
	cfg := ClockConfig{OffsetMax: 300 * time.Second, YearChance: 0.1, DriftMax: 500}
	if c.Chance(0, 0.05) {
		cfg.DriftMax = 100_000
	}
	if c.Chance(1, 0.5) {
		cfg.StepMean = c.LogBetween(2, 60*time.Second, 600*time.Second)
	}
	if c.Chance(3, 0.5) {
		cfg.SuspendMean = c.LogBetween(4, 60*time.Second, 600*time.Second)
		cfg.SuspendMax = c.LogBetween(5, time.Second, 600*time.Second)
	}
	if c.Chance(6, 0.5) {
		cfg.CoarseMax = c.LogBetween(7, 100*time.Microsecond, 20*time.Millisecond)
	}
	return cfg
}

// DrawnProcesses returns processes that are paused, stalled and slow, by the decisions of
// c: one of a swarm. Crashes are classes of their own: set KillMean and PowerMean.
func DrawnProcesses(c engine.Choice) ProcessConfig {
	c = c.Of("process.config")
	cfg := ProcessConfig{PauseMean: c.LogBetween(0, 20*time.Second, 300*time.Second)}
	cfg.PauseMax = c.LogBetween(1, 100*time.Millisecond, 120*time.Second)
	if c.Chance(2, 0.5) {
		cfg.StallMean = c.LogBetween(3, 20*time.Second, 300*time.Second)
	}
	if c.Chance(4, 0.3) {
		cfg.SlowChance = engine.Unit(c.Uint64(5))
		cfg.SlowMax = c.LogBetween(6, 100*time.Microsecond, 50*time.Millisecond)
	}
	return cfg
}

// or is d, or its default.
func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

const year = 365 * 24 * time.Hour

// plan draws what the machine suffers from the begin, and when the rest begins.
func (h *Host) plan() {
	if h.cfg.ID < 0 {
		return
	}
	h.planClock(&h.world.cfg.Clock)
	h.planProcess(&h.world.cfg.Process)
}

func (h *Host) planClock(cfg *ClockConfig) {
	c := h.choice.Of("clock")
	key := func(what string) string { return "clock." + what + "/" + h.cfg.Name }
	if cfg.OffsetMax > 0 || cfg.YearChance > 0 {
		limit := cfg.OffsetMax
		if c.Chance(0, cfg.YearChance) {
			limit = year
		}
		h.offsetClock(signed(c, 1, limit), key("offset"))
	}
	if cfg.DriftMax > 0 {
		h.driftClock(int64(signed(c, 2, time.Duration(cfg.DriftMax))), key("drift"))
	}
	if cfg.CoarseMax > 0 {
		h.coarseTimers(c.Between(3, 0, cfg.CoarseMax), key("coarse"))
	}
	h.every("clock.step", cfg.StepMean, func(c engine.Choice, key string) {
		d := c.LogBetween(0, time.Millisecond, or(cfg.StepMax, time.Hour))
		if c.Chance(1, 0.5) {
			d = -d
		}
		h.stepClock(d, key)
	})
	h.every("clock.suspend", cfg.SuspendMean, func(c engine.Choice, key string) {
		d := c.LogBetween(0, or(cfg.SuspendMin, 100*time.Millisecond), or(cfg.SuspendMax, 10*time.Minute))
		h.suspend(d, Suspension(c.Below(1, 2)), key)
	})
}

// signed is uniform in ±limit; its calm answer is 0.
func signed(c engine.Choice, n uint64, limit time.Duration) time.Duration {
	d := c.Between(n, 0, limit)
	if c.Of("sign").Chance(n, 0.5) {
		return -d
	}
	return d
}

func (h *Host) planProcess(cfg *ProcessConfig) {
	start := func(c engine.Choice) {
		h.Start(c.LogBetween(9, or(cfg.DownMin, 10*time.Millisecond), or(cfg.DownMax, time.Minute)))
	}
	h.every("process.kill", cfg.KillMean, func(c engine.Choice, key string) {
		if h.Up() && c.Chance(0, cfg.Loop) {
			down := c.LogBetween(3, or(cfg.DownMin, 10*time.Millisecond), or(cfg.DownMax, time.Minute))
			h.CrashLoop(CrashLoop{Times: 2 + int(c.Below(1, 9)), Run: c.LogBetween(2, time.Millisecond, time.Second),
				Down: down, key: key})
		} else if h.Up() && h.crash(faultKill, key) != nil {
			start(c)
		}
	})
	h.every("process.power", cfg.PowerMean, func(c engine.Choice, key string) {
		if h.Up() && h.crash(faultPower, key) != nil {
			start(c)
		}
	})
	h.every("process.pause", cfg.PauseMean, func(c engine.Choice, key string) {
		h.pause(c.LogBetween(0, time.Millisecond, or(cfg.PauseMax, 2*time.Minute)), key)
	})
	h.every("process.stall", cfg.StallMean, func(c engine.Choice, key string) {
		h.stall(c.LogBetween(0, time.Millisecond, 5*time.Second), key)
	})
	if c := h.choice.Of("process.slow"); c.Chance(0, cfg.SlowChance) {
		cost := c.LogBetween(1, 10*time.Microsecond, or(cfg.SlowMax, 50*time.Millisecond))
		h.slowDown(cost, 0, "process.slow/"+h.cfg.Name)
	}
}

// every draws a fault of the host again and again, with a mean time between.
func (h *Host) every(purpose string, mean time.Duration, strike func(c engine.Choice, key string)) {
	h.world.every(h.choice.Of(purpose), purpose+"/"+h.cfg.Name, mean, strike)
}

// every draws a fault again and again. Each strike has decisions and a key of its own.
func (w *World) every(c engine.Choice, name string, mean time.Duration, strike func(engine.Choice, string)) {
	if mean <= 0 {
		return
	}
	ordinal := uint64(0)
	var again func()
	again = func() {
		w.call(w.Now().Add(c.Until(ordinal, mean)), func() {
			if w.engine.Faults.IsCalm() {
				return
			}
			strike(c.Num(ordinal), name+"/"+strconv.FormatUint(ordinal, 10))
			ordinal++
			again()
		})
	}
	again()
}

// planRacks draws losses of power of whole racks.
func (w *World) planRacks() {
	cfg := &w.cfg.Process
	choice := w.engine.Choice.Of("rack.power")
	w.every(choice, "rack.power", cfg.RackPowerMean, func(c engine.Choice, key string) {
		loss := RackLoss{key: key}
		loss.DownMin, loss.DownMax = or(cfg.DownMin, 10*time.Millisecond), or(cfg.DownMax, time.Minute)
		if racks := w.racks(); len(racks) > 0 && !c.Chance(0, 0.3) {
			loss.Racks = racks[c.Below(1, uint64(len(racks))):][:1]
		}
		w.RackPowerLoss(loss)
	})
}

// racks are the racks in the order in which they were first seen.
func (w *World) racks() []string {
	var out []string
	for _, h := range w.hosts {
		if h.cfg.Rack != "" && !h.inRacks(append([]string{"\x00"}, out...)) {
			out = append(out, h.cfg.Rack)
		}
	}
	return out
}
