package simdisk

import (
	"github.com/tidemark-log/tidemark/core/env"
)

// Disk is the volume set of one host. It outlives the host's processes.
type Disk struct {
	cfg     Config
	root    *dir
	volumes []*volume

	objects      map[string]*object // looked up only, never ranged over
	dirtyDirs    []*dir             // those with pending names, and a few without
	dirtyDirsMax int
	nameOps      uint64
	crashes      uint64

	view    *View
	crashIn int // blocking operations until the process finds itself dead; 0: never
	crashed bool
	report  CrashReport // of the crash under way
	free    []*flight   // recycled

	inject *injector // nil: nothing breaks
	counts FaultCounts
}

// New returns an empty disk with its volumes mounted.
func New(cfg Config) *Disk {
	cfg = cfg.withDefaults()
	d := &Disk{cfg: cfg, objects: map[string]*object{}, dirtyDirsMax: dirtyDirsMin}
	d.root = d.newDir("/", nil)
	d.root.vol = newVolume(d.root, cfg.Capacity)
	for _, path := range cfg.Volumes {
		d.addVolume(path)
	}
	d.SetFaults(cfg.Faults)
	return d
}

// addVolume makes the directory path, durably, the root of a volume of its own.
func (d *Disk) addVolume(path string) {
	if clean(path) == "/" {
		d.volumes = append(d.volumes, d.root.vol)
		return
	}
	at := d.durableDir(path)
	at.vol = newVolume(at, d.cfg.Capacity)
	d.volumes = append(d.volumes, at.vol)
}

// durableDir is the directory path, made durably as far as it is missing.
func (d *Disk) durableDir(path string) *dir {
	at, made := d.root, ""
	for name := range names(path) {
		made += "/" + name
		n, ok := at.cached[name]
		if !ok {
			n = node{dir: d.newDir(made, at)}
			at.cached[name], at.durable[name] = n, n
		}
		at = n.dir
	}
	return at
}

func (c Config) withDefaults() Config {
	if c.Decide == nil {
		c.Decide = Hashed(0)
	}
	if len(c.Volumes) == 0 {
		c.Volumes = []string{"/"}
	}
	if c.SectorSize == 0 {
		c.SectorSize = 4096
	}
	if c.Latency == (Latencies{}) {
		c.Latency = defaultLatencies
	}
	if c.Survival == (Survival{}) {
		c.Survival = defaultSurvival
	}
	if c.DirReorderPerMille == 0 {
		c.DirReorderPerMille = 200
	}
	if c.RecycledPerMille == 0 {
		c.RecycledPerMille = 20
	}
	return c
}

// Mount gives a new process its view; deliver gets the completions, one at a time, from
// within functions given to Config.Schedule. A view before it is dead from now on.
func (d *Disk) Mount(deliver func(env.Completion)) *View {
	if d.view != nil && !d.view.dead {
		d.Kill()
	}
	if d.inject != nil {
		d.inject.restart()
	}
	d.view = &View{disk: d, deliver: deliver}
	return d.view
}

// CrashAfterOps makes the n-th blocking operation from now (1: the next) find the process
// dead: it and all later operations return env.ErrClosed, whether it had its effect is
// drawn. The world sees Crashed and then says which crash it was by Kill or PowerLoss,
// which also disarm it. 0 disarms it too.
func (d *Disk) CrashAfterOps(n int) { d.crashIn = n }

// Crashed reports that CrashAfterOps has struck.
func (d *Disk) Crashed() bool { return d.crashed }
