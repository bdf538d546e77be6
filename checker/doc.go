// Package checker judges a history: did the cluster keep its word?
//
//	history ─▶ index (per partition; unknown effects resolved) ─▶ one-pass anomalies H1…
//	final log ┘                                               ├─▶ intervals: real-time order
//	                                                          └─▶ porcupine on a sample
//	                                                   Verdict: anomalies, counters, timeline
//
// It knows no broker and never imports sim or node, so it judges any cluster: with the final
// log of a simulated disk as oracle, or with what clients saw alone, which proves less.
//
// Every check counts how often its premise was true; a verdict over a history in which
// nothing was tested says so. A search that ran out of time is inconclusive, never a pass.
//
// Read check.go, index.go, then sends.go, polls.go, offsets.go, topics.go, linear.go, render.go.
package checker
