package controller_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// Over all ways to grow a topic: what was there stays as it was, and a topic grown in
// steps lies where a topic made at once would lie, as long as the brokers are the same.
func TestGrownTopicLiesAsIfMadeAtOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		brokers := rapid.IntRange(1, 5).Draw(rt, "brokers")
		replicas := int16(rapid.IntRange(1, brokers).Draw(rt, "replicas"))
		steps := rapid.SliceOfN(rapid.Int32Range(1, 12), 1, 4).Draw(rt, "steps")
		total := int32(0)
		for _, n := range steps {
			total += n
		}
		grown, once := clusterOf(t, brokers), clusterOf(t, brokers)
		once.mustCreate("t", total, replicas)
		grown.mustCreate("t", steps[0], replicas)
		count := steps[0]
		for _, n := range steps[1:] {
			before := grown.control.Image().Topic("t")
			count += n
			if code := grown.growTo("t", count); code != kafka.None {
				rt.Fatalf("grow to %d: %s", count, code)
			}
			after := grown.control.Image().Topic("t")
			for i, p := range before.Partitions() {
				if after.Partition(i) != p {
					rt.Fatalf("partition %d changed", i)
				}
			}
		}
		want := once.control.Image().Topic("t")
		for i, p := range grown.control.Image().Topic("t").Partitions() {
			if !slices.Equal(p.Replicas, want.Partition(i).Replicas) {
				rt.Fatalf("partition %d on %v, made at once on %v", i, p.Replicas, want.Partition(i).Replicas)
			}
		}
	})
}

func clusterOf(t testing.TB, brokers int) *cluster {
	c := newCluster(t)
	for i := range brokers {
		c.append(c.control.RegisterBroker(controller.RegisterBroker{
			ID: kafka.BrokerID(i + 1), Incarnation: metadata.IncarnationID{1},
			Listeners: []metadata.Listener{{Name: "PLAINTEXT"}},
		}).Records)
	}
	return c
}

func (c *cluster) mustCreate(name string, partitions int32, replicas int16) {
	d := c.control.CreateTopics(controller.CreateTopics{Topics: []controller.CreateTopic{
		{Name: name, Partitions: partitions, ReplicationFactor: replicas},
	}})
	if d.Answer[0].Code != kafka.None {
		c.t.Fatalf("create %s: %s", name, d.Answer[0].Message)
	}
	c.append(d.Records)
}

func (c *cluster) growTo(name string, count int32) kafka.ErrorCode {
	d := c.control.CreatePartitions(controller.CreatePartitions{
		Topics: []controller.GrowTopic{{Name: name, Count: count}},
	})
	c.append(d.Records)
	return d.Answer[0].Code
}

// The bounds of a topic, of a request and of the cluster hold to the last partition.
func TestPartitionBoundsAreExact(t *testing.T) {
	c := clusterOf(t, 1)
	c.mustCreate("a", 2, 1)
	if code := c.growTo("a", metadata.PartitionsPerTopicMax+1); code != kafka.PolicyViolation {
		t.Errorf("a topic beyond its bound: %s", code)
	}
	if code := c.growTo("a", metadata.PartitionsPerTopicMax); code != kafka.None {
		t.Errorf("a topic at its bound: %s", code)
	}
	for i := range controller.PartitionsMax/controller.PartitionsPerRequestMax - 2 {
		c.mustCreate(fmt.Sprint("b", i), controller.PartitionsPerRequestMax, 1)
	}
	c.mustCreate("c", 1, 1)
	c.mustCreate("d", 1, 1)
	d := c.control.CreatePartitions(controller.CreatePartitions{Topics: []controller.GrowTopic{
		{Name: "c", Count: 9000}, {Name: "gone", Count: 9000}, {Name: "d", Count: 1001},
	}})
	want := []kafka.ErrorCode{kafka.None, kafka.UnknownTopicOrPartition, kafka.PolicyViolation}
	for i, a := range d.Answer {
		if a.Code != want[i] {
			t.Errorf("%s: %s, want %s", a.Name, a.Code, want[i])
		}
	}
	if code := c.growTo("c", controller.PartitionsPerRequestMax-1); code != kafka.None {
		t.Errorf("the last partitions of the cluster: %s", code)
	}
	if got := c.control.Image().PartitionCount(); got != controller.PartitionsMax {
		t.Errorf("%d partitions, want %d", got, controller.PartitionsMax)
	}
	if code := c.growTo("d", 2); code != kafka.PolicyViolation {
		t.Errorf("one more: %s", code)
	}
}

// What a request may ask for in number is not all it may ask for in bytes: by hand, a
// partition may have a hundred replicas.
func TestGrowthTooLargeForOneBatchIsRefusedByTopic(t *testing.T) {
	c := clusterOf(t, 100)
	all := make([]kafka.BrokerID, 100)
	for i := range all {
		all[i] = kafka.BrokerID(i + 1)
	}
	req := controller.CreatePartitions{}
	for i := range 5 {
		name := fmt.Sprint("t", i)
		c.mustCreate(name, 1, 100)
		req.Topics = append(req.Topics, controller.GrowTopic{
			Name: name, Count: 2000, Assignments: slices.Repeat([][]kafka.BrokerID{all}, 1999),
		})
	}
	d := c.control.CreatePartitions(req)
	size := 0
	for _, r := range d.Records {
		b, err := metadata.EncodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		size += len(b)
	}
	if size == 0 || size > controller.DecisionWeightMax {
		t.Errorf("%d bytes", size)
	}
	want := []kafka.ErrorCode{0, 0, 0, kafka.PolicyViolation, kafka.PolicyViolation}
	for i, a := range d.Answer {
		if a.Code != want[i] {
			t.Errorf("%s: %s, want %s", a.Name, a.Code, want[i])
		}
	}
}
