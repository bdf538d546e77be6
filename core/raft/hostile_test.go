package raft_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/raft"
)

// Nonsense from a node that is no voter, whatever it holds, neither stops a quorum nor changes
// its epoch, its votes, its log or what is committed.
func TestStrangersChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, []raft.Voter{voter(1, 'a'), voter(2, 'a'), voter(3, 'a')})
		for id := range 3 {
			w.add(voter(kafka.BrokerID(id+1), 'a')).start()
		}
		w.run(3 * time.Second)
		w.host(1).takeSnapshot(true)
		h := w.hosts[rapid.IntRange(0, 2).Draw(t, "node")]
		role, vote, end, hw := h.m.Role(), h.live.vote, h.live.end(), h.m.HighWatermark()
		stranger := voter(kafka.BrokerID(rapid.IntRange(1, 9).Draw(t, "id")), 'z')
		for range rapid.IntRange(1, 5).Draw(t, "messages") {
			h.do(h.m.Received(h.now, stranger, request(t)))
		}
		if h.m.Role() != role || h.live.vote != vote || h.live.end() != end || h.m.HighWatermark() != hw {
			t.Fatalf("%s was %s, vote %v, %d, %d:\n%s", name(h.me), role, vote, end, hw, w.describe())
		}
	})
}

// request draws what a node that is no voter may send without lying about an epoch it leads.
func request(t *rapid.T) raft.Message {
	epoch := kafka.LeaderEpoch(rapid.Int32Range(-2, 5).Draw(t, "epoch"))
	offset := kafka.Offset(rapid.Int64Range(-2, 5).Draw(t, "offset"))
	last := kafka.LeaderEpoch(rapid.Int32Range(-2, 5).Draw(t, "last"))
	n := rapid.IntRange(-1, 5).Draw(t, "n")
	id := raft.SnapshotID{End: offset, LeaderEpoch: last}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return raft.FetchRequest{Epoch: epoch, Offset: offset, LastEpoch: last, MaxBytes: n}
	case 1:
		return raft.SnapshotRequest{Epoch: epoch, ID: id, Position: int64(n), MaxBytes: n}
	case 2:
		return raft.VoteRequest{Pre: true, Epoch: epoch, Voter: voter(9, 'a'), LastEpoch: last, End: offset}
	}
	return raft.VoteReply{Pre: n > 2, Asked: epoch, Granted: true, Epoch: min(epoch, 1), Leader: raft.NoLeader}
}

// What a leader sends is bounded and must fit, or it is fetched again: a follower appends no
// batch that leaves a gap, turns back in epochs or is not of the leader's time.
func TestFollowerTakesOnlyWhatComesNext(t *testing.T) {
	for what, batches := range map[string][]raft.Batch{
		"a gap":                {{Base: 2, Next: 3, Epoch: 1, Data: []byte("x")}},
		"an overlap":           {{Base: 0, Next: 2, Epoch: 1, Data: []byte("x")}},
		"nothing in it":        {{Base: 1, Next: 1, Epoch: 1, Data: []byte("x")}},
		"an older epoch":       {{Base: 1, Next: 2, Epoch: 0, Data: []byte("x")}},
		"a later epoch":        {{Base: 1, Next: 2, Epoch: 2, Data: []byte("x")}},
		"a gap behind":         {{Base: 1, Next: 2, Epoch: 1}, {Base: 3, Next: 4, Epoch: 1}},
		"no such kind":         {{Base: 1, Next: 2, Epoch: 1, Kind: 9, Data: []byte("x")}},
		"voters that are none": {{Base: 1, Next: 2, Epoch: 1, Kind: raft.Voters, Data: []byte("x")}},
		"too many":             make([]raft.Batch, raft.FetchBatchesMax+1),
	} {
		w := newWorld(t, []raft.Voter{voter(1, 'a'), voter(2, 'a')})
		w.rand = func(h *host, _ string) uint64 { return uint64(h.me.ID) * uint64(100*time.Millisecond) }
		for id := range 2 {
			w.add(voter(kafka.BrokerID(id+1), 'a')).start()
		}
		w.run(2 * time.Second)
		h := w.host(2)
		if h.m.Role() != raft.Follower || h.live.end() != 1 {
			t.Fatalf("not where the test begins:\n%s", w.describe())
		}
		h.do(h.m.Received(h.now, voter(1, 'a'), raft.FetchReply{
			Epoch: 1, Leader: 1, Offset: 1, LastEpoch: 1, HighWatermark: 9, Batches: batches,
		}))
		if h.live.end() != 1 || h.m.HighWatermark() != 1 {
			t.Errorf("%s was taken:\n%s", what, w.describe())
		}
		w.run(time.Second)
		if w.host(1).propose(1) != kafka.None {
			t.Fatalf("%s: no leader", what)
		}
		if w.run(time.Second); h.live.end() != 2 {
			t.Errorf("%s ended the fetching:\n%s", what, w.describe())
		}
	}
}

