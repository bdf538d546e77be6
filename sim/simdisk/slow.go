package simdisk

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// window is a time in which something is wrong with a volume: one per period, decided by
// the number of the period, so that it costs no events and no order of draws.
type window struct {
	number   uint64
	from, to env.Instant
	asked    bool
	fault    *fault // nil: none, or vetoed
}

// windowOf gives the window of the n-th period; it never outlasts a period.
func (in *injector) windowOf(purpose string, vol *volume, n uint64, every, mean time.Duration) window {
	decision := in.d.cfg.Decide(purpose, vol.obj.name, n)
	w := window{number: n}
	if decision == 0 {
		return w
	}
	w.from = env.Instant(n * uint64(every)).Add(time.Duration(draw(decision, 0, uint64(every))))
	w.to = w.from.Add(min(mean/8+exponential(spread(decision, 1), mean), every))
	return w
}

// delay is what faults add to an operation submitted at a time and served for another.
func (in *injector) delay(k key, at env.Instant, service time.Duration) time.Duration {
	added := time.Duration(0)
	if decision, hit := in.decide(in.Slow, purposeSlow, k); hit {
		added = exponential(spread(decision, 0), in.SlowMean)
		ev := FaultEvent{Kind: FaultSlow, Path: k.obj.name, From: at, To: at.Add(added)}
		if ft := in.offer(purposeSlow, k, ev); ft != nil {
			in.fire(ft)
		} else {
			added = 0
		}
	}
	return added + in.stall(in.d.volumeOf(k.obj), at, service+added)
}

// stall is the time that an operation on the volume hangs.
func (in *injector) stall(vol *volume, at env.Instant, service time.Duration) time.Duration {
	if in.StallEvery <= 0 {
		return 0
	}
	every := uint64(in.StallEvery)
	end := at.Add(service)
	first := uint64(at) / every
	for n := max(first, 1) - 1; n <= first+stallsPerOp && n <= uint64(end)/every; n++ {
		w := in.stallWindow(vol, n)
		if at >= w.to || end <= w.from || !in.mayStall(vol, w) {
			continue
		}
		end = end.Add(w.to.Sub(max(at, w.from)))
	}
	return end.Sub(at) - service
}

// stallWindow remembers the last few windows, because each is offered once.
func (in *injector) stallWindow(vol *volume, n uint64) *window {
	w := &vol.stalls[n%stallsKept]
	if w.number != n || !w.asked && w.to == 0 {
		*w = in.windowOf(purposeStall, vol, n, in.StallEvery, in.StallMean)
	}
	return w
}

func (in *injector) mayStall(vol *volume, w *window) bool {
	if !w.asked {
		w.asked = true
		w.fault = in.offer(purposeStall, key{vol.obj, w.number},
			FaultEvent{Kind: FaultStall, Volume: vol.obj.name, From: w.from, To: w.to})
		if w.fault != nil {
			in.fire(w.fault)
		}
	}
	return w.fault != nil
}

// late draws that an asynchronous operation may be overtaken.
func (in *injector) late(fl *flight) time.Duration {
	k := key{fl.obj, fl.ordinal}
	decision, hit := in.decide(in.Reorder, purposeOvertake, k)
	if !hit {
		return 0
	}
	fl.late = in.offer(purposeOvertake, k, FaultEvent{Kind: FaultReorder, Path: fl.obj.name, Off: fl.off,
		Len: int64(len(fl.data) + len(fl.buf))})
	if fl.late == nil {
		return 0
	}
	return exponential(spread(decision, 0), in.ReorderMean)
}

// landed counts overtaking. An operation that was to be overtaken and was not has not
// been touched by the fault.
func (d *Disk) landed(fl *flight) {
	v := fl.view
	if fl.seq > v.landedMax {
		v.landedMax = fl.seq
		return
	}
	d.counts.Overtaken++
	if fl.late != nil {
		d.inject.fire(fl.late)
	}
}
