package simdisk

import "time"

// Bounds. A kernel writes dirty pages back when there are too many; so do we, the oldest
// half of a file's first, because pending operations hold copies of their bytes.
const (
	// PendingOpsMax bounds the unsynced operations of one file.
	PendingOpsMax = 1024
	// PendingBytesMax bounds the bytes they hold. It is reached by segments that nobody
	// syncs, and must be well above one write, or torn writes would never be seen.
	PendingBytesMax = 16 << 20
	// DeletedFilesMax bounds the deleted files whose blocks a volume may show again.
	DeletedFilesMax = 8
	// BlockSize is the unit of direct writes, to files opened by OpenLog.
	BlockSize = 4096
	// pageSize is where a killed process's write may be cut, whatever the sectors are.
	pageSize = 4096
	// chunkSectors is the grain of sparse files: sectors per allocated table.
	chunkSectors = 64
	// dirtyDirsMin is how many directories with unsynced names are listed before the list
	// is searched for clean ones.
	dirtyDirsMin = 64
	// flightsKept bounds the recycled records of operations in flight.
	flightsKept = 1024

	// BlockingOpsMax bounds the blocking operations of one event of a process; a boot that
	// recovers a log of a gigabyte has a thousandth of it.
	BlockingOpsMax = 1 << 20

	// DamagedSectorsMax bounds the sectors under rot and latent errors; no more are drawn.
	DamagedSectorsMax = 1 << 14
	// scarsMin is how many damaged sectors are listed before healed ones are looked for.
	scarsMin = 64
	// stallsKept is how many of a volume's stalls are remembered, so that each is offered
	// to the ledger once; stallsPerOp bounds those that one operation can meet. The first
	// must be above the second by two, or one operation would evict its own.
	stallsKept  = 8
	stallsPerOp = 4
	// fullRoomMax bounds the bytes that are free when a volume becomes full.
	fullRoomMax = 64 << 10
	// leftoverBytesMax bounds a leftover file.
	leftoverBytesMax = 8 << 10
	// writeBackMean is the mean age of a write-back that fails, where Config has none.
	writeBackMean = time.Second
)

// defaultLatencies is a plausible NVMe disk behind a hypervisor.
var defaultLatencies = Latencies{
	Read:    Latency{Base: 60 * time.Microsecond, Mean: 40 * time.Microsecond, PerMiB: 500 * time.Microsecond},
	Write:   Latency{Base: 5 * time.Microsecond, Mean: 10 * time.Microsecond, PerMiB: 250 * time.Microsecond},
	Durable: Latency{Base: 120 * time.Microsecond, Mean: 40 * time.Microsecond, PerMiB: 800 * time.Microsecond},
	Sync:    Latency{Base: 150 * time.Microsecond, Mean: 250 * time.Microsecond},
	Names:   Latency{Base: 10 * time.Microsecond, Mean: 10 * time.Microsecond},
}

// defaultSurvival favours loss: most of what was never synced is gone or in pieces.
var defaultSurvival = Survival{All: 5, None: 25, Prefix: 20, Subset: 20, Sectors: 20, TornLast: 10}
