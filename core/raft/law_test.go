package raft_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/raft"
)

// laws drives a cluster by what rapid draws: packets in any order, twice or never, disks that
// finish when they like, clocks that run apart, crashes that keep any prefix of what was on its
// way to the disk. The ghost judges every step; at the end all faults stop, and the quorum must
// come to lead and commit.
type laws struct {
	*world
	lost  map[kafka.BrokerID]bool // its disk was replaced: that voter is gone for good
	known bool                    // the first voters are known with their directories
}

func TestQuorumKeepsItsLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { runLaws(t) })
}

func runLaws(t *rapid.T) *ghost {
	l := newLaws(t)
	for _, h := range l.hosts {
		h.start()
	}
	t.Repeat(map[string]func(*rapid.T){
		"deliver":   l.deliverSome,
		"sync":      l.syncSome,
		"serve":     l.serveSome,
		"tick":      l.tickOne,
		"calm":      l.calm,
		"calm2":     l.calm,
		"propose":   l.proposeOne,
		"crash":     l.crashOne,
		"restart":   l.restartOne,
		"partition": l.partition,
		"break":     l.breakConnection,
		"snapshot":  l.snapshotOne,
		"resign":    l.resignOne,
		"voters":    l.changeVoters,
		"lose":      l.loseOne,
		"replace":   l.replaceOne,
	})
	l.heal(t)
	return l.ghost
}

func newLaws(t *rapid.T) *laws {
	n := rapid.IntRange(1, 5).Draw(t, "nodes")
	voters := rapid.IntRange(1, n).Draw(t, "voters")
	known := rapid.Bool().Draw(t, "directories known")
	var boot []raft.Voter
	for id := 1; id <= voters; id++ {
		v := voter(kafka.BrokerID(id), 0)
		if known {
			v = voter(v.ID, 'a')
		}
		boot = append(boot, v)
	}
	l := &laws{world: newWorld(t, boot), lost: map[kafka.BrokerID]bool{}}
	l.known = known
	for id := 1; id <= n; id++ {
		l.add(voter(kafka.BrokerID(id), 'a'))
	}
	rare := rapid.IntRange(0, 3).Draw(t, "rare") == 0
	l.rare = func(string) bool { return rare && rapid.IntRange(0, 40).Draw(t, "early") == 0 }
	return l
}

func (l *laws) one(t *rapid.T, up bool) *host {
	var some []*host
	for _, h := range l.hosts {
		if (h.m != nil) == up {
			some = append(some, h)
		}
	}
	if len(some) == 0 {
		t.Skip("none")
	}
	return some[rapid.IntRange(0, len(some)-1).Draw(t, "node")]
}

func (l *laws) deliverSome(t *rapid.T) {
	if len(l.net) == 0 {
		t.Skip("nothing")
	}
	for range rapid.IntRange(1, 4).Draw(t, "packets") {
		if len(l.net) == 0 {
			return
		}
		i := rapid.IntRange(0, len(l.net)-1).Draw(t, "packet")
		switch fate := rapid.IntRange(0, 9).Draw(t, "fate"); fate {
		case 0:
			l.net = append(l.net[:i], l.net[i+1:]...)
		default:
			l.deliver(i, fate == 1)
		}
	}
}

func (l *laws) syncSome(t *rapid.T) {
	h := l.one(t, true)
	if len(h.todo) == 0 {
		t.Skip("nothing")
	}
	h.sync(rapid.IntRange(1, len(h.todo)).Draw(t, "operations"))
}

func (l *laws) serveSome(t *rapid.T) {
	h := l.one(t, true)
	if len(h.read) == 0 {
		t.Skip("nothing")
	}
	h.serve(rapid.IntRange(0, len(h.read)-1).Draw(t, "read"), rapid.IntRange(1, 3).Draw(t, "batches"))
}

func (l *laws) tickOne(t *rapid.T) {
	h := l.one(t, true)
	h.now = h.now.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "ms")) * time.Millisecond)
	if rapid.Bool().Draw(t, "due") {
		h.tick()
		return
	}
	h.do(h.m.Tick(h.now))
}

// calm lets everything take its course for a while.
func (l *laws) calm(t *rapid.T) {
	l.run(time.Duration(rapid.IntRange(10, 2500).Draw(t, "ms")) * time.Millisecond)
}

func (l *laws) proposeOne(t *rapid.T) {
	l.one(t, true).propose(rapid.IntRange(1, 3).Draw(t, "records"))
}

func (l *laws) crashOne(t *rapid.T) {
	h := l.one(t, true)
	h.crash(rapid.IntRange(0, len(h.todo)).Draw(t, "kept"))
}

func (l *laws) restartOne(t *rapid.T) { l.one(t, false).start() }

func (l *laws) partition(t *rapid.T) {
	for _, h := range l.hosts {
		l.cut[h.me.ID] = rapid.IntRange(0, 3).Draw(t, "cut") == 0
	}
}

func (l *laws) breakConnection(t *rapid.T) {
	h, x := l.one(t, true), l.hosts[rapid.IntRange(0, len(l.hosts)-1).Draw(t, "to")]
	h.do(h.m.Disconnected(h.now, x.me.ID))
}

func (l *laws) snapshotOne(t *rapid.T) { l.one(t, true).takeSnapshot(rapid.Bool().Draw(t, "drop")) }

func (l *laws) resignOne(t *rapid.T) {
	h := l.one(t, true)
	h.do(h.m.Resign(h.now))
}

func (l *laws) changeVoters(t *rapid.T) {
	h, x := l.one(t, true), l.hosts[rapid.IntRange(0, len(l.hosts)-1).Draw(t, "whom")]
	if rapid.Bool().Draw(t, "add") {
		effects, _ := h.m.AddVoter(h.now, x.me)
		h.do(effects)
		return
	}
	effects, _ := h.m.RemoveVoter(h.now, x.me)
	h.do(effects)
}

// loseOne damages a disk: the node is told at its next start.
func (l *laws) loseOne(t *rapid.T) {
	h := l.one(t, false)
	h.loses(kafka.Offset(rapid.Int64Range(int64(h.disk.start), int64(h.disk.end())).Draw(t, "from")))
}

// replaceOne gives a node a new disk. Voters known by their ids alone do not survive that.
func (l *laws) replaceOne(t *rapid.T) {
	h := l.one(t, false)
	if !l.known || h.me.Directory[15] > 'c' {
		t.Skip("not now")
	}
	l.lost[h.me.ID] = true
	h.me = voter(h.me.ID, h.me.Directory[15]+1)
	h.disk = image{}
}

// heal ends all faults and waits for a leader that commits, if there can be one.
func (l *laws) heal(t *rapid.T) {
	l.rare = nil
	whole := len(l.lost) == 0
	for _, h := range l.hosts {
		l.cut[h.me.ID] = false
		if h.m != nil {
			h.crash(len(h.todo))
		}
		whole = whole && !h.disk.damaged
		h.start()
	}
	l.run(20 * time.Second)
	if whole {
		l.mustServe(t)
	}
}

func (l *laws) mustServe(t *rapid.T) {
	for _, h := range l.hosts {
		if h.m.Role() == raft.Leader {
			if h.propose(1) != kafka.None {
				continue
			}
			l.run(5 * time.Second)
			if h.m.HighWatermark() == h.live.end() {
				return
			}
		}
	}
	t.Fatalf("no leader commits:\n%s", l.describe())
}
