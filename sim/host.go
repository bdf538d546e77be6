package sim

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simdisk"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// Host is a machine: it has a disk, a place in the network, and at times a process.
type Host struct {
	world  *World
	cfg    HostConfig
	index  int32
	choice engine.Choice
	node   *simnet.Node
	disk   *simdisk.Disk

	// the process
	life     *life  // nil while none runs
	lives    uint32 // number of the last life; events carry the one they are for
	starts   uint64 // orders to start, so that Kill or a second order overtakes none twice
	power    uint64 // power losses so far: the boot id
	crashOps int    // blocking disk operations after which the next boot is killed; 0: none
	armed    bool   // the running process may be killed from within

	// what waits while the process is busy, paused or still booting
	inbox     []engine.Event
	busyUntil env.Instant
	workUntil env.Instant // as busyUntil, without pauses
	batches   uint64

	clock clock

	// faults
	asleep     bool
	frozen     []*Fault      // pauses, stalls and suspensions that last
	cost, owed time.Duration // of each event, while slowed
	slowed     *Fault
	loop       *crashLoop
	crashedBy  *Fault // what ended the last life, until the next begins
	stopKill   *Fault // what will have ended this one, if it crashes
	diskFaults map[uint64]*Fault
	// ordinals
	blackouts, loops, stops, exchanges uint64
}

// AddHost puts a machine into the world. Its process runs after Start.
func (w *World) AddHost(cfg HostConfig) *Host {
	if len(w.hosts) >= HostsMax || cfg.Name == "" || cfg.Boot == nil {
		panic("sim: AddHost needs a name and a Boot, and at most HostsMax hosts")
	}
	for _, other := range w.hosts {
		if other.cfg.Name == cfg.Name {
			panic("sim: two hosts named " + cfg.Name)
		}
	}
	h := &Host{world: w, cfg: cfg, index: int32(len(w.hosts)), diskFaults: make(map[uint64]*Fault)}
	h.choice = w.engine.Choice.Of("host").Of(cfg.Name)
	h.node = w.net.AddNode(h.index, cfg.Name, cfg.Listen)
	h.disk = simdisk.New(h.diskConfig())
	w.hosts = append(w.hosts, h)
	h.plan()
	return h
}

func (h *Host) diskConfig() simdisk.Config {
	w, cfg := h.world, h.world.cfg.Disk
	choice := w.engine.Choice.Of("disk").Of(h.cfg.Name)
	if h.exchanges > 0 {
		choice = choice.Num(h.exchanges)
	}
	cfg.Decide = func(purpose, object string, ordinal uint64) uint64 {
		return choice.Of(purpose).Of(object).Uint64(ordinal)
	}
	cfg.Now = w.engine.Now
	if m := w.cfg.Memory; m != nil {
		cfg.Arena = &m.disks
	}
	cfg.Schedule = func(delay time.Duration, fn func()) { w.call(h.local().Add(delay), fn) }
	cfg.Allow, cfg.OnFault = h.allowDisk, h.diskFault
	cfg.Volumes = nil
	for i := range max(1, h.cfg.Volumes) {
		cfg.Volumes = append(cfg.Volumes, "/disk"+strconv.Itoa(i))
	}
	return cfg
}

// Name is the host's name.
func (h *Host) Name() string { return h.cfg.Name }

// ID is the broker id given to AddHost.
func (h *Host) ID() int32 { return h.cfg.ID }

// Disk is the machine's disk, for faults and for looking at what is durable.
func (h *Host) Disk() *simdisk.Disk { return h.disk }

// Up reports whether a process runs, be it still booting.
func (h *Host) Up() bool { return h.life != nil }

// Live reports whether a process runs and has booted.
func (h *Host) Live() bool { return h.life != nil && h.life.live }

// Lives is the number of times a process was started.
func (h *Host) Lives() int { return int(h.lives+1) / 2 }

// BuffersHeld is the number of buffers the running process has not released.
func (h *Host) BuffersHeld() int {
	if h.life == nil {
		return 0
	}
	return h.life.buffers.held
}

// Start turns the machine on, if it is off, and starts the process after delay, if none
// runs by then. A later order replaces an earlier one that has not begun.
func (h *Host) Start(delay time.Duration) {
	h.starts++
	order := h.starts
	h.world.call(h.world.Now().Add(delay), func() {
		if order == h.starts && h.life == nil {
			h.boot()
		}
	})
}

// Kill ends the process at once: memory gone, page cache kept, its connections reset by
// the kernel, which tells the peers.
func (h *Host) Kill() {
	if h.life == nil {
		return
	}
	h.trace(trace.Event{Kind: kindKill, N: [4]int64{int64(h.Lives())}})
	h.end()
	h.disk.Kill()
	h.node.ProcessEnded()
}

