package raft

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Role is what a node does in its epoch.
type Role uint8

// The roles.
const (
	Unattached  Role = iota // knows no leader
	Follower                // fetches from the leader
	Prospective             // asks whether it would be voted for; has changed nothing yet
	Candidate               // stands for election in an epoch of its own
	Leader                  // takes proposals
	Resigned                // has led this epoch and does not any more
)

func (r Role) String() string {
	return [...]string{"unattached", "follower", "prospective", "candidate", "leader", "resigned"}[r]
}

// never is a time that does not come.
const never = env.Instant(1<<63 - 1)

// Machine is one node of the quorum, voter or observer.
type Machine struct {
	cfg Config

	// hard state, with the log
	vote     Vote
	voters   voterHistory
	snapshot SnapshotID
	damaged  bool

	// soft state
	role     Role
	leader   kafka.BrokerID
	ledBy    Voter // the node that a follower fetches from, once it has spoken
	gone     bool  // the leader of this epoch has said that it leads no more
	stopping bool
	deadline env.Instant       // when the role gives up what it waits for
	end      kafka.Offset      // of the log, with the effects given out
	last     kafka.LeaderEpoch // of the last record below end, in the log or the snapshot
	durable  kafka.Offset
	hw       kafka.Offset
	ballot   ballot
	lead     leadership
	pull     pull

	// messages that wait for a vote to be durable
	asked, stored uint64 // tags of StoreVote
	unstored      bool   // vote has changed in this input
	held          []heldSend

	// scratch
	now     env.Instant
	timer   env.Instant
	effects []Effect
}

// heldSend is a Send, Serve or ServeSnapshot that speaks of what is not durable yet.
type heldSend struct {
	tag   uint64
	epoch kafka.LeaderEpoch
	what  Effect
}

// New makes a machine that has yet to be Started. Config must be valid; what the log holds
// counts as durable.
func New(cfg Config) (*Machine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	m := &Machine{
		cfg: cfg, vote: cfg.Vote, snapshot: cfg.Snapshot, damaged: cfg.Damaged, leader: NoLeader,
		voters: newVoterHistory(cfg.Bootstrap, cfg.VoterSets),
		end:    cfg.Log.End(), durable: cfg.Log.End(), hw: cfg.Snapshot.End,
		deadline: never, timer: never,
	}
	if m.end < m.snapshot.End {
		return nil, fmt.Errorf("raft: node %s: the log ends at %d, before the snapshot %s",
			cfg.Me, m.end, m.snapshot)
	}
	m.last = m.lastInLog()
	if m.last > m.vote.Epoch {
		return nil, fmt.Errorf("raft: node %s: the log has epoch %d, the vote only %d: they are not of one node",
			cfg.Me, m.last, m.vote.Epoch)
	}
	return m, nil
}

// Started is the first input. A node that is the only voter stands at once.
func (m *Machine) Started(now env.Instant) []Effect {
	m.begin(now)
	m.becomeUnattached(m.electionDeadline())
	if m.electable() && len(m.currentVoters()) == 1 {
		m.becomeProspective()
	}
	return m.finish()
}

// Tick reports that time has passed; SetTimer says when it is next of use.
func (m *Machine) Tick(now env.Instant) []Effect {
	m.begin(now)
	return m.finish()
}

// Received reports a message from a node that has shown who it is, in its present life: the
// connection is closed to older lives of it.
func (m *Machine) Received(now env.Instant, from Voter, msg Message) []Effect {
	m.begin(now)
	switch msg := msg.(type) {
	case VoteRequest:
		m.voteRequested(from, msg)
	case VoteReply:
		m.voteReplied(from, msg)
	case BeginEpoch:
		m.epochBegun(from, msg)
	case EndEpoch:
		m.epochEnded(from, msg)
	case EpochReply:
		m.learn(from, msg.Epoch, msg.Leader)
	case FetchRequest:
		m.fetchRequested(from, msg)
	case FetchReply:
		m.fetchReplied(from, msg)
	case SnapshotRequest:
		m.snapshotRequested(from, msg)
	case SnapshotReply:
		m.snapshotReplied(from, msg)
	}
	return m.finish()
}

