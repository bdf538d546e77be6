// Package env is the page of interfaces between Tidemark's logic and the world.
//
//	netx, diskx, node (production)  ─┐
//	                                 ├─ implement ─▶ env ◀─ is used by ─ core/*
//	sim, simnet, simdisk (simulator) ┘
//
// Everything a broker decides depends only on what comes in through Handler and
// what these interfaces answer. They state order, ownership and failure, because
// that is where simulators and reality part ways.
//
// Deliberately absent: goroutines, contexts, blocking network calls, wall-clock
// timers. A Handler is called by one caller at a time and never concurrently.
//
// Read env.go, then disk.go and net.go. The conformance suites that hold both
// implementations to these words are in envtest.
package env
