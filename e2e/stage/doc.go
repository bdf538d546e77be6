// Package stage puts a broker on stage for the tests of the outside world: built once, as a
// user would build it, and run as a process with its files in a folder of the test.
//
//	stage.Broker(t, "max.connections=100") ─▶ tidemark serve ─▶ Addr, Dir, Pid
//
// What a test cannot find on the machine it names by Skip, in one line; Summary lists all
// of them at the end, beside the versions of what was met.
//
// Deliberately absent: load and audit (scenarios/target/process has them), and anything
// that knows how the broker is made.
//
// Read stage.go, then summary.go.
package stage