// VoteStored reports that the vote of that StoreVote, and all before, is durable. Only now
// may anything be said in its epoch.
func (m *Machine) VoteStored(now env.Instant, tag uint64) []Effect {
	m.begin(now)
	// Nobody asked for what is reported: it is another life's, and proves nothing.
	if tag > m.asked {
		invariant.Violated("raft.stored-after-asked", "tag=%d asked=%d", tag, m.asked)
	}
	m.stored = max(m.stored, tag)
	m.release()
	if m.role == Candidate && m.voteIsDurable() {
		m.votedFor(m.cfg.Me)
	}
	return m.finish()
}

// AppendDurable reports that the log is durable below end. Only here may the leader count
// itself, and a follower say what it has.
func (m *Machine) AppendDurable(now env.Instant, end kafka.Offset) []Effect {
	m.begin(now)
	// What is not in the log cannot be durable in it; the completion is of another log.
	if end > m.end {
		invariant.Violated("raft.durable-within-log", "durable=%d end=%d", end, m.end)
	}
	m.durable = max(m.durable, end)
	if m.role == Leader {
		m.advanceHighWatermark()
	}
	return m.finish()
}

// Disconnected reports that the connection to that node broke, or could not be made: what was
// asked of it will not be answered.
func (m *Machine) Disconnected(now env.Instant, node kafka.BrokerID) []Effect {
	m.begin(now)
	if m.role == Follower && m.leader == node && !m.pull.installing {
		m.pull.at = min(m.pull.at, m.now.Add(m.cfg.RetryBackoff))
	}
	return m.finish()
}

// Propose appends a batch of so many records to the log of the leader: the effects hold an
// Append whose one batch has the offsets and the epoch, to be filled with the records. They
// are committed when the high watermark passes them. Another code than None means that
// nothing was appended: NOT_CONTROLLER by who does not lead or is about to stop.
func (m *Machine) Propose(now env.Instant, records int) ([]Effect, kafka.ErrorCode) {
	m.begin(now)
	switch {
	case m.role != Leader || m.stopping:
		return m.finish(), kafka.NotController
	case records <= 0 || records > ProposeRecordsMax:
		return m.finish(), kafka.InvalidRequest
	}
	m.appendOwn(Batch{Next: m.end + kafka.Offset(records), Kind: Records})
	return m.finish(), kafka.None
}

// Role is what the node does now.
func (m *Machine) Role() Role { return m.role }

// Epoch is the newest epoch the node knows of.
func (m *Machine) Epoch() kafka.LeaderEpoch { return m.vote.Epoch }

// Leader is the leader of the epoch, or NoLeader.
func (m *Machine) Leader() kafka.BrokerID { return m.leader }

// HighWatermark is the end of what this node knows to be committed.
func (m *Machine) HighWatermark() kafka.Offset { return m.hw }

// Serving tells whether a Serve of that epoch may still be answered.
func (m *Machine) Serving(epoch kafka.LeaderEpoch) bool {
	return m.role == Leader && m.vote.Epoch == epoch
}

// Damaged tells whether the node still has to hold again all that it acknowledged.
func (m *Machine) Damaged() bool { return m.damaged }

// VotersAt is the voter set in force in the log below end, for a snapshot that ends there.
// The high watermark, or an older end that is not below the last snapshot's.
func (m *Machine) VotersAt(end kafka.Offset) []Voter { return m.voters.at(end).Voters }

func (m *Machine) currentVoters() []Voter { return m.voters.latest().Voters }

