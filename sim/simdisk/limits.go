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
