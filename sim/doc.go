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
// Deliberately absent: Kafka, checkers, fault plans, goroutines, the wall clock.
//
// Read world.go, host.go, life.go, then clock.go, buffers.go, rare.go, failure.go.
package sim
