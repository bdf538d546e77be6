package metadata_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// model is the naive second version of an Image: maps that are copied for each record.
type model struct {
	end     kafka.Offset
	next    kafka.ProducerID
	topics  map[string]*modelTopic
	brokers map[kafka.BrokerID]metadata.RegisterBrokerRecord
	configs map[string]map[string]string // of brokers
}

type modelTopic struct {
	id      kafka.TopicID
	parts   []metadata.PartitionChangeRecord
	replica [][]kafka.BrokerID
	configs map[string]string
}

func newModel() *model {
	return &model{
		topics: map[string]*modelTopic{}, brokers: map[kafka.BrokerID]metadata.RegisterBrokerRecord{},
		configs: map[string]map[string]string{},
	}
}

func (m *model) byID(id kafka.TopicID) (string, *modelTopic) {
	for name, t := range m.topics {
		if t.id == id {
			return name, t
		}
	}
	return "", nil
}

func (m *model) apply(r metadata.Record) {
	m.end++
	switch r := r.(type) {
	case *metadata.RegisterBrokerRecord:
		m.brokers[r.ID] = *r
	case *metadata.TopicRecord:
		m.topics[r.Name] = &modelTopic{id: r.ID, configs: map[string]string{}}
	case *metadata.PartitionRecord:
		_, t := m.byID(r.TopicID)
		t.replica = append(t.replica, r.Replicas)
		t.parts = append(t.parts, metadata.PartitionChangeRecord{
			Leader: r.Leader, LeaderEpoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch, ISR: r.ISR,
		})
	case *metadata.PartitionChangeRecord:
		_, t := m.byID(r.TopicID)
		t.parts[r.Partition] = *r
	case *metadata.RemoveTopicRecord:
		name, _ := m.byID(r.ID)
		delete(m.topics, name)
	case *metadata.ConfigRecord:
		m.config(r)
	case *metadata.ProducerIDsRecord:
		m.next = r.Next
	}
}

func (m *model) config(r *metadata.ConfigRecord) {
	own := m.configs[r.Resource.Name]
	if r.Resource.Type == metadata.ResourceTopic {
		own = m.topics[r.Resource.Name].configs
	} else if own == nil {
		own = map[string]string{}
		m.configs[r.Resource.Name] = own
	}
	if r.Value == nil {
		delete(own, r.Key)
	} else {
		own[r.Key] = *r.Value
	}
}

func (m *model) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster id= end=%d next-producer-id=%d\n", m.end, m.next)
	for _, id := range slices.Sorted(maps.Keys(m.brokers)) {
		r := m.brokers[id]
		fmt.Fprintf(&b, "broker %d epoch=%d incarnation=%s\n", id, r.Epoch, r.Incarnation)
	}
	for _, name := range slices.Sorted(maps.Keys(m.configs)) {
		if len(m.configs[name]) > 0 {
			fmt.Fprintf(&b, "configs broker:%q%s\n", name, sortedConfigs(m.configs[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.topics)) {
		t := m.topics[name]
		fmt.Fprintf(&b, "topic %s id=%s%s\n", name, t.id, sortedConfigs(t.configs))
		for i, p := range t.parts {
			fmt.Fprintf(&b, "  %d leader=%d leader-epoch=%d partition-epoch=%d replicas=%s isr=%s\n", i,
				p.Leader, p.LeaderEpoch, p.PartitionEpoch, ids(t.replica[i]), ids(p.ISR))
		}
	}
	return b.String()
}

func sortedConfigs(c map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&b, " %s=%q", k, c[k])
	}
	return b.String()
}

func ids(in []kafka.BrokerID) string { return strings.ReplaceAll(fmt.Sprint(in), " ", ",") }

