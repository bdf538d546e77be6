package simulated

import (
	"time"

	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// script carries out the fixed steps of a scenario, one after the other.
type script struct {
	steps []scenarios.Step
	wait  int // acknowledgements until the next step; 0: it waits for a time
}

func (s *script) begin(n *nemesis) {
	s.steps = n.run.cond.faults.Script
	s.await(n)
}

// await waits for what the next step waits for.
func (s *script) await(n *nemesis) {
	if len(s.steps) == 0 {
		return
	}
	step := s.steps[0]
	if s.wait = step.Acks; s.wait == 0 {
		n.run.world.After(time.Duration(step.After), "script", func() { s.do(n) })
	}
}

// acked is told of every acknowledgement.
func (s *script) acked(n *nemesis) {
	if s.wait == 0 {
		return
	}
	if s.wait--; s.wait == 0 {
		n.run.world.After(0, "script", func() { s.do(n) })
	}
}

// do takes the next step. What needs a process that runs, or bytes at rest, is tried until
// there are.
func (s *script) do(n *nemesis) {
	if !n.active {
		return
	}
	if !s.done(n, s.steps[0].Do) {
		n.run.world.After(scriptRetry, "script", func() { s.do(n) })
		return
	}
	n.run.counts["script/"+string(s.steps[0].Do)]++
	s.steps = s.steps[1:]
	s.await(n)
}

func (s *script) done(n *nemesis, deed scenarios.Deed) bool {
	before := n.run.counts
	did := func(k strike) bool {
		was := before["fault/"+strikeNames[k]]
		n.strike(k)
		return before["fault/"+strikeNames[k]] > was
	}
	switch deed {
	case scenarios.DoKill:
		return did(strikeKill)
	case scenarios.DoPower:
		return did(strikePower)
	case scenarios.DoWipe:
		return did(strikeWipe)
	case scenarios.DoRot:
		if !n.run.rotOne(n.choice.Of("script"), 0, true) {
			return false
		}
		before["fault/rot"]++
		return true
	case scenarios.DoLoseWriteBack:
		n.run.broker.Disk().SetFaults(simdisk.Faults{LostWriteBack: simdisk.Always})
		return true
	}
	return true
}
