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
	r.noteDeceit(nil)
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

// misread tells that the device deceived the boot under way, or just over: a read showed what
// is not stored, or bytes that were there a moment ago were dropped by a sync that failed. The
// next boot finds what is: complaints of this one mean nothing, and neither does a refusal.
func (r *run) misread() bool { return r.deceived > r.deceivedBefore }

// noteDeceit counts how often the device deceived.
func (r *run) noteDeceit(ev *trace.Event) {
	counts, now := r.broker.Disk().FaultCounts(), 0
	for _, kind := range []simdisk.FaultKind{simdisk.FaultWrongRead, simdisk.FaultSyncLie,
		simdisk.FaultLostWriteBack} {
		now += int(counts.Of(kind).Fired)
	}
	if r.deceived = now; ev != nil && ev.Kind == kindHostStart {
		r.deceivedBefore = now
	}
}
