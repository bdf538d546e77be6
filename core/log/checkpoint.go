package log

import (
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
)

// checkpoint is one round of making the journal's old groups unnecessary: everything that
// groups below seq said is brought into synced files, or said again in a newer group.
type checkpoint struct {
	id     uint64 // counts rounds
	ended  uint64 // counts sync jobs that are over, of whatever round
	active bool
	seq    journal.Seq
	left   int         // logs and deletions that are not safe yet
	carry  journal.Seq // newest group that says old things again
	logs   int
	at     env.Instant // when the last round ended
}

// wantCheckpoint tells whether a round should begin: enough files are full, or the journal
// has waited long, so that a restart is quick.
func (d *Dir) wantCheckpoint() bool {
	j := d.journal
	if j.Checkpoint() >= j.Durable()-1 || d.deleting() { // nothing but what carried the last one
		return false
	}
	if j.Live() > max(1, d.cfg.JournalFiles/checkpointShare) {
		return true
	}
	return d.overdue || d.env.Rare.Rare("log.early-checkpoint")
}

// deleting tells that a deletion is not durable yet. The log must stay whole until it is.
func (d *Dir) deleting() bool {
	for _, g := range d.gone {
		if g.seq >= d.journal.Durable() {
			return true
		}
	}
	return false
}

// beginCheckpoint starts a round over everything the journal has made durable so far.
func (d *Dir) beginCheckpoint() {
	p := &d.point
	p.id++
	p.active, p.seq, p.left, p.carry = true, d.journal.Durable(), 0, 0
	d.overdue = false
	logs := d.dirty
	d.dirty = d.spareDirty[:0]
	for _, l := range logs {
		l.dirty = false
		if l.gone {
			continue
		}
		if l.lastSeq >= p.seq {
			d.touch(l) // for the next round, because of what is not durable yet
		}
		if l.born < p.seq {
			l.need = p.id
			p.left++
			d.queueJob(l)
		}
	}
	clear(logs)
	d.spareDirty = logs[:0]
	for _, g := range d.gone {
		if g.seq < p.seq {
			g.need = p.id
			p.left++
		}
	}
	p.logs = p.left
	d.carry(p)
}

// carry says again what has no file to go to: which logs are os logs and from where they
// are to be read back, where logs begin, and the blobs.
func (d *Dir) carry(p *checkpoint) {
	for _, l := range d.osLogs {
		if l.policySeq < p.seq {
			l.notePolicy(true)
			p.carry = max(p.carry, l.policySeq)
		}
	}
	d.carryStarts(p)
	for i := range d.blobs {
		if b := &d.blobs[i]; b.seq < p.seq {
			d.noteBlob(b, true)
			p.carry = max(p.carry, b.seq)
		}
	}
}

// recoveryPoint is from where boot must read an os log back: what lies below was synced, or
// went through the journal before the log became an os log.
func (l *Log) recoveryPoint() kafka.Offset { return min(l.end, max(l.flushed, l.osFrom)) }

// carry gives what the journal must keep saying about a log: that it exists, as long as it
// has no folder; where it begins, if its files do not; and that its policy is FlushOS.
func (l *Log) carry(folder bool) []journal.Entry {
	var entries []journal.Entry
	if !folder {
		entries = append(entries, journal.Entry{
			Kind: journal.KindCreated, Key: l.key, A: int64(l.start), B: int64(l.policy), Payload: []byte(l.tp.Topic),
		})
		for _, e := range l.epochs.entries {
			entries = append(entries, journal.Entry{
				Kind: journal.KindEpoch, Key: l.key, A: int64(e.start), B: int64(e.epoch),
			})
		}
	}
	if l.mustSayStart() {
		entries = append(entries, l.startEntry())
	}
	if l.policy == FlushOS {
		entries = append(entries, l.policyEntry(FlushOS, l.recoveryPoint()))
	}
	return entries
}

// policyEntry also says whether the files have all truncations so far.
func (l *Log) policyEntry(p FlushPolicy, at kafka.Offset) journal.Entry {
	return journal.Entry{Kind: journal.KindPolicy, Key: l.key, A: int64(at), B: int64(p), Payload: l.cutState()}
}

// cutState says in an entry whether the files have all truncations so far.
func (l *Log) cutState() []byte {
	if l.cut != nil {
		return filesNotCut
	}
	return filesCut
}

var filesCut, filesNotCut = []byte{1}, []byte{0}

// notePolicy says that l is an os log, to be read back from where it was last synced.
func (l *Log) notePolicy(urgent bool) {
	e := l.policyEntry(FlushOS, l.recoveryPoint())
	l.policySeq = l.dir.journal.Collect(&e, nil, urgent)
}

// served counts a log off that the round was waiting for.
func (d *Dir) served(l *Log) {
	if l.need != 0 && l.need == d.point.id && d.point.active {
		d.point.left--
	}
	l.need = 0
}

// endCheckpoint ends the round when all is safe.
func (d *Dir) endCheckpoint() {
	p := &d.point
	if !p.active || p.left > 0 || p.carry >= d.journal.Durable() || d.deleting() {
		return
	}
	// A round that counts a log twice would free groups that are still needed.
	if p.left < 0 {
		invariant.Violated("log.checkpoint-counts-once", "left=%d seq=%d", p.left, p.seq)
	}
	p.active = false
	p.at = d.env.Clock.Now()
	d.counts.checkpoints++
	d.journal.SetCheckpoint(p.seq)
	d.journal.CarryCheckpoint()
	d.trace(traceCheckpoint, "", [4]int64{int64(p.seq), int64(p.logs)})
}

// PutBlob keeps a small value durably under a key, replacing the one before; for votes. It
// returns the group to wait for: see BlobDurable.
func (d *Dir) PutBlob(key string, value []byte) journal.Seq {
	// What the journal cannot carry from file to file would be lost.
	if len(key) > blobKeyMax || len(value) > blobMax {
		invariant.Violated("log.blob-bounded", "key=%d value=%d", len(key), len(value))
	}
	i, found := slices.BinarySearchFunc(d.blobs, key, func(b blob, key string) int {
		return strings.Compare(b.key, key)
	})
	if !found {
		d.blobs = slices.Insert(d.blobs, i, blob{key: key})
	}
	d.blobs[i].value = slices.Clone(value)
	d.noteBlob(&d.blobs[i], false)
	return d.blobs[i].seq
}

// Blob returns what PutBlob kept, nil if nothing. It may not be durable yet.
func (d *Dir) Blob(key string) []byte {
	for _, b := range d.blobs {
		if b.key == key {
			return b.value
		}
	}
	return nil
}

// BlobDurable tells whether what PutBlob returned seq for has been synced.
func (d *Dir) BlobDurable(seq journal.Seq) bool { return seq < d.journal.Durable() }

func (d *Dir) noteBlob(b *blob, urgent bool) {
	e := journal.Entry{Kind: journal.KindBlob, Payload: journal.AppendBlob(nil, b.key, b.value)}
	b.seq = d.journal.Collect(&e, nil, urgent)
}
