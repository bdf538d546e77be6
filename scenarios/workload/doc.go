// Package workload has the clients of the scenarios: small Kafka clients that record what
// they asked and what they were told.
//
//	Config ─▶ New ─▶ Host (env.Handler) ─▶ fibers: setup, producers, readers, listers, churn
//	                   ▲      │                        │
//	           env.Net, Clock ┘                        └▶ history.Recorder
//
// A client is straight-line blocking code on a coroutine: it dials, sends, waits and sleeps,
// while the Host, one event handler like a broker, resumes it when what it waits for has come.
// It stands on core/env alone, so exactly the same code runs in the simulator and against a
// live cluster.
//
// Deliberately absent: judgement (package checker), faults (the targets), groups and
// transactions. This is not a client library: it has just enough of one that its retries are
// those of a real producer and every attempt is known.
//
// Read host.go and conn.go (blocking calls), cluster.go (who leads what), payload.go (what a
// record looks like), then producer.go, reader.go, lister.go, churn.go.
package workload
