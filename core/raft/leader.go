package raft

import (
	"cmp"
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// leadership is what a leader knows beside its log.
type leadership struct {
	start    kafka.Offset // the first batch of the epoch
	since    env.Instant
	replicas []*replica // by id, then directory; also observers

	announceAt env.Instant // BeginEpoch again to who has not fetched
	parkedAt   env.Instant // no fetch has waited enough before that
	resignBy   env.Instant // a leader about to stop goes then in any case
}

// replica is a node that fetches.
type replica struct {
	node  Voter
	end   kafka.Offset // it has our log below this, durably
	heard env.Instant  // its last fetch

	parked bool // its fetch waits for something to answer
	until  env.Instant
	fetch  FetchRequest
}

func (m *Machine) becomeLeader() {
	// Whoever leads before its vote for itself is durable may vote for another after a crash.
	if !m.voteIsDurable() {
		invariant.Violated("raft.elected-after-stored", "epoch=%d asked=%d stored=%d",
			m.vote.Epoch, m.asked, m.stored)
	}
	m.become(Leader, m.cfg.Me.ID, never)
	m.lead = leadership{start: m.end, since: m.now, parkedAt: never, resignBy: never}
	// A batch of its own epoch is what lets the leader commit those of older ones.
	m.appendOwn(Batch{Next: m.end + 1, Kind: LeaderChange})
	m.announce()
	m.advanceHighWatermark()
}

// leaveLeadership tells those that wait who to turn to.
func (m *Machine) leaveLeadership() {
	for _, r := range m.lead.replicas {
		if r.parked {
			m.refuseFetch(r.node, r.fetch, kafka.NotLeaderOrFollower, NoLeader)
		}
	}
	m.lead = leadership{}
}

// appendOwn writes at the end of the leader's log; the batch tells Next and what it holds.
func (m *Machine) appendOwn(b Batch) {
	b.Base, b.Epoch = m.end, m.vote.Epoch
	m.end, m.last = b.Next, b.Epoch
	m.emit(Append{[]Batch{b}})
	if b.Kind == Voters {
		m.pushVoters(b)
	}
	m.serveParked()
}

// announce sends BeginEpoch to the voters that have not fetched for a while.
func (m *Machine) announce() {
	every := m.cfg.FetchTimeout / 4
	for _, v := range m.currentVoters() {
		r := m.replicaOf(v)
		silent := r == nil || m.silence(r) >= every && !r.parked
		if v.ID != m.cfg.Me.ID && silent {
			m.send(Send{v.ID, BeginEpoch{m.vote.Epoch}})
		}
	}
	m.lead.announceAt = m.now.Add(every)
}

func (m *Machine) expireLeader() {
	if m.now >= m.quorumLostAt() {
		m.becomeResigned() // cut off: others may have elected another
		return
	}
	if m.now >= m.lead.resignBy {
		m.becomeResigned()
		return
	}
	if m.now >= m.lead.announceAt {
		m.announce()
	}
	if m.now >= m.lead.parkedAt {
		m.serveLate()
	}
}

func (m *Machine) leaderDue() env.Instant {
	return min(m.quorumLostAt(), m.lead.resignBy, m.lead.announceAt, m.lead.parkedAt)
}

// quorumLostAt is when the leader has not heard from a majority for too long. It itself is
// heard always, if it is a voter.
func (m *Machine) quorumLostAt() env.Instant { return m.lostAt(m.currentVoters()) }

// lostAt is that for a voter set that may come into force.
func (m *Machine) lostAt(voters []Voter) env.Instant {
	var scratch [VotersMax]env.Instant
	heard := scratch[:0]
	for _, v := range voters {
		at := m.lead.since
		if v.is(m.cfg.Me) {
			at = never
		} else if r := m.replicaOf(v); r != nil {
			at = r.heard
		}
		heard = append(heard, at)
	}
	slices.Sort(heard)
	newest := heard[len(heard)-majority(voters)]
	if newest == never {
		return never
	}
	return newest.Add(m.cfg.FetchTimeout + m.cfg.FetchTimeout/2)
}

// replicaOf is what is known of a voter; nil if it has not fetched. While its directory is
// not known, the newest node of that id stands for it.
func (m *Machine) replicaOf(v Voter) *replica {
	var best *replica
	first, _ := slices.BinarySearchFunc(m.lead.replicas, v, byNode)
	for _, r := range m.lead.replicas[first:] {
		if r.node.ID != v.ID {
			break
		}
		if v.is(r.node) && (best == nil || r.heard > best.heard) {
			best = r
		}
	}
	return best
}

// byNode is the order of the replicas; a directory that is not known comes before all.
func byNode(r *replica, node Voter) int {
	byID := cmp.Compare(r.node.ID, node.ID)
	return cmp.Or(byID, slices.Compare(r.node.Directory[:], node.Directory[:]))
}

// replicaHeard notes a sign of life, and makes an account for a node that is new.
func (m *Machine) replicaHeard(node Voter) *replica {
	i, known := slices.BinarySearchFunc(m.lead.replicas, node, byNode)
	if !known {
		m.lead.replicas = slices.Insert(m.lead.replicas, i, &replica{node: node})
	}
	r := m.lead.replicas[i]
	r.heard = m.now
	if len(m.lead.replicas) > ReplicasMax {
		m.forgetSilentObserver()
	}
	return r
}

// forgetSilentObserver makes room. What does not stand for a voter is an observer, also if it
// bears the id of one.
func (m *Machine) forgetSilentObserver() {
	oldest := -1
	for i, r := range m.lead.replicas {
		voter, isVoter := find(m.currentVoters(), r.node)
		counts := isVoter && m.replicaOf(voter) == r
		if !counts && (oldest < 0 || r.heard < m.lead.replicas[oldest].heard) {
			oldest = i
		}
	}
	m.lead.replicas = slices.Delete(m.lead.replicas, oldest, oldest+1)
}

// fetchRequested answers a fetch: with what is to be cut, with a snapshot to load, with
// batches, or later.
func (m *Machine) fetchRequested(from Voter, r FetchRequest) {
	if !m.admits(from, r.Epoch) {
		m.refuseFetch(from, r, m.refusal(r.Epoch), m.leader)
		return
	}
	if r.Offset < 0 || r.LastEpoch > r.Epoch || r.MaxBytes < 0 {
		m.refuseFetch(from, r, kafka.InvalidRequest, m.leader)
		return
	}
	node := m.replicaHeard(from)
	reply := m.fetchReply(r)
	place := m.endFor(r.LastEpoch)
	start := m.cfg.Log.Start()
	switch {
	case r.Offset < start || !place.Known:
		reply.Snapshot = m.snapshot
	case place.Epoch != r.LastEpoch || place.End < r.Offset:
		reply.Diverging = place
	default:
		node.fetch = r
		m.replicaHas(node, r.Offset)
		return
	}
	// It holds something else than our log, so nothing of it counts.
	node.end, node.parked = 0, false
	m.send(Send{from.ID, reply})
}

// replicaHas counts what a replica holds and lets its fetch wait, if there is nothing to
// tell it. What counts is what it says now: it may have lost what it had.
func (m *Machine) replicaHas(r *replica, end kafka.Offset) {
	r.end, r.parked, r.until = end, true, m.now.Add(m.cfg.FetchWait)
	m.lead.parkedAt = min(m.lead.parkedAt, r.until)
	m.advanceHighWatermark()
	if m.role == Leader && r.parked && m.hasNews(r) {
		m.serve(r)
	}
}

func (m *Machine) hasNews(r *replica) bool {
	return m.end > r.fetch.Offset || m.hw > r.fetch.HighWatermark
}

func (m *Machine) serve(r *replica) {
	r.parked = false
	m.send(Serve{r.node.ID, min(r.fetch.MaxBytes, FetchBytes), m.fetchReply(r.fetch)})
}

func (m *Machine) serveParked() {
	for _, r := range m.lead.replicas {
		if r.parked && m.hasNews(r) {
			m.serve(r)
		}
	}
}

// serveLate answers the fetches that have waited enough, so that they know of a leader.
func (m *Machine) serveLate() {
	m.lead.parkedAt = never
	for _, r := range m.lead.replicas {
		if r.parked && m.now >= r.until {
			m.serve(r)
		}
		if r.parked {
			m.lead.parkedAt = min(m.lead.parkedAt, r.until)
		}
	}
}

func (m *Machine) fetchReply(r FetchRequest) FetchReply {
	return FetchReply{
		Epoch: m.vote.Epoch, Leader: m.leader, Offset: r.Offset, LastEpoch: r.LastEpoch, HighWatermark: m.hw,
	}
}

func (m *Machine) refuseFetch(to Voter, r FetchRequest, code kafka.ErrorCode, leader kafka.BrokerID) {
	m.send(Send{to.ID, FetchReply{
		Code: code, Epoch: m.vote.Epoch, Leader: leader, Offset: r.Offset, LastEpoch: r.LastEpoch,
	}})
}

// admits tells whether a request of that epoch may be answered as the leader. A voter that
// is in a later epoch cannot come back to ours, so we go to its.
func (m *Machine) admits(from Voter, epoch kafka.LeaderEpoch) bool {
	if _, isVoter := find(m.currentVoters(), from); isVoter && epoch > m.vote.Epoch {
		m.adopt(epoch)
	}
	return m.role == Leader && epoch == m.vote.Epoch
}

func (m *Machine) refusal(epoch kafka.LeaderEpoch) kafka.ErrorCode {
	switch {
	case epoch < m.vote.Epoch:
		return kafka.FencedLeaderEpoch
	case epoch > m.vote.Epoch:
		return kafka.UnknownLeaderEpoch
	}
	return kafka.NotLeaderOrFollower
}

// advanceHighWatermark commits what a majority of the voters in force has durably, if that
// reaches into the leader's own epoch: an older batch on a majority may still be overwritten
// by a later leader that does not have it, one below a batch of this epoch may not.
func (m *Machine) advanceHighWatermark() {
	hw := m.majorityEnd()
	if hw > m.hw && hw > m.lead.start {
		m.commit(hw)
		m.serveParked()
	}
	m.votersCommitted()
	if m.role == Leader {
		m.bindDirectories()
		m.resignIfReplaceable()
	}
}

// majorityEnd is the highest offset that a majority has durably.
func (m *Machine) majorityEnd() kafka.Offset {
	voters := m.currentVoters()
	var scratch [VotersMax]kafka.Offset
	ends := scratch[:0]
	for _, v := range voters {
		end := kafka.Offset(0)
		if v.is(m.cfg.Me) {
			end = m.durable
		} else if r := m.replicaOf(v); r != nil {
			end = r.end
		}
		ends = append(ends, end)
	}
	slices.Sort(ends)
	return ends[len(ends)-majority(voters)]
}

func (m *Machine) commit(hw kafka.Offset) {
	m.hw = hw
	m.emit(HighWatermark{hw})
}

// Resign begins a clean stop: a leader takes no more proposals, waits until what it took is
// committed and another voter has all of it, but at most an election timeout, and asks that
// one to stand. The node will not stand again in this life. Role tells when it is done.
func (m *Machine) Resign(now env.Instant) []Effect {
	m.begin(now)
	m.stopping = true
	switch m.role {
	case Leader:
		m.lead.resignBy = min(m.lead.resignBy, m.now.Add(m.cfg.ElectionTimeout))
		m.resignIfReplaceable()
	case Prospective, Candidate:
		m.becomeUnattached(m.electionDeadline())
	}
	return m.finish()
}

func (m *Machine) resignIfReplaceable() {
	if !m.stopping || m.hw < m.end {
		return
	}
	others := m.successors()
	if len(others) > 0 {
		if best := m.replicaOf(others[0]); best == nil || best.end < m.end {
			return
		}
	}
	m.becomeResigned()
}

// successors are the other voters, the one with the longest log first.
func (m *Machine) successors() []Voter {
	var others []Voter
	for _, v := range m.currentVoters() {
		if !v.is(m.cfg.Me) {
			others = append(others, v)
		}
	}
	end := func(v Voter) kafka.Offset {
		if r := m.replicaOf(v); r != nil {
			return r.end
		}
		return 0
	}
	slices.SortStableFunc(others, func(a, b Voter) int { return cmp.Compare(end(b), end(a)) })
	return others
}

func (m *Machine) sendEndEpoch() {
	preferred := m.successors()
	for _, v := range preferred {
		m.send(Send{v.ID, EndEpoch{m.vote.Epoch, preferred}})
	}
}

// silence is for how long nothing was heard of a replica.
func (m *Machine) silence(r *replica) time.Duration { return m.now.Sub(r.heard) }
