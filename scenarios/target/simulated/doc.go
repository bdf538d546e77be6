// Package simulated runs a scenario in the simulator, by seed.
//
//	scenario, seed ─▶ world: broker host + client host (workload)
//	                    │  nemesis: crashes drawn by key, aimed at appends
//	                    │  ledger: what the broker said of its logs, held against it
//	                    ▼
//	        heal, come to rest, stop cleanly ─▶ final log and indexes read from the disk
//	                    ▼
//	        checker.Check(history, final log) ─▶ scenarios.Result with hash and counts
//
// The ledger and the final log are ghosts: they look at trace events and at the simulated
// disk, never at the broker's memory, and no product code can see them.
//
// Deliberately absent: many seeds (scenarios/sweep), the command line.
//
// Read run.go, then nemesis.go, ledger.go, stored.go (files back into records), indexes.go.
package simulated
