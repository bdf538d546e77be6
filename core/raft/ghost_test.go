package raft_test

import (
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/raft"
)

// ghost knows what no node can know and holds the nodes to what must be true of all of
// them together. The names are those of the quorum's invariants:
//
//	Q1 one leader per epoch           Q7 one history, never above what is committed
//	Q2 one vote per epoch and voter   Q8 committed by a durable majority, own epoch
//	Q3 durable before told            Q9 voters change one by one
//	Q4 log matching                   Q10 snapshots are of committed records
//	Q5 leaders only append            Q11 a pre-vote changes nothing
//	Q6 leaders have what is committed Q12 a cut off leader does not answer
type ghost struct {
	leaders   map[kafka.LeaderEpoch]raft.Voter
	votes     map[ballotKey]raft.Voter
	chains    map[place]uint64
	committed map[kafka.Offset]place2
	end       kafka.Offset // of what is committed
	snapshots map[string]snapshot
	hw        map[*host]kafka.Offset
	fetched   map[*host]map[raft.Voter]env.Instant
	led       map[*host]env.Instant
	seen      map[string]int // how often each premise was true
}

type ballotKey struct {
	epoch kafka.LeaderEpoch
	voter raft.Voter
}

type place struct {
	end   kafka.Offset
	epoch kafka.LeaderEpoch
}

type place2 struct {
	epoch kafka.LeaderEpoch
	chain uint64
}

func newGhost() *ghost {
	return &ghost{
		leaders: map[kafka.LeaderEpoch]raft.Voter{}, votes: map[ballotKey]raft.Voter{},
		chains: map[place]uint64{}, committed: map[kafka.Offset]place2{}, snapshots: map[string]snapshot{},
		hw: map[*host]kafka.Offset{}, fetched: map[*host]map[raft.Voter]env.Instant{},
		led: map[*host]env.Instant{}, seen: map[string]int{},
	}
}

func (g *ghost) check(h *host, ok bool, rule, format string, args ...any) {
	g.seen[rule]++
	if !ok {
		h.w.t.Fatalf("%s broken at node %s, life %d: "+format, append([]any{rule, name(h.me), h.life}, args...)...)
	}
}

func (g *ghost) started(h *host) {
	g.hw[h] = 0
	delete(g.fetched, h)
}

func (g *ghost) became(h *host, e raft.Became) {
	h.role, h.epoch = e.Role, e.Epoch
	if e.Role != raft.Leader {
		return
	}
	other, had := g.leaders[e.Epoch]
	g.check(h, !had, "Q1", "epoch %d was led by %s", e.Epoch, name(other))
	g.leaders[e.Epoch] = h.me
	g.fetched[h], g.led[h] = map[raft.Voter]env.Instant{}, h.now
	for end, c := range g.committed {
		g.check(h, h.live.end() >= end && (end < h.live.start || h.live.chainAt(end) == c.chain), "Q6",
			"leads epoch %d without what is committed at %d in epoch %d", e.Epoch, end, c.epoch)
	}
}

// says looks at a message that leaves a node.
func (g *ghost) says(h *host, to kafka.BrokerID, msg raft.Message) {
	told := func(epoch kafka.LeaderEpoch) {
		g.check(h, h.disk.vote.Epoch >= epoch, "Q3", "speaks in epoch %d, %d is durable: %T to %d",
			epoch, h.disk.vote.Epoch, msg, to)
	}
	switch msg := msg.(type) {
	case raft.VoteRequest:
		told(msg.Epoch)
		if !msg.Pre {
			g.voted(h, msg.Epoch, h.me)
		}
	case raft.VoteReply:
		told(msg.Epoch)
		if msg.Granted && !msg.Pre && h.disk.vote.Epoch == msg.Epoch {
			g.voted(h, msg.Epoch, h.disk.vote.For)
		}
		content := h.role == raft.Leader || h.role == raft.Follower
		g.check(h, !msg.Granted || !msg.Pre || !content, "Q11", "hears from a leader and grants a pre-vote")
	case raft.BeginEpoch:
		told(msg.Epoch)
	case raft.EndEpoch:
		told(msg.Epoch)
	case raft.EpochReply:
		told(msg.Epoch)
	case raft.FetchReply:
		told(msg.Epoch)
	case raft.FetchRequest:
		told(msg.Epoch)
		has := h.disk.end() >= msg.Offset && h.disk.chainAt(msg.Offset) == h.live.chainAt(msg.Offset)
		g.check(h, has, "Q3", "acknowledges %d, durable is %d", msg.Offset, h.disk.end())
	}
}

func (g *ghost) voted(h *host, epoch kafka.LeaderEpoch, candidate raft.Voter) {
	key := ballotKey{epoch, h.me}
	other, had := g.votes[key]
	g.check(h, !had || other == candidate, "Q2", "epoch %d: voted for %s and %s", epoch, name(other),
		name(candidate))
	g.check(h, h.disk.vote.Epoch > epoch || h.disk.vote.Voted && h.disk.vote.For == candidate, "Q3",
		"tells of a vote in epoch %d that is not durable", epoch)
	g.votes[key] = candidate
}

// hears delivers a message.
func (g *ghost) hears(h *host, from raft.Voter, msg raft.Message, deliver func()) {
	h.do(h.m.Tick(h.now))
	if _, isFetch := msg.(raft.FetchRequest); isFetch && g.fetched[h] != nil {
		g.fetched[h][from] = h.now
	}
	if _, isFetch := msg.(raft.SnapshotRequest); isFetch && g.fetched[h] != nil {
		g.fetched[h][from] = h.now
	}
	before := h.live.vote
	deliver()
	if r, isVote := msg.(raft.VoteRequest); isVote && r.Pre {
		g.check(h, h.live.vote == before, "Q11", "a pre-vote made %v of %v", h.live.vote, before)
	}
}

