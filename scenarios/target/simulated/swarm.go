package simulated

import (
	"math"
	"time"

	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simdisk"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// # A swarm
//
// First it is drawn which classes of faults exist in a run, then how much of each,
// log-uniform. Runs with everything on hide what a single fault does, and each other's; so
// every class is absent from half of the runs, and one run in ten has exactly one, which
// makes it easy to tell who is to blame.

// world is what a run's machines suffer: what the scenario says and what the swarm adds.
type conditions struct {
	faults  scenarios.Faults
	net     simnet.Config
	clock   sim.ClockConfig
	process sim.ProcessConfig
	disk    simdisk.Faults
	clients clientFaults
	classes []scenarios.Class // drawn
	calm    bool              // the budget of this run is no fault at all
}

// clientFaults is what clients do wrong.
type clientFaults struct {
	deaths   time.Duration // mean time between two of a producer
	patience time.Duration // of a request
	vandals  bool
	tuners   bool
}

// drawConditions settles what the scenario leaves open.
func drawConditions(s *scenarios.Scenario, choice engine.Choice) *conditions {
	c := &conditions{faults: s.Faults}
	f := &c.faults
	if f.Network == scenarios.Drawn {
		c.net = drawnNetwork(choice)
	}
	if f.Partitions == scenarios.Drawn {
		drawPartitions(&c.net, choice)
	}
	if f.Clock == scenarios.Drawn {
		c.clock = drawnClock(choice)
	}
	if f.Process == scenarios.Drawn {
		c.process = drawnProcess(choice)
	}
	c.disk = deviceFaults(&f.Disk)
	if f.Budget == scenarios.DrawnBudget {
		f.Budget, c.calm = drawBudget(choice.Of("budget"))
	}
	if !c.calm {
		c.classes = drawClasses(choice.Of("swarm"), f.Swarm)
	}
	for _, class := range c.classes {
		c.add(class, choice.Of("swarm").Of(string(class)))
	}
	return c
}

// drawBudget: in 80 of 100 runs nothing may be lost, in 15 what a fault destroys is void,
// and 5 are calm, which shows whether the checks complain of nothing.
func drawBudget(c engine.Choice) (b scenarios.Budget, calm bool) {
	switch u := engine.Unit(c.Uint64(0)); {
	case u < 0.80:
		return scenarios.Keep, false
	case u < 0.95:
		return scenarios.Spend, false
	}
	return scenarios.Keep, true
}

func drawClasses(c engine.Choice, offered []scenarios.Class) (drawn []scenarios.Class) {
	if len(offered) == 0 {
		return nil
	}
	if c.Chance(0, 0.1) {
		return []scenarios.Class{offered[c.Below(1, uint64(len(offered)))]}
	}
	for _, class := range offered {
		if c.Of("on").Of(string(class)).Chance(0, 0.5) {
			drawn = append(drawn, class)
		}
	}
	return drawn
}

// add puts a class of faults in force.
func (c *conditions) add(class scenarios.Class, draw engine.Choice) {
	f := &c.faults
	mean := func(n uint64) scenarios.Duration {
		return scenarios.Duration(draw.LogBetween(n, 2*time.Second, 40*time.Second))
	}
	f.Aimed = max(f.Aimed, 0.5)
	switch class {
	case scenarios.ClassNet:
		if f.Network != scenarios.Drawn {
			c.net = drawnNetwork(draw)
		}
		c.net.DrawStreams(draw)
	case scenarios.ClassPartition:
		drawPartitions(&c.net, draw)
	case scenarios.ClassDiskError:
		drawDiskErrors(&c.disk, draw)
	case scenarios.ClassDiskDamage:
		drawDiskDamage(&c.disk, draw)
		f.Rot = mean(20)
	case scenarios.ClassPower:
		f.Power = mean(0)
		f.InRecovery = max(f.InRecovery, 0.3*engine.Unit(draw.Uint64(1)))
	case scenarios.ClassKill:
		f.Kill, f.Stop, f.StopKill = mean(0), mean(1), 0.2
		f.InRecovery = max(f.InRecovery, 0.3*engine.Unit(draw.Uint64(2)))
		if draw.Chance(3, 0.3) {
			f.CrashLoop = mean(4)
		}
	case scenarios.ClassPause:
		c.process = drawnProcess(draw)
	case scenarios.ClassClock:
		c.clock = drawnClock(draw)
	case scenarios.ClassClient:
		c.clients.deaths = draw.LogBetween(0, 2*time.Second, 20*time.Second)
		if draw.Chance(1, 0.5) {
			c.clients.patience = draw.LogBetween(2, 20*time.Millisecond, 2*time.Second)
		}
		c.clients.vandals = draw.Chance(3, 0.5)
	case scenarios.ClassAdmin:
		c.clients.tuners = true
	case scenarios.ClassRare:
		f.Rare = true
	}
}

// A run is shorter than the times the simulator draws by default: what comes once in
// minutes would never come.

func drawnClock(c engine.Choice) sim.ClockConfig {
	cfg := sim.DrawnClocks(c)
	if cfg.StepMean > 0 {
		cfg.StepMean /= 20
	}
	if cfg.SuspendMean > 0 {
		cfg.SuspendMean /= 20
		cfg.SuspendMax = min(cfg.SuspendMax, 10*time.Second)
	}
	return cfg
}

func drawnProcess(c engine.Choice) sim.ProcessConfig {
	cfg := sim.DrawnProcesses(c)
	cfg.PauseMean /= 40
	cfg.PauseMax = min(cfg.PauseMax, 10*time.Second)
	cfg.StallMean /= 40
	cfg.SlowMax = min(cfg.SlowMax, 5*time.Millisecond)
	return cfg
}

// drawnNetwork is one that every client can live with once the faults are over.
func drawnNetwork(c engine.Choice) simnet.Config {
	net := simnet.Drawn(c)
	if net.BytesPerSecond > 0 {
		net.BytesPerSecond = max(net.BytesPerSecond, linkLeast)
	}
	return net
}

func drawPartitions(net *simnet.Config, c engine.Choice) {
	net.DrawPartitions(c)
	net.PartitionMean = min(max(net.PartitionMean/20, 500*time.Millisecond), 3*time.Second)
	net.CutMean /= 5
	net.SwizzleMean /= 5
	net.CutMin, net.CutMax = 50*time.Millisecond, 10*time.Second
}

// ppm is a rate between two bounds, log-uniform.
func ppm(c engine.Choice, n uint64, low, high float64) simdisk.Rate {
	return simdisk.Rate(low * math.Exp(engine.Unit(c.Uint64(n))*math.Log(high/low)))
}

// drawDiskErrors: the device is slow, out of order, out of space, and fails honestly or not.
func drawDiskErrors(d *simdisk.Faults, c engine.Choice) {
	on := func(n uint64) bool { return c.Of("on").Chance(n, 0.4) }
	if on(0) {
		d.Slow, d.SlowMean = ppm(c, 0, 1000, 100_000), c.LogBetween(1, time.Millisecond, 100*time.Millisecond)
	}
	if on(1) {
		d.StallEvery = c.LogBetween(2, 3*time.Second, 30*time.Second)
	}
	if on(2) {
		d.Reorder = ppm(c, 3, 1000, 300_000)
	}
	if on(3) {
		d.WriteError = ppm(c, 4, 10, 1000)
	}
	if on(4) {
		d.ShortWrite = ppm(c, 5, 100, 100_000)
	}
	if on(5) {
		d.SyncError = ppm(c, 6, 100, 3000)
	}
	if on(6) {
		d.SyncLie = ppm(c, 7, 100, 3000)
	}
	if on(7) {
		d.LostWriteBack = ppm(c, 8, 100, 3000)
		d.Evict = ppm(c, 9, 1000, 100_000)
	}
	if on(8) {
		d.FullEvery = c.LogBetween(10, 5*time.Second, 30*time.Second)
	}
	if on(9) {
		d.Leftover = ppm(c, 11, 10_000, 300_000)
	}
	if c.Of("on").Chance(10, 0.1) {
		d.DescriptorsMax = int(c.LogBetween(12, 64, 1024))
	}
}

// drawDiskDamage: what is stored is not what was written, or cannot be read.
func drawDiskDamage(d *simdisk.Faults, c engine.Choice) {
	on := func(n uint64) bool { return c.Of("on").Chance(n, 0.5) }
	if on(0) {
		d.LatentSector = ppm(c, 0, 100, 3000)
	}
	if on(1) {
		d.BitRot = ppm(c, 1, 100, 3000)
	}
	if on(2) {
		d.MisdirectedWrite = ppm(c, 2, 100, 1000)
	}
	if on(3) {
		d.WrongRead = ppm(c, 3, 10, 300)
	}
	d.Evict = max(d.Evict, ppm(c, 4, 1000, 100_000))
}

// deviceFaults are the rates of a scenario as the device takes them.
func deviceFaults(d *scenarios.Disk) simdisk.Faults {
	rate := func(n uint32) simdisk.Rate { return simdisk.Rate(n) }
	return simdisk.Faults{
		Slow: rate(d.Slow), StallEvery: time.Duration(d.Stall), Reorder: rate(d.Reorder),
		ShortWrite: rate(d.ShortWrite), WriteError: rate(d.WriteError), SyncError: rate(d.SyncError),
		SyncLie: rate(d.SyncLie), LostWriteBack: rate(d.LostWriteBack), LatentSector: rate(d.LatentSector),
		BitRot: rate(d.BitRot), MisdirectedWrite: rate(d.MisdirectedWrite), WrongRead: rate(d.WrongRead),
		Evict: rate(d.Evict), FullEvery: time.Duration(d.Full), Leftover: rate(d.Leftover),
		DescriptorsMax: d.Descriptors,
	}
}
