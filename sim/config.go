package sim

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/simdisk"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// Config makes a world. The zero value is a calm one of seed 0.
type Config struct {
	// Seed decides every choice that is left open.
	Seed uint64
	// Net is the character of the network; the zero value is calm and fast.
	Net simnet.Config
	// Disk is the template for the disks of all hosts. Decide, Schedule, Now, Arena and
	// Volumes are set by the world.
	Disk simdisk.Config
	// Clock and Process are faults of the machines with an ID, drawn by rate; the zero values
	// draw none.
	Clock   ClockConfig
	Process ProcessConfig
	// RareOff keeps every rare branch calm; they are still counted as reached.
	RareOff bool
	// Memory, if set, is used by worlds one after the other; World.Release gives it back.
	Memory *Memory
	// WallStart is the wall clock at time zero, in milliseconds. Default: 2026-01-01.
	WallStart int64
	// BootFailed, if set, takes a host's boot that returned an error; without it such a
	// boot is the world's failure. A boot that a crash ended is neither.
	BootFailed func(h *Host, err error)
}

// Listener is an address a host answers at while its process is live.
type Listener = simnet.Listener

// HostConfig describes a machine and the process that runs on it.
type HostConfig struct {
	// Name is unique in the world and part of the key of the host's decisions.
	Name string
	// ID is the broker id, as trace lines show it; −1 for clients.
	ID int32
	// Boot makes the process: called at each start, with a world whose disk is what the
	// last life left. It may use blocking disk calls; the time they take passes before
	// the host is live, that is: listens. An error that wraps env.ErrClosed after a crash
	// is the crash.
	Boot func(e *env.Env) (env.Handler, error)
	// Decode is the pure hook for inbound frames; it may be nil.
	Decode func(class env.Class, frame []byte) any
	// Listen are the addresses served while the process is live.
	Listen []Listener
	// Rack is the failure domain the machine shares its power with; "" for none.
	Rack string
	// Volumes is the number of disks; they are mounted at /disk0, /disk1, … Default: 1.
	Volumes int
}
