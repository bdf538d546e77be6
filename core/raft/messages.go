package raft

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Message is what one node's machine says to another's. core/peer gives each its form on
// the wire. A message may be lost, repeated, late, and out of order.
//
// Every reply carries the epoch of who replies and whom it takes for that epoch's leader, so
// any exchange ends ignorance. A reply repeats what it answers: whether it still fits is
// judged by the state of who asked, and not by numbers that a restart would forget.
type Message interface{ isMessage() }

// NoLeader stands for a leader that is not known.
const NoLeader kafka.BrokerID = -1

// VoteRequest asks for a vote, or with Pre whether one would be given.
type VoteRequest struct {
	Pre bool
	// Epoch is the one that the candidate stands in; with Pre the one it is in now.
	Epoch kafka.LeaderEpoch
	// Voter is who is asked, as the candidate's voter set has it.
	Voter Voter
	// LastEpoch and End describe the candidate's log.
	LastEpoch kafka.LeaderEpoch
	End       kafka.Offset
}

// VoteReply answers a VoteRequest. Pre and Asked repeat its kind and its epoch.
type VoteReply struct {
	Pre     bool
	Asked   kafka.LeaderEpoch
	Granted bool
	Epoch   kafka.LeaderEpoch
	Leader  kafka.BrokerID
}

// BeginEpoch tells a voter that the sender leads the epoch. It is sent until the voter
// fetches.
type BeginEpoch struct{ Epoch kafka.LeaderEpoch }

// EndEpoch tells a voter that the sender leads its epoch no longer. The first of Preferred
// stands for election at once, the others one after the other.
type EndEpoch struct {
	Epoch     kafka.LeaderEpoch
	Preferred []Voter
}

// EpochReply answers BeginEpoch and EndEpoch.
type EpochReply struct {
	Epoch  kafka.LeaderEpoch
	Leader kafka.BrokerID
}

// FetchRequest asks for what comes after Offset. The sender has everything below it, and
// durably; the last of it is of LastEpoch, −1 if there is nothing.
type FetchRequest struct {
	Epoch     kafka.LeaderEpoch
	Offset    kafka.Offset
	LastEpoch kafka.LeaderEpoch
	// HighWatermark is what the sender knows of; a higher one is a reason to answer.
	HighWatermark kafka.Offset
	MaxBytes      int
}

// FetchReply answers a FetchRequest, whose Offset and LastEpoch it repeats. With Code None it
// is the leader's, and exactly one of Diverging, Snapshot and Batches (possibly none) holds.
type FetchReply struct {
	Code      kafka.ErrorCode
	Epoch     kafka.LeaderEpoch
	Leader    kafka.BrokerID
	Offset    kafka.Offset
	LastEpoch kafka.LeaderEpoch

	HighWatermark kafka.Offset
	// Diverging, if not zero, names the last place at which the logs may still agree.
	Diverging EpochEnd
	// Snapshot, if not zero, is to be fetched instead: the log begins later than Offset.
	Snapshot SnapshotID
	Batches  []Batch
}

// SnapshotRequest asks for a part of a snapshot.
type SnapshotRequest struct {
	Epoch    kafka.LeaderEpoch
	ID       SnapshotID
	Position int64
	MaxBytes int
}

// SnapshotReply answers a SnapshotRequest, whose ID and Position it repeats. Size is that of
// the whole snapshot in bytes.
type SnapshotReply struct {
	Code     kafka.ErrorCode
	Epoch    kafka.LeaderEpoch
	Leader   kafka.BrokerID
	ID       SnapshotID
	Position int64
	Size     int64
	Data     []byte
}

func (VoteRequest) isMessage()     {}
func (VoteReply) isMessage()       {}
func (BeginEpoch) isMessage()      {}
func (EndEpoch) isMessage()        {}
func (EpochReply) isMessage()      {}
func (FetchRequest) isMessage()    {}
func (FetchReply) isMessage()      {}
func (SnapshotRequest) isMessage() {}
func (SnapshotReply) isMessage()   {}

// EpochEnd says that the batches of Epoch end at End. The zero value says nothing.
type EpochEnd struct {
	Epoch kafka.LeaderEpoch
	End   kafka.Offset
	Known bool
}

// SnapshotID names a snapshot by what it stands for: the records below End, the last of
// them of LeaderEpoch. The zero value is no snapshot.
type SnapshotID struct {
	End         kafka.Offset
	LeaderEpoch kafka.LeaderEpoch
}

// IsZero tells that there is no snapshot.
func (id SnapshotID) IsZero() bool { return id == SnapshotID{} }

func (id SnapshotID) String() string { return fmt.Sprintf("%d-%d", id.End, id.LeaderEpoch) }

// Kind tells what a batch holds.
type Kind uint8

// The kinds of batches.
const (
	Records      Kind = iota // what was proposed
	LeaderChange             // one control record, the first batch of each epoch
	Voters                   // one control record: the voter set
)

func (k Kind) String() string { return [...]string{"records", "leader-change", "voters"}[k] }

// Batch is what the machine knows of a record batch.
type Batch struct {
	Base  kafka.Offset
	Next  kafka.Offset // after the last record
	Epoch kafka.LeaderEpoch
	Kind  Kind
	// Voters is the set, for batches of that kind.
	Voters []Voter
	// Data is the batch as it is stored; the machine passes it on and never looks at it. It
	// is nil in an Append of what this node has still to build.
	Data []byte
}
