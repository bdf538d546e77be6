package scenarios

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// Faults says what may go wrong while Duration lasts. The zero value is calm.
type Faults struct {
	// Kill and Power are the mean times between two process kills and two power losses of
	// a broker; 0: none.
	Kill  Duration `yaml:"kill"`
	Power Duration `yaml:"power"`
	// Stop is the mean time between two clean stops; a share StopKill of them is turned
	// into a kill on the way.
	Stop     Duration `yaml:"stop"`
	StopKill float64  `yaml:"stop-kill"`
	// CrashLoop is the mean time between runs of 2 to 10 kills, each right after a boot.
	CrashLoop Duration `yaml:"crash-loop"`
	// Wipe is the mean time between exchanges of the broker's disk for an empty one, and
	// Rot that between two damages at rest to bytes of an acknowledged batch.
	Wipe Duration `yaml:"wipe"`
	Rot  Duration `yaml:"rot"`
	// Pause is the mean time between two pauses of the broker's process, each of some
	// milliseconds to seconds.
	Pause Duration `yaml:"pause"`
	// Aimed is the share of crashes and pauses that wait for an append and strike right after it.
	Aimed float64 `yaml:"aimed"`
	// DownMin and DownMax bound the time until a broker is started again, log-uniform.
	DownMin Duration `yaml:"down-min"`
	DownMax Duration `yaml:"down-max"`
	// InRecovery is the chance that a boot is cut short by the next crash, up to five in a
	// row.
	InRecovery float64 `yaml:"in-recovery"`
	// Rare lets rare branches be forced.
	Rare bool `yaml:"rare"`
	// Network is calm or drawn (delays, resets, failing dials), Clock likewise (offset,
	// drift, steps, suspended machines, coarse timers), Process too (pauses, stalls,
	// slowness).
	// Partitions are those between clients and broker.
	Network    Character `yaml:"network"`
	Partitions Character `yaml:"partitions"`
	Clock      Character `yaml:"clock"`
	Process    Character `yaml:"process"`
	// WriteBack is the mean age at which unsynced bytes reach the disk by themselves.
	WriteBack Duration `yaml:"write-back"`
	// FS is the file system's character: strict, ext4, or drawn between the two.
	FS FS `yaml:"fs"`
	// Disk is what the device does wrong.
	Disk Disk `yaml:"disk"`

	// Swarm lists classes of faults. Each seed draws which of them it has, and how much.
	Swarm []Class `yaml:"swarm"`
	// Budget says what happens to a fault that would destroy what was acknowledged.
	Budget Budget `yaml:"budget"`
	// Script is a story to tell in fixed steps, beside what is drawn.
	Script []Step `yaml:"script"`
}

// Disk has the rates of a device's faults, in millionths of the operations they can hit.
type Disk struct {
	Slow             uint32   `yaml:"slow"`
	Stall            Duration `yaml:"stall"` // mean time between stalls
	Reorder          uint32   `yaml:"reorder"`
	ShortWrite       uint32   `yaml:"short-write"`
	WriteError       uint32   `yaml:"write-error"`
	SyncError        uint32   `yaml:"sync-error"`
	SyncLie          uint32   `yaml:"sync-lie"`
	LostWriteBack    uint32   `yaml:"lost-write-back"`
	LatentSector     uint32   `yaml:"latent-sector"`
	BitRot           uint32   `yaml:"bit-rot"`
	MisdirectedWrite uint32   `yaml:"misdirected-write"`
	WrongRead        uint32   `yaml:"wrong-read"`
	Evict            uint32   `yaml:"evict"`
	Full             Duration `yaml:"full"` // mean time between two
	Leftover         uint32   `yaml:"leftover"`
	Descriptors      int      `yaml:"descriptors"`
}

// Step is one deed of a script.
type Step struct {
	// After is the time since the step before; Acks, if set, waits for so many more
	// acknowledgements instead.
	After Duration `yaml:"after"`
	Acks  int      `yaml:"acks"`
	Do    Deed     `yaml:"do"`
}

// Class is a family of faults that a swarm has or has not.
type Class string

// Deed is what a step of a script does.
type Deed string

// Budget is how the ledger treats a fault that would destroy the last copy of something
// acknowledged.
type Budget string

// Character is calm or drawn by seed.
type Character string

// FS is the character of the file system.
type FS string

