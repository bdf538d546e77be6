package sim

import (
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// The record of a fault, and what a ledger says of it; see engine.
type (
	Fault      = engine.Fault
	FaultCount = engine.FaultCount
	FaultLevel = engine.FaultLevel
	Verdict    = engine.Verdict
)

const (
	FaultArmed    = engine.FaultArmed
	FaultFired    = engine.FaultFired
	FaultObserved = engine.FaultObserved

	Allow = engine.Allow
	Veto  = engine.Veto
	Void  = engine.Void
)

// OnFault adds a ledger: it is asked about each instance of a fault before that may fire,
// and may veto it, or shorten its list of hosts. A vetoed fault has no effect; the method
// that ordered it returns nil. Host.Kill, PowerLoss, Start, Stop and the crash points are
// tools below this: they always act and have no record.
func (w *World) OnFault(ledger func(f *Fault) Verdict) { w.engine.Faults.OnFault(ledger) }

// FaultCounts tells, by kind, how many instances were offered and how far they came.
func (w *World) FaultCounts() []FaultCount { return w.engine.Faults.Counts() }

// ActiveFaults are the faults that last just now, oldest first.
func (w *World) ActiveFaults() []*Fault { return w.engine.Faults.Active() }

// EndFault ends a fault that lasts: heals, unclogs, wakes. It does nothing to another, and
// nothing to nil.
func (w *World) EndFault(f *Fault) { w.engine.Faults.End(f) }

// ObserveFault reports that somebody outside of the simulator's sight — a workload whose
// request timed out — felt f.
func (w *World) ObserveFault(f *Fault) { w.engine.Faults.Observed(f) }

// Calm ends the faults that last and lets none be drawn from now on: links heal, hosts
// wake, disks are drawn no faults. Clocks keep their offset and drift, damage stays.
// Faults that a plan orders still happen, and hosts that are down stay down.
func (w *World) Calm() { w.engine.Faults.Calm() }

func (h *Host) faults() *engine.Faults { return &h.world.engine.Faults }

// fault is the record of a fault of the host that begins now.
func (h *Host) fault(kind engine.FaultKind, key string) engine.Fault {
	return engine.Fault{
		Kind: kind, Scope: h.cfg.Name, Hosts: []string{h.cfg.Name}, From: h.world.Now(), Key: key}
}

// diskKinds are the kinds of the disk's faults, by number.
var diskKinds = func() (kinds []engine.FaultKind) {
	for _, k := range simdisk.FaultKinds() {
		kinds = append(kinds, engine.DefineFault(k.String()))
	}
	return kinds
}()

// allowDisk keeps the records of the faults that the disk draws.
func (h *Host) allowDisk(ev simdisk.FaultEvent) bool {
	if user := h.world.cfg.Disk.Allow; user != nil && !user(ev) {
		return false
	}
	key := ev.Purpose + "/" + h.cfg.Name + ev.Object + "/" + strconv.FormatUint(ev.Ordinal, 10)
	record := h.fault(diskKinds[ev.Kind], key)
	record.Scope = h.cfg.Name + ev.Volume
	if ev.Path != "" {
		record.Scope = h.cfg.Name + ev.Path
	}
	record.To, record.Params = ev.To, ev.Model
	f := h.faults().Offer(record)
	if f == nil {
		return false
	}
	if len(h.diskFaults) < DiskFaultsMax {
		h.diskFaults[ev.ID] = f
	}
	return true
}

// diskFault takes the news of a fault of the disk.
func (h *Host) diskFault(ev simdisk.FaultEvent) {
	if user := h.world.cfg.Disk.OnFault; user != nil {
		user(ev)
	}
	f := h.diskFaults[ev.ID]
	if f == nil {
		return
	}
	switch ev.Stage {
	case simdisk.FaultFired:
		h.faults().Fired(f)
	case simdisk.FaultObserved:
		h.faults().Observed(f)
		if ev.To == 0 {
			delete(h.diskFaults, ev.ID)
		}
	case simdisk.FaultEnded:
		h.faults().End(f)
		delete(h.diskFaults, ev.ID)
	}
}

// until is the end of something that lasts from now on for d; 0 if it has none.
func (w *World) until(d time.Duration) env.Instant {
	if d <= 0 {
		return 0
	}
	return w.Now().Add(d)
}