// begin is the first step of each input: what is due comes before what arrives, so that a
// leader whose time is up does not answer once more.
func (m *Machine) begin(now env.Instant) {
	// Timeouts are differences of a clock that does not step back.
	if now < m.now {
		invariant.Violated("raft.time-rises", "now=%s was=%s", now, m.now)
	}
	// The machine reasons about the log with its own effects carried out; a log that is
	// another would be acknowledged for what it is not.
	if end, last := m.cfg.Log.End(), m.lastInLog(); end != m.end || last != m.last {
		invariant.Violated("raft.log-follows-effects", "the log ends at %d in epoch %d, the effects at %d in %d",
			end, last, m.end, m.last)
	}
	m.now = now
	m.effects = m.effects[:0]
	m.expire()
}

// finish is the last step of each input.
func (m *Machine) finish() []Effect {
	m.pullDue()
	if m.unstored {
		m.emit(StoreVote{m.asked, m.vote})
		m.unstored = false
	}
	m.check()
	if at := m.nextDue(); at != m.timer || at <= m.now {
		m.timer = at
		if at != never {
			m.emit(SetTimer{at})
		}
	}
	return m.effects
}

func (m *Machine) emit(e Effect) { m.effects = append(m.effects, e) }

// setVote changes the hard state. What is said from now on waits until it is durable.
func (m *Machine) setVote(v Vote) {
	// Epochs only rise, or an old leader would be obeyed.
	if v.Epoch < m.vote.Epoch {
		invariant.Violated("raft.epoch-never-back", "was=%d now=%d", m.vote.Epoch, v.Epoch)
	}
	// Two votes in an epoch elect two leaders.
	if v.Epoch == m.vote.Epoch && m.vote.Voted && (!v.Voted || v.For != m.vote.For) {
		invariant.Violated("raft.one-vote-per-epoch", "epoch=%d %s, then %s", v.Epoch, m.vote.For, v.For)
	}
	m.vote = v
	if !m.unstored {
		m.unstored = true
		m.asked++
	}
}

func (m *Machine) voteIsDurable() bool { return m.stored == m.asked }

// send gives out what speaks of this node's epoch, now or when that is durable.
func (m *Machine) send(e Effect) {
	if m.voteIsDurable() {
		m.emit(e)
		return
	}
	if len(m.held) < HeldMax {
		m.held = append(m.held, heldSend{m.asked, m.vote.Epoch, e})
	}
}

// release gives out what waited for the vote that is durable now.
func (m *Machine) release() {
	n := 0
	for n < len(m.held) && m.held[n].tag <= m.stored {
		h := m.held[n]
		// Whoever speaks in an epoch and forgets it in a crash may vote in it again.
		if h.epoch > m.vote.Epoch {
			invariant.Violated("raft.spoken-after-stored", "epoch=%d stored=%d", h.epoch, m.vote.Epoch)
		}
		m.emit(h.what)
		n++
	}
	m.held = append(m.held[:0], m.held[n:]...)
}

// lastInLog is the epoch of the last record, be it in the log or in the snapshot before it.
func (m *Machine) lastInLog() kafka.LeaderEpoch {
	switch {
	case m.cfg.Log.Start() < m.cfg.Log.End():
		return m.cfg.Log.LatestEpoch()
	case !m.snapshot.IsZero():
		return m.snapshot.LeaderEpoch
	}
	return -1
}

// endFor gives the largest epoch not above e of which this node has records, and where it
// ends. It is not Known when that lies below the log's start, where only the snapshot is.
func (m *Machine) endFor(e kafka.LeaderEpoch) EpochEnd {
	start := m.cfg.Log.Start()
	if e >= m.last {
		return EpochEnd{m.last, m.end, true}
	}
	if start < m.end {
		// Each epoch that has a batch here ends after the start.
		if epoch, end := m.cfg.Log.EndOffsetFor(e); end > start {
			return EpochEnd{epoch, end, true}
		}
	}
	switch {
	case start == 0:
		return EpochEnd{-1, 0, true}
	case start == m.snapshot.End && e >= m.snapshot.LeaderEpoch:
		return EpochEnd{m.snapshot.LeaderEpoch, start, true}
	}
	return EpochEnd{}
}
