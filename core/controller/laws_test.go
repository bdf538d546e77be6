package controller_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// history remembers all that may never happen twice or go back.
type history struct {
	*cluster
	t        *rapid.T
	topicIDs map[kafka.TopicID]bool
	nextPID  kafka.ProducerID
	epochs   map[kafka.BrokerID]kafka.BrokerEpoch
	starts   byte
	leaders  map[kafka.TopicID]map[int32]kafka.LeaderEpoch
}

// decided appends a decision after checking that deciding changed nothing.
func decided[A any](h *history, decide func() controller.Decision[A]) A {
	image := h.control.Image()
	before := image.String()
	d := decide()
	if h.control.Image() != image || image.String() != before {
		h.t.Fatal("deciding changed the state")
	}
	h.append(d.Records)
	return d.Answer
}

func (h *history) step() {
	id := kafka.BrokerID(rapid.Int32Range(1, 3).Draw(h.t, "broker"))
	name := fmt.Sprintf("t%d", rapid.IntRange(0, 3).Draw(h.t, "topic"))
	switch rapid.IntRange(0, 8).Draw(h.t, "step") {
	case 0:
		h.restart()
	case 1:
		h.registered(id)
	case 2, 3:
		h.created(controller.CreateTopic{
			Name: name, Partitions: rapid.Int32Range(-1, 4).Draw(h.t, "partitions"),
			ReplicationFactor: rapid.Int16Range(-1, 4).Draw(h.t, "rf"),
		})
	case 4:
		decided(h, func() controller.Decision[[]controller.TopicDeleted] {
			return h.control.DeleteTopics(controller.DeleteTopics{Topics: []controller.DeleteTopic{{Name: name}}})
		})
	case 5:
		h.allocated(id)
	case 6:
		h.grown(name, rapid.Int32Range(0, 8).Draw(h.t, "count"))
	case 7:
		h.takeSnapshot()
	case 8:
		value := rapid.SampledFrom([]string{"5", "6"}).Draw(h.t, "value")
		decided(h, func() controller.Decision[[]controller.ConfigsAltered] {
			return h.control.AlterConfigs(controller.AlterConfigs{Resources: []controller.ReplaceConfigs{{
				Type: metadata.ResourceTopic, Name: name,
				Configs: []controller.ConfigSetting{{Key: "retention.ms", Value: &value}},
			}}})
		})
	}
	h.checkEpochs()
}

func (h *history) restart() {
	before := h.control.Image().String()
	h.start()
	if after := h.control.Image().String(); after != before {
		h.t.Fatalf("replayed to\n%s\nwas\n%s", after, before)
	}
}

func (h *history) registered(id kafka.BrokerID) {
	h.starts++
	answer := decided(h, func() controller.Decision[controller.BrokerRegistered] {
		return h.control.RegisterBroker(controller.RegisterBroker{
			ID: id, Incarnation: metadata.IncarnationID{h.starts}, PreviousEnded: true,
			Listeners: []metadata.Listener{{Name: "PLAINTEXT"}},
		})
	})
	if last, known := h.epochs[id]; known && answer.Epoch <= last {
		h.t.Fatalf("broker %d: epoch %d after %d", id, answer.Epoch, last)
	}
	h.epochs[id] = answer.Epoch
}

func (h *history) created(topic controller.CreateTopic) {
	answer := decided(h, func() controller.Decision[[]controller.TopicCreated] {
		return h.control.CreateTopics(controller.CreateTopics{Topics: []controller.CreateTopic{topic}})
	})[0]
	if answer.Code != kafka.None {
		return
	}
	if h.topicIDs[answer.ID] || answer.ID.IsZero() {
		h.t.Fatalf("id %s given twice", answer.ID)
	}
	h.topicIDs[answer.ID] = true
	created := h.control.Image().TopicByID(answer.ID)
	if created.PartitionCount() != answer.Partitions {
		h.t.Fatalf("%d partitions, answered %d", created.PartitionCount(), answer.Partitions)
	}
	h.checkSpread(created)
}

func (h *history) grown(name string, count int32) {
	before := h.control.Image().Topic(name)
	answer := decided(h, func() controller.Decision[[]controller.PartitionsCreated] {
		return h.control.CreatePartitions(controller.CreatePartitions{
			Topics: []controller.GrowTopic{{Name: name, Count: count}},
		})
	})
	if (answer[0].Code == kafka.UnknownTopicOrPartition) != (before == nil) || len(answer) != 1 {
		h.t.Fatalf("%s: %v", name, answer)
	}
	if before == nil {
		return
	}
	if grows := count > before.PartitionCount(); grows != (answer[0].Code == kafka.None) {
		// A topic made while there were more brokers than now is not drawn: none leaves.
		h.t.Fatalf("%s from %d to %d: %s", name, before.PartitionCount(), count, answer[0].Code)
	}
	if want := max(count, before.PartitionCount()); h.control.Image().Topic(name).PartitionCount() != want {
		h.t.Fatalf("%s: not %d partitions", name, want)
	}
}

