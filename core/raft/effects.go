package raft

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Effect is something that the loop has to do. Effects are carried out in order, before the
// next input, and are valid until then.
type Effect interface{ isEffect() }

// Send gives a message to the network. It may be lost.
type Send struct {
	To  kafka.BrokerID
	Msg Message
}

// StoreVote makes Vote durable and then reports VoteStored(Tag). Stores become durable in
// order, and in order with appends and truncations: they share a journal.
type StoreVote struct {
	Tag  uint64
	Vote Vote
}

// Vote is the hard state of a node beside its log: the newest epoch it knows of, and whom it
// voted for in it.
type Vote struct {
	Epoch kafka.LeaderEpoch
	Voted bool
	For   Voter
	// Proven is set for ever when this directory has voted, or has had all that was
	// committed. Without it a voter known by its id alone may have a new disk in place of one
	// that held what is committed.
	Proven bool
}

// Append puts batches at the end of the log. When they are durable, AppendDurable reports
// it. Those without Data are to be built: of what was proposed, or a control record.
type Append struct{ Batches []Batch }

// Truncate forgets the log from To on.
type Truncate struct{ To kafka.Offset }

// Serve reads batches from the log, from Reply.Offset to its end, at least one if there is
// one and no more than MaxBytes otherwise, and sends Reply with them. A read that ends after
// Serving(Reply.Epoch) has become false is dropped: the log may be another by then.
type Serve struct {
	To       kafka.BrokerID
	MaxBytes int
	Reply    FetchReply
}

// ServeSnapshot reads MaxBytes of the snapshot from Reply.Position on and sends Reply with
// them and with Size; with SNAPSHOT_NOT_FOUND if this node does not keep it any more, with
// POSITION_OUT_OF_RANGE past its end.
type ServeSnapshot struct {
	To       kafka.BrokerID
	MaxBytes int
	Reply    SnapshotReply
}

// StoreChunk writes a part of a snapshot that is being fetched into a file that does not
// count as a snapshot yet. Position 0 begins such a file anew.
type StoreChunk struct {
	ID       SnapshotID
	Position int64
	Data     []byte
}

// InstallSnapshot verifies the file of which all parts are stored, makes it durable under
// the snapshot's name, and then replaces the whole log by one that starts and ends at its
// end. SnapshotInstalled reports success, SnapshotRefused a file that is not whole.
type InstallSnapshot struct {
	ID   SnapshotID
	Size int64
}

// DropChunks removes the file of a snapshot that is not fetched any further.
type DropChunks struct{ ID SnapshotID }

// HighWatermark tells that everything below Offset is committed.
type HighWatermark struct{ Offset kafka.Offset }

// Became tells of a new role, epoch or leader. Who leads reads the log, all of it, before
// deciding anything; who does not lead any more forgets what was decided.
type Became struct {
	Role   Role
	Epoch  kafka.LeaderEpoch
	Leader kafka.BrokerID
}

// Healed tells that a damaged node holds again all that it may have acknowledged: the note
// of the damage may go.
type Healed struct{}

// SetTimer asks for Tick at that time, in place of any asked for before.
type SetTimer struct{ At env.Instant }

func (Send) isEffect()            {}
func (StoreVote) isEffect()       {}
func (Append) isEffect()          {}
func (Truncate) isEffect()        {}
func (Serve) isEffect()           {}
func (ServeSnapshot) isEffect()   {}
func (StoreChunk) isEffect()      {}
func (InstallSnapshot) isEffect() {}
func (DropChunks) isEffect()      {}
func (HighWatermark) isEffect()   {}
func (Became) isEffect()          {}
func (Healed) isEffect()          {}
func (SetTimer) isEffect()        {}
