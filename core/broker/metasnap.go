package broker

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/trace"
)

// # Snapshots of the metadata
//
//	due ──▶ batch ──▶ … ──▶ sync ──▶ rename ──▶ sync of folders ──▶ start raised,
//	        of ≤ 16 KiB,    of the   .part to                       older ones removed
//	        written         file     its name
//
// One operation is in flight at a time, and one batch is made between two, so that an image
// of any size holds the loop up for a millisecond. The image does not change meanwhile. The
// log loses nothing before the snapshot is there for good, and then only what lies below the
// one before: if the newest turns out to be damaged, that one and the log are as good. What
// goes wrong with a snapshot's file harms nobody: it is given up, and a later one is written
// under another name.

// snapshotPart ends the name of a snapshot that is not whole yet.
const snapshotPart = ".part"

// snapshots is what the loop knows of the snapshots of the metadata.
type snapshots struct {
	folder string
	policy *metadata.SnapshotPolicy
	ids    []metadata.SnapshotID // durable under their names, oldest first
	grown  []growth              // appended, not yet known to be committed
	// timestamp is that of the newest record known to be committed.
	timestamp kafka.Timestamp

	writing *snapshotWriting // nil if none is
	tag     env.Tag          // of the operation in flight or, without one, the last
	begunAt env.Instant
	armed   bool // the timer is set
}

// growth is what an append added to the log.
type growth struct {
	end            kafka.Offset
	records, bytes int64
	timestamp      kafka.Timestamp
}

// snapshotWriting is a snapshot on its way.
type snapshotWriting struct {
	writer *metadata.SnapshotWriter
	name   string
	file   env.File
	step   func() error // what follows when the operation in flight is through
}

var (
	traceSnapshotBegun   = trace.Define("metadata.snapshot-begun", "end", "epoch")
	traceSnapshotDone    = trace.Define("metadata.snapshot-done", "end", "epoch", "records", "bytes")
	traceSnapshotFailed  = trace.Define("metadata.snapshot-failed", "end", "epoch")
	traceSnapshotLoaded  = trace.Define("metadata.snapshot-loaded", "end", "epoch", "records", "bytes")
	traceSnapshotDamaged = trace.Define("metadata.snapshot-damaged", "end", "epoch")
	traceSnapshotRemoved = trace.Define("metadata.snapshot-removed")
	traceSnapshotPartial = trace.Define("metadata.snapshot-unfinished")
)

// errSnapshotStopped gives a snapshot up because the broker stops.
var errSnapshotStopped = errors.New("broker: stopped")

// metadataGrown begins a snapshot if what is committed by now asks for one.
func (b *Broker) metadataGrown(hw kafka.Offset) {
	s := &b.snapshots
	n := 0
	for n < len(s.grown) && s.grown[n].end <= hw {
		s.policy.LogGrown(s.grown[n].records, s.grown[n].bytes)
		s.timestamp = s.grown[n].timestamp
		n++
	}
	s.grown = slices.Delete(s.grown, 0, n)
	switch {
	case s.policy.Due():
		b.beginSnapshot()
	case s.policy.Grown():
		b.armSnapshot()
	}
}

// armSnapshot has time alone ask for a snapshot of what the log has grown by.
func (b *Broker) armSnapshot() {
	s, every := &b.snapshots, b.settings.snapshotInterval
	if s.armed || every <= 0 {
		return
	}
	s.armed = true
	at := max(s.begunAt.Add(every), b.env.Clock.Now().Add(time.Millisecond))
	b.env.Clock.SetTimer(env.TimerKey{Kind: timerSnapshot}, at)
}

// snapshotTimer begins a snapshot, unless one was begun since the timer was set.
func (b *Broker) snapshotTimer() {
	s := &b.snapshots
	s.armed = false
	switch {
	case !s.policy.Grown() || s.writing != nil: // its end looks at the log anew
	case b.env.Clock.Now() >= s.begunAt.Add(b.settings.snapshotInterval):
		b.beginSnapshot()
	default:
		b.armSnapshot()
	}
}

// beginSnapshot begins to write the committed image. On a volume that is nearly full it
// waits: records come first.
func (b *Broker) beginSnapshot() {
	s, image := &b.snapshots, b.control.Committed()
	if b.leaving || b.failure != nil || s.writing != nil || b.metalog.Tight() {
		return
	}
	if n := len(s.ids); n > 0 && s.ids[n-1].End >= image.End() {
		return
	}
	// What a snapshot says is never taken back.
	if hw := b.metalog.DurableEnd(); image.End() > hw {
		invariant.Violated("broker.snapshot-within-hw", "end=%d hw=%d", image.End(), hw)
	}
	o := metadata.SnapshotOptions{LeaderEpoch: b.metalog.EpochAt(image.End() - 1), Timestamp: s.timestamp}
	if b.env.Rare.Rare("broker.tiny-snapshot-batch") {
		o.BatchBytes = 1 // a record each
	}
	w := metadata.NewSnapshotWriter(image, o)
	name := s.folder + "/" + w.ID().String()
	s.writing = &snapshotWriting{writer: w, name: name, file: b.env.Disk.OpenLater(name + snapshotPart)}
	s.begunAt = b.env.Clock.Now()
	s.policy.SnapshotBegun()
	b.traceSnapshot(traceSnapshotBegun, w.ID(), 0, 0, "")
	b.settleSnapshot(b.writeSnapshot())
}

