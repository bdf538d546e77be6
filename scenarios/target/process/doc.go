// Package process runs a broker as a real process, puts a Kafka client's load on it, and
// ends it the hard way.
//
//	Start ──▶ Broker ── Kill (SIGKILL) / Stop (SIGTERM) ──▶ Start again on the same files
//	Load  ──▶ acknowledged records, remembered outside the broker
//	Audit ──▶ every one of them found once, at its offset
//
// Deliberately absent: faults from inside (those are the simulator's) and power loss (a
// process kill keeps the page cache).
//
// Read broker.go, load.go, audit.go.
package process