// checkSpread wants leaders and replicas even over the brokers to within one.
func (h *history) checkSpread(topic *metadata.Topic) {
	leads := map[kafka.BrokerID]int{}
	for _, p := range topic.Partitions() {
		leads[p.Leader]++
		seen := map[kafka.BrokerID]bool{}
		for _, r := range p.Replicas {
			if seen[r] {
				h.t.Fatalf("replicas %v", p.Replicas)
			}
			seen[r] = true
		}
	}
	least, most := int(topic.PartitionCount()), 0
	for b := range h.control.Image().Brokers() {
		least, most = min(least, leads[b.ID]), max(most, leads[b.ID])
	}
	if most-least > 1 {
		h.t.Fatalf("leaders %v of %d partitions", leads, topic.PartitionCount())
	}
}

func (h *history) allocated(id kafka.BrokerID) {
	answer := decided(h, func() controller.Decision[controller.ProducerIDsAllocated] {
		return h.control.AllocateProducerIDs(controller.AllocateProducerIDs{Broker: id, Epoch: h.epochs[id]})
	})
	if _, known := h.epochs[id]; known != (answer.Code == kafka.None) {
		h.t.Fatalf("broker %d: %s", id, answer.Code)
	}
	if answer.Code != kafka.None {
		return
	}
	if answer.First < h.nextPID {
		h.t.Fatalf("block at %d, but %d is the next free id", answer.First, h.nextPID)
	}
	h.nextPID = answer.First + answer.Count
}

// checkEpochs wants no leader epoch lower than it was (R10).
func (h *history) checkEpochs() {
	for topic := range h.control.Image().Topics() {
		seen := h.leaders[topic.ID]
		if seen == nil {
			seen = map[int32]kafka.LeaderEpoch{}
			h.leaders[topic.ID] = seen
		}
		for i, p := range topic.Partitions() {
			if p.LeaderEpoch < seen[i] {
				h.t.Fatalf("%s-%d: leader epoch %d after %d", topic.Name, i, p.LeaderEpoch, seen[i])
			}
			seen[i] = p.LeaderEpoch
		}
	}
}

// Over all histories of requests, snapshots and restarts: deciding changes nothing, the
// log gives the state, and so does a snapshot with the log after it; ids are given once,
// epochs rise. The shape of partitions (R9) and the steps of epochs (R10) are invariants
// of replay.
func TestNothingIsGivenTwiceOrGoesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{
			cluster: newCluster(t), t: rt, topicIDs: map[kafka.TopicID]bool{},
			epochs:  map[kafka.BrokerID]kafka.BrokerEpoch{},
			leaders: map[kafka.TopicID]map[int32]kafka.LeaderEpoch{},
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			h.step()
		}
	})
}

