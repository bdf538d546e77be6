package broker

import (
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
)

// metadataTP names the metadata log.
var metadataTP = kafka.TopicPartition{Topic: kafka.MetadataTopic, Partition: 0}

// metalog is the metadata log as the coordinator writes it: one batch per decision, one
// record per fact.
type metalog struct{ b *Broker }

// Append implements coordinator.Log.
func (m metalog) Append(records []metadata.Record) (kafka.Offset, error) {
	now := kafka.Timestamp(m.b.env.Clock.WallMillis())
	builder := record.NewBuilder(record.Options{})
	for _, r := range records {
		value, err := metadata.EncodeRecord(r)
		if err != nil {
			return 0, err
		}
		builder.Append(now, nil, value, nil)
	}
	batch := builder.Build()
	base, err := m.b.metalog.Append(batch, builtBatch(batch), m.b.metaEpoch)
	if err != nil {
		return 0, fmt.Errorf("broker: metadata log: %w", err)
	}
	m.b.snapshots.appended(growth{
		end: base + kafka.Offset(len(records)), timestamp: now,
		records: int64(len(records)), bytes: int64(len(batch)),
	})
	return base, nil
}

// loadMetadata loads the newest snapshot of the metadata and replays the log behind it, if
// there is one, into the runtime. It notes which topics were removed: what is left of their
// logs may go.
func (b *Broker) loadMetadata() error {
	b.snapshots.begunAt = b.env.Clock.Now()
	l := b.dirs[0].Log(metadataTP)
	if l == nil {
		b.runtime.LeadershipGained(b.metaEpoch)
		b.runtime.LoadDone(0, 0)
		return nil
	}
	b.metaEpoch = l.LatestEpoch() + 1
	b.runtime.LeadershipGained(b.metaEpoch)
	from, err := b.loadSnapshot(l)
	if err != nil {
		return err
	}
	// Topics may have been removed shortly before the snapshot's end, and their logs still be
	// there. A removal that is not found, or cannot be read, leaves a log that is set aside
	// instead of deleted.
	_ = scanMetadata(l, l.Start(), from, func(_ record.Batch, records []metadata.Record) {
		b.removedBy(records)
	})
	err = scanMetadata(l, from, l.End(), func(batch record.Batch, records []metadata.Record) {
		if len(records) > 0 {
			b.runtime.Loaded(batch.BaseOffset(), records)
			b.snapshots.policy.LogGrown(int64(len(records)), int64(len(batch)))
			b.snapshots.timestamp = batch.MaxTimestamp()
		}
		b.removedBy(records)
	})
	if err != nil {
		return fmt.Errorf("broker: read the metadata log: %w", err)
	}
	b.runtime.LoadDone(l.End(), l.DurableEnd())
	return nil
}

// errScanned ends a scan early.
var errScanned = errors.New("broker: scanned")

// scanMetadata decodes the batches of the metadata log that begin in [from, to), for fn.
func scanMetadata(l *log.Log, from, to kafka.Offset, fn func(record.Batch, []metadata.Record)) error {
	err := l.Scan(from, func(batch record.Batch) error {
		if batch.BaseOffset() >= to {
			return errScanned
		}
		records, err := decodeMetadata(batch)
		if err == nil {
			fn(batch, records)
		}
		return err
	})
	if err == errScanned {
		return nil
	}
	return err
}

func (b *Broker) removedBy(records []metadata.Record) {
	for _, r := range records {
		if removal, ok := r.(*metadata.RemoveTopicRecord); ok {
			b.removed[removal.ID] = true
		}
	}
}

func decodeMetadata(batch record.Batch) ([]metadata.Record, error) {
	if batch.IsControl() {
		return nil, nil
	}
	records := make([]metadata.Record, 0, batch.Count())
	for r, err := range record.Records(batch, record.Limits{}) {
		if err != nil {
			return nil, err
		}
		decoded, err := metadata.DecodeRecord(r.Value)
		if err != nil {
			return nil, fmt.Errorf("offset %d: %w", r.Offset, err)
		}
		records = append(records, decoded)
	}
	return records, nil
}

// metadataLogConfig keeps the metadata log as safe as a log can be.
func metadataLogConfig() log.Config {
	cfg := log.DefaultConfig()
	cfg.Flush = log.FlushGroup
	return cfg
}

// builtBatch owns bytes that nobody gets back.
type builtBatch record.Batch

var _ env.Buffer = builtBatch(nil)

// Bytes implements env.Buffer.
func (b builtBatch) Bytes() []byte { return b }

// Retain implements env.Buffer.
func (builtBatch) Retain() {}

// Release implements env.Buffer.
func (builtBatch) Release() {}
