// Package replica decides when a record is committed, and makes replicas equal.
//
//	 LogAppended, Durable ──▶ ┌────────┐ ──▶ HighWatermark, TooFewInSync
//	      FollowerFetched ──▶ │ Leader │ ──▶ Verdict: accepted, diverging, refused
//	PartitionChanged, Tick ─▶ └────────┘ ──▶ Propose (an ISR, to the controller)
//	     ProposalAnswered ──────┘
//
//	             Answered ──▶ ┌──────────┐ ──▶ Append, Truncate, Repair, RaiseStart (to the log)
//	StateChanged, Durable ──▶ │ Follower │ ──▶ HighWatermark
//	  Appended, Truncated ──▶ └──────────┘ ──▶ Position: what to ask next
//
//	┌─────────┐ ── Request: what changed here ─▶ ┌────────┐ one of each for every pair
//	│ Fetcher │                                  │ Source │ of brokers, for all partitions
//	└─────────┘ ◀─ Reply: records, news, errors ─└────────┘ that one follows from the other
//
// A Leader is made for one partition and one leader epoch. Followers ask for what comes after
// their log, and so prove how far it goes; the high watermark is the least durable end over
// the maximal ISR: the one the controller has committed, and whoever a proposal may have added
// to it. It stands still while the committed ISR is smaller than min.insync.replicas. Log end
// and durable end of a replica are told apart throughout: only what a crash leaves commits a
// record, and the log end says who follows.
//
// A Follower lives as long as its broker follows. It cuts its log only where a leader says
// that the two part, takes over a high watermark only from a leader that has accepted its log,
// claims nothing that lies at or above damage, and has damage fetched again in place.
//
// # How a broker uses it
//
// The owner is the event loop. When an image makes this broker the leader in a new epoch it
// writes the epoch to the log (log.Log.BeginEpoch), makes a Leader, tells it of the brokers,
// and calls Start. After each input it acts on the effects: HighWatermark means what
// api.Partition.Committed does, TooFewInSync answers what waits with acks=all, Propose is a
// message to the controller. A timer at Deadline calls Tick; at rest there is none.
//
// When the image names another leader the owner makes a Follower, or tells the one it has. It
// carries out the effects in the order of their fields and reports each; all of it happens
// within one event, since the log does its accounting at once. Of core/log this asks an append
// that keeps offsets and epochs, a repair in place, and an emptying to a start offset.
//
// What is asked of others:
//
//   - The controller changes an ISR by compare and set on leader epoch and partition epoch,
//     checks every member's broker epoch and that it is neither fenced nor shutting down, and
//     answers a proposal of the ISR as it is with a new partition epoch (isr.go says why).
//   - A proposal is sent once; only the leader makes it again.
//   - The fetches of one broker are given to FollowerFetched in the order it made them.
//   - Who decodes a fetch's answer verifies the checksum of every batch.
//   - log.Log tells the epoch of the last record also right after BeginEpoch and Truncate.
//
// Fetcher and Source carry it all between two brokers, one exchange for any number of
// partitions (messages.go). At Drained the owner sends what Fetcher.Next gives, starts
// Source.Reads, hands in those that are done at once, and sends what Source.Reply gives. An
// append or a moved high watermark is told to the Sources of the other replicas' brokers
// (Grew), FollowerEffects.Moved to the Fetcher (Changed). A Source lives as long as the
// process. core/peer has the wire form of Request and Reply.
//
// Deliberately absent: I/O, bytes on disk (core/log), messages (core/peer), elections and the
// ELR (core/controller), who waits for an acknowledgement (core/api). Not wired yet: no other
// room uses this one.
//
// Read state.go, leader.go and watermark.go; then progress.go and isr.go (who is in sync),
// serve.go (what a fetch proves) and rack.go; then follower.go, answer.go, truncate.go and
// damage.go; then messages.go, fetcher.go and source.go. Stories are in testdata; law_test.go
// has several replicas in bad weather, judged by ghost_test.go, which sees what they cannot.
package replica
