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

// BootPhase is what an OpenDir is busy with.
type BootPhase uint8

// The phases, in their order.
const (
	PhaseScan    BootPhase = iota // reads the journal's files
	PhaseReplay                   // brings the journal onto the logs
	PhaseRecover                  // reads logs back
	PhaseSync                     // makes all that durable
)

var phaseNames = [...]string{
	"reading the journal", "replaying the journal", "reading logs back", "making logs durable",
}

func (p BootPhase) String() string { return phaseNames[p] }

// Progress is how far an OpenDir is in a phase. Of logs that are read back the total is the
// most that may have to be read.
type Progress struct {
	Path              string // of the directory
	Phase             BootPhase
	Logs, LogsTotal   int
	Bytes, BytesTotal int64
}

// bootProgress counts for Progress.
type bootProgress struct {
	at   Progress
	tell func(Progress)
}

func (p *bootProgress) enter(phase BootPhase, logs int, bytes int64) {
	p.at = Progress{Path: p.at.Path, Phase: phase, LogsTotal: logs, BytesTotal: bytes}
	p.add(0, 0)
}

func (p *bootProgress) add(logs int, bytes int64) {
	p.at.Logs += logs
	p.at.Bytes = min(p.at.Bytes+bytes, p.at.BytesTotal)
	if p.tell != nil {
		p.tell(p.at)
	}
}

// share sets how much of the total each log stands for: what it might have to read. It is
// done with all of it at its end, however little it read.
func (b *boot) share() (total int64) {
	for _, l := range b.logs {
		l.share = 0
		for i, f := range l.files {
			if i+1 == len(l.files) || l.unsyncedFrom(i+1) {
				l.share += max(0, f.size)
			}
		}
		total += l.share
	}
	return total
}

// read tells that a log has read so much of its share.
func (l *bootLog) read(bytes int64) {
	bytes = min(bytes, l.share)
	l.share -= bytes
	l.boot.progress.add(0, bytes)
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
