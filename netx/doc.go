// Package netx is the real network and the real clock behind core/env: TCP connections
// framed as Kafka frames them, and the one goroutine that runs a node's logic.
//
//	socket ─▶ reader ─┐                          ┌─▶ writer ─▶ socket   (two per connection)
//	        disk done ─┼─▶ Loop ─▶ env.Handler ─▶ │
//	           timers ─┘  (one)                  └─▶ Net.Send, Pause, Close
//
// Frames move ownership: a reader fills a pooled buffer and never touches it again; a
// frame given to Send belongs to the writer. The handler and everything it calls run on
// the Loop's goroutine, so connections are looked up without a lock.
//
// Deliberately absent: what a frame means (core/api), TLS and SASL (not built yet).
//
// Read loop.go, then net.go, conn.go, reader.go, budget.go, writer.go. It must pass core/env/envtest.
package netx
