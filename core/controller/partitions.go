package controller

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// CreatePartitions decides which of the topics get more partitions. A topic only grows:
// where the records of a key lie is decided by the number of partitions, and to take one
// away would take its records away.
func (c *Controller) CreatePartitions(req CreatePartitions) Decision[[]PartitionsCreated] {
	g := growth{fleet: newFleet(c.Image()), asked: make(map[string]int, len(req.Topics))}
	for _, t := range req.Topics {
		g.asked[t.Name]++
	}
	whole := g.checkWhole(req)
	answers := make([]PartitionsCreated, len(req.Topics))
	for i, t := range req.Topics {
		r := whole
		if r.ok() {
			r = g.grow(t)
		}
		answers[i] = PartitionsCreated{Name: t.Name, Code: r.code, Message: r.message}
	}
	if req.ValidateOnly {
		g.records = nil
	}
	return Decision[[]PartitionsCreated]{Records: g.records, Answer: answers}
}

// growth is one CreatePartitions request under way.
type growth struct {
	fleet
	asked      map[string]int // how often a name stands in the request
	partitions int            // created so far
	weight     int            // of the records so far
	records    []metadata.Record
}

// checkWhole refuses a request that asks for too much at once.
func (g *growth) checkWhole(req CreatePartitions) result {
	if len(req.Topics) > TopicsPerRequestMax {
		return refuse(kafka.PolicyViolation, "Excessively large number of topics per request.")
	}
	total := 0
	for _, t := range req.Topics {
		if topic := g.image.Topic(t.Name); topic != nil {
			total += max(int(t.Count)-int(topic.PartitionCount()), 0)
		}
		if total > PartitionsPerRequestMax {
			return refuse(kafka.PolicyViolation, "Excessively large number of partitions per request.")
		}
	}
	return result{}
}

// grow decides on one topic; if it returns ok, the records are in the batch.
func (g *growth) grow(t GrowTopic) result {
	topic, r := g.check(t)
	if !r.ok() {
		return r
	}
	s := span{topic.PartitionCount(), t.Count - topic.PartitionCount()}
	factor := factorOf(topic)
	var where placement
	if t.Assignments != nil {
		where, r = g.placeByHand(t, s, factor)
	} else {
		where, r = g.placeByCount(s, factor, startOf(topic.ID))
	}
	if !r.ok() {
		return r
	}
	r = checkRoom(g.image, g.partitions+len(where.replicas), g.weight+where.weight())
	if !r.ok() {
		return r
	}
	g.partitions += len(where.replicas)
	g.weight += where.weight()
	for i, replicas := range where.replicas {
		g.records = append(g.records, g.partition(topic.ID, s.first+int32(i), replicas))
	}
	return result{}
}

func (g *growth) check(t GrowTopic) (*metadata.Topic, result) {
	if g.asked[t.Name] > 1 {
		return nil, refuse(kafka.InvalidRequest, "Duplicate topic name.")
	}
	topic := g.image.Topic(t.Name)
	if topic == nil {
		return nil, refuse(kafka.UnknownTopicOrPartition, "This server does not host this topic-partition.")
	}
	have := topic.PartitionCount()
	switch {
	case t.Count == have:
		return nil, refuse(kafka.InvalidPartitions, fmt.Sprintf("Topic already has %d partition(s).", have))
	case t.Count < have:
		return nil, refuse(kafka.InvalidPartitions, fmt.Sprintf("The topic %s currently has %d partition(s); "+
			"%d would not be an increase.", t.Name, have, t.Count))
	case t.Count > metadata.PartitionsPerTopicMax:
		return nil, refuse(kafka.PolicyViolation,
			"A topic cannot have more than "+strconv.Itoa(metadata.PartitionsPerTopicMax)+" partitions.")
	}
	return topic, result{}
}

// factorOf is the number of replicas each new partition gets: that of the first one.
func factorOf(topic *metadata.Topic) int {
	first := topic.Partition(0)
	// A topic comes into being with its partitions, in one batch.
	if first == nil {
		invariant.Violated("controller.topic-has-partitions", "topic=%s", topic.Name)
	}
	return len(first.Replicas)
}

// placeByHand validates the assignments of the new partitions.
func (g *growth) placeByHand(t GrowTopic, s span, factor int) (placement, result) {
	if len(t.Assignments) != int(s.count) {
		return placement{}, refuse(kafka.InvalidReplicaAssignment, fmt.Sprintf(
			"Attempted to add %d additional partition(s), but only %d assignment(s) were specified.",
			s.count, len(t.Assignments)))
	}
	out := placement{replicas: make([][]kafka.BrokerID, len(t.Assignments))}
	for i, brokers := range t.Assignments {
		a := Assignment{Partition: s.first + int32(i), Brokers: brokers}
		if r := g.checkReplicas(a, factor); !r.ok() {
			return placement{}, r
		}
		out.replicas[i] = slices.Clone(brokers)
	}
	return out, result{}
}
