package raft

import (
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// ballot counts the votes of a prospective or a candidate.
type ballot struct {
	granted []Voter // voters of the set, not the nodes that answered
	refused []Voter
}

// becomeProspective asks whether an election could be won, before an epoch is spent on it.
// So a node that comes back from somewhere makes nobody change epoch.
func (m *Machine) becomeProspective() {
	m.become(Prospective, NoLeader, m.electionDeadline())
	m.askForVotes(true)
	m.votedFor(m.cfg.Me)
}

// becomeCandidate stands in a new epoch. Its own vote counts when it is durable.
func (m *Machine) becomeCandidate() {
	m.setVote(Vote{Epoch: m.vote.Epoch + 1, Voted: true, For: m.cfg.Me, Proven: true})
	m.gone = false
	m.become(Candidate, NoLeader, m.electionDeadline())
	m.askForVotes(false)
}

func (m *Machine) askForVotes(pre bool) {
	for _, v := range m.currentVoters() {
		if v.ID == m.cfg.Me.ID {
			continue
		}
		m.send(Send{v.ID, VoteRequest{
			Pre: pre, Epoch: m.vote.Epoch, Voter: v, LastEpoch: m.last, End: m.end,
		}})
	}
}

// voteRequested answers a candidate. A damaged node has forgotten what the candidate would
// have to hold, so it grants nothing.
//
// Kafka differs: there, a pre-vote of a later epoch makes its receiver leave its own. Here only
// an epoch in which somebody really stands or leads does that, and a voter that fetches in a
// later epoch than the leader's, because it could not come back otherwise.
func (m *Machine) voteRequested(from Voter, r VoteRequest) {
	if !r.Pre && r.Epoch > m.vote.Epoch {
		m.adopt(r.Epoch)
	}
	if r.Pre && m.isLedBy(from, r.Epoch) {
		m.gone = true // it asks in the epoch that it led: it has crashed since
		m.becomeUnattached(m.electionDeadline())
	}
	granted := !m.damaged && r.Epoch >= m.vote.Epoch && r.Voter.is(m.cfg.Me) && m.upToDate(r)
	if r.Voter.Directory.IsZero() && m.isUnproven() && (m.last >= 0 || r.LastEpoch >= 0) {
		granted = false // in a cluster that is not new, this disk may be
	}
	if r.Pre {
		// Whoever hears from a leader, or leads, wants no election.
		granted = granted && m.role != Follower && m.role != Leader
	} else {
		granted = granted && m.grantVote(from)
	}
	m.send(Send{from.ID, VoteReply{r.Pre, r.Epoch, granted, m.vote.Epoch, m.leader}})
}

// grantVote votes for the candidate in this epoch, if there is neither another vote nor a
// leader in it.
func (m *Machine) grantVote(candidate Voter) bool {
	if m.vote.Voted {
		return m.vote.For == candidate
	}
	if m.leader != NoLeader {
		return false
	}
	m.setVote(Vote{Epoch: m.vote.Epoch, Voted: true, For: candidate, Proven: true})
	if m.role != Unattached {
		m.becomeUnattached(never)
	}
	m.deadline = m.electionDeadline()
	return true
}

// upToDate tells whether the candidate's log holds all that ours may have committed.
func (m *Machine) upToDate(r VoteRequest) bool {
	return r.LastEpoch > m.last || r.LastEpoch == m.last && r.End >= m.end
}

func (m *Machine) voteReplied(from Voter, r VoteReply) {
	m.learn(from, r.Epoch, r.Leader)
	asking := m.role == Candidate && !r.Pre || m.role == Prospective && r.Pre
	if !asking || r.Asked != m.vote.Epoch {
		return
	}
	if r.Granted {
		m.votedFor(from)
		return
	}
	voter, isVoter := find(m.currentVoters(), from)
	if !isVoter || slices.Contains(m.ballot.refused, voter) {
		return
	}
	m.ballot.refused = append(m.ballot.refused, voter)
	if n := len(m.currentVoters()); n-len(m.ballot.refused) < majority(m.currentVoters()) {
		m.becomeUnattached(m.electionDeadline()) // lost
	}
}

// votedFor counts a vote of that node for this one.
func (m *Machine) votedFor(by Voter) {
	voter, isVoter := find(m.currentVoters(), by)
	if !isVoter || slices.Contains(m.ballot.granted, voter) {
		return
	}
	m.ballot.granted = append(m.ballot.granted, voter)
	if len(m.ballot.granted) < majority(m.currentVoters()) {
		return
	}
	if m.role == Prospective {
		m.becomeCandidate()
		return
	}
	m.becomeLeader()
}

// epochBegun follows the sender.
func (m *Machine) epochBegun(from Voter, r BeginEpoch) {
	m.learn(from, r.Epoch, from.ID)
	if m.isLedBy(from, r.Epoch) {
		m.heard(from)
	}
	m.send(Send{from.ID, EpochReply{m.vote.Epoch, m.leader}})
}

// epochEnded stands for election: at once if the leader prefers this node, otherwise after
// those that it prefers had their time. Kafka differs: there, times grow exponentially with the
// place in the list.
func (m *Machine) epochEnded(from Voter, r EndEpoch) {
	m.learn(from, r.Epoch, NoLeader)
	m.send(Send{from.ID, EpochReply{m.vote.Epoch, m.leader}})
	if r.Epoch != m.vote.Epoch || m.leader != NoLeader && m.leader != from.ID || m.role != Follower &&
		m.role != Unattached {
		return
	}
	m.gone = true
	place := slices.IndexFunc(r.Preferred, func(v Voter) bool { return v.is(m.cfg.Me) })
	switch {
	case !m.electable() || place < 0:
		m.becomeUnattached(m.electionDeadline())
	case place == 0:
		// Others may still hear the old leader and refuse a pre-vote: this is its own wish.
		m.becomeCandidate()
	default:
		turn := time.Duration(place) * m.cfg.ElectionTimeout / 2
		more := m.cfg.Rand.Uint64("raft.succession") % uint64(max(m.cfg.ElectionTimeout/4, 1))
		m.becomeUnattached(m.now.Add(turn + time.Duration(more)))
	}
}

// isLedBy tells whether the node is the leader that this one follows, and not another with its
// id on another disk. Which disk that is the leader shows when it first speaks: the voter set
// of a node that lags may have an older one.
func (m *Machine) isLedBy(from Voter, epoch kafka.LeaderEpoch) bool {
	leads := m.role == Follower && m.leader == from.ID && epoch == m.vote.Epoch
	return leads && (m.ledBy == from || m.ledBy == Voter{})
}

// checkVotes holds a leader to having been elected, and an electorate to its rules.
func (m *Machine) checkVotes() {
	// A leader that did not vote for itself could vote for another in its own epoch.
	if m.role == Leader && (!m.vote.Voted || m.vote.For != m.cfg.Me) {
		invariant.Violated("raft.leader-voted-for-itself", "epoch=%d vote=%v", m.vote.Epoch, m.vote)
	}
	// What a damaged node lost may be what a candidate would have to hold.
	if m.damaged && (m.role == Leader || m.role == Candidate || m.role == Prospective) {
		invariant.Violated("raft.damaged-does-not-stand", "epoch=%d role=%s", m.vote.Epoch, m.role)
	}
}
