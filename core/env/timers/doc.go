// Package timers keeps the keyed timers of one node, for those who implement env.Clock:
// the simulator and netx. One heap, replace in place, no allocation per re-arming.
//
//	SetTimer(key, at) ─▶ ┌───────┐ ─▶ Next() when to wake
//	ClearTimer(key)   ─▶ │ Table │ ─▶ PopDue(now) one at a time
//	                     └───────┘
//
// Deliberately absent: a clock, goroutines, locks. Read table.go.
package timers
