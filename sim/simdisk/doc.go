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
// Deliberately absent: the faults of a broken device (errors, rot, lies, misdirection),
// which come through Config.Fault; any notion of what the bytes mean; goroutines and locks.
//
// Read config.go and disk.go, then view.go, handle.go and flight.go (operations), file.go
// and pending.go (bytes), tree.go (names), crash.go, survive.go and survivenames.go.
// Tests: the envtest suites, and a naive second model in model_test.go.
package simdisk