// drawRecord draws a record that is legal after what m holds.
func drawRecord(t *rapid.T, m *model, lastID *byte) metadata.Record {
	names := slices.Sorted(maps.Keys(m.topics))
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if len(names) == 0 && kind > 3 {
		kind = 0
	}
	name := fmt.Sprintf("t%d", rapid.IntRange(0, 4).Draw(t, "name"))
	if len(names) > 0 && kind > 3 {
		name = rapid.SampledFrom(names).Draw(t, "topic")
	}
	topic := m.topics[name]
	switch {
	case kind <= 1 && topic == nil:
		*lastID++
		return &metadata.TopicRecord{Name: name, ID: kafka.TopicID{0: 1, 15: *lastID}} // one bucket for all
	case kind == 2:
		return &metadata.ProducerIDsRecord{Next: m.next + 1000}
	case kind <= 3:
		id := kafka.BrokerID(rapid.Int32Range(0, 2).Draw(t, "broker"))
		return &metadata.RegisterBrokerRecord{
			ID: id, Epoch: kafka.BrokerEpoch(m.end), Incarnation: [16]byte{byte(m.end)},
		}
	case kind == 4:
		return &metadata.RemoveTopicRecord{ID: topic.id}
	case kind <= 5:
		return drawConfig(t, name)
	case kind <= 7 && len(topic.parts) > 0:
		return drawChange(t, topic)
	}
	replicas := []kafka.BrokerID{1, 2, 3}
	return &metadata.PartitionRecord{
		TopicID: topic.id, Partition: int32(len(topic.parts)), Leader: 1, Replicas: replicas, ISR: replicas[:2],
	}
}

func drawConfig(t *rapid.T, topic string) metadata.Record {
	r := &metadata.ConfigRecord{Key: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")}
	r.Resource = metadata.Resource{Type: metadata.ResourceTopic, Name: topic}
	if rapid.Bool().Draw(t, "of broker") {
		id := rapid.SampledFrom([]string{"", "1"}).Draw(t, "id")
		r.Resource = metadata.Resource{Type: metadata.ResourceBroker, Name: id}
	}
	if rapid.Bool().Draw(t, "set") {
		v := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "value")
		r.Value = &v
	}
	return r
}

func drawChange(t *rapid.T, topic *modelTopic) metadata.Record {
	i := rapid.IntRange(0, len(topic.parts)-1).Draw(t, "partition")
	p := topic.parts[i]
	p.TopicID, p.Partition = topic.id, int32(i)
	p.PartitionEpoch++
	if rapid.Bool().Draw(t, "elect") {
		p.LeaderEpoch++
		p.Leader = rapid.SampledFrom(append([]kafka.BrokerID{metadata.NoLeader}, p.ISR...)).Draw(t, "leader")
	}
	return &p
}

// An Image equals a naive fold of the same records (Q13), and what was an image stays as
// it was whatever is applied to it later.
func TestImageIsTheFoldOfItsRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, image, lastID := newModel(), metadata.NewImage(), byte(0)
		type kept struct {
			image *metadata.Image
			text  string
		}
		var past []kept
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			base := m.end
			var batch []metadata.Record
			for range rapid.IntRange(0, 100).Draw(t, "records") {
				r := drawRecord(t, m, &lastID)
				m.apply(r)
				batch = append(batch, r)
			}
			past = append(past, kept{image, image.String()})
			image = image.Apply(base, batch)
			if got, want := image.String(), m.String(); got != want {
				t.Fatalf("image\n%s\nwant\n%s", got, want)
			}
		}
		for i, k := range past {
			if k.image.String() != k.text {
				t.Fatalf("image %d of %d changed\n%s\nwas\n%s", i, len(past), k.image, k.text)
			}
		}
	})
}

// Two images made from one do not see each other.
func TestImagesOfOneBaseAreIndependent(t *testing.T) {
	base := metadata.NewImage().Apply(0, topicOf(1, 100, 1))
	left := base.Apply(101, []metadata.Record{change(1, 5, 1)})
	right := base.Apply(101, []metadata.Record{change(1, 6, 1)})
	for _, c := range []struct {
		image *metadata.Image
		epoch [2]kafka.LeaderEpoch // of partitions 5 and 6
	}{
		{base, [2]kafka.LeaderEpoch{0, 0}},
		{left, [2]kafka.LeaderEpoch{1, 0}},
		{right, [2]kafka.LeaderEpoch{0, 1}},
	} {
		topic := c.image.Topic("t1")
		got := [2]kafka.LeaderEpoch{topic.Partition(5).LeaderEpoch, topic.Partition(6).LeaderEpoch}
		if got != c.epoch {
			t.Errorf("epochs of 5 and 6: %v, want %v", got, c.epoch)
		}
	}
}

