// Package simdisk is the simulated disk behind env.Disk: bytes that a crash may take back.
//
//	        names                          bytes of a file, per sector
//	┌────────┐ pending ┌─────────┐   ┌────────┐ pending ┌─────────┐
//	│ cached │ ──────▶ │ durable │   │ cache  │ ──────▶ │ durable │
//	└────────┘ SyncDir └─────────┘   └────────┘  Sync   └─────────┘
//	what processes see   what power loss leaves, with a drawn part of what is pending
//
// A Disk is the volume set of one host and outlives its processes; each process gets a
// View by Mount. Kill ends a process and keeps the cache. PowerLoss keeps what is durable
// and draws the rest: one survival mode per file, a prefix or a subset of the names per
// directory, zeroes or recycled bytes where a size survived and its bytes did not.
//
// Every choice is a keyed decision (Config.Decide), so that a choice added elsewhere shifts
// nothing; the answer zero is the calm one. Background write-back costs no events: whether
// an operation had become durable by itself is decided when somebody could tell, from its
// age.
//
// It is also a referee. A write whose buffers change before its completion, or that
// overlaps another one in flight, violates an invariant.
//
// Config.Faults breaks the device, by rates:
//
//	submit ─▶ delay, stall, overtaking ─▶ land ─▶ refuse, cut, lie ─▶ cache ─▶ durable
//	                                              errors             │         │
//	                                    what a read sees ◀── evict ──┴── scar ─┘
//
// A scar hides what a block should be, so that damage is listed (Damages), switched off and
// healed by overwriting. Each instance is offered to Config.Allow and told to
// Config.OnFault. Without faults a Disk has no injector and its hot path pays nothing.
//
// Deliberately absent: any notion of what the bytes mean; goroutines and locks; a volume
// that is gone or exchanged, which is the world's doing; access modes.
//
// Read config.go and disk.go, then view.go, syncall.go, handle.go and flight.go (operations), file.go
// and pending.go (bytes), tree.go (names), crash.go, survive.go and survivenames.go. Faults:
// faults.go and faultevent.go, injector.go, scar.go, damage.go, then one file per family.
// Tests: the envtest suites, a naive second model in model_test.go, and for damage a sound
// twin in damage_law_test.go.
package simdisk