func (g *ghost) appends(h *host, b raft.Batch) {
	if b.Kind == raft.Voters && h.role == raft.Leader {
		g.changesVoters(h, b)
	}
}

func (g *ghost) appended(h *host, b raft.Batch) {
	at, chain := place{b.Next, b.Epoch}, h.live.chainAt(b.Next)
	known, had := g.chains[at]
	g.check(h, !had || known == chain, "Q4", "another log up to %d in epoch %d", b.Next, b.Epoch)
	g.chains[at] = chain
}

func (g *ghost) truncates(h *host, to kafka.Offset) {
	g.check(h, h.role != raft.Leader, "Q5", "leads and truncates to %d", to)
	for end := range g.committed {
		if end > to && end <= h.live.end() && h.live.chainAt(end) == g.committed[end].chain {
			g.check(h, false, "Q5", "truncates to %d what is committed up to %d", to, end)
		}
	}
}

func (g *ghost) commits(h *host, hw kafka.Offset) {
	g.check(h, hw > g.hw[h], "Q7", "high watermark %d after %d", hw, g.hw[h])
	g.hw[h] = hw
	if h.role == raft.Leader {
		g.leaderCommits(h, hw)
	}
	g.check(h, hw <= g.end, "Q7", "high watermark %d, committed is %d", hw, g.end)
	for _, b := range h.live.log {
		if b.Next <= hw {
			c, known := g.committed[b.Next]
			g.check(h, known && c.chain == h.live.chainAt(b.Next), "Q7", "another history up to %d", b.Next)
		}
	}
}

func (g *ghost) leaderCommits(h *host, hw kafka.Offset) {
	voters := h.voters(h.live.end())
	holders := 0
	for _, v := range voters {
		for _, x := range h.w.hosts {
			same := v.ID == x.me.ID && (v.Directory.IsZero() || v == x.me)
			if same && (x.disk.damaged || x.disk.end() >= hw &&
				(x.disk.start > hw || x.disk.chainAt(hw) == h.live.chainAt(hw))) {
				holders++
			}
		}
	}
	g.check(h, holders > len(voters)/2, "Q8", "commits %d on %d of %s", hw, holders, names(voters))
	for _, b := range h.live.log {
		if b.Next > hw {
			break
		}
		g.check(h, b.Next < hw || b.Epoch == h.epoch, "Q8", "epoch %d commits by counting up to %d, of epoch %d",
			h.epoch, hw, b.Epoch)
		c, known := g.committed[b.Next]
		g.check(h, !known || c.chain == h.live.chainAt(b.Next), "Q7", "commits another history up to %d", b.Next)
		g.committed[b.Next] = place2{b.Epoch, h.live.chainAt(b.Next)}
	}
	g.end = max(g.end, hw)
}

// voters is the set in force in the host's log, from first principles.
func (h *host) voters(end kafka.Offset) []raft.Voter {
	set := h.w.boot
	if !h.live.snap.id.IsZero() {
		set = h.live.snap.voters
	}
	for _, b := range h.live.log {
		if b.Kind == raft.Voters && b.Next <= end && b.Base >= h.live.snap.id.End {
			set = b.Voters
		}
	}
	return set
}

func (g *ghost) changesVoters(h *host, b raft.Batch) {
	before := h.voters(h.live.end())
	joined, left := 0, 0
	for _, v := range b.Voters {
		is := func(w raft.Voter) bool { return w == v || w.ID == v.ID && w.Directory.IsZero() }
		if !slices.ContainsFunc(before, is) {
			joined++
		}
	}
	for _, w := range before {
		if !slices.ContainsFunc(b.Voters, func(v raft.Voter) bool { return v.ID == w.ID }) {
			left++
		}
	}
	g.check(h, joined+left <= 1, "Q9", "%s after %s", names(b.Voters), names(before))
	own, pending := false, false
	for _, x := range h.live.log {
		own = own || x.Epoch == h.epoch && x.Next <= g.end
		pending = pending || x.Kind == raft.Voters && x.Next > g.end
	}
	own = own || h.live.snap.id.LeaderEpoch == h.epoch
	g.check(h, own && !pending, "Q9", "changes voters with own=%v pending=%v", own, pending)
}

// snapshotOf finds what the bytes of a snapshot stand for.
func (g *ghost) snapshotOf(b []byte) (snapshot, bool) {
	s, ok := g.snapshots[string(b)]
	return s, ok
}

func (g *ghost) installs(h *host, s snapshot) {
	c, known := g.committed[s.id.End]
	g.check(h, known && c.chain == s.chain && c.epoch == s.id.LeaderEpoch, "Q10",
		"installs %s, which is not the committed history", s.id)
	for _, b := range h.live.log {
		g.check(h, b.Next != s.id.End || b.Epoch != s.id.LeaderEpoch, "Q10", "replaces a log that holds %s", s.id)
	}
}

// serves looks at an answer given as the leader.
func (g *ghost) serves(h *host) {
	voters := h.voters(h.live.end())
	heard := 0
	for _, v := range voters {
		at := g.led[h]
		for node, t := range g.fetched[h] {
			if node.ID == v.ID && (v.Directory.IsZero() || v == node) {
				at = max(at, t)
			}
		}
		if v.ID == h.me.ID || h.now.Sub(at) < 3*time.Second {
			heard++
		}
	}
	g.check(h, heard > len(voters)/2, "Q12", "answers as the leader after hearing %d of %s", heard,
		names(voters))
}
