// Package sweep runs many seeds of a scenario and adds up what they showed.
//
//	seeds A..B ─▶ workers (one goroutine each) ─▶ in order of seed ─▶ JSON lines, Summary
//
// What comes out depends on the seeds alone: lines come in order of seed, hold no wall-clock
// times, and are the same for any number of workers. Two of a hundred seeds, and every failing
// one, are run twice; a difference is a finding of its own. Goals that were reached too rarely
// make a sweep of green runs UNSEEN: it proved less than it seems.
//
// This is the one place of the simulator with goroutines; a run itself has none.
//
// Read sweep.go, then lines.go (the JSON), summary.go.
package sweep
