// Package engine is time and chance for a simulated world: one event queue ordered by
// (time, sequence), keyed decisions, and the records of what was made to go wrong.
//
//	simnet, simdisk, sim ── Post(Event) ─▶ ┌────────┐ ─▶ Next() ── sim.World runs it
//	                                       │ Engine │
//	simnet, simdisk, sim ── Choice ◀────── │        │
//	simnet, sim ── Faults.Offer ─────────▶ └────────┘ ─▶ ledger: allow, veto or void
//
// It knows no host, network or disk. Deliberately absent: closures on the hot path (an
// event is a Target with two numbers) and a shared random stream (a decision is a hash of
// its key, so a new decision elsewhere shifts nothing).
//
// Read choice.go, then queue.go, engine.go and fault.go.
package engine