func topicOf(id byte, partitions int32, replicas ...kafka.BrokerID) []metadata.Record {
	topic := kafka.TopicID{0: id, 15: id}
	records := []metadata.Record{&metadata.TopicRecord{Name: fmt.Sprintf("t%d", id), ID: topic}}
	for i := range partitions {
		records = append(records, &metadata.PartitionRecord{
			TopicID: topic, Partition: i, Leader: replicas[0], Replicas: replicas, ISR: replicas,
		})
	}
	return records
}

func change(id byte, partition int32, epoch kafka.LeaderEpoch) *metadata.PartitionChangeRecord {
	return &metadata.PartitionChangeRecord{
		TopicID: kafka.TopicID{0: id, 15: id}, Partition: partition, Leader: 1,
		LeaderEpoch: epoch, PartitionEpoch: int32(epoch), ISR: []kafka.BrokerID{1},
	}
}

// Changing one partition of ten thousand copies a page and a few tree nodes, not the
// topic. The bound is generous; a copy of all partitions would take 80 KB.
func TestChangeOfOnePartitionCopiesLittle(t *testing.T) {
	image := metadata.NewImage().Apply(0, topicOf(1, metadata.PartitionsPerTopicMax, 1))
	batch := []metadata.Record{change(1, 5000, 1)}
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			image.Apply(image.End(), batch)
		}
	})
	if got := result.AllocedBytesPerOp(); got > 16<<10 {
		t.Errorf("%d bytes allocated, want at most 16 KiB", got)
	}
}

func TestTopicsAreFoundByNameIdAndCollision(t *testing.T) {
	id := kafka.TopicID{1}
	image := metadata.NewImage().Apply(0, []metadata.Record{
		&metadata.TopicRecord{Name: "a.b", ID: id}, &metadata.TopicRecord{Name: "z", ID: kafka.TopicID{2}},
	})
	if image.Topic("a.b") == nil || image.TopicByID(id) != image.Topic("a.b") || image.TopicCount() != 2 {
		t.Error("a.b is not found")
	}
	if image.TopicByID(kafka.TopicID{1, 15: 9}) != nil {
		t.Error("an id that shares half of another's bits is found")
	}
	if got := image.CollidesWith("a_b"); got != "a.b" {
		t.Errorf("a_b collides with %q", got)
	}
	gone := image.Apply(2, []metadata.Record{&metadata.RemoveTopicRecord{ID: id}})
	if gone.Topic("a.b") != nil || gone.TopicByID(id) != nil || gone.CollidesWith("a_b") != "" ||
		image.Topic("a.b") == nil {
		t.Error("a.b is not gone, or gone too early")
	}
	var names []string
	for topic := range image.TopicsFrom("b") {
		names = append(names, topic.Name)
	}
	if !slices.Equal(names, []string{"z"}) {
		t.Errorf("topics from b: %v", names)
	}
}

