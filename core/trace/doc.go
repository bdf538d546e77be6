// Package trace defines the trace event: what a node decided, as data.
//
//	Event ──▶ Hash.Add      running hash, no formatting: two runs of a seed must agree
//	      ──▶ AppendBinary  compact form for files
//	      ──▶ ReadBinary    and back, in any build that knows the kind
//	      ──▶ String        12.034567s b2 orders-3 hw from=41 to=57
//
// A trace line is an API (docs/trace.md): golden files, diffs and the shrinker read it.
// Deliberately absent: levels, free text, wall time. Logs for operators live outside core.
//
// Read trace.go, then binary.go.
package trace
