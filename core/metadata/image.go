package metadata

import (
	"encoding/binary"
	"iter"

	"github.com/tidwall/btree"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Image is the state of the cluster: the fold of all metadata records below End. It is
// immutable; Apply returns a new one.
type Image struct {
	generation uint64
	end        kafka.Offset
	applied    int // records of the batch that made this image

	clusterID      string
	features       Configs // feature name to level, as text
	nextProducerID kafka.ProducerID
	partitions     int // of all topics

	byName     *btree.Map[string, *Topic]
	byID       *btree.Map[uint64, []*Topic] // by the id's first half; ids that share it in one slice
	collisions *btree.Map[string, string]   // kafka.CollisionKey of a name to that name
	brokers    *btree.Map[kafka.BrokerID, *Broker]
	configs    *btree.Map[string, Configs] // of brokers, by resource name

	touched touched // by the batch that made this image
}

// NewImage is the image before the first record.
func NewImage() *Image {
	return &Image{
		byName:     &btree.Map[string, *Topic]{},
		byID:       &btree.Map[uint64, []*Topic]{},
		collisions: &btree.Map[string, string]{},
		brokers:    &btree.Map[kafka.BrokerID, *Broker]{},
		configs:    &btree.Map[string, Configs]{},
	}
}

// End is the offset after the last record applied.
func (m *Image) End() kafka.Offset { return m.end }

// ClusterID is the cluster's id, or "" before it was written.
func (m *Image) ClusterID() string { return m.clusterID }

// NextProducerID is the first producer id not yet handed to a broker.
func (m *Image) NextProducerID() kafka.ProducerID { return m.nextProducerID }

// Topic returns the topic of that name, or nil.
func (m *Image) Topic(name string) *Topic {
	t, _ := m.byName.Get(name)
	return t
}

// TopicByID returns the topic of that id, or nil.
func (m *Image) TopicByID(id kafka.TopicID) *Topic {
	ts, _ := m.byID.Get(idKey(id))
	for _, t := range ts {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// Partition returns one partition, or nil if the topic or the partition is unknown.
func (m *Image) Partition(tp kafka.TopicPartition) *Partition {
	if t := m.Topic(tp.Topic); t != nil {
		return t.Partition(tp.Partition)
	}
	return nil
}

// Topics yields the topics ordered by name.
func (m *Image) Topics() iter.Seq[*Topic] { return m.TopicsFrom("") }

// TopicsFrom yields the topics whose name is not below name, ordered by name.
func (m *Image) TopicsFrom(name string) iter.Seq[*Topic] {
	return func(yield func(*Topic) bool) {
		m.byName.Ascend(name, func(_ string, t *Topic) bool { return yield(t) })
	}
}

// TopicCount is the number of topics.
func (m *Image) TopicCount() int { return m.byName.Len() }

// PartitionCount is the number of partitions of all topics.
func (m *Image) PartitionCount() int { return m.partitions }

// CollidesWith returns the existing topic whose name differs from name only in '.' and
// '_', or "". A name collides with itself.
func (m *Image) CollidesWith(name string) string {
	other, _ := m.collisions.Get(kafka.CollisionKey(name))
	return other
}

// Broker returns the broker registered under id, fenced or not, or nil.
func (m *Image) Broker(id kafka.BrokerID) *Broker {
	b, _ := m.brokers.Get(id)
	return b
}

// Brokers yields the registered brokers ordered by id.
func (m *Image) Brokers() iter.Seq[*Broker] {
	return func(yield func(*Broker) bool) {
		m.brokers.Scan(func(_ kafka.BrokerID, b *Broker) bool { return yield(b) })
	}
}

// Configs returns what was explicitly set on a resource.
func (m *Image) Configs(r Resource) Configs {
	switch r.Type {
	case ResourceTopic:
		if t := m.Topic(r.Name); t != nil {
			return t.Configs
		}
	case ResourceBroker:
		c, _ := m.configs.Get(r.Name)
		return c
	}
	return nil
}

func idKey(id kafka.TopicID) uint64 { return binary.BigEndian.Uint64(id[:8]) }