// PowerLoss ends the process, if one runs, and takes from the disk what was not synced.
// Peers learn nothing until the machine is on again.
func (h *Host) PowerLoss() {
	h.end()
	report := h.disk.PowerLoss()
	h.power++
	h.trace(trace.Event{Kind: kindPowerLoss, N: [4]int64{
		int64(h.Lives()), int64(report.OpsDropped), int64(report.OpsTorn)}})
	h.node.PowerLost()
}

// Restart kills the process, if one runs, and starts one after delay.
func (h *Host) Restart(delay time.Duration) {
	h.Kill()
	h.Start(delay)
}

// CrashInBoot makes the next boot find itself dead at its n-th blocking disk operation
// (1: the first), as killed. Nothing happens if the boot needs fewer.
func (h *Host) CrashInBoot(n int) { h.crashOps = n }

// CrashAtDiskOp kills the running process at its n-th blocking disk operation from now:
// between two operations of one event.
func (h *Host) CrashAtDiskOp(n int) {
	if h.life != nil {
		h.armed = n > 0
		h.disk.CrashAfterOps(n)
	}
}

// crashed reports that the process was killed from within. What it does after that is not
// the deed of a living process: an error it returns or a panic means nothing.
func (h *Host) crashed() bool { return h.armed && h.disk.Crashed() }

// Stop ends the process cleanly: fn, the process's own stop routine, runs as its last
// event once it is not busy, and may use blocking disk calls. A nil fn just exits.
func (h *Host) Stop(fn func() error) {
	h.Do(func() {
		l := h.life
		var err error
		if fn != nil {
			err = fn()
		}
		h.world.call(l.worldNow(), func() { h.stopped(l, err) })
	})
}

func (h *Host) stopped(l *life, err error) {
	if h.life != l {
		return
	}
	text := ""
	if err != nil {
		text = strconv.Quote(err.Error())
	}
	h.trace(trace.Event{Kind: kindStop, N: [4]int64{int64(h.Lives())}, Text: text})
	h.end()
	h.disk.Kill()
	h.node.ProcessEnded()
}

// Do runs fn as an event of the process, in its turn. It is dropped if the process ends
// before that, and does nothing when none runs.
func (h *Host) Do(fn func()) {
	if h.life != nil {
		h.life.do(fn)
	}
}

func (h *Host) trace(ev trace.Event) {
	ev.Node, ev.Topic, ev.Partition = h.cfg.ID, h.cfg.Name, -1
	h.world.trace(ev)
}

// local is the host's time: the world's and what the running handler was charged.
func (h *Host) local() env.Instant {
	if h.life == nil {
		return h.world.Now()
	}
	return h.life.worldNow()
}

// boot starts a life. It happens in one event of the world; the blocking disk time it
// took passes before the host is live.
func (h *Host) boot() {
	h.lives++ // odd: a life runs
	l := newLife(h)
	h.life = l
	h.node.PoweredOn()
	h.faults().Observed(h.crashedBy)
	h.crashedBy = nil
	h.trace(trace.Event{Kind: kindStart, N: [4]int64{int64(h.Lives())}})
	h.CrashAtDiskOp(h.crashOps)
	h.crashOps = 0
	var handler env.Handler
	var err error
	ok := h.guard(func() { handler, err = h.cfg.Boot(&l.env) })
	h.busyUntil = l.takeLag()
	h.workUntil = h.busyUntil
	switch {
	case h.crashed():
		h.Kill()
	case !ok:
	case err != nil:
		h.bootFailed(err)
	default:
		h.CrashAtDiskOp(0)
		l.handler = handler
		l.post(h.busyUntil, opLive, 0)
	}
}

func (h *Host) bootFailed(err error) {
	h.trace(trace.Event{Kind: kindBootFailed, N: [4]int64{int64(h.Lives())}, Text: strconv.Quote(err.Error())})
	h.end()
	h.disk.Kill()
	h.node.ProcessEnded()
	if h.world.cfg.BootFailed != nil {
		h.world.cfg.BootFailed(h, err)
		return
	}
	h.world.fail(&Failure{Host: h.cfg.Name, ID: h.cfg.ID, Name: "boot", Detail: err.Error(), Err: err})
}

// end forgets the life and all that waits for it. Nothing refers to its memory after.
func (h *Host) end() {
	if h.life == nil {
		return
	}
	h.life.dead = true
	h.life = nil
	h.lives++ // even: no life; events for the odd number before are stale
	h.inbox, h.busyUntil, h.armed, h.stopKill = nil, 0, false, nil
	for len(h.frozen) > 0 {
		h.faults().End(h.frozen[0])
	}
}
