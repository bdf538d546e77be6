package simulated

import (
	"time"

	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// strike is a kind of fault against the broker.
type strike uint8

const (
	strikeKill strike = iota
	strikePower
	strikeStop
	strikeLoop
	strikeWipe
	strikeRot
	strikePause
	strikes
)

var strikeNames = [strikes]string{"kill", "power", "stop", "crash-loop", "wipe", "rot", "pause"}

// nemesis strikes the broker at moments drawn by key: strike kind and ordinal decide, so that
// another strike more or less shifts none of the others. It also is the supervisor: it
// starts what is down.
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
	refusals int      // boots in a row that ended with an error
	acks     int      // replies that acknowledged something
	script   script
}

func (n *nemesis) mean(k strike) time.Duration {
	f := &n.run.cond.faults
	return time.Duration([strikes]int64{int64(f.Kill), int64(f.Power), int64(f.Stop), int64(f.CrashLoop),
		int64(f.Wipe), int64(f.Rot), int64(f.Pause)}[k])
}

// begin draws the first strike of each kind, and begins the script.
func (n *nemesis) begin() {
	n.active = !n.run.cond.calm
	for k := range strikes {
		n.next(k)
	}
	n.script.begin(n)
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
		if c.Of("aim").Chance(ordinal, n.run.cond.faults.Aimed) {
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
		n.appended()
	case kindAck:
		if ev.N[2] != 0 {
			n.acks++
			n.script.acked(n)
		}
	case kindHostLive:
		n.inARow, n.refusals = 0, 0
	case kindHostKill:
		switch {
		case n.striking:
		case n.run.broker.Live():
			n.restart()
		default:
			n.diedInRecovery()
		}
	case kindHostStop:
		if !n.over {
			n.restart()
		}
	case kindOffline, kindDirFailed:
		n.supervise()
	}
}

// appended lets a strike that waits for it follow right after.
func (n *nemesis) appended() {
	if len(n.aimed) == 0 || !n.active {
		return
	}
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

// strike hits the broker, if a process runs. A strike without effect is not counted.
func (n *nemesis) strike(k strike) {
	host := n.run.broker
	if !host.Up() {
		return
	}
	if k <= strikePower && host.Live() {
		n.run.probe()
	}
	inFlight := n.run.ledger.inFlight()
	n.striking = true
	hit := n.hit(k)
	n.striking = false
	if !hit {
		return
	}
	n.run.counts["fault/"+strikeNames[k]]++
	if k <= strikePower && inFlight {
		n.run.counts["fault/"+strikeNames[k]+"-with-append-in-flight"]++
	}
	if k == strikeKill || k == strikePower || k == strikeWipe {
		n.restart()
	}
}

// hit does it, and tells whether it had an effect.
func (n *nemesis) hit(k strike) bool {
	host := n.run.broker
	switch k {
	case strikeKill:
		return host.Crash() != nil
	case strikePower:
		return host.Blackout() != nil
	case strikeWipe:
		return host.ExchangeDisk() != nil
	case strikeRot:
		return n.run.rotOne(n.choice.Of("rot"), n.ordinals[k], false)
	}
	if !host.Live() {
		return false
	}
	if k == strikePause {
		return n.pause()
	}
	if k == strikeLoop {
		c := n.choice.Of("crash-loop").Num(n.ordinals[k])
		return host.CrashLoop(sim.CrashLoop{Times: 2 + int(c.Below(0, 9)), Run: c.LogBetween(1, time.Millisecond,
			time.Second), Down: c.LogBetween(2, time.Millisecond, time.Second)}) != nil
	}
	if share := n.run.cond.faults.StopKill; share > 0 {
		host.StopUncertain(sim.UncertainStop{Stop: n.run.process.Stop, KillChance: share})
	} else {
		host.Stop(n.run.process.Stop)
	}
	return true
}

// pause stops the process for a while. A pause in which nobody waits for the broker shows
// nothing, so it is observed only if a producer does when the process is about to go on.
func (n *nemesis) pause() bool {
	host := n.run.broker
	d := n.choice.Of("pause").LogBetween(n.ordinals[strikePause], pauseMin, pauseMax)
	f := host.Pause(d)
	if f == nil {
		return false
	}
	n.run.world.After(d-1, "nemesis-pause", func() {
		if !f.Ended && n.run.workload.Sending() > 0 {
			n.run.counts["observed/pause"]++
		}
	})
	return true
}

// supervise ends a process whose log directory is offline, a while after that, as an operator
// or the process itself would: then it starts again.
func (n *nemesis) supervise() {
	host := n.run.broker
	if n.over || !host.Up() {
		return
	}
	n.run.counts["fault/dir-offline"]++
	life := host.Lives()
	delay := n.choice.Of("supervise").Between(uint64(life), 0, superviseMax)
	n.run.world.After(delay, "nemesis-supervise", func() {
		if !n.over && host.Live() && host.Lives() == life {
			n.striking = true
			host.Kill()
			n.striking = false
			n.restart()
		}
	})
}

// restart starts the broker after a while; at times that boot is cut short.
func (n *nemesis) restart() {
	n.boots++
	c, f := n.choice.Of("restart"), &n.run.cond.faults
	if n.active && n.inARow < bootCrashesMax && c.Of("again").Chance(n.boots, f.InRecovery) {
		n.run.broker.CrashInBoot(1 + int(c.Of("ops").Below(n.boots, bootOpsMax)))
	}
	delay := c.Of("delay").LogBetween(n.boots, time.Duration(f.DownMin), time.Duration(f.DownMax))
	if !n.active { // longer each time: a volume may be full for a while
		delay = time.Duration(f.DownMin) + time.Duration(n.refusals)*time.Second
	}
	n.run.broker.Start(delay)
}

// diedInRecovery goes on after a boot that was cut short; where power may fail, half of these
// deaths lose it too.
func (n *nemesis) diedInRecovery() {
	n.inARow++
	n.run.counts["fault/crash-in-recovery"]++
	boot := n.boots
	n.run.world.After(0, "nemesis-recovery", func() {
		if n.mean(strikePower) > 0 && n.choice.Of("recovery-power").Chance(boot, 0.5) && !n.run.broker.Up() &&
			n.run.broker.Blackout() != nil {
			n.run.counts["fault/power-in-recovery"]++
		}
		n.restart()
	})
}

// heal ends all faults: nothing strikes any more, and the broker runs.
func (n *nemesis) heal() {
	n.active, n.aimed, n.refusals = false, nil, 0
	n.run.world.Calm()
	n.run.broker.CrashInBoot(0)
	if !n.run.broker.Up() {
		n.run.broker.Start(time.Duration(n.run.cond.faults.DownMin))
	}
}
