package log

import (
	"fmt"
	"time"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
)

// Recovery tells what opening a directory found and did, for the operator.
type Recovery struct {
	// Clean: the last stop was clean, and BrokerEpoch is what it noted.
	Clean       bool
	BrokerEpoch kafka.BrokerEpoch

	// ReserveGiven: the volume was full, and the reserve was given up to make room.
	ReserveGiven bool

	Logs     int
	Segments int
	// Journal counts what was replayed, and the torn groups that were dropped.
	Journal journal.Report
	// BytesScanned were read back and checked.
	BytesScanned int64
	// CutLogs lost CutBytes of unsynced tail; nothing in it was acknowledged, or the log
	// is one of FlushOS and the power was lost.
	CutLogs  int
	CutBytes int64
	// IndexesRebuilt were missing, damaged or behind.
	IndexesRebuilt int
	// SnapshotsBad were damaged and an older one was used.
	SnapshotsBad int
	// Damages lists what is stored wrong below what had been synced: kept, never served,
	// to be fetched from another replica. DamageCount also counts those left out.
	Damages     []Damage
	DamageCount int

	Duration time.Duration
}

// Damage is a place where stored bytes are not what was written.
type Damage struct {
	File string
	Pos  int64
	What string
}

func (d Damage) String() string { return fmt.Sprintf("%s at byte %d: %s", d.File, d.Pos, d.What) }

func (r *Recovery) damage(file string, pos int64, what string) {
	r.DamageCount++
	if len(r.Damages) < damagesMax {
		r.Damages = append(r.Damages, Damage{file, pos, what})
	}
}
