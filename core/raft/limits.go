package raft

import "time"

// VotersMax bounds a voter set. A majority of more than this is slower and no safer.
const VotersMax = 15

// ReplicasMax bounds the nodes whose fetches a leader keeps account of, voters and observers
// together. Beyond it the observer that was silent longest is forgotten; it is known again
// by its next fetch.
const ReplicasMax = 4096

// HeldMax bounds the messages that wait for a vote or an epoch to be durable. More are
// dropped, as a network drops: whoever misses one asks again.
const HeldMax = 1024

// ProposeRecordsMax bounds the records of one proposal, which become one batch. It is the
// bound of a coordinator's decision.
const ProposeRecordsMax = 200_000

// FetchBytes is how much a follower asks for in one fetch. At least one batch is served
// whatever its size, or a large one would stop replication for ever.
const FetchBytes = 8 << 20

// FetchBatchesMax bounds the batches of one reply that a follower takes.
const FetchBatchesMax = 65_536

// SnapshotChunkBytes is how much of a snapshot travels in one reply.
const SnapshotChunkBytes = 1 << 20

// SnapshotBytesMax bounds a snapshot that a follower agrees to fetch.
const SnapshotBytesMax = 64 << 30

// The defaults of Kafka's controller.quorum.* keys, and of what Kafka fixes in code.
const (
	electionTimeout = time.Second
	fetchTimeout    = 2 * time.Second
	requestTimeout  = 2 * time.Second
	fetchWait       = 500 * time.Millisecond
	retryBackoff    = 20 * time.Millisecond
)
