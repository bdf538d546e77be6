// Package netx is the real network and the real clock behind core/env: TCP connections
// framed as Kafka frames them, and the loop that runs a node's logic, one event at a time.
//
//	socket ─▶ reader ─┐                          ┌─▶ writer ─▶ socket   (two per connection)
//	        disk done ─┼─▶ Loop ─▶ env.Handler ─▶ │
//	           timers ─┘  (one at a time)        └─▶ Net.Send, Pause, Close
//
// Frames move ownership: a reader fills a pooled buffer and never touches it again; a
// frame given to Send belongs to the writer. The handler and everything it calls run where
// the Loop's turn is: on its own goroutine under load, else on that of whoever brought the
// event, and never on two. So connections are looked up without a lock, and at low load no
// goroutine has to be woken: small replies go out from there as well.
//
// Deliberately absent: what a frame means (core/api), TLS and SASL (not built yet).
//
// Read loop.go, then net.go, conn.go, reader.go, budget.go, writer.go, shortcut.go.
// It must pass core/env/envtest.
package netx