// What cannot be one node's state is refused at the start.
func TestStateThatCannotBeIsRefused(t *testing.T) {
	good := func() raft.Config {
		w := newWorld(t, []raft.Voter{voter(1, 'a')})
		h := w.add(voter(1, 'a'))
		h.start()
		w.run(time.Second)
		return raft.Config{Me: h.me, Log: h, Rand: h, Rare: h, Vote: h.live.vote, Bootstrap: w.boot}
	}
	early, many := raft.SnapshotID{End: 9, LeaderEpoch: 1}, make([]raft.Voter, raft.VotersMax+1)
	twice := []raft.Voter{voter(1, 'a'), voter(1, 'b')}
	for what, breaks := range map[string]func(*raft.Config){
		"a vote older than the log":     func(c *raft.Config) { c.Vote = raft.Vote{} },
		"a log that ends too early":     func(c *raft.Config) { c.Snapshot = early },
		"no directory":                  func(c *raft.Config) { c.Me.Directory = kafka.DirectoryID{} },
		"no voters":                     func(c *raft.Config) { c.Bootstrap = nil },
		"a voter twice":                 func(c *raft.Config) { c.Bootstrap = twice },
		"too many voters":               func(c *raft.Config) { c.Bootstrap = many },
		"no log":                        func(c *raft.Config) { c.Log = nil },
		"a negative timeout":            func(c *raft.Config) { c.RetryBackoff = -1 },
		"a wait as long as the timeout": func(c *raft.Config) { c.FetchWait = 2 * time.Second },
	} {
		cfg := good()
		if _, err := raft.New(cfg); err != nil {
			t.Fatal(err)
		}
		breaks(&cfg)
		if m, err := raft.New(cfg); err == nil {
			t.Errorf("%s is taken: %v", what, m.Role())
		}
	}
}

// A proposal is bounded, and refused by who does not lead.
func TestProposalIsRefusedBeforeItIsAppended(t *testing.T) {
	w := newWorld(t, []raft.Voter{voter(1, 'a')})
	h := w.add(voter(1, 'a'))
	h.start()
	if code := h.propose(1); code != kafka.NotController {
		t.Errorf("before the election: %s", code)
	}
	w.run(time.Second)
	for _, n := range []int{-1, 0, raft.ProposeRecordsMax + 1} {
		if code := h.propose(n); code != kafka.InvalidRequest {
			t.Errorf("%d records: %s", n, code)
		}
	}
	if code := h.propose(raft.ProposeRecordsMax); code != kafka.None {
		t.Error(code)
	}
}

// A leader keeps account of so many nodes and no more, however many ids and directories come; its
// voters are always among them.
func TestCountlessObserversCostNoVoter(t *testing.T) {
	w := newWorld(t, []raft.Voter{voter(1, 0), voter(2, 0), voter(3, 0)})
	w.rand = func(h *host, _ string) uint64 { return uint64(h.me.ID) * uint64(100*time.Millisecond) }
	for id := range 2 {
		w.add(voter(kafka.BrokerID(id+1), 'a')).start()
	}
	w.run(2 * time.Second)
	h := w.host(1)
	for i := range raft.ReplicasMax + 100 {
		node := voter(3, 'b') // a voter of which only the id is known
		if i%2 == 0 {
			node.ID = kafka.BrokerID(100 + i)
		}
		node.Directory[0], node.Directory[1] = byte(i), byte(i>>8)
		w.net = nil
		h.do(h.m.Received(h.now, node, raft.FetchRequest{Epoch: 1, Offset: 1, LastEpoch: 1, HighWatermark: 9}))
	}
	for range 4 {
		w.run(time.Second)
	}
	if h.propose(1) != kafka.None {
		t.Fatalf("it leads no more:\n%s", w.describe())
	}
	if w.run(time.Second); h.m.HighWatermark() != h.live.end() {
		t.Fatalf("nothing is committed:\n%s", w.describe())
	}
}
