// Package node is a process's worth of Tidemark: it joins core/broker with the real
// network, the real disk and real time, and sees to a node's beginning and end.
//
//	Start: lock directories ─▶ meta.properties ─▶ bind listeners ─▶ recover ─▶ serve
//	Stop:  close listeners ─▶ broker writes out ─▶ loop ends ─▶ sockets, workers, locks
//	asked: metrics, health ─▶ status.go ─▶ the event loop's inbox, and waits
//
// Deliberately absent: decisions (core), flags, signals and the service manager (cmd), files
// of configuration (node/config), HTTP (node/admin), names of metrics (node/metrics).
// Nothing here is global: a test may run several nodes in one process.
//
// Read node.go, then listen.go, status.go, reload.go, format.go and world.go.
package node
