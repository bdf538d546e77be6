// Package node is a process's worth of Tidemark: it joins core/broker with the real
// network, the real disk and real time, and sees to a node's beginning and end.
//
//	Start: lock directories ─▶ meta.properties ─▶ bind listeners ─▶ recover ─▶ serve
//	Stop:  close listeners ─▶ broker writes out ─▶ loop ends ─▶ sockets, workers, locks
//
// Deliberately absent: decisions (core), flags and signals (cmd), files of configuration
// (node/config). Nothing here is global: a test may run several nodes in one process.
//
// Read node.go, then format.go and world.go.
package node
