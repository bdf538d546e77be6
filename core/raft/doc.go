// Package raft agrees on the metadata log: who leads it, what is committed in it, who votes. It is
// the quorum of KRaft (KIP-595, with KIP-630, KIP-853 and KIP-996): followers pull, with the same
// fetch as partitions; terms are leader epochs, and the log is a log like any other.
//
//	Tick, Received, Disconnected ──▶ ┌─────────┐ ──▶ Send, SetTimer
//	VoteStored, AppendDurable    ──▶ │         │ ──▶ StoreVote, Append, Truncate
//	Propose, Resign              ──▶ │ Machine │ ──▶ Became, HighWatermark, Healed
//	AddVoter, RemoveVoter        ──▶ │         │ ──▶ Serve, ServeSnapshot
//	Snapshot{Stored,Installed,…} ──▶ └─────────┘ ──▶ StoreChunk, InstallSnapshot, DropChunks
//	                                      │ reads
//	                                      ▼
//	                                     Log
//
// # What it promises
//
// It never says what rests on an I/O that has not been reported back. An epoch and a vote are spoken
// of after VoteStored; what is appended is acknowledged, by a follower as by the leader to itself,
// after AppendDurable. What the high watermark has passed is on the disks of a majority, in the log
// of every later leader, and never truncated. A node that comes back disturbs nobody; a leader that
// is cut off stops being one.
//
// # Roles
//
//	            patience ends            would win            a majority voted
//	Unattached ──────────────▶ Prospective ──────▶ Candidate ──────────────▶ Leader
//	   ▲  ▲ └── is told of a leader ──▶ Follower                               │
//	   │  └───── later epoch, lost ◀───────┴── fetch timeout: Prospective      │
//	   └────────────────────── Resigned ◀── cut off, removed, clean stop ──────┘
//
// An observer, or a voter that is damaged or about to stop, is Unattached or Follower and nothing else.
//
// # Joining it to a node
//
// The loop owns the machine; one call at a time, effects in order, all of them before the next input.
//
//   - StoreVote, Append and Truncate go to the journal of the log's directory in the order in which
//     they come, so that they become durable in that order. Append and Truncate change the log at
//     once; AppendDurable is given the durable end the log has when it is called. A truncation
//     needs no report: what it leaves was durable, and nothing is said of what it cuts.
//   - An Append of kind Records holds what was proposed; its batch tells the offsets, for the
//     coordinator that decides at these offsets. Kinds LeaderChange and Voters are control batches
//     that the loop builds, and recognises when they come with a fetch or are found at a start.
//   - Serve reads from the log, perhaps from the disk. A read that ends when Serving is false, is
//     dropped.
//   - Became Leader is the coordinator's leadership gained, with the log as it is then; any other
//     role its leadership lost. HighWatermark releases replies, and on every node moves the image.
//   - Messages go by node id; the peer layer finds the address, shows in its handshake who it is,
//     id and directory, and delivers nothing of an older life of a node once it knows a newer.
//   - At a start: the vote as stored last, the newest whole snapshot with its voters, the voter
//     sets found in the log, and whether anything durable was lost; a log that ends before the
//     snapshot is replaced by it first. If the store of votes itself was
//     lost the node has forgotten who it is, and needs a new directory identity.
//
// # What is absent
//
// Bytes, files, sockets, clocks, chance (Rand is given), and what records mean. Leases for reads:
// a leader that has not resigned yet may be out of date, so reads wait for the high watermark.
//
// # Reading
//
// Start with a story, testdata/stories/election.txt. Then messages.go and effects.go, machine.go (the
// inputs), roles.go, election.go, leader.go, follower.go, snapshot.go, voters.go and membership.go.
// The laws are in law_test.go, judged by ghost_test.go, which names them.
package raft
