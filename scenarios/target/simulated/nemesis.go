package simulated

import (
	"time"

	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// strike is a kind of fault against the broker.
type strike uint8

const (
	strikeKill strike = iota
	strikePower
	strikeStop
	strikes
)

var strikeNames = [strikes]string{"kill", "power", "stop"}

// nemesis strikes the broker at moments drawn by key: strike kind and ordinal decide, so that
// another strike more or less shifts none of the others.
type nemesis struct {
	run    *run
	choice engine.Choice

	active   bool
	over     bool // the story has ended: who stops now stays down
	ordinals [strikes]uint64
	aimed    []strike // wait for the next append
	striking bool     // the kill seen in the trace is our own
	boots    uint64   // starts ordered so far
	inARow   int      // crashes in recovery in a row
}

func (n *nemesis) mean(k strike) time.Duration {
	f := &n.run.s.Faults
	return time.Duration([strikes]int64{int64(f.Kill), int64(f.Power), int64(f.Stop)}[k])
}

// begin draws the first strike of each kind.
func (n *nemesis) begin() {
	n.active = true
	for k := range strikes {
		n.next(k)
	}
}

// next schedules the following strike of that kind.
func (n *nemesis) next(k strike) {
	mean := n.mean(k)
	if mean == 0 {
		return
	}
	n.ordinals[k]++
	ordinal := n.ordinals[k]
	c := n.choice.Of(strikeNames[k])
	n.run.world.After(c.Of("gap").Exp(ordinal, mean), "nemesis", func() {
		if !n.active {
			return
		}
		if c.Of("aim").Chance(ordinal, n.run.s.Faults.Aimed) {
			n.aim(k)
		} else {
			n.strike(k)
		}
		n.next(k)
	})
}

// aim waits for an append, but not for ever.
func (n *nemesis) aim(k strike) {
	n.aimed = append(n.aimed, k)
	n.run.world.After(aimMax, "nemesis-aim", func() {
		if n.active && len(n.aimed) > 0 {
			k := n.aimed[0]
			n.aimed = n.aimed[1:]
			n.strike(k)
		}
	})
}

// observe is told of every trace event of the broker.
func (n *nemesis) observe(ev *trace.Event) {
	switch ev.Kind {
	case kindAppend:
		if len(n.aimed) > 0 && n.active {
			k := n.aimed[0]
			n.aimed = n.aimed[1:]
			delay := n.choice.Of("aimed").Between(n.ordinals[k], 0, aimSpread)
			n.run.counts["fault/aimed"]++
			n.run.world.After(delay, "nemesis-aimed", func() {
				if n.active {
					n.strike(k)
				}
			})
		}
	case kindHostLive:
		n.inARow = 0
	case kindHostKill:
		if !n.striking {
			n.diedInRecovery()
		}
	case kindHostStop:
		if !n.over {
			n.restart()
		}
	}
}

// strike hits the broker, if a process runs. A strike without effect is not counted.
func (n *nemesis) strike(k strike) {
	host := n.run.broker
	if !host.Up() {
		return
	}
	if k != strikeStop || host.Live() {
		n.run.counts["fault/"+strikeNames[k]]++
	}
	if k != strikeStop && n.run.ledger.inFlight() {
		n.run.counts["fault/"+strikeNames[k]+"-with-append-in-flight"]++
	}
	n.run.ledger.crash(k)
	n.striking = true
	switch k {
	case strikeKill:
		host.Kill()
	case strikePower:
		host.PowerLoss()
	case strikeStop:
		if host.Live() {
			host.Stop(n.run.process.Stop)
		}
	}
	n.striking = false
	if k != strikeStop {
		n.restart()
	}
}

// restart starts the broker after a while; at times that boot is cut short.
func (n *nemesis) restart() {
	n.boots++
	c, f := n.choice.Of("restart"), &n.run.s.Faults
	if n.active && n.inARow < bootCrashesMax && c.Of("again").Chance(n.boots, f.InRecovery) {
		n.run.broker.CrashInBoot(1 + int(c.Of("ops").Below(n.boots, bootOpsMax)))
	}
	delay := c.Of("delay").LogBetween(n.boots, time.Duration(f.DownMin), time.Duration(f.DownMax))
	if !n.active {
		delay = time.Duration(f.DownMin)
	}
	n.run.broker.Start(delay)
}

// diedInRecovery goes on after a boot that was cut short; where power may fail, half of these
// deaths lose it too.
func (n *nemesis) diedInRecovery() {
	n.inARow++
	n.run.counts["fault/crash-in-recovery"]++
	n.run.ledger.crash(strikeKill)
	boot := n.boots
	n.run.world.After(0, "nemesis-recovery", func() {
		if n.mean(strikePower) > 0 && n.choice.Of("recovery-power").Chance(boot, 0.5) && !n.run.broker.Up() {
			n.run.counts["fault/power-in-recovery"]++
			n.run.ledger.crash(strikePower)
			n.run.broker.PowerLoss()
		}
		n.restart()
	})
}

// heal ends all faults: nothing strikes any more, and the broker runs.
func (n *nemesis) heal() {
	n.active, n.aimed = false, nil
	n.run.world.Calm()
	n.run.broker.CrashInBoot(0)
	if !n.run.broker.Up() {
		n.run.broker.Start(time.Duration(n.run.s.Faults.DownMin))
	}
}
