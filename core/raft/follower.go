package raft

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// pull is how a node gets what it lacks. One request is under way at a time, and none while
// something fetched is not yet durable: a fetch says what its sender holds, and it says only
// what a crash would leave.
type pull struct {
	at    env.Instant // of the next request, or of sending again the one under way
	asked int         // who is asked next for a leader, in the order of the voters

	snapshot   *download
	installing bool
}

// reset forgets what was asked of a leader. A snapshot whose parts are all here is
// installed whoever leads: it holds what is committed.
func (p *pull) reset() {
	*p = pull{asked: p.asked, installing: p.installing, snapshot: p.snapshot}
	if !p.installing {
		p.snapshot = nil
	}
}

// pause puts the next request off.
func (m *Machine) pause() { m.pull.at = m.now.Add(m.cfg.RetryBackoff) }

// pullAt is when pullDue will have something to send.
func (m *Machine) pullAt() env.Instant {
	if m.role != Follower && m.role != Unattached || m.pull.installing || m.durable < m.end {
		return never
	}
	if m.role == Unattached && m.unasked() == NoLeader {
		return never
	}
	return m.pull.at
}

// pullDue sends the next request to the leader; to one voter after the other while there is
// none, because any of them may know it.
func (m *Machine) pullDue() {
	if m.now < m.pullAt() {
		return
	}
	p := &m.pull
	p.at = m.now.Add(m.cfg.RequestTimeout)
	to := m.leader
	if m.role == Unattached {
		to = m.unasked()
		p.asked++
		m.pause()
	}
	if d := p.snapshot; d != nil {
		m.send(Send{to, SnapshotRequest{m.vote.Epoch, d.id, d.position, SnapshotChunkBytes}})
		return
	}
	m.send(Send{to, FetchRequest{m.vote.Epoch, m.end, m.last, m.hw, FetchBytes}})
}

// unasked is the voter to be asked next who leads.
func (m *Machine) unasked() kafka.BrokerID {
	voters := m.currentVoters()
	for i := range voters {
		v := voters[(m.pull.asked+i)%len(voters)]
		if v.ID != m.cfg.Me.ID {
			m.pull.asked += i
			return v.ID
		}
	}
	return NoLeader
}

// fetchReplied takes in what the leader says: where to cut, what to load instead, or what
// comes next.
func (m *Machine) fetchReplied(from Voter, r FetchReply) {
	leader := r.Leader
	if r.Code == kafka.None {
		leader = from.ID
	}
	if !m.answered(from, answer{r.Code, r.Epoch, leader}) {
		return
	}
	if r.Offset != m.end || r.LastEpoch != m.last || m.pull.snapshot != nil {
		return // answers a fetch of before
	}
	switch {
	case r.Diverging.Known:
		m.truncate(from, r.Diverging)
		return // what it says of the high watermark is about another log
	case !r.Snapshot.IsZero():
		m.beginDownload(r.Snapshot)
		return
	}
	if !m.appendFetched(r) {
		m.pause()
		return
	}
	m.pull.at = m.now
	if hw := min(r.HighWatermark, m.end); hw > m.hw {
		m.commit(hw)
	}
	m.healIfWhole(r)
}

// answer is what all replies to a follower's requests tell.
type answer struct {
	code   kafka.ErrorCode
	epoch  kafka.LeaderEpoch
	leader kafka.BrokerID
}

// answered takes in who leads and tells whether the reply is a word of the leader that this
// node follows.
func (m *Machine) answered(from Voter, a answer) bool {
	ended := a.code == kafka.NotLeaderOrFollower && a.leader == NoLeader
	if ended && m.isLedBy(from, a.epoch) {
		m.gone = true
		m.becomeUnattached(m.electionDeadline())
		return false
	}
	wasLed := m.isLedBy(from, a.epoch)
	m.learn(from, a.epoch, a.leader)
	if !m.isLedBy(from, a.epoch) {
		return false
	}
	if a.code != kafka.None {
		if wasLed { // else it was refused for what has just been learnt
			m.pause()
		}
		return false
	}
	m.heard(from)
	return true
}

// appendFetched takes the batches, if they are what comes next in the leader's log.
func (m *Machine) appendFetched(r FetchReply) bool {
	next, epoch := m.end, m.last
	if len(r.Batches) > FetchBatchesMax {
		return false
	}
	for _, b := range r.Batches {
		if b.Base != next || b.Next <= b.Base || b.Epoch < epoch || b.Epoch > r.Epoch || b.Kind > Voters {
			return false
		}
		if b.Kind == Voters && validVoters(b.Voters) != nil {
			return false
		}
		next, epoch = b.Next, b.Epoch
	}
	if len(r.Batches) == 0 {
		return true
	}
	m.emit(Append{r.Batches})
	m.end, m.last = next, epoch
	for _, b := range r.Batches {
		if b.Kind == Voters {
			m.pushVoters(b)
		}
	}
	return true
}

// truncate cuts the log to where it may still agree with the leader's, which is never below
// what is committed.
func (m *Machine) truncate(leader Voter, d EpochEnd) {
	local := m.endFor(d.Epoch)
	to := local.End
	if local.Epoch == d.Epoch {
		to = min(to, d.End)
	}
	// A leader that does not hold what is committed was not elected; to obey it is to lose
	// acknowledged records.
	if !local.Known || to < m.hw {
		invariant.Violated("raft.truncate-above-hw", "leader=%s epoch=%d diverging=%d@%d to=%d hw=%d",
			leader, m.vote.Epoch, d.End, d.Epoch, to, m.hw)
	}
	if to >= m.end {
		m.pause()
		return
	}
	m.cut(to, local.Epoch)
	m.pull.at = m.now
}

func (m *Machine) cut(to kafka.Offset, last kafka.LeaderEpoch) {
	// A leader that takes back what it wrote gives an offset and epoch two meanings.
	if m.role == Leader {
		invariant.Violated("raft.leader-append-only", "epoch=%d end=%d to=%d", m.vote.Epoch, m.end, to)
	}
	m.emit(Truncate{to})
	m.end, m.last, m.durable = to, last, min(m.durable, to)
	m.voters.cutEnd(to)
}

// healIfWhole ends damage, and the suspicion of a new disk. A leader that has committed in its
// own epoch holds all that was committed, and thereby all that this node's lost acknowledgements
// can have brought about; whoever has durably what that leader had committed may vote again.
func (m *Machine) healIfWhole(r FetchReply) {
	holds := r.Offset >= r.HighWatermark && m.last == m.vote.Epoch
	if !m.damaged && m.vote.Proven || !holds {
		return
	}
	if before := m.endFor(m.vote.Epoch - 1); !before.Known || before.End >= r.HighWatermark {
		return
	}
	if m.isUnproven() {
		proven := m.vote
		proven.Proven = true
		m.setVote(proven)
	}
	if m.damaged {
		m.damaged = false
		m.emit(Healed{})
	}
}