// nextTag makes the tag of the next operation; the high byte is no directory's.
func (s *snapshots) nextTag(then func() error) env.Tag {
	s.tag++
	s.writing.step = then
	return s.tag
}

// snapshotDone goes on after an operation. Those of a snapshot that was given up are stale.
func (b *Broker) snapshotDone(done env.Completion) {
	s := &b.snapshots
	if s.writing == nil || done.Tag != s.tag {
		return
	}
	err := done.Err
	if err == nil && (b.leaving || b.failure != nil) {
		err = errSnapshotStopped
	}
	if err == nil {
		err = s.writing.step()
	}
	b.settleSnapshot(err)
}

// settleSnapshot gives the snapshot up after an error.
func (b *Broker) settleSnapshot(err error) {
	s := &b.snapshots
	if err == nil {
		return
	}
	w := s.writing
	s.writing = nil
	_ = w.file.Close() // nothing in it counts
	b.env.Disk.RemoveAllLater(w.name + snapshotPart)
	s.policy.SnapshotFailed()
	b.traceSnapshot(traceSnapshotFailed, w.writer.ID(), 0, 0, err.Error())
	if s.policy.Grown() {
		b.armSnapshot()
	}
}

// writeSnapshot writes the next batch, or has all of them synced.
func (b *Broker) writeSnapshot() error {
	s := &b.snapshots
	w := s.writing
	off := w.writer.Bytes()
	batch, err := w.writer.Next()
	switch {
	case err != nil:
		return err
	case batch == nil:
		w.file.Sync(s.nextTag(b.nameSnapshot))
	default:
		w.file.WriteAt(env.Write{Bufs: [][]byte{batch}, Off: off}, s.nextTag(b.writeSnapshot))
	}
	return nil
}

// nameSnapshot gives the whole file its name and makes that durable, and then the folder's,
// which may be as new.
func (b *Broker) nameSnapshot() error {
	s := &b.snapshots
	w := s.writing
	if err := w.file.Close(); err != nil {
		return err
	}
	if err := b.env.Disk.Rename(w.name+snapshotPart, w.name); err != nil {
		return err
	}
	b.env.Disk.SyncDirLater(s.folder, s.nextTag(func() error {
		b.env.Disk.SyncDirLater(b.dirs[0].path, s.nextTag(b.keepSnapshot))
		return nil
	}))
	return nil
}

// keepSnapshot counts on the snapshot, which is durable.
func (b *Broker) keepSnapshot() error {
	s := &b.snapshots
	w := s.writing.writer
	s.writing = nil
	s.ids = append(s.ids, w.ID())
	s.policy.SnapshotDone(w.Records(), w.Bytes())
	b.traceSnapshot(traceSnapshotDone, w.ID(), w.Records(), w.Bytes(), "")
	b.forgetBelowSnapshots()
	b.metadataGrown(b.metalog.DurableEnd())
	return nil
}

// forgetBelowSnapshots lets go of what no start needs any more: snapshots but the last two,
// and the log below the older of these.
func (b *Broker) forgetBelowSnapshots() {
	s := &b.snapshots
	obsolete, from := metadata.ObsoleteSnapshots(s.ids)
	// What lies below the log's start must be in a snapshot.
	if from > 0 && (len(s.ids) == 0 || from > s.ids[len(s.ids)-1].End) {
		invariant.Violated("broker.metadata-start-within-snapshot", "start=%d of %v", from, s.ids)
	}
	b.metalog.RaiseStart(from)
	for _, id := range obsolete {
		b.env.Disk.RemoveAllLater(s.folder + "/" + id.String())
	}
	s.ids = slices.Delete(s.ids, 0, len(obsolete))
}

func (b *Broker) traceSnapshot(kind trace.Kind, id metadata.SnapshotID, records, bytes int64, text string) {
	b.trace(kind, [4]int64{int64(id.End), int64(id.LeaderEpoch), records, bytes}, text)
}

// newSnapshots makes what keeps account of snapshots in a log directory.
func newSnapshots(dir string, bytes int64) snapshots {
	return snapshots{
		folder: fmt.Sprintf("%s/%s", dir, metadataTP),
		policy: metadata.NewSnapshotPolicy(metadata.SnapshotPolicyConfig{Bytes: bytes}),
	}
}

// appended notes what will count once it is committed.
func (s *snapshots) appended(g growth) { s.grown = append(s.grown, g) }

// stop leaves a snapshot that is being written as it is; the next start removes it.
func (s *snapshots) stop() {
	if s.writing != nil {
		_ = s.writing.file.Close() // nothing in it counts
		s.writing = nil
	}
}
