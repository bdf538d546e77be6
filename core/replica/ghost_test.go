package replica_test

import (
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/replica"
)

// ghost sees every replica's bytes and knows what was ever committed: the machines cannot
// read it. Its checks are named by the list in the comments; R-… are rules of joining,
// electing, truncating and counting.
type ghost struct {
	c       *cluster
	log     []memRecord // committed, from offset 0
	acked   []sent
	start   kafka.Offset // below it records were deleted
	unclean bool         // an unclean election happened: what was committed may go
	starts  map[kafka.LeaderEpoch]kafka.Offset
}

// has tells how far a replica's durable log is the committed one.
func (g *ghost) has(n *node) kafka.Offset {
	l := &n.log
	o := max(l.start, 0)
	for ; o < l.durable && int(o) < len(g.log); o++ {
		if l.at(o) != g.log[o] {
			return o
		}
	}
	return min(l.durable, kafka.Offset(len(g.log)))
}

func (g *ghost) end() kafka.Offset { return kafka.Offset(len(g.log)) }

// leads: a leader that was elected cleanly has all that is committed (R8).
func (g *ghost) leads(n *node, s replica.State) {
	if g.starts == nil {
		g.starts = map[kafka.LeaderEpoch]kafka.Offset{}
	}
	g.starts[s.LeaderEpoch] = n.log.End()
	if n.c.ctl.electedUncleanly {
		g.unclean = true
		g.log = g.log[:min(len(g.log), int(g.has(n)))]
		g.acked = slices.DeleteFunc(g.acked, func(s sent) bool { return s.at >= g.end() })
		return
	}
	// An old image may make a leader for a moment that is none any more.
	if s.LeaderEpoch == g.c.ctl.state.LeaderEpoch && g.has(n) < g.end() {
		g.c.fail("R8 leader completeness: b%d leads epoch %d with %d of %d committed records",
			n.id, s.LeaderEpoch, g.has(n), g.end())
	}
}

// committed: at each advance of a leader's high watermark it is backed by the actual durable
// logs of everybody who may lead next (R3), and extends what was committed before (R5).
func (g *ghost) committed(n *node) {
	hw := n.leader.HighWatermark()
	for o := n.log.start; o < hw; o++ {
		switch {
		case o == g.end():
			g.log = append(g.log, n.log.at(o))
		case o < g.end() && g.log[o] != n.log.at(o):
			g.c.fail("R5 committed is forever: b%d commits %v at %d, committed was %v", n.id, n.log.at(o), o, g.log[o])
		}
	}
	if !n.leader.EnoughInSync() {
		g.c.fail("R4 strict min ISR: b%d commits to %d with isr=%v", n.id, hw, n.leader.State().ISR)
	}
	for _, x := range g.c.nodes {
		// Of a registration that it has not read the leader cannot know; the controller has
		// taken whoever lost something from the ISR.
		known := g.c.ctl.history[n.seen-1].brokers[x.id-1].Epoch == x.epoch
		counts := slices.Contains(g.c.ctl.state.ISR, x.id) || known && slices.Contains(n.leader.State().ISR, x.id)
		if counts && !x.lost && g.has(x) < hw {
			g.c.fail("R3 high watermark is backed: b%d commits to %d, b%d has %d", n.id, hw, x.id, g.has(x))
		}
	}
}

// truncates: no replica cuts off what is committed (R12), unless an unclean election lies
// between. What lies below a leader's log start is deleted, not lost. A replica that nobody
// counts on, being in neither ISR nor ELR, may still follow a leader of the past, and cut off
// what another leader commits meanwhile from copies of its own.
func (g *ghost) truncates(n *node, cut *replica.Cut) {
	s := g.c.ctl.state
	counts := slices.Contains(s.ISR, n.id) || slices.Contains(s.ELR, n.id)
	if !counts && n.follower.State().LeaderEpoch < s.LeaderEpoch {
		return
	}
	if g.unclean || cut.Restart && cut.To <= g.start {
		return
	}
	if had := g.has(n); cut.To < had && had > g.start {
		g.c.fail("R12 truncation floor: b%d cuts to %d, it has %d committed", n.id, cut.To, had)
	}
}

// altered: whoever joins the ISR has, durably, all that is committed and all up to the start
// of the leader's epoch, and is the incarnation that is registered (R11, R-JOIN).
func (g *ghost) altered(before []kafka.BrokerID, p *replica.Proposal) {
	s := g.c.ctl.state
	for _, m := range p.ISR {
		x := g.c.node(m.ID)
		if x.lost || slices.Contains(before, m.ID) {
			continue
		}
		if g.has(x) < g.end() || x.log.durable < g.starts[s.LeaderEpoch] || x.epoch != m.Epoch {
			g.c.fail("R11 join rule: b%d in isr=%v has %d of %d, durable=%d, epoch start %d, incarnation %d of %d",
				x.id, s.ISR, g.has(x), g.end(), x.log.durable, g.starts[s.LeaderEpoch], m.Epoch, x.epoch)
		}
	}
}

// check holds at any moment.
func (g *ghost) check() {
	c := g.c
	s := c.ctl.state
	g.unclean = g.unclean || c.ctl.electedUncleanly
	for _, id := range append(slices.Clone(s.ISR), s.ELR...) {
		if x := c.node(id); !x.lost && !g.unclean && g.has(x) < g.end() {
			c.fail("R6 holders: b%d of isr=%v elr=%v has %d of %d committed", id, s.ISR, s.ELR, g.has(x), g.end())
		}
	}
	for _, n := range c.nodes {
		if !n.up || n.leader == nil && n.follower == nil {
			continue
		}
		hw := n.hwNow()
		if hw > n.log.End() || n.leader != nil && hw > n.log.durable {
			c.fail("L3 bounds: b%d hw=%d", n.id, hw)
		}
		if g.unclean {
			continue
		}
		for o := n.log.start; o < hw; o++ {
			if n.log.at(o).value != rot && (o >= g.end() || n.log.at(o) != g.log[o]) { // rot is not served
				c.fail("R13 NO-UNREAD: b%d serves %v at %d below hw=%d, which is not committed", n.id, n.log.at(o), o, hw)
			}
		}
	}
	g.logsMatch()
}

// logsMatch: two replicas that have a record of one epoch at one offset have the same records
// below it (R1).
func (g *ghost) logsMatch() {
	for i, a := range g.c.nodes {
		for _, b := range g.c.nodes[:i] {
			if len(a.log.rotten())+len(b.log.rotten()) > 0 {
				continue // about to be repaired
			}
			same := false
			for o := min(a.log.End(), b.log.End()) - 1; o >= max(a.log.start, b.log.start); o-- {
				x, y := a.log.at(o), b.log.at(o)
				if (same || x.epoch == y.epoch) && x != y {
					g.c.fail("R1 log matching: b%d has %v at %d, b%d has %v", a.id, x, o, b.id, y)
				}
				same = same || x.epoch == y.epoch
			}
		}
	}
}

// quiet holds after all has healed: every acknowledged record is where it was acknowledged,
// on every replica.
func (g *ghost) quiet() {
	for _, n := range g.c.nodes {
		for _, s := range g.acked {
			if s.at >= n.log.start && (s.at >= n.log.End() || n.log.at(s.at).value != s.value) {
				g.c.fail("NO-LOSS: %s was acknowledged at %d, b%d has not got it", s.value, s.at, n.id)
			}
		}
	}
}
