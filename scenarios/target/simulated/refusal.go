package simulated

import (
	"errors"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/log/journal"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// bootFailed is told that a boot ended with an error. A device that fails may end a boot, and
// damage in what was acknowledged must: the broker is started again, as an operator would,
// and only if that does not help is the run over. Any other error breaks a promise.
func (r *run) bootFailed(err error) {
	n := r.nemesis
	n.refusals++
	r.noteReads(nil)
	r.counts["fault/boot-failed"]++
	device := errors.Is(err, env.ErrIO) || errors.Is(err, env.ErrNoSpace) || errors.Is(err, env.ErrTooManyFiles)
	damage := errors.Is(err, journal.ErrDamaged) || errors.Is(err, log.ErrDamaged)
	switch {
	case device && n.active, damage && r.misread():
	case r.budget.anyVoid():
		if r.refused = !n.active && n.refusals > refusalsMax; r.refused {
			r.counts["run/refused"]++
			r.budget.voidAll("the broker does not start any more: " + err.Error())
			return
		}
	case device && n.refusals <= refusalsMax: // what is left of a fault
	default:
		r.world.Fail("boot", err.Error())
		return
	}
	n.restart()
}

// misread tells that a read of the boot under way, or just over, showed what is not stored. The
// next one is right: complaints about it mean nothing, and neither does a refusal.
func (r *run) misread() bool { return r.wrongReads > r.wrongBefore }

// noteReads counts reads that showed something else than what is stored.
func (r *run) noteReads(ev *trace.Event) {
	counts := r.broker.Disk().FaultCounts()
	now := int(counts.Of(simdisk.FaultWrongRead).Fired)
	if r.wrongReads = now; ev != nil && ev.Kind == kindHostStart {
		r.wrongBefore = now
	}
}
