package replica_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Whatever the network loses, delays, repeats or reorders, whoever crashes, is fenced or is
// elected cleanly: nothing acknowledged is lost, nothing that could be read changes, and when
// all is well again all replicas are equal and in sync.
func TestNothingCommittedIsLost(t *testing.T) {
	reached := map[string]int{}
	missing := func(what string) bool { return reached[what] == 0 }
	// Each round is 100 histories, unless -rapid.checks says otherwise. Some things happen in
	// one history of several hundred, so the rounds go on until everything was met.
	for round := range 200 {
		rapid.Check(t, func(r *rapid.T) { history(r, reached) })
		if t.Failed() || round >= 9 && !slices.ContainsFunc(reachable, missing) {
			return
		}
	}
	// A law that met none of this would say little.
	for _, what := range reachable {
		if missing(what) {
			t.Errorf("no history had %q in it: %v", what, reached)
		}
	}
}

// reachable is what a history may have in it, by the words of the lines.
var reachable = []string{
	"acknowledges", "diverging", "truncates", "restarts", "loses power", "proposes", "too few",
	"elr=", "INVALID_UPDATE", "FENCED", "UNKNOWN_LEADER", "deletes", "rots", "repaired",
}

func history(r *rapid.T, reached map[string]int) {
	n := rapid.SampledFrom([]int{3, 3, 3, 4, 5}).Draw(r, "replicas")
	w := &weather{r: r, c: newCluster(r, n, rapid.IntRange(1, 3).Draw(r, "min"), rapid.Bool().Draw(r, "os"))}
	for range rapid.IntRange(10, 200).Draw(r, "steps") {
		w.step()
		w.c.drain()
		w.c.ghost.check()
	}
	w.c.heal()
	w.c.ghost.quiet()
	for _, line := range w.c.lines {
		for _, what := range reachable {
			if strings.Contains(line, what) {
				reached[what]++
			}
		}
	}
}

// weather draws what happens.
type weather struct {
	r        *rapid.T
	c        *cluster
	produced int
}

func (w *weather) node() *node {
	return w.c.nodes[rapid.IntRange(0, len(w.c.nodes)-1).Draw(w.r, "node")]
}

// chances are in percent, the rest being normal work.
func (w *weather) step() {
	c := w.c
	n := w.node()
	switch p := rapid.IntRange(0, 99).Draw(w.r, "what"); {
	case p < 18:
		w.produce(p < 14)
	case p < 30:
		n.sync(rapid.SampledFrom([]kafka.Offset{n.log.End(), n.log.End(), n.log.durable + 1}).Draw(w.r, "to"))
	case p < 50:
		n.fetch()
	case p < 66:
		c.exchange(n)
	case p < 78:
		w.deliver()
	case p < 86:
		n.readImages(rapid.IntRange(1, 3).Draw(w.r, "images"))
	case p < 89:
		c.advance(rapid.SampledFrom([]time.Duration{1e8, 1e9, 20e9, 31e9}).Draw(w.r, "pass"))
	case p < 90:
		n.flush()
	case p < 91:
		n.sources[w.node().id].Evict()
	default:
		w.trouble(n)
	}
}

func (w *weather) trouble(n *node) {
	c := w.c
	switch rapid.IntRange(0, 8).Draw(w.r, "trouble") {
	case 0:
		n.kill()
	case 1:
		w.power(n)
	case 2, 3:
		if n.lost || c.anotherHolds(n) {
			n.start()
			n.readImages(9)
		}
	case 4:
		if c.anotherHolds(n) {
			c.ctl.fence(n.id)
			c.logf("b%d is fenced, controller: %s", n.id, c.ctl.state)
		}
	case 5:
		w.c.unfence(n)
	case 6:
		c.ctl.move(n.id)
		c.logf("controller: %s", c.ctl.state)
	case 7:
		w.deleteRecords(n)
	case 8:
		w.rot(n)
	}
}

func (w *weather) produce(all bool) {
	leaders := slices.DeleteFunc(slices.Clone(w.c.nodes), func(n *node) bool { return !n.up || n.leader == nil })
	if len(leaders) == 0 {
		return
	}
	n := leaders[rapid.IntRange(0, len(leaders)-1).Draw(w.r, "leader")]
	value := fmt.Sprintf("%c", 'a'+rune(w.produced%26))
	w.produced++
	switch {
	case all:
		n.produce(value)
	default:
		n.append(value)
		n.ledEffects(n.leader.LogAppended(w.c.now, n.log.End()))
		n.grew()
	}
	if w.c.os {
		n.sync(n.log.End())
	}
}

