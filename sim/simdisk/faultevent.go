package simdisk

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
)

// FaultKind tells the faults apart. Names are those of coverage goals.
type FaultKind uint8

const (
	FaultSlow FaultKind = iota
	FaultStall
	FaultReorder
	FaultWriteError
	FaultShortWrite
	FaultLatentSector
	FaultBitRot
	FaultSyncError
	FaultSyncLie
	FaultLostWriteBack
	FaultMisdirectedWrite
	FaultWrongRead
	FaultFull
	FaultLeftover
	FaultDescriptors
	faultKinds
)

var faultKindNames = [faultKinds]string{"disk.slow", "disk.stall", "disk.reorder", "disk.write-error",
	"disk.short-write", "disk.latent-sector", "disk.bit-rot", "disk.sync-error", "disk.sync-lie",
	"disk.lost-write-back", "disk.misdirected-write", "disk.wrong-read", "disk.full", "disk.leftover",
	"disk.descriptors"}

func (k FaultKind) String() string { return faultKindNames[k] }

// FaultKinds lists all kinds.
func FaultKinds() []FaultKind {
	kinds := make([]FaultKind, faultKinds)
	for i := range kinds {
		kinds[i] = FaultKind(i)
	}
	return kinds
}

// FaultStage is how far an instance has come. It only rises.
type FaultStage uint8

const (
	// FaultArmed: it is about to fire, or will when somebody comes by.
	FaultArmed FaultStage = iota
	// FaultVetoed: Config.Allow refused it; it has no effect.
	FaultVetoed
	// FaultFired: it changed a byte, a delay, or an answer.
	FaultFired
	// FaultObserved: a process got an error or other bytes because of it.
	FaultObserved
	// FaultEnded: it has no effect any more. Only faults with a duration end.
	FaultEnded
)

var faultStageNames = [...]string{"armed", "vetoed", "fired", "observed", "ended"}

func (s FaultStage) String() string { return faultStageNames[s] }

// FaultEvent tells of one step of one instance. Which fields mean something depends on the
// kind; those that do not are zero.
type FaultEvent struct {
	ID    uint64 // counts the instances of the Disk from 1
	Kind  FaultKind
	Stage FaultStage
	At    env.Instant

	Volume string // root of the volume
	Path   string // name under which the object was first made
	Off    int64  // of the bytes that suffer
	Len    int64
	// Other is the second place of a misdirection, at OtherOff.
	Other    string
	OtherOff int64
	// From and To bound a fault with a duration; To−From is also the delay of a slow one.
	From, To env.Instant
	Err      error // what the process will get, if it is an error
	Model    string

	// The key of the decision that made it, for tapes.
	Purpose string
	Object  string
	Ordinal uint64
}

// String is the event for traces and test failures.
func (e FaultEvent) String() string {
	s := fmt.Sprintf("%s #%d %s", e.Kind, e.ID, e.Stage)
	if e.Path != "" {
		s += fmt.Sprintf(" %s [%d,+%d)", e.Path, e.Off, e.Len)
	} else {
		s += " " + e.Volume
	}
	if e.Other != "" {
		s += fmt.Sprintf(" other=%s@%d", e.Other, e.OtherOff)
	}
	if e.To > e.From {
		s += fmt.Sprintf(" %s..%s", e.From, e.To)
	}
	if e.Model != "" {
		s += " " + e.Model
	}
	if e.Err != nil {
		s += fmt.Sprintf(" err=%q", e.Err)
	}
	return s
}

// FaultCount counts the instances of one kind that reached a stage.
type FaultCount struct{ Vetoed, Fired, Observed uint64 }

// FaultCounts is coverage: sums over runs are goals.
type FaultCounts struct {
	Kinds [faultKinds]FaultCount
	// Overtaken are completions after that of an operation submitted later. (D2)
	Overtaken uint64
	// UnbackedReads are reads that showed pages which count as clean and are not durable.
	UnbackedReads uint64
	// Evictions are sectors whose damage showed because the page had left the cache.
	Evictions uint64
	// FullAtSync are syncs that found the volume full.
	FullAtSync uint64
	// Healed are instances of damage that were overwritten.
	Healed uint64
}

// Of is the count of one kind.
func (c *FaultCounts) Of(kind FaultKind) FaultCount { return c.Kinds[kind] }

// FaultCounts returns what happened so far.
func (d *Disk) FaultCounts() FaultCounts {
	if d.inject != nil {
		d.inject.prune()
	}
	return d.counts
}