// The characters, classes, deeds and budgets.
const (
	Calm     Character = "calm"
	Drawn    Character = "drawn"
	FSStrict FS        = "strict"
	FSExt4   FS        = "ext4"
	FSDrawn  FS        = "drawn"

	ClassNet        Class = "net"
	ClassPartition  Class = "partition"
	ClassDiskError  Class = "disk-error"
	ClassDiskDamage Class = "disk-damage"
	ClassPower      Class = "power"
	ClassKill       Class = "kill"
	ClassPause      Class = "pause"
	ClassClock      Class = "clock"
	ClassClient     Class = "client"
	ClassAdmin      Class = "admin"
	ClassRare       Class = "rare"

	// DoPower takes the power and all that was not synced; DoKill kills. The broker comes
	// back by itself.
	DoPower Deed = "power"
	DoKill  Deed = "kill"
	// DoRot flips bits of the newest acknowledged batch at rest; DoWipe exchanges the disk
	// for an empty one; DoLoseWriteBack has the kernel fail to write back what is not
	// synced, mark it clean, and say nothing.
	DoRot           Deed = "rot"
	DoWipe          Deed = "wipe"
	DoLoseWriteBack Deed = "lose-write-back"

	// Keep refuses such a fault, so nothing may be lost. Spend lets it happen: what it
	// destroyed is void, and must be reported. DrawnBudget draws: mostly Keep, at times
	// Spend, and at times no fault at all.
	Keep        Budget = "keep"
	Spend       Budget = "spend"
	DrawnBudget Budget = "drawn"
)

// Classes lists all classes.
func Classes() []Class {
	return []Class{ClassNet, ClassPartition, ClassDiskError, ClassDiskDamage, ClassPower, ClassKill, ClassPause,
		ClassClock, ClassClient, ClassAdmin, ClassRare}
}

func (f *Faults) defaults() {
	if f.DownMin == 0 {
		f.DownMin = Duration(10 * time.Millisecond)
	}
	if f.DownMax == 0 {
		f.DownMax = Duration(3 * time.Second)
	}
	for _, c := range []*Character{&f.Network, &f.Partitions, &f.Clock, &f.Process} {
		if *c == "" {
			*c = Calm
		}
	}
	if f.FS == "" {
		f.FS = FSDrawn
	}
	if f.Budget == "" {
		f.Budget = Keep
	}
}

func (f *Faults) validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	chances := map[string]float64{"aimed": f.Aimed, "in-recovery": f.InRecovery, "stop-kill": f.StopKill}
	for name, p := range chances {
		if p < 0 || p > 1 {
			bad("faults: %s: %g, want a chance from 0 to 1", name, p)
		}
	}
	if f.DownMin <= 0 || f.DownMax < f.DownMin {
		bad("faults: down-min %s, down-max %s: want 0s < down-min <= down-max", f.DownMin, f.DownMax)
	}
	if min(f.Kill, f.Power, f.Stop, f.CrashLoop, f.Wipe, f.Rot, f.Pause, f.Disk.Stall, f.Disk.Full) < 0 {
		bad("faults: kill, power, stop, crash-loop, wipe, rot, pause, stall, full: want a mean time, or nothing")
	}
	for i, s := range f.Script {
		if s.Do == "" || s.After < 0 || s.Acks < 0 || (s.After > 0) == (s.Acks > 0) {
			bad("faults: script: step %d: want what to do, and either after (a time) or acks (a number)", i+1)
		}
	}
	if d := &f.Disk; d.Descriptors < 0 || d.Descriptors > 0 && d.Descriptors < descriptorsMin {
		bad("faults: disk: descriptors: %d, want at least %d, or nothing", d.Descriptors, descriptorsMin)
	}
	return errs
}

// UnmarshalYAML reads calm or drawn.
func (c *Character) UnmarshalYAML(n *yaml.Node) error {
	return word(n, c, map[string]Character{"calm": Calm, "drawn": Drawn})
}

// UnmarshalYAML reads strict, ext4 or drawn.
func (f *FS) UnmarshalYAML(n *yaml.Node) error {
	return word(n, f, map[string]FS{"strict": FSStrict, "ext4": FSExt4, "drawn": FSDrawn})
}

// UnmarshalYAML reads the name of a class.
func (c *Class) UnmarshalYAML(n *yaml.Node) error {
	words := map[string]Class{}
	for _, known := range Classes() {
		words[string(known)] = known
	}
	return word(n, c, words)
}

// UnmarshalYAML reads the name of a deed.
func (d *Deed) UnmarshalYAML(n *yaml.Node) error {
	words := map[string]Deed{}
	for _, known := range []Deed{DoPower, DoKill, DoRot, DoWipe, DoLoseWriteBack} {
		words[string(known)] = known
	}
	return word(n, d, words)
}

// UnmarshalYAML reads keep, spend or drawn.
func (b *Budget) UnmarshalYAML(n *yaml.Node) error {
	return word(n, b, map[string]Budget{"keep": Keep, "spend": Spend, "drawn": DrawnBudget})
}
