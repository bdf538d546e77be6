// Package real runs a scenario's clients against a live cluster over TCP: Tidemark or Apache
// Kafka, by its bootstrap addresses.
//
//	scenario ─▶ workload.Host on a netx.Loop ─▶ cluster
//	                 └▶ history ─▶ checker.Check (no oracle) ─▶ scenarios.Result
//
// The clients are the simulator's, to the letter. Topics get names of their own for the run
// and stay there afterwards, for whoever wants to look.
//
// Deliberately absent: faults. They come from outside: signals, proxies, file systems. So are
// the scenario's server settings, which a running cluster has already.
//
// Read run.go.
package real
