package metadata

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// SnapshotID names a snapshot by what it stands for: the records below End, the last of
// them of LeaderEpoch.
type SnapshotID struct {
	End         kafka.Offset
	LeaderEpoch kafka.LeaderEpoch
}

const (
	snapshotOffsetDigits = 20
	snapshotEpochDigits  = 10
	snapshotSuffix       = ".checkpoint"
)

// String is the name of the snapshot's file, as Kafka's are named.
func (id SnapshotID) String() string {
	return fmt.Sprintf("%0*d-%0*d%s",
		snapshotOffsetDigits, id.End, snapshotEpochDigits, id.LeaderEpoch, snapshotSuffix)
}

// ParseSnapshotID reads the name of a snapshot's file, in exactly the form of String.
func ParseSnapshotID(name string) (SnapshotID, bool) {
	if len(name) != snapshotOffsetDigits+1+snapshotEpochDigits+len(snapshotSuffix) {
		return SnapshotID{}, false
	}
	end, endErr := strconv.ParseInt(name[:snapshotOffsetDigits], 10, 64)
	epoch, epochErr := strconv.ParseInt(name[snapshotOffsetDigits+1:][:snapshotEpochDigits], 10, 32)
	id := SnapshotID{kafka.Offset(end), kafka.LeaderEpoch(epoch)}
	whole := endErr == nil && epochErr == nil && end >= 0 && epoch >= 0
	return id, whole && id.String() == name
}

// ObsoleteSnapshots returns, oldest first, those of the snapshots that are not to be kept,
// and the offset from which on the log is needed: the oldest kept one's end, or 0 while
// there are fewer than are to be kept.
func ObsoleteSnapshots(ids []SnapshotID) (obsolete []SnapshotID, logFrom kafka.Offset) {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b SnapshotID) int {
		return cmp.Or(cmp.Compare(a.End, b.End), cmp.Compare(a.LeaderEpoch, b.LeaderEpoch))
	})
	if len(ids) < SnapshotsKept {
		return nil, 0
	}
	n := len(ids) - SnapshotsKept
	return ids[:n], ids[n].End
}

// SnapshotPolicyConfig says how far the log may grow between two snapshots. 0 stands for
// the defaults, SnapshotLogBytes and SnapshotLogRecords.
type SnapshotPolicyConfig struct {
	Bytes   int64
	Records int64
}

// SnapshotPolicy says when to make a snapshot: when the log has grown by a given amount
// since the last one, and at least by as many bytes as that one had. So what a start
// replays after the snapshot is bounded by the limit or by the snapshot itself, and over
// time no more bytes are written for snapshots than for the log, however large the image.
type SnapshotPolicy struct {
	limit volume

	last    volume // the newest snapshot
	since   volume // the log since a snapshot was begun last, whatever became of it
	writing bool
}

// volume is an amount of log or snapshot.
type volume struct{ bytes, records int64 }

// NewSnapshotPolicy makes a policy for a log that has no snapshot.
func NewSnapshotPolicy(cfg SnapshotPolicyConfig) *SnapshotPolicy {
	return &SnapshotPolicy{limit: volume{
		cmp.Or(max(cfg.Bytes, 0), SnapshotLogBytes), cmp.Or(max(cfg.Records, 0), SnapshotLogRecords),
	}}
}

// SnapshotLoaded reports at a start the snapshot that was found, before the log is read.
func (p *SnapshotPolicy) SnapshotLoaded(records, bytes int64) { p.last = volume{bytes, records} }

// LogGrown reports records that became committed, or were found in the log at a start.
func (p *SnapshotPolicy) LogGrown(records, bytes int64) {
	p.since.bytes += bytes
	p.since.records += records
}

// Due tells whether a snapshot is to be begun.
func (p *SnapshotPolicy) Due() bool {
	grown := p.since.bytes >= p.limit.bytes || p.since.records >= p.limit.records
	return !p.writing && grown && p.since.bytes >= p.last.bytes
}

// Grown tells whether a snapshot begun now would say more than the one begun last.
func (p *SnapshotPolicy) Grown() bool { return p.since.records > 0 }

// SnapshotBegun reports that a snapshot of all that was reported is being written. None
// is due until its end is reported.
func (p *SnapshotPolicy) SnapshotBegun() { p.since, p.writing = volume{}, true }

// SnapshotDone reports that the snapshot begun is durable under its name.
func (p *SnapshotPolicy) SnapshotDone(records, bytes int64) {
	p.last, p.writing = volume{bytes, records}, false
}

// SnapshotFailed reports that there is no such snapshot, as when the disk is full. The next
// try comes when the log has grown by as much again.
func (p *SnapshotPolicy) SnapshotFailed() { p.writing = false }
