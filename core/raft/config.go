package raft

import (
	"fmt"
	"time"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Log is what the machine sees of the metadata log. It only reads. What it asks for is done
// by the loop, which carries out Append, Truncate and InstallSnapshot before the next input, so
// that the log then already answers as if they were done; they become durable later.
type Log interface {
	// Start is the log start offset: nothing below it is kept.
	Start() kafka.Offset
	// End is the log end offset.
	End() kafka.Offset
	// LatestEpoch is the epoch of the last batch, −1 if there is none. An epoch that was
	// begun and has no batch does not count.
	LatestEpoch() kafka.LeaderEpoch
	// EndOffsetFor gives the largest epoch not above e of which the log has a batch, and
	// where it ends; −1 and −1 if e is above LatestEpoch; e and Start if all batches are of
	// later epochs.
	EndOffsetFor(e kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset)
}

// Rand is the source of the random part of timeouts, by purpose.
type Rand interface {
	Uint64(purpose string) uint64
}

// Rare forces rare branches in a simulation: see env.Rare.
type Rare interface {
	Rare(name string) bool
}

// Config makes a Machine. Durations of 0 stand for the defaults.
type Config struct {
	// Me is this node: its id, and the identity of the directory that holds the log.
	Me  Voter
	Log Log

	Rand Rand
	Rare Rare

	// Vote is what StoreVote last made durable; the zero Vote at the first start.
	Vote Vote
	// Bootstrap is the voter set before the log has one: controller.quorum.voters, or the
	// set a new cluster was formatted with. A zero directory stands for one not known yet.
	// All nodes must have the same.
	Bootstrap []Voter
	// VoterSets are those found in the log, in order, each with the base offset of its
	// batch; first that of the snapshot, with the offset before its end.
	VoterSets []VoterSet
	// Snapshot is the newest one stored whole, the zero id if there is none.
	Snapshot SnapshotID
	// Damaged tells that something durable was lost below what this node has acknowledged.
	// Such a node fetches; it neither votes nor stands until Healed. If what StoreVote made
	// durable was lost, the node must come with a new directory identity instead.
	Damaged bool

	// ElectionTimeout is the shortest time a voter waits for a leader; the longest is twice
	// that. (controller.quorum.election.timeout.ms)
	ElectionTimeout time.Duration
	// FetchTimeout is how long a follower believes in a leader it does not hear from. A
	// leader resigns after one and a half times that without fetches from a majority.
	// (controller.quorum.fetch.timeout.ms)
	FetchTimeout time.Duration
	// RequestTimeout is when a request without reply is sent again.
	// (controller.quorum.request.timeout.ms)
	RequestTimeout time.Duration
	// FetchWait is how long a leader lets a fetch wait that has nothing to get.
	FetchWait time.Duration
	// RetryBackoff is the pause before a refused request is tried again.
	// (controller.quorum.retry.backoff.ms)
	RetryBackoff time.Duration
}

// withDefaults fills what is 0.
func (c Config) withDefaults() Config {
	or := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	or(&c.ElectionTimeout, electionTimeout)
	or(&c.FetchTimeout, fetchTimeout)
	or(&c.RequestTimeout, requestTimeout)
	or(&c.FetchWait, fetchWait)
	or(&c.RetryBackoff, retryBackoff)
	return c
}

// Validate tells what is wrong with the configuration, after defaults.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Me.ID < 0 || c.Me.Directory.IsZero():
		return fmt.Errorf("raft: node %s: want an id and a directory identity", c.Me)
	case c.Log == nil || c.Rand == nil || c.Rare == nil:
		return fmt.Errorf("raft: node %s: Log, Rand and Rare must be given", c.Me)
	case c.ElectionTimeout < 0 || c.RequestTimeout < 0 || c.RetryBackoff < 0:
		return fmt.Errorf("raft: node %s: a negative timeout", c.Me)
	case c.FetchWait < 0 || c.FetchWait >= c.FetchTimeout:
		return fmt.Errorf("raft: node %s: fetch wait %v: want less than the fetch timeout, %v",
			c.Me, c.FetchWait, c.FetchTimeout)
	}
	if err := validVoters(c.Bootstrap); err != nil {
		return fmt.Errorf("raft: bootstrap voters: %w", err)
	}
	for _, s := range c.VoterSets {
		if err := validVoters(s.Voters); err != nil {
			return fmt.Errorf("raft: voters at offset %d: %w", s.Offset, err)
		}
	}
	return nil
}
