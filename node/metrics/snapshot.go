package metrics

import (
	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
)

// Snapshot is everything a scrape shows of a node.
type Snapshot struct {
	Version string
	NodeID  kafka.BrokerID
	// Answered tells that the event loop answered in time, or does not run yet.
	Answered bool
	// Broker is nil until recovery is through, and when the loop did not answer.
	Broker *broker.Stats
	// Recovering is how far recovery is, nil when it is through.
	Recovering *log.Progress
	// FreeBytes is what the volumes of Broker.Dirs have left, −1 where nobody knows.
	FreeBytes []int64

	BuffersHeld  int64 // bytes that somebody uses
	BuffersIdle  int64 // bytes kept for reuse
	ConnsRefused uint64
}

// Source gives a Snapshot. It is called by several goroutines, and bounds its own time.
type Source func() *Snapshot
