package api

import "github.com/tidemark-log/tidemark/core/env/timing"

// Counters count what the surface did since the start. They are plain numbers of one
// event loop; who exports them reads a copy.
type Counters struct {
	Requests [keyMax + 1]uint64           // by API key
	Errors   [keyMax + 1]uint64           // error codes answered, by API key
	Took     [keyMax + 1]timing.Histogram // from start to answer, by API key
	Closed   uint64                       // connections closed for what their requests were
	BytesIn  uint64                       // frames of requests
	BytesOut uint64                       // frames of replies

	ProducedBatches uint64
	ProducedRecords uint64
	ProducedBytes   uint64
	// RecompressedBatches were stored in another compression than they came in.
	RecompressedBatches uint64
	RefusedForRoom      uint64 // batches refused because the volume is nearly full
	RepeatedBatches     uint64 // answered from the producer's last five
	FetchedBytes        uint64
	FetchesWaited       uint64 // that did not find enough bytes at once
	SessionsOpened      uint64
	SessionsEvicted     uint64 // for another one
	SessionsRefused     uint64 // for want of room
	Expired             uint64 // calls whose deadline passed
}

func (c *Counters) error(key int16) { c.Errors[key]++ }

// FetchSessions counts the sessions kept now, and the partitions in them.
func (s *Server) FetchSessions() (sessions, partitions int) {
	return len(s.sessions.byID), s.sessions.parts
}

// PartitionCounters count what clients did to one partition since the start.
type PartitionCounters struct {
	ProducedRecords uint64
	ProducedBytes   uint64
	FetchedBytes    uint64
}
