package engine

import (
	"slices"
	"strconv"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
)

// # Records of faults
//
// Each instance of a fault has a record. It is armed when it is decided, and offered to the
// ledger; it fires with the first delivery, byte, clock reading or process state that is
// another because of it; it is observed when a process gets an error, or gives up, because
// of it. Levels only rise. What could have no effect — a crash of a host that is down, a
// second cut of a cut link — is no instance and has no record.

// FaultKind is a kind of fault. Its name is that of a coverage goal.
type FaultKind uint16

var faultKindNames = []string{"none"}

// DefineFault registers a kind at package initialisation.
func DefineFault(name string) FaultKind {
	if slices.Contains(faultKindNames, name) {
		panic("engine: two kinds of fault named " + name)
	}
	faultKindNames = append(faultKindNames, name)
	return FaultKind(len(faultKindNames) - 1)
}

func (k FaultKind) String() string { return faultKindNames[k] }

// FaultLevel is how far an instance has come.
type FaultLevel uint8

const (
	FaultArmed FaultLevel = iota
	FaultFired
	FaultObserved
)

func (l FaultLevel) String() string { return [...]string{"armed", "fired", "observed"}[l] }

// Verdict is what a ledger says of an instance before it fires.
type Verdict uint8

const (
	// Allow lets it happen.
	Allow Verdict = iota
	// Veto keeps it calm.
	Veto
	// Void lets it happen, and some claims no longer hold; Fault.Voids names them.
	Void
)

// Fault is the record of one instance.
type Fault struct {
	ID   uint64 // counts the offered instances of a world from 1
	Kind FaultKind
	// Scope says what suffers: a host, "b1>b2", "b1,b2|b3".
	Scope string
	// Hosts are the hosts that suffer, if the fault is one of hosts. A ledger may take some
	// away while it decides; the instance then spares them.
	Hosts []string
	// From is when it begins; To when it ends, 0 if only a heal ends it. Both the same: an
	// instant.
	From, To env.Instant
	Params   string // in words: mode=stop give-up=5s
	// Key is the key of the decision that drew it; "" for one that a plan ordered.
	Key   string
	Level FaultLevel
	Ended bool
	Voids []string // set by the ledger with the verdict Void

	undo func()
}

// FaultCount counts the instances of one kind: how many were offered and came how far.
type FaultCount struct {
	Kind                           string
	Armed, Vetoed, Fired, Observed uint64
}

var (
	kindArmed    = trace.Define("fault-armed", "id", "from-ms", "to-ms")
	kindVetoed   = trace.Define("fault-vetoed", "id")
	kindFired    = trace.Define("fault-fired", "id")
	kindObserved = trace.Define("fault-observed", "id")
	kindEnded    = trace.Define("fault-ended", "id")
)

// Faults keeps the records of one world.
type Faults struct {
	engine *Engine
	ledger []func(*Fault) Verdict
	counts []FaultCount
	active map[uint64]*Fault // by id: begun and not ended
	order  []uint64          // ids of active, and of some that have ended
	last   uint64
	calm   bool
}

// OnFault adds a ledger, asked about each instance before it may fire. One veto is enough.
func (fs *Faults) OnFault(fn func(*Fault) Verdict) { fs.ledger = append(fs.ledger, fn) }

// Offer arms an instance. It returns nil if the ledger vetoes it, if it was drawn and the
// world is calm, or if too many are active: then it must have no effect.
func (fs *Faults) Offer(f Fault) *Fault {
	if fs.calm && f.Key != "" || len(fs.active) >= FaultsActiveMax {
		return nil
	}
	fs.last++
	f.ID = fs.last
	count := fs.count(f.Kind)
	verdict := Allow
	for _, ask := range fs.ledger {
		verdict = worst(verdict, ask(&f))
	}
	if verdict == Veto {
		count.Vetoed++
		fs.trace(&f, kindVetoed)
		return nil
	}
	count.Armed++
	fs.trace(&f, kindArmed)
	return &f
}

func worst(a, b Verdict) Verdict {
	if a == Veto || b == Veto {
		return Veto
	}
	return max(a, b)
}

