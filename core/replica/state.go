package replica

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// State is what the committed metadata says about a partition. Its slices are shared with
// whoever made it, and never changed.
type State struct {
	Leader         kafka.BrokerID // −1 for none
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch int32 // one more with every change
	Replicas       []kafka.BrokerID
	// Directories are those of Replicas, by index (KIP-858); nil if none is bound, and the zero
	// id where the metadata does not say.
	Directories []kafka.DirectoryID
	ISR         []kafka.BrokerID
	ELR         []kafka.BrokerID
}

// directoryOf is the directory that b's replica is bound to, zero for any.
func (s *State) directoryOf(b kafka.BrokerID) kafka.DirectoryID {
	if i := slices.Index(s.Replicas, b); i >= 0 && i < len(s.Directories) {
		return s.Directories[i]
	}
	return kafka.DirectoryID{}
}

// holds tells that the controller counts on b to have everything that is committed.
func (s *State) holds(b kafka.BrokerID) bool {
	return slices.Contains(s.ISR, b) || slices.Contains(s.ELR, b)
}

// Broker is what the committed metadata says about a broker, as far as it matters here.
type Broker struct {
	ID           kafka.BrokerID
	Epoch        kafka.BrokerEpoch // of its registration; −1 if it is not registered
	Fenced       bool
	ShuttingDown bool
}

// Member is a replica of a proposed ISR, with the registration under which the leader knows
// it: the controller refuses another one (KIP-903).
type Member struct {
	ID    kafka.BrokerID
	Epoch kafka.BrokerEpoch
}

// Epochs is what a log knows of its leaders. log.Log is one.
type Epochs interface {
	// LatestEpoch is the newest leader epoch known, −1 if none. It may have no record yet.
	LatestEpoch() kafka.LeaderEpoch
	// EpochAt is the epoch in which offset was written, −1 if not known.
	EpochAt(offset kafka.Offset) kafka.LeaderEpoch
	// EndOffsetFor is the largest epoch known that is not above e, and the offset where it
	// ends. For an e below all it knows that is e and the start of the oldest; for an e above
	// all, −1 and −1.
	EndOffsetFor(e kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset)
}

// Ends are the offsets of a log. log.Log has them.
type Ends interface {
	Start() kafka.Offset
	End() kafka.Offset
	DurableEnd() kafka.Offset
}

// Log is what the machines see of the partition's log. They change it through effects only.
type Log interface {
	Ends
	Epochs
}

// EpochEnd says that a leader's records of Epoch, and of all before it, end at End.
type EpochEnd struct {
	Epoch kafka.LeaderEpoch
	End   kafka.Offset
}

// NoEpochEnd stands for "not diverging".
var NoEpochEnd = EpochEnd{-1, kafka.NoOffset}

// InitialHighWatermark is where the high watermark of a log that was just opened stands.
//
// The checkpointed value is soft state: it is written now and then, for all partitions at
// once, and may be old, absent (−1), or newer than what a power loss left of the log. An old
// one is safe: it makes a follower serve less, and a leader commit again what was committed.
// Nothing is ever truncated to it.
func InitialHighWatermark(checkpointed kafka.Offset, log Ends) kafka.Offset {
	return max(log.Start(), min(checkpointed, log.DurableEnd()))
}

func appendIDs(b []byte, ids []kafka.BrokerID) []byte {
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return b
}

// String is the state in one line, for scripts and reports.
func (s State) String() string {
	var b strings.Builder
	b.WriteString("leader=" + s.Leader.String() + " epoch=" + s.LeaderEpoch.String() +
		" partition-epoch=" + strconv.Itoa(int(s.PartitionEpoch)))
	b.WriteString(" isr=" + string(appendIDs(nil, s.ISR)))
	if len(s.ELR) > 0 {
		b.WriteString(" elr=" + string(appendIDs(nil, s.ELR)))
	}
	return b.String()
}
