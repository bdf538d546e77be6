// Package invariant names what must always be true and stops the node when it is not.
//
// The condition stays visible at the place where it could break:
//
//	// A follower outside the ISR must not hold the high watermark back.
//	if p.hw > p.isrMinDurable() {
//		invariant.Violated("replica.hw-within-isr", "hw=%d min=%d", p.hw, p.isrMinDurable())
//	}
//
// A violated invariant panics with Violation: a broker never limps on. The simulator
// recovers it at the edge of the node and reports it with the seed. docs/invariants.md
// is generated from the comments above the calls.
//
// Deliberately absent: logging, and a way to switch a check off. Costly checks stand under
// Slow, a constant of the build tag slowcheck. Read invariant.go.
package invariant
