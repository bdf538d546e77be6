package metadata

import (
	"cmp"
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Delta is what differs between two images. Everything a broker does about partitions
// follows from one. The lists hold exact differences: what was changed and changed back
// in between does not appear.
type Delta struct {
	From, To *Image

	// TopicsDeleted come first in effect: a name made again is deleted, then created.
	TopicsDeleted []*Topic // as in From, ordered by name
	TopicsCreated []*Topic // as in To, ordered by name
	// Partitions that differ, those of deleted topics first, then by name and number.
	Partitions []PartitionDelta
	Configs    []Resource // whose explicitly set values differ, and which exist in To
	Brokers    []BrokerDelta
}

// PartitionDelta is the change of one partition. Before is nil if it was created, After
// is nil if it was deleted. A topic made again under its name gives two entries.
type PartitionDelta struct {
	Topic     *Topic // as in To, or as in From if it was deleted
	Partition int32
	Before    *Partition
	After     *Partition
}

// TP names the partition.
func (d PartitionDelta) TP() kafka.TopicPartition {
	return kafka.TopicPartition{Topic: d.Topic.Name, Partition: d.Partition}
}

// BrokerDelta is the change of one broker. Before is nil if it is new.
type BrokerDelta struct{ Before, After *Broker }

// Empty tells that nothing differs that a broker acts on.
func (d *Delta) Empty() bool {
	return len(d.TopicsDeleted)+len(d.TopicsCreated)+len(d.Partitions)+len(d.Configs)+len(d.Brokers) == 0
}

// Diff compares two images of one log as a whole, in time linear in their size. It
// serves where no record of the way between them is left, as after a snapshot;
// Timeline.Commit gives the same answer in time linear in the difference.
func Diff(from, to *Image) *Delta {
	t := touched{}
	for _, m := range []*Image{from, to} {
		for topic := range m.Topics() {
			t.topic(topic.ID)
			t.config(Resource{Type: ResourceTopic, Name: topic.Name})
			for i := range topic.PartitionCount() {
				t.partition(topic.ID, i)
			}
		}
		for b := range m.Brokers() {
			t.broker(b.ID)
		}
		m.configs.Scan(func(name string, _ Configs) bool {
			t.config(Resource{Type: ResourceBroker, Name: name})
			return true
		})
	}
	return t.delta(from, to)
}

type partitionKey struct {
	topic     kafka.TopicID
	partition int32
}

// touched lists what some batches wrote, with repetitions. It says where two images can
// differ, not that they do.
type touched struct {
	topics     []kafka.TopicID
	partitions []partitionKey
	brokers    []kafka.BrokerID
	configs    []Resource
}

func (t *touched) topic(id kafka.TopicID) { t.topics = append(t.topics, id) }

func (t *touched) partition(id kafka.TopicID, i int32) {
	t.partitions = append(t.partitions, partitionKey{id, i})
}

func (t *touched) broker(id kafka.BrokerID) { t.brokers = append(t.brokers, id) }

func (t *touched) config(r Resource) { t.configs = append(t.configs, r) }

func (t *touched) add(o *touched) {
	t.topics = append(t.topics, o.topics...)
	t.partitions = append(t.partitions, o.partitions...)
	t.brokers = append(t.brokers, o.brokers...)
	t.configs = append(t.configs, o.configs...)
}

// delta compares the two images at what was touched. It uses up t.
func (t *touched) delta(from, to *Image) *Delta {
	d := &Delta{From: from, To: to}
	t.compareTopics(d)
	t.comparePartitions(d)
	t.compareConfigs(d)
	t.compareBrokers(d)
	return d
}

func (t *touched) compareTopics(d *Delta) {
	slices.SortFunc(t.topics, compareIDs)
	for _, id := range slices.Compact(t.topics) {
		before, after := d.From.TopicByID(id), d.To.TopicByID(id)
		switch {
		case before != nil && after == nil:
			d.TopicsDeleted = append(d.TopicsDeleted, before)
			for i, p := range before.Partitions() {
				d.Partitions = append(d.Partitions, PartitionDelta{before, i, p, nil})
			}
		case before == nil && after != nil:
			d.TopicsCreated = append(d.TopicsCreated, after)
		}
	}
	byName := func(a, b *Topic) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(d.TopicsDeleted, byName)
	slices.SortFunc(d.TopicsCreated, byName)
}

func (t *touched) comparePartitions(d *Delta) {
	slices.SortFunc(t.partitions, func(a, b partitionKey) int {
		return cmp.Or(compareIDs(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	for _, k := range slices.Compact(t.partitions) {
		topic := d.To.TopicByID(k.topic)
		if topic == nil {
			continue // deleted: listed with its topic, or never in From
		}
		pd := PartitionDelta{Topic: topic, Partition: k.partition, After: topic.Partition(k.partition)}
		if old := d.From.TopicByID(k.topic); old != nil {
			pd.Before = old.Partition(k.partition)
		}
		if !pd.Before.equal(pd.After) {
			d.Partitions = append(d.Partitions, pd)
		}
	}
	slices.SortFunc(d.Partitions, func(a, b PartitionDelta) int {
		return cmp.Or(compareBools(a.After != nil, b.After != nil),
			cmp.Compare(a.Topic.Name, b.Topic.Name), cmp.Compare(a.Partition, b.Partition))
	})
}

func (t *touched) compareConfigs(d *Delta) {
	slices.SortFunc(t.configs, func(a, b Resource) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	for _, r := range slices.Compact(t.configs) {
		if r.Type == ResourceTopic && d.To.Topic(r.Name) == nil {
			continue
		}
		if !slices.Equal(d.From.Configs(r), d.To.Configs(r)) {
			d.Configs = append(d.Configs, r)
		}
	}
}

func (t *touched) compareBrokers(d *Delta) {
	slices.Sort(t.brokers)
	for _, id := range slices.Compact(t.brokers) {
		before, after := d.From.Broker(id), d.To.Broker(id)
		if before == nil || !before.equal(after) {
			d.Brokers = append(d.Brokers, BrokerDelta{before, after})
		}
	}
}

func (p *Partition) equal(o *Partition) bool {
	if p == nil || o == nil {
		return p == o
	}
	return p == o || p.Leader == o.Leader && p.LeaderEpoch == o.LeaderEpoch &&
		p.PartitionEpoch == o.PartitionEpoch &&
		slices.Equal(p.Replicas, o.Replicas) && slices.Equal(p.ISR, o.ISR)
}

func (b *Broker) equal(o *Broker) bool {
	return b == o || b.ID == o.ID && b.Epoch == o.Epoch && b.Incarnation == o.Incarnation &&
		b.Fenced == o.Fenced && b.Rack == o.Rack && slices.Equal(b.Listeners, o.Listeners)
}

func compareIDs(a, b kafka.TopicID) int { return slices.Compare(a[:], b[:]) }

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
