package broker

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
)

// loadSnapshot gives the runtime the newest snapshot that is whole and that the log goes on
// from, and returns where it ends: the log is to be replayed from there. That is 0 without a
// snapshot, if the log has its beginning. What is damaged, unfinished or came back is removed
// once another way was found; until then nothing is changed.
func (b *Broker) loadSnapshot(l *log.Log) (kafka.Offset, error) {
	ids, useless, err := b.listSnapshots()
	if err != nil {
		return 0, err
	}
	// One from below the start came back when the power was lost: what followed it is gone.
	for len(ids) > 0 && ids[0].End < l.Start() {
		useless = append(useless, ids[0].String())
		ids = ids[1:]
	}
	end, why := kafka.Offset(0), errors.New("there is none")
	for end == 0 && len(ids) > 0 {
		id := ids[len(ids)-1]
		err := b.loadFrom(l, id, ids[:len(ids)-1])
		switch {
		case err == nil:
			end = id.End
			continue
		case !errors.Is(err, metadata.ErrMalformedSnapshot) && !errors.Is(err, env.ErrIO),
			errors.Is(err, metadata.ErrUnknownRecord): // a newer release wrote it
			return 0, fmt.Errorf("broker: metadata snapshot %s/%s: %w", b.snapshots.folder, id, err)
		}
		b.traceSnapshot(traceSnapshotDamaged, id, 0, 0, err.Error())
		why = fmt.Errorf("%s is damaged: %w", id, err)
		useless = append(useless, id.String())
		ids = ids[:len(ids)-1]
	}
	if end < l.Start() {
		return 0, fmt.Errorf("broker: the metadata log begins at %d, and no snapshot in %s has what was below: %w",
			l.Start(), b.snapshots.folder, why)
	}
	b.snapshots.ids = ids
	return end, b.removeSnapshots(useless)
}

// listSnapshots finds the snapshots, oldest first, and the names of unfinished ones.
func (b *Broker) listSnapshots() (ids []metadata.SnapshotID, parts []string, err error) {
	entries, err := b.env.Disk.List(b.snapshots.folder)
	if err != nil && !errors.Is(err, env.ErrNotExist) {
		return nil, nil, fmt.Errorf("broker: list %s: %w", b.snapshots.folder, err)
	}
	for _, e := range entries {
		name, unfinished := strings.CutSuffix(e.Name, snapshotPart)
		id, ok := metadata.ParseSnapshotID(name)
		switch {
		case !ok || e.Dir:
		case unfinished:
			parts = append(parts, e.Name)
		default:
			ids = append(ids, id) // the names are sorted, and numbers have all their digits
		}
	}
	return ids, parts, nil
}

// removeSnapshots removes files of the folder, before a name of them is used again.
func (b *Broker) removeSnapshots(names []string) error {
	for _, name := range names {
		path := b.snapshots.folder + "/" + name
		if err := b.env.Disk.Remove(path); err != nil && !errors.Is(err, env.ErrNotExist) {
			return fmt.Errorf("broker: remove %s: %w", path, err)
		}
		kind := traceSnapshotRemoved
		if strings.HasSuffix(name, snapshotPart) {
			kind = traceSnapshotPartial // a crash came while it was written
		}
		b.trace(kind, [4]int64{}, name)
	}
	return nil
}

// loadFrom gives a snapshot to the runtime, if it is whole.
func (b *Broker) loadFrom(l *log.Log, id metadata.SnapshotID, older []metadata.SnapshotID) error {
	s, err := b.openSnapshot(l, id)
	if err != nil {
		return err
	}
	if invariant.Slow {
		b.checkSnapshot(l, older, s.image)
	}
	b.control.LoadSnapshot(s.image)
	b.runtime.SnapshotLoaded(id.End)
	b.snapshots.policy.SnapshotLoaded(s.records, s.bytes)
	b.snapshots.timestamp = s.timestamp
	b.traceSnapshot(traceSnapshotLoaded, id, s.records, s.bytes, "")
	return nil
}

// loadedSnapshot is a whole snapshot that was read.
type loadedSnapshot struct {
	image          *metadata.Image
	timestamp      kafka.Timestamp
	records, bytes int64
}

// openSnapshot reads one snapshot, batch by batch.
func (b *Broker) openSnapshot(l *log.Log, id metadata.SnapshotID) (s loadedSnapshot, err error) {
	// A log that has lost what was committed would go on with other records there.
	if id.End > l.End() {
		return s, fmt.Errorf("the metadata log ends at %d, before it", l.End())
	}
	file, err := b.env.Disk.Open(b.snapshots.folder+"/"+id.String(), env.OpenExisting)
	if err != nil {
		return s, err
	}
	loader := metadata.NewSnapshotLoader()
	size, err := readBatches(file, loader.Add)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return s, err
	}
	image, header, err := loader.Image()
	if err != nil {
		return s, err
	}
	if header.End != id.End || header.LeaderEpoch != id.LeaderEpoch {
		return s, fmt.Errorf("%w: it says end %d and epoch %d", metadata.ErrMalformedSnapshot,
			header.End, header.LeaderEpoch)
	}
	return loadedSnapshot{image, header.Timestamp, loader.Records(), size}, nil
}

// readBatches hands the batches of a snapshot's file to fn and returns their size.
func readBatches(file env.File, fn func(record.Batch) error) (pos int64, err error) {
	size, err := file.Size()
	if err != nil {
		return 0, err
	}
	var buf []byte
	for pos < size {
		// The length first, so that what is allocated is bounded by it, and it by the limit.
		buf = slices.Grow(buf[:0], record.PeekMin)[:record.PeekMin]
		n, err := file.Pread(buf, pos)
		if err != nil {
			return 0, err
		}
		length, err := record.PeekLen(buf[:n])
		if err == nil && (length > metadata.SnapshotBatchBytesMax || pos+int64(length) > size) {
			err = record.ErrLength
		}
		if err != nil {
			return 0, fmt.Errorf("%w: at byte %d: %w", metadata.ErrMalformedSnapshot, pos, err)
		}
		buf = slices.Grow(buf[:0], length)[:length]
		if n, err = file.Pread(buf, pos); err != nil {
			return 0, err
		}
		batch, _, err := record.First(buf[:n])
		if err != nil {
			return 0, fmt.Errorf("%w: at byte %d: %w", metadata.ErrMalformedSnapshot, pos, err)
		}
		if err := fn(batch); err != nil {
			return 0, err
		}
		pos += int64(length)
	}
	return pos, nil
}
