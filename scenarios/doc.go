// Package scenarios tells the stories: every promise is a YAML file that can be run.
//
//	single/crash.yaml ─▶ Load ─▶ Scenario ─▶ target/simulated.Run(scenario, seed) ─▶ Result
//	own folder        ─▶ LoadFile ┘       └▶ target/real.Run(scenario, cluster)   ─▶ Result
//	                                         sweep.Sweep: many seeds, goals, JSON lines
//
// A scenario has the sentence it proves, the shape of the cluster, the clients, the faults,
// what is checked, and goals: how often something must have happened in a sweep of many seeds
// for it to mean anything. Keys are strict: what is not known is refused with file, line and
// the nearest known key.
//
// Deliberately absent: the simulator and the network (target), clients (workload), judgement
// (package checker).
//
// Read scenario.go (the format), then parse.go, library.go, result.go.
package scenarios
