package raft

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// electable tells whether the node may stand: it is a voter, and neither damaged nor about
// to stop nor about to have its log replaced. One that is being removed still may, because the
// only log that tells of it may be its own.
func (m *Machine) electable() bool {
	me, isVoter := find(m.currentVoters(), m.cfg.Me)
	if !isVoter {
		me, isVoter = find(m.VotersAt(m.hw), m.cfg.Me)
	}
	isNew := me.Directory.IsZero() && m.isUnproven() && m.last >= 0
	return isVoter && !isNew && !m.damaged && !m.stopping && !m.pull.installing
}

func (m *Machine) isUnproven() bool { return !m.vote.Proven }

// expire does what is due by now.
func (m *Machine) expire() {
	if m.role == Leader {
		m.expireLeader()
		return
	}
	early := m.role == Follower && m.electable() && m.cfg.Rare.Rare("raft.early-election")
	if m.now < m.deadline && !early {
		return
	}
	switch {
	case m.role == Resigned:
		m.becomeUnattached(m.electionDeadline())
	case m.electable():
		m.becomeProspective()
	case m.role == Unattached:
		m.deadline = m.electionDeadline() // goes on asking around
	default:
		m.becomeUnattached(m.electionDeadline())
	}
}

// nextDue is when expire or pullDue has something to do.
func (m *Machine) nextDue() env.Instant {
	if m.role == Leader {
		return m.leaderDue()
	}
	return min(m.deadline, m.pullAt())
}

// electionDeadline is a random time from now on, so that two rarely stand together. It is the
// same however many elections failed: whoever waits longer each time has no leader for longer.
func (m *Machine) electionDeadline() env.Instant {
	spread := uint64(max(m.cfg.ElectionTimeout, time.Nanosecond))
	more := time.Duration(m.cfg.Rand.Uint64("raft.election-timeout") % spread)
	return m.now.Add(m.cfg.ElectionTimeout + more)
}

func (m *Machine) become(r Role, leader kafka.BrokerID, deadline env.Instant) {
	if m.role == Leader && r != Leader {
		m.leaveLeadership()
	}
	if m.pull.snapshot != nil && !m.pull.installing {
		m.emit(DropChunks{m.pull.snapshot.id})
	}
	m.role, m.leader, m.ledBy, m.deadline = r, leader, Voter{}, deadline
	m.pull.reset()
	m.ballot = ballot{}
	m.emit(Became{r, m.vote.Epoch, leader})
}

func (m *Machine) becomeUnattached(deadline env.Instant) { m.become(Unattached, NoLeader, deadline) }

func (m *Machine) becomeFollower(leader kafka.BrokerID) {
	m.become(Follower, leader, m.now.Add(m.cfg.FetchTimeout))
}

// becomeResigned gives up leadership for the rest of the epoch.
func (m *Machine) becomeResigned() {
	m.sendEndEpoch()
	m.gone = true
	deadline := m.electionDeadline()
	if m.stopping {
		deadline = never
	}
	m.become(Resigned, NoLeader, deadline)
}

// adopt moves to a later epoch that somebody else is in, with no vote and no leader in it.
func (m *Machine) adopt(epoch kafka.LeaderEpoch) {
	m.setVote(Vote{Epoch: epoch, Proven: m.vote.Proven})
	m.gone = false
	m.becomeUnattached(m.electionDeadline())
}

// learn takes in what a message says of its sender's epoch and leader.
func (m *Machine) learn(from Voter, epoch kafka.LeaderEpoch, leader kafka.BrokerID) {
	if epoch < m.vote.Epoch {
		return
	}
	if epoch > m.vote.Epoch {
		m.adopt(epoch)
	}
	if leader == NoLeader || leader == m.cfg.Me.ID || m.role == Resigned {
		return // whoever takes us for the leader remembers a life that has ended
	}
	// Two leaders of one epoch decide two histories.
	if m.leader != NoLeader && m.leader != leader {
		invariant.Violated("raft.one-leader-per-epoch", "epoch=%d leader=%d, and %s says %d",
			epoch, m.leader, from, leader)
	}
	if m.leader == leader || m.gone && from.ID != leader {
		return
	}
	m.gone = false
	m.becomeFollower(leader)
}

// heard notes that the leader is alive, and which node of its id it is.
func (m *Machine) heard(leader Voter) {
	m.ledBy, m.deadline = leader, m.now.Add(m.cfg.FetchTimeout)
}
