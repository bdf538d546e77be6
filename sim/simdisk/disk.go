package simdisk

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// Disk is the volume set of one host. It outlives the host's processes.
type Disk struct{ cfg Config }

// New returns an empty disk with its volumes mounted.
func New(cfg Config) *Disk { return &Disk{cfg: cfg} }

// Mount gives a new process its view; deliver gets the completions, one at a time, from
// within functions given to Config.Schedule. The view before it must be dead.
func (d *Disk) Mount(deliver func(env.Completion)) *View { return &View{disk: d} }

// Kill ends the process: the cache stays, writes in flight leave all, none or a prefix.
func (d *Disk) Kill() CrashReport { return CrashReport{} }

// PowerLoss ends the process and leaves what was durable and a drawn part of the rest.
func (d *Disk) PowerLoss() CrashReport { return CrashReport{} }

// CrashAfterOps makes the n-th blocking operation from now (1: the next) find the process
// dead: it and all later ones return env.ErrClosed. The world sees Crashed and then says
// which crash it was by Kill or PowerLoss, which also disarm it.
func (d *Disk) CrashAfterOps(n int) {}

// Crashed reports that CrashAfterOps has struck.
func (d *Disk) Crashed() bool { return false }

// DurableFiles lists the files that durable names lead to, sorted.
func (d *Disk) DurableFiles() []string { return nil }

// ReadDurable returns what is certainly durable of a file.
func (d *Disk) ReadDurable(path string) ([]byte, error) { return nil, env.ErrNotExist }

// ReadCached returns what a process would read.
func (d *Disk) ReadCached(path string) ([]byte, error) { return nil, env.ErrNotExist }

// CrashReport says what a crash did; sums of them are coverage.
type CrashReport struct {
	Power         bool
	InFlight      int // operations the process was waiting for
	WrittenBack   int // unsynced operations that had become durable by themselves
	OpsKept       int // unsynced operations that survived whole
	OpsDropped    int // unsynced operations of which nothing survived
	OpsTorn       int // unsynced operations of which a part survived
	SectorsTorn   int // sectors cut inside
	SizesWithout  int // files whose size survived where bytes did not
	Recycled      int // sectors that show a deleted file's bytes
	NamesLost     int // unsynced creations that did not survive
	RenamesLost   int // renames that did not survive
	RenamesDouble int // renames that left both names
	UnlinksLost   int // removals that did not survive
	DirsReordered int // directories whose names survived out of order
}

// View is a process's disk. It implements env.Disk.
type View struct{ disk *Disk }

var _ env.Disk = (*View)(nil)

// Elapsed is the time spent in blocking operations since Mount.
func (v *View) Elapsed() time.Duration                                { return 0 }
func (v *View) MkdirAll(path string) error                            { return env.ErrClosed }
func (v *View) List(path string) ([]env.Entry, error)                 { return nil, env.ErrClosed }
func (v *View) Open(path string, mode env.OpenMode) (env.File, error) { return nil, env.ErrClosed }
func (v *View) OpenLog(path string, size int64) (env.File, error)     { return nil, env.ErrClosed }
func (v *View) OpenLater(path string) env.File                        { return nil }
func (v *View) Rename(from, to string) error                          { return env.ErrClosed }
func (v *View) Remove(path string) error                              { return env.ErrClosed }
func (v *View) RemoveAllLater(path string)                            {}
func (v *View) SyncDir(path string) error                             { return env.ErrClosed }
func (v *View) SyncDirLater(path string, tag env.Tag)                 {}
func (v *View) Free(path string) int64                                { return -1 }
