// Package engine is time and chance for a simulated world: one event queue ordered by
// (time, sequence), and keyed decisions.
//
//	simnet, simdisk, sim ── Post(Event) ─▶ ┌────────┐ ─▶ Next() ── sim.World runs it
//	                                       │ Engine │
//	simnet, simdisk, sim ── Choice ◀────── └────────┘
//
// It knows no host, network or disk. Deliberately absent: closures on the hot path (an
// event is a Target with two numbers) and a shared random stream (a decision is a hash of
// its key, so a new decision elsewhere shifts nothing).
//
// Read choice.go, then queue.go and engine.go.
package engine
