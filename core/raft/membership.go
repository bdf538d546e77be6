package raft

import (
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// pushVoters puts a voter set into force that was just appended.
func (m *Machine) pushVoters(b Batch) {
	// Majorities of two sets meet if the sets differ by one voter, and need not otherwise.
	if n := changes(m.currentVoters(), b.Voters); n > 1 {
		invariant.Violated("raft.voters-differ-by-one", "%s, then %s", votersString(m.currentVoters()),
			votersString(b.Voters))
	}
	m.voters.push(VoterSet{b.Base, b.Voters})
}

// votersCommitted lets a leader go that is no voter any more.
func (m *Machine) votersCommitted() {
	set := m.voters.latest()
	if _, isVoter := find(set.Voters, m.cfg.Me); !isVoter && set.Offset < m.hw {
		m.becomeResigned()
	}
}

// AddVoter makes an observer a voter: it has fetched lately and has all that is committed.
// The change is made when the high watermark passes the Append in the effects. Other codes
// than None mean that nothing was appended: NOT_CONTROLLER, DUPLICATE_VOTER if its id is a
// voter already (remove that first), REPLICA_NOT_AVAILABLE if it has not caught up, or no
// majority of the new set was heard lately, or a directory in it is not known yet,
// REQUEST_TIMED_OUT if another change, or the leader's own election, is not committed yet.
func (m *Machine) AddVoter(now env.Instant, v Voter) ([]Effect, kafka.ErrorCode) {
	m.begin(now)
	code := m.changeRefused()
	switch {
	case code != kafka.None:
	case v.ID < 0 || v.Directory.IsZero() || len(m.currentVoters()) >= VotersMax:
		code = kafka.InvalidRequest
	case slices.ContainsFunc(m.currentVoters(), func(w Voter) bool { return w.ID == v.ID }):
		code = kafka.DuplicateVoter
	default:
		r := m.replicaOf(v)
		if r == nil || r.end < m.hw || m.silence(r) >= m.cfg.FetchTimeout {
			code = kafka.ReplicaNotAvailable
			break
		}
		code = m.changeVoters(append(sortedVoters(m.currentVoters()), v))
	}
	return m.finish(), code
}

// RemoveVoter makes a voter an observer; a leader that removes itself resigns when that is
// committed. Codes are as for AddVoter, and VOTER_NOT_FOUND if there is no such voter with
// that directory; the last one stays (INVALID_REQUEST).
func (m *Machine) RemoveVoter(now env.Instant, v Voter) ([]Effect, kafka.ErrorCode) {
	m.begin(now)
	code := m.changeRefused()
	i := slices.Index(m.currentVoters(), v)
	switch {
	case code != kafka.None:
	case i < 0:
		code = kafka.VoterNotFound
	case len(m.currentVoters()) == 1:
		code = kafka.InvalidRequest
	default:
		code = m.changeVoters(slices.Delete(sortedVoters(m.currentVoters()), i, i+1))
	}
	return m.finish(), code
}

// bindDirectories writes down the directory of a voter that was known by its id only. From
// then on a node of that id with another disk is no voter.
func (m *Machine) bindDirectories() {
	if m.changeRefused() != kafka.None || m.stopping {
		return
	}
	voters := sortedVoters(m.currentVoters())
	for i, v := range voters {
		node := m.cfg.Me
		if v.ID != node.ID {
			r := m.replicaOf(v)
			if r == nil || r.end < m.hw {
				continue
			}
			node = r.node
		}
		if v.Directory.IsZero() {
			voters[i] = node
			m.appendVoters(voters)
			return
		}
	}
}

// changeRefused tells why the voters cannot be changed now: with a change of before not yet
// committed, majorities of the sets in force need not meet; and before the leader has
// committed in its own epoch, another leader's change may be on its way.
func (m *Machine) changeRefused() kafka.ErrorCode {
	switch {
	case m.role != Leader:
		return kafka.NotController
	case m.hw <= m.lead.start || m.voters.latest().Offset >= m.hw:
		return kafka.RequestTimedOut
	}
	return kafka.None
}

// changeVoters appends the set, unless its majority is not there to commit it, or may be unable
// to elect: one of whom only the id is known has perhaps never been here, and would not vote.
func (m *Machine) changeVoters(voters []Voter) kafka.ErrorCode {
	unknown := func(v Voter) bool { return v.Directory.IsZero() }
	if m.now >= m.lostAt(voters) || slices.ContainsFunc(voters, unknown) {
		return kafka.ReplicaNotAvailable
	}
	m.appendVoters(voters)
	return kafka.None
}

func (m *Machine) appendVoters(voters []Voter) {
	// Two changes under way may have majorities that do not meet.
	if m.voters.latest().Offset >= m.hw {
		invariant.Violated("raft.voters-change-after-commit", "set at %d, hw=%d", m.voters.latest().Offset, m.hw)
	}
	// A change of the last leader may be on a majority that this leader does not know of.
	if m.hw <= m.lead.start {
		invariant.Violated("raft.voters-change-in-own-epoch", "epoch starts at %d, hw=%d", m.lead.start, m.hw)
	}
	m.appendOwn(Batch{Next: m.end + 1, Kind: Voters, Voters: voters})
	m.advanceHighWatermark()
}