// Each invariant of Apply has a batch that breaks it and nothing else.
func TestApplyNamesWhatIsBroken(t *testing.T) {
	known := append(topicOf(1, 2, 1, 2),
		&metadata.RegisterBrokerRecord{ID: 1, Epoch: 5, Incarnation: [16]byte{1}},
		&metadata.ClusterRecord{ClusterID: "c"}, &metadata.ProducerIDsRecord{Next: 1000})
	id := kafka.TopicID{0: 1, 15: 1}
	isr := []kafka.BrokerID{1, 2}
	for _, c := range []struct {
		name   string
		base   kafka.Offset
		record metadata.Record
	}{
		{"metadata.apply-in-order", 5, &metadata.ProducerIDsRecord{Next: 2000}},
		{"metadata.cluster-id-fixed", 6, &metadata.ClusterRecord{ClusterID: "d"}},
		{"metadata.broker-epoch-rises", 6, &metadata.RegisterBrokerRecord{ID: 1, Epoch: 4}},
		{"metadata.broker-epoch-rises", 6, &metadata.RegisterBrokerRecord{
			ID: 1, Epoch: 5, Incarnation: [16]byte{2}}},
		{"metadata.topic-new", 6, &metadata.TopicRecord{Name: "t1", ID: kafka.TopicID{9}}},
		{"metadata.topic-new", 6, &metadata.TopicRecord{Name: "t2", ID: id}},
		{"metadata.topic-new", 6, &metadata.TopicRecord{Name: "t2"}},
		{"metadata.topic-known", 6, &metadata.RemoveTopicRecord{ID: kafka.TopicID{9}}},
		{"metadata.partition-next", 6, &metadata.PartitionRecord{TopicID: id, Partition: 3, Leader: -1}},
		{"metadata.partition-known", 6, &metadata.PartitionChangeRecord{TopicID: id, Partition: 2, Leader: -1}},
		{"metadata.isr-within-replicas", 6, &metadata.PartitionChangeRecord{
			TopicID: id, Leader: 1, LeaderEpoch: 1, PartitionEpoch: 1, ISR: []kafka.BrokerID{1, 3}}},
		{"metadata.leader-in-isr", 6, &metadata.PartitionChangeRecord{
			TopicID: id, Leader: 2, LeaderEpoch: 1, PartitionEpoch: 1, ISR: isr[:1]}},
		{"metadata.leader-in-isr", 6, &metadata.PartitionChangeRecord{
			TopicID: id, Leader: 1, LeaderEpoch: 1, PartitionEpoch: 1}},
		{"metadata.partition-epoch-by-one", 6, &metadata.PartitionChangeRecord{
			TopicID: id, Leader: 1, LeaderEpoch: 1, PartitionEpoch: 2, ISR: isr}},
		{"metadata.leader-epoch-rises", 6, &metadata.PartitionChangeRecord{
			TopicID: id, Leader: 2, LeaderEpoch: 0, PartitionEpoch: 1, ISR: isr}},
		{"metadata.leader-epoch-rises", 6, &metadata.PartitionChangeRecord{
			TopicID: id, Leader: 1, LeaderEpoch: -1, PartitionEpoch: 1, ISR: isr}},
		{"metadata.config-topic-known", 6, &metadata.ConfigRecord{
			Resource: metadata.Resource{Type: metadata.ResourceTopic, Name: "t9"}, Key: "k"}},
		{"metadata.config-resource-known", 6, &metadata.ConfigRecord{
			Resource: metadata.Resource{Type: 8}, Key: "k"}},
		{"metadata.producer-ids-rise", 6, &metadata.ProducerIDsRecord{Next: 1000}},
	} {
		image := metadata.NewImage().Apply(0, known)
		got := violation(func() { image.Apply(c.base, []metadata.Record{c.record}) })
		if got != c.name {
			t.Errorf("%s: violated %q, want %q", c.record, got, c.name)
		}
	}
}

func violation(f func()) (name string) {
	defer func() {
		if v, ok := recover().(invariant.Violation); ok {
			name = v.Name
		}
	}()
	f()
	return ""
}

func BenchmarkApplyOnePartitionChange(b *testing.B) {
	image := metadata.NewImage().Apply(0, topicOf(1, metadata.PartitionsPerTopicMax, 1))
	batch := []metadata.Record{change(1, 5000, 1)}
	b.ReportAllocs()
	for b.Loop() {
		image.Apply(image.End(), batch)
	}
}

func BenchmarkTopicByID(b *testing.B) {
	image := metadata.NewImage()
	for i := range byte(200) {
		image = image.Apply(image.End(), topicOf(i+1, 3, 1))
	}
	b.ReportAllocs()
	for b.Loop() {
		image.TopicByID(kafka.TopicID{0: 77, 15: 77})
	}
}
