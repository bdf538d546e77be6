// Package sim is a world by seed: one goroutine, one event queue, simulated hosts.
//
//	             ┌────────────── World ───────────────┐
//	At, Start ──▶│ engine: queue of (time, sequence)   │
//	             │   │ one event at a time             │
//	             │   ▼                                 │
//	             │ Host ── life ── env.Env ─▶ Handler  │──▶ Hash, Failure, OnTrace
//	             │   ├ simnet: connections             │
//	             │   └ simdisk: survives the process   │
//	             └─────────────────────────────────────┘
//
// A host is a machine; a life is one run of its process, from Start to Kill, PowerLoss or
// Stop. Nothing of a life outlives it but what the disk kept; events meant for a past life
// are dropped in one place (World.dispatch). A panic inside a host ends the world and
// becomes World.Failure.
//
// Two worlds of the same seed and the same calls have the same Hash after every event.
//
// Faults have two sources: a plan calls methods at simulated times (Host.Suspend, CrashLoop,
// SlowDown, DriftClock, World.RackPowerLoss; Network.Cut, Partition, Clog), or Config gives
// rates and the world draws them. Each instance has a record, offered to the ledgers of
// World.OnFault before it fires, traced and counted. World.Calm ends them all. A world with
// no fault in plan or Config is the same, event for event, as if there were none to have.
//
// A machine's clock is its own: env.Clock of its process reads a function of the world's
// time (clock.go). The queue, the network and the disks go by the world's.
//
// Deliberately absent: Kafka, checkers, fault plans, goroutines, the wall clock; several
// event loops per host (a stall of one is a pause of the host).
//
// Read world.go, host.go, life.go, dispatch.go, then clock.go, buffers.go (pool.go,
// memory.go), rare.go, failure.go. Faults: fault.go (records), process.go, clockfault.go, drawn.go (rates).
package sim
