// Command tidemark runs a broker, talks to one, and replays failure scenarios by seed.
//
//	serve, dev          run brokers over TCP and files
//	topic, produce, consume, log   use and inspect them
//	bench                          measure brokers side by side, ours or not
//	demo, sim, invariants          see what is proven, and how
//
// One file per verb. Progress goes to the terminal as bars and elsewhere as JSON lines;
// results go to standard output. Exit codes: exit.go.
//
// Read main.go, then the verb you care about. Behaviour of the command line is told by the
// scripts in testdata/script.
package main
