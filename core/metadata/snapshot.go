package metadata

import (
	"fmt"
	"hash/crc32"
	"iter"
	"strconv"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// # What a snapshot is
//
// A snapshot is an image as a file: a header, the records that make the image out of the
// empty one, a footer, in record batches like those of the log. It stands for all records
// of the log below its end, so a start reads it and then the log from there.
//
// It is canonical: the same image gives the same bytes, whatever way it came about. So two
// nodes can compare theirs, and a difference is a bug. The order is that of the names:
// cluster, features, brokers, configs of brokers, producer ids, then topic by topic with
// its configs and partitions. A record says what is, not what happened: leaders and epochs
// stand in the record of the partition itself.

// SnapshotRecords yields the records that make the image out of the empty one, in
// canonical order, without header and footer.
func SnapshotRecords(m *Image) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		c := newSnapshotCursor(m)
		for r := c.next(); r != nil; r = c.next() {
			if !yield(r) {
				return
			}
		}
	}
}

// snapshotCursor walks over an image, one record at a step.
type snapshotCursor struct {
	image *Image
	head  []Record // what comes before the topics and is left
	from  string   // the next topic's name or one below it

	// where in the topic, if not nil
	topic     *Topic
	config    int
	partition int32
}

func newSnapshotCursor(m *Image) *snapshotCursor {
	c := &snapshotCursor{image: m}
	if m.clusterID != "" {
		c.head = append(c.head, &ClusterRecord{ClusterID: m.clusterID})
	}
	for _, f := range m.features {
		c.head = append(c.head, &FeatureLevelRecord{Name: f.Key, Level: levelOf(f)})
	}
	for b := range m.Brokers() {
		c.head = append(c.head, &RegisterBrokerRecord{
			ID: b.ID, Epoch: b.Epoch, Incarnation: b.Incarnation, Fenced: b.Fenced,
			Rack: b.Rack, Listeners: notNil(b.Listeners),
		})
	}
	m.configs.Scan(func(name string, set Configs) bool {
		for i := range set {
			c.head = append(c.head, configRecord(Resource{Type: ResourceBroker, Name: name}, &set[i]))
		}
		return true
	})
	if m.nextProducerID > 0 {
		// Whose the last block was is not part of the image.
		c.head = append(c.head, &ProducerIDsRecord{Broker: NoLeader, Epoch: -1, Next: m.nextProducerID})
	}
	return c
}

// next returns the next record, or nil after the last.
func (c *snapshotCursor) next() Record {
	if len(c.head) > 0 {
		r := c.head[0]
		c.head = c.head[1:]
		return r
	}
	if t := c.topic; t != nil {
		switch {
		case c.config < len(t.Configs):
			c.config++
			return configRecord(Resource{Type: ResourceTopic, Name: t.Name}, &t.Configs[c.config-1])
		case c.partition < t.count:
			c.partition++
			return partitionRecord(t, c.partition-1)
		}
	}
	for t := range c.image.TopicsFrom(c.from) {
		c.topic, c.config, c.partition = t, 0, 0
		c.from = t.Name + "\x00"
		return &TopicRecord{Name: t.Name, ID: t.ID}
	}
	return nil
}

func configRecord(r Resource, e *ConfigEntry) Record {
	return &ConfigRecord{Resource: r, Key: e.Key, Value: &e.Value}
}

func partitionRecord(t *Topic, i int32) Record {
	p := t.Partition(i)
	return &PartitionRecord{
		TopicID: t.ID, Partition: i, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch,
		PartitionEpoch: p.PartitionEpoch, Replicas: notNil(p.Replicas), ISR: notNil(p.ISR),
	}
}

// notNil makes one encoding of an empty list out of two.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func levelOf(f ConfigEntry) int16 {
	n, err := strconv.ParseInt(f.Value, 10, 16)
	// The image keeps as text what came as a number.
	if err != nil {
		invariant.Violated("metadata.feature-level-is-number", "feature=%s level=%q", f.Key, f.Value)
	}
	return int16(n)
}

// SnapshotOptions are what the image does not know of the last record applied to it.
type SnapshotOptions struct {
	LeaderEpoch kafka.LeaderEpoch
	Timestamp   kafka.Timestamp
	// BatchBytes is the size of a batch; 0 stands for SnapshotBatchBytes.
	BatchBytes int
}

// SnapshotWriter makes the batches of one snapshot, one at a call, so that a large image
// does not hold up the loop: the image does not change under it.
type SnapshotWriter struct {
	header  SnapshotHeaderRecord
	limit   int
	cursor  *snapshotCursor
	builder *record.Builder

	begun, ended bool   // header, footer are encoded
	encoded      []byte // a record that is in no batch yet, if not empty
	between      int64  // records encoded between header and footer
	digest       uint32 // of all encoded before the footer
	records      int64  // in the batches made
	bytes        int64  // of the batches made
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// NewSnapshotWriter begins a snapshot of an image, which must be a committed one: what a
// snapshot says is never taken back.
func NewSnapshotWriter(m *Image, o SnapshotOptions) *SnapshotWriter {
	if o.BatchBytes <= 0 {
		o.BatchBytes = SnapshotBatchBytes
	}
	return &SnapshotWriter{
		header: SnapshotHeaderRecord{End: m.end, LeaderEpoch: o.LeaderEpoch, Timestamp: o.Timestamp},
		limit:  min(o.BatchBytes, SnapshotBatchBytes), cursor: newSnapshotCursor(m),
		builder: record.NewBuilder(record.Options{}),
	}
}

// ID names the snapshot.
func (w *SnapshotWriter) ID() SnapshotID { return SnapshotID{w.header.End, w.header.LeaderEpoch} }

// Records is the number of records in the batches made, header and footer as well.
func (w *SnapshotWriter) Records() int64 { return w.records }

// Bytes is the size of the batches made.
func (w *SnapshotWriter) Bytes() int64 { return w.bytes }

// Next makes the next batch, which belongs to the caller. It is nil after the last one. An
// error says that the image holds what could not be read back; there is no snapshot then.
func (w *SnapshotWriter) Next() (record.Batch, error) {
	w.builder.Reset(record.Options{
		BaseOffset: kafka.Offset(w.records), LeaderEpoch: w.header.LeaderEpoch,
	})
	for !w.ended || len(w.encoded) > 0 {
		if len(w.encoded) == 0 {
			if err := w.encodeNext(); err != nil {
				return nil, err
			}
		}
		if w.builder.Count() > 0 && w.builder.Len()+len(w.encoded) > w.limit {
			break
		}
		w.builder.Append(w.header.Timestamp, nil, w.encoded, nil)
		w.records++
		w.encoded = w.encoded[:0]
	}
	if w.builder.Count() == 0 {
		return nil, nil
	}
	b := w.builder.Build()
	w.bytes += int64(len(b))
	return b, nil
}

func (w *SnapshotWriter) encodeNext() (err error) {
	var r Record = &w.header
	if w.begun {
		if r = w.cursor.next(); r != nil {
			w.between++
		} else {
			r, w.ended = &SnapshotFooterRecord{Records: w.between, Digest: w.digest}, true
		}
	}
	w.begun = true
	w.encoded, err = AppendRecord(w.encoded[:0], r)
	if err != nil {
		return fmt.Errorf("metadata: snapshot at %d: %w", w.header.End, err)
	}
	w.digest = crc32.Update(w.digest, castagnoli, w.encoded)
	return nil
}