// Begin makes an instance last, until f.To or until End; undo takes its effect away.
func (fs *Faults) Begin(f *Fault, undo func()) {
	f.undo = undo
	if fs.active == nil {
		fs.active = make(map[uint64]*Fault)
	}
	fs.active[f.ID] = f
	if len(fs.order) > 2*len(fs.active)+16 {
		fs.order = slices.DeleteFunc(fs.order, func(id uint64) bool { return fs.active[id] == nil })
	}
	fs.order = append(fs.order, f.ID)
	if f.To > 0 {
		fs.engine.Post(Event{At: f.To, Target: fs, Arg: f.ID, Host: NoHost})
	}
}

// Fire ends the instance with the number arg, if it has not ended.
func (fs *Faults) Fire(_ uint32, arg uint64) { fs.End(fs.active[arg]) }

// End ends an instance that has begun. Ending one that has ended, or nil, does nothing.
func (fs *Faults) End(f *Fault) {
	if f == nil || f.Ended {
		return
	}
	f.Ended, f.To = true, fs.engine.now
	delete(fs.active, f.ID)
	if f.undo != nil {
		f.undo()
		f.undo = nil
	}
	fs.trace(f, kindEnded)
}

// Active returns what has begun and not ended, oldest first.
func (fs *Faults) Active() []*Fault {
	var out []*Fault
	for _, id := range fs.order {
		if f := fs.active[id]; f != nil {
			out = append(out, f)
		}
	}
	return out
}

// Calm ends all active instances that can end, oldest first, and lets no drawn instance
// begin from now on. What a plan orders still happens.
func (fs *Faults) Calm() {
	fs.calm = true
	for _, f := range fs.Active() {
		fs.End(f)
	}
}

// IsCalm reports that no instance is drawn any more.
func (fs *Faults) IsCalm() bool { return fs.calm }

// Fired reports an effect of f; only the first counts. Fired(nil) does nothing.
func (fs *Faults) Fired(f *Fault) {
	if f != nil && f.Level == FaultArmed {
		f.Level = FaultFired
		fs.count(f.Kind).Fired++
		fs.trace(f, kindFired)
	}
}

// Observed reports that a process felt f; only the first time counts. What is observed has
// fired.
func (fs *Faults) Observed(f *Fault) {
	if f == nil || f.Level == FaultObserved {
		return
	}
	fs.Fired(f)
	f.Level = FaultObserved
	fs.count(f.Kind).Observed++
	fs.trace(f, kindObserved)
}

func (fs *Faults) count(k FaultKind) *FaultCount {
	for len(fs.counts) < len(faultKindNames) {
		fs.counts = append(fs.counts, FaultCount{Kind: faultKindNames[len(fs.counts)]})
	}
	return &fs.counts[k]
}

// Counts returns the counts of all kinds that were offered, by name.
func (fs *Faults) Counts() []FaultCount {
	var out []FaultCount
	for _, c := range fs.counts {
		if c.Armed+c.Vetoed > 0 {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b FaultCount) int {
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return out
}

func (fs *Faults) trace(f *Fault, kind trace.Kind) {
	ev := trace.Event{Node: -1, Kind: kind, Topic: f.Scope, Partition: -1, Text: f.Kind.String()}
	ev.N[0] = int64(f.ID)
	if kind == kindArmed {
		ev.N[1], ev.N[2] = int64(f.From)/1e6, int64(f.To)/1e6
		if f.Params != "" {
			ev.Text += " " + f.Params
		}
		for _, claim := range f.Voids {
			ev.Text += " void=" + claim
		}
	}
	fs.engine.Trace(ev)
}

// String is the record in words, for reports.
func (f *Fault) String() string {
	s := "#" + strconv.FormatUint(f.ID, 10) + " " + f.Kind.String() + " " + f.Scope + " " + f.From.String()
	if f.To > f.From {
		s += ".." + f.To.String()
	}
	if f.Params != "" {
		s += " " + f.Params
	}
	return s + " " + f.Level.String()
}