func (w *weather) deliver() {
	if len(w.c.net) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.c.net)-1).Draw(w.r, "message")
	switch rapid.IntRange(0, 5).Draw(w.r, "fate") {
	case 0:
		w.c.take(i)
	case 1:
		if w.c.net[i].proposal != nil { // each is sent once
			w.c.deliver(w.c.take(i))
			return
		}
		w.c.deliver(w.c.net[i]) // and again, later
	default:
		w.c.deliver(w.c.take(i))
	}
}

// power takes the power from n unless that would void what is claimed: somebody in ISR or ELR
// must have lost nothing.
func (w *weather) power(n *node) {
	if !w.c.os {
		n.flush()
	}
	if w.c.anotherHolds(n) {
		n.power()
	}
}

// anotherHolds tells that somebody else in ISR or ELR has lost nothing. Where that does not
// hold, nothing is claimed.
func (c *cluster) anotherHolds(n *node) bool {
	s := c.ctl.state
	return slices.ContainsFunc(append(slices.Clone(s.ISR), s.ELR...), func(id kafka.BrokerID) bool {
		return id != n.id && !c.node(id).lost
	})
}

// rot damages what a node that is down has on its disk; its start finds it, and says that it
// has lost something.
func (w *weather) rot(n *node) {
	if n.up || n.log.End() == n.log.start || !w.c.anotherHolds(n) {
		return
	}
	from := n.log.start + kafka.Offset(rapid.IntRange(0, len(n.log.records)-1).Draw(w.r, "from"))
	to := min(n.log.End(), from+kafka.Offset(rapid.IntRange(1, 4).Draw(w.r, "length")))
	for o := from; o < to; o++ {
		n.log.records[o-n.log.start].value = rot
	}
	n.lost = true
	w.c.logf("b%d rots %d..%d", n.id, from, to)
}

// deleteRecords raises the log start at a leader.
func (w *weather) deleteRecords(n *node) {
	if !n.up || n.leader == nil || n.leader.HighWatermark() <= n.log.start {
		return
	}
	most := int(n.leader.HighWatermark() - n.log.start)
	to := n.log.start + kafka.Offset(rapid.IntRange(1, most).Draw(w.r, "below"))
	w.c.ghost.start = max(w.c.ghost.start, to)
	n.log.raiseStart(to)
	n.ledEffects(n.leader.LogStartRaised(w.c.now, to))
	n.grew()
	w.c.logf("b%d deletes below %d", n.id, to)
}

func (c *cluster) drain() {
	for _, n := range c.nodes {
		n.drain()
	}
}

// exchange is a request that nothing befalls, with its reply if there is one at once.
func (c *cluster) exchange(n *node) {
	c.drain()
	c.replies(n)
	if n.fetch() {
		c.deliver(c.take(len(c.net) - 1))
		c.drain()
		c.replies(n)
	}
}

// replies delivers those that are on their way to n.
func (c *cluster) replies(n *node) {
	for i := 0; i < len(c.net); {
		if m := c.net[i]; m.reply == nil || m.to != n.id {
			i++
			continue
		}
		c.deliver(c.take(i))
	}
}

func (c *cluster) unfence(n *node) {
	if n.up && c.ctl.broker(n.id).Fenced && n.epoch == c.ctl.broker(n.id).Epoch {
		c.ctl.unfence(n.id)
		c.logf("b%d is unfenced, controller: %s", n.id, c.ctl.state)
	}
}

// heal starts and connects everybody, and waits until nothing is left to do: longer than the
// lag time, which a damaged member of the ISR has to run out.
func (c *cluster) heal() {
	c.logf("all is well from here")
	c.net = nil
	for _, lost := range []bool{true, false} { // so that the controller hears of losses first
		for _, n := range c.nodes {
			if n.lost == lost {
				n.start()
			}
			c.unfence(n)
		}
	}
	for range 100 {
		for _, n := range c.nodes {
			n.readImages(1 << 20)
			n.sync(n.log.End())
			n.flush()
			c.exchange(n)
		}
		for len(c.net) > 0 {
			c.deliver(c.take(0))
		}
		c.advance(500 * time.Millisecond)
		c.ghost.check()
	}
	c.converged()
}

func (c *cluster) converged() {
	s := c.ctl.state
	if s.Leader < 0 || len(s.ISR) != len(s.Replicas) || len(s.ELR) > 0 {
		c.fail("not in sync again: %s", s)
	}
	leader := c.node(s.Leader)
	for _, n := range c.nodes {
		if n.hwNow() != n.log.End() || n.log.End() != leader.log.End() {
			c.fail("not equal again: b%d hw=%d leo=%d", n.id, n.hwNow(), n.log.End())
		}
	}
}