// A topic id is a version 4 UUID, never in use, and its text never begins with a dash.
func TestTopicIdIsDrawnUntilItIsGood(t *testing.T) {
	c := newCluster(t)
	draws := [][16]byte{{1}, {0xf8}, {1}, {2}}
	resolver, err := metadata.NewResolver(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.control = controller.New(controller.Config{Resolver: resolver, NewTopicID: func() [16]byte {
		id := draws[0]
		if len(draws) > 1 {
			draws = draws[1:]
		}
		return id
	}})
	c.append(c.control.RegisterBroker(controller.RegisterBroker{
		ID: 1, Incarnation: metadata.IncarnationID{1}, Listeners: []metadata.Listener{{Name: "PLAINTEXT"}},
	}).Records)
	create := func(name string) kafka.TopicID {
		d := c.control.CreateTopics(controller.CreateTopics{
			Topics: []controller.CreateTopic{{Name: name, Partitions: 1, ReplicationFactor: 1}},
		})
		c.append(d.Records)
		return d.Answer[0].ID
	}
	if got, want := create("a"), (kafka.TopicID{0: 1, 6: 0x40, 8: 0x80}); got != want {
		t.Errorf("id %x, want %x", got, want)
	}
	if got, want := create("b"), (kafka.TopicID{0: 2, 6: 0x40, 8: 0x80}); got != want {
		t.Errorf("id %x, want %x", got, want)
	}
	defer func() {
		if v, ok := recover().(invariant.Violation); !ok || v.Name != "controller.topic-id-new" {
			t.Errorf("a source that repeats itself: %v", v)
		}
	}()
	create("c")
}

// What a request may ask for in number is not all it may ask for in bytes: configs of
// many topics would not fit one batch.
func TestRequestTooLargeForOneBatchIsRefusedByTopic(t *testing.T) {
	c := newCluster(t)
	c.append(c.control.RegisterBroker(controller.RegisterBroker{
		ID: 1, Incarnation: metadata.IncarnationID{1}, Listeners: []metadata.Listener{{Name: "PLAINTEXT"}},
	}).Records)
	long := make([]byte, metadata.ConfigValueMax)
	for i := range long {
		long[i] = ' ' // an empty list, at length
	}
	value := string(long)
	req := controller.CreateTopics{}
	for i := range 600 {
		req.Topics = append(req.Topics, controller.CreateTopic{
			Name: fmt.Sprint("t", i), Partitions: 1, ReplicationFactor: 1,
			Configs: []controller.ConfigSetting{{Key: "cleanup.policy", Value: &value}},
		})
	}
	d := c.control.CreateTopics(req)
	size, created := 0, 0
	for _, r := range d.Records {
		b, err := metadata.EncodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		size += len(b)
	}
	for _, a := range d.Answer {
		if a.Code == kafka.None {
			created++
		} else if a.Code != kafka.PolicyViolation {
			t.Fatalf("%s: %s", a.Name, a.Code)
		}
	}
	if size > controller.DecisionWeightMax || created == 0 || created == len(req.Topics) {
		t.Errorf("%d bytes for %d topics", size, created)
	}
}

// The same for configs of many resources; and a request has a bound in number.
func TestAlterationTooLargeForOneBatchIsRefusedByResource(t *testing.T) {
	c := clusterOf(t, 1)
	long := strings.Repeat(" ", metadata.ConfigValueMax)
	var incremental controller.IncrementalAlterConfigs
	var whole controller.AlterConfigs
	for i := range 300 {
		name := fmt.Sprint("t", i)
		c.mustCreate(name, 1, 1)
		incremental.Resources = append(incremental.Resources, controller.ChangeConfigs{
			Type: metadata.ResourceTopic, Name: name,
			Changes: []controller.ConfigChange{{Key: "cleanup.policy", Value: &long}},
		})
		whole.Resources = append(whole.Resources, controller.ReplaceConfigs{
			Type: metadata.ResourceTopic, Name: name,
			Configs: []controller.ConfigSetting{{Key: "cleanup.policy", Value: &long}},
		})
	}
	for _, d := range []controller.Decision[[]controller.ConfigsAltered]{
		c.control.IncrementalAlterConfigs(incremental), c.control.AlterConfigs(whole),
	} {
		size, altered := 0, 0
		for _, r := range d.Records {
			b, err := metadata.EncodeRecord(r)
			if err != nil {
				t.Fatal(err)
			}
			size += len(b)
		}
		for _, a := range d.Answer {
			if a.Code == kafka.None {
				altered++
			} else if a.Code != kafka.PolicyViolation {
				t.Fatalf("%s: %s", a.Name, a.Code)
			}
		}
		if size > controller.DecisionWeightMax || altered != len(d.Records) || altered == 0 || altered == 300 {
			t.Errorf("%d bytes, %d topics altered", size, altered)
		}
	}
	whole.Resources = make([]controller.ReplaceConfigs, controller.ResourcesPerRequestMax+1)
	for i := range whole.Resources {
		whole.Resources[i] = controller.ReplaceConfigs{Type: metadata.ResourceTopic, Name: fmt.Sprint("t", i)}
	}
	if code := c.control.AlterConfigs(whole).Answer[0].Code; code != kafka.PolicyViolation {
		t.Errorf("one resource more than the bound: %s", code)
	}
	whole.Resources = whole.Resources[:controller.ResourcesPerRequestMax]
	if code := c.control.AlterConfigs(whole).Answer[0].Code; code != kafka.None {
		t.Errorf("as many resources as the bound: %s", code)
	}
}

func BenchmarkCreateOneTopicAmongTenThousandPartitions(b *testing.B) {
	c := newCluster(b)
	c.append(c.control.RegisterBroker(controller.RegisterBroker{
		ID: 1, Incarnation: metadata.IncarnationID{1}, Listeners: []metadata.Listener{{Name: "PLAINTEXT"}},
	}).Records)
	one := func(name string, partitions int32) []metadata.Record {
		return c.control.CreateTopics(controller.CreateTopics{
			Topics: []controller.CreateTopic{{Name: name, Partitions: partitions, ReplicationFactor: 1}},
		}).Records
	}
	c.append(one("large", controller.PartitionsPerRequestMax))
	b.ReportAllocs()
	for b.Loop() {
		one("small", 6)
	}
}
