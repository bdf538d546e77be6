package simdisk

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// FS names how much more than POSIX a file system promises.
type FS uint8

const (
	// Strict promises what env.Disk promises and no more.
	Strict FS = iota
	// Ext4 makes the creation of a file durable with the file's first sync, and the data of
	// a file before a rename that puts it over an existing name.
	Ext4
	// Loose is Strict, and a rename may leave neither name. No claim has to hold here.
	Loose
)

// Latency is the cost of one operation: Base at least, Mean more on average (exponential,
// cut at sixteen times Mean), and PerMiB for the bytes it moves.
type Latency struct {
	Base, Mean, PerMiB time.Duration
}

// Latencies has one Latency per kind of operation.
type Latencies struct {
	Read    Latency
	Write   Latency // into the cache
	Durable Latency // a write with Durable set
	Sync    Latency
	Names   Latency // open, rename, remove, list, sync of a directory
}

// Survival weighs the modes in which the unsynced operations of a file survive a power
// loss. One mode is drawn per file and power loss, independently: that is what reorders a
// log against its index.
type Survival struct {
	All      int // everything; the calm one
	None     int // nothing
	Prefix   int // the first operations whole, the rest not at all
	Subset   int // each operation whole or not at all; a grown size apart from its bytes
	Sectors  int // each sector of each operation new or old
	TornLast int // a prefix, and of the next operation a part that ends inside a sector
}

// Config is the world of one host's disk. Zero values take the defaults named here.
type Config struct {
	// Decide answers every random choice, by key: what is chosen (a constant), for which
	// object (the path under which a file or directory was first made, or a volume) and
	// the how-manieth time. Zero is always the calm answer: no fault, base delay, all
	// survives. Default: Hashed(0).
	Decide func(purpose, object string, ordinal uint64) uint64
	// Schedule calls fn after delay; never from within Schedule. Required.
	Schedule func(delay time.Duration, fn func())
	// Now is the world's clock; background write-back goes by it. Required.
	Now func() env.Instant
	// Fault, if set, is asked once per operation when it is submitted.
	Fault func(op Op) Fault

	// Faults are what else may break, drawn by the disk itself. Zero: nothing.
	Faults Faults
	// Allow, if set, is asked before an instance of Faults fires; false keeps it calm. It
	// must not call the Disk.
	Allow func(FaultEvent) bool
	// OnFault, if set, is told of each instance that was vetoed, fires, is observed, ends.
	// It must not call the Disk.
	OnFault func(FaultEvent)
	// Leftover, if set, names a file for Faults.Leftover that could be in a directory with
	// these names, sorted; "" leaves it to the disk.
	Leftover func(dir string, names []string, decision uint64) (name string, content []byte)

	// Arena, if set, is where the bytes of files are kept. Default: each is asked for.
	Arena *Arena

	// Volumes are the roots of the failure units; they exist from the start. Default: "/".
	Volumes []string
	// Capacity bounds the bytes of each volume; more ends with env.ErrNoSpace. 0: no bound.
	Capacity int64
	// SectorSize is what a device writes in one piece: 4096 (default) or 512.
	SectorSize int
	// FS is the file system's character.
	FS FS
	// Survival weighs what a power loss leaves of a file. Zero: the defaults in limits.go.
	Survival Survival
	// Latency is the speed of the device. The zero value is a plausible NVMe disk.
	Latency Latencies
	// WriteBackMean is the mean age at which an unsynced operation becomes durable by
	// itself; 0: it never does, short of the bounds in limits.go.
	WriteBackMean time.Duration
	// DirReorderPerMille is the chance, per directory and power loss, that the survivors
	// among its unsynced names are a subset instead of a prefix. Default 200; −1: never.
	DirReorderPerMille int
	// RecycledPerMille is the chance, per file and power loss, that a sector that the size
	// covers and no write reached shows old bytes of a deleted file. Default 20; −1: never.
	RecycledPerMille int
}

// OpKind tells the operations apart, for Fault.
type OpKind uint8

const (
	OpRead OpKind = iota
	OpWrite
	OpSync
	OpTruncate
	OpOpen
	OpRename
	OpRemove
	OpMkdir
	OpList
	OpSyncDir
	OpPrepare // OpenLogLater
)

// Op describes an operation to Config.Fault.
type Op struct {
	Kind    OpKind
	Path    string // name under which the object was first made
	Off     int64
	Len     int
	Durable bool
	Async   bool
	Ordinal uint64 // counts the operations of the object
}

// Fault is what shall happen to an operation. The zero value is: nothing.
type Fault struct {
	// Err makes the operation fail without effect. It must be, or wrap, an error of env.
	Err error
	// Delay is added to the operation's time.
	Delay time.Duration
}

var opKindNames = [...]string{"read", "write", "sync", "truncate", "open", "rename", "remove", "mkdir",
	"list", "syncdir", "prepare"}

func (k OpKind) String() string { return opKindNames[k] }
