package controller

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// placement is where the partitions of a new topic go: replicas[p][0] is the preferred
// leader of partition p.
type placement struct {
	replicas [][]kafka.BrokerID
}

// place spreads partitions over brokers in turn. Brokers are in ascending order, none
// fenced. The leaders of consecutive partitions are consecutive brokers, starting at a
// broker that the topic's id decides, so that small topics do not all start at the first.
// Followers come after the leader at a distance that grows each time the leaders have
// gone round: when a broker dies, its leaders' followers are not all on one other broker.
// Racks are not considered yet.
func place(brokers []kafka.BrokerID, partitions int32, replicas int, start uint64) placement {
	n := len(brokers)
	first := int(start % uint64(n))
	out := placement{replicas: make([][]kafka.BrokerID, partitions)}
	for p := range int(partitions) {
		leader := (first + p) % n
		list := make([]kafka.BrokerID, 0, replicas)
		list = append(list, brokers[leader])
		for j := range replicas - 1 {
			distance := 1 + (p/n+j)%(n-1)
			list = append(list, brokers[(leader+distance)%n])
		}
		out.replicas[p] = list
	}
	return out
}

// startOf is where the placement of a topic begins.
func startOf(id kafka.TopicID) uint64 { return binary.BigEndian.Uint64(id[8:]) }

// placeByCounts validates the counts of a request and chooses brokers.
func (b *topicBatch) placeByCounts(t CreateTopic, id kafka.TopicID) (placement, result) {
	partitions, factor := t.Partitions, t.ReplicationFactor
	if partitions == -1 {
		partitions = b.defaultPartitions
	}
	if factor == -1 {
		factor = b.defaultFactor
	}
	switch {
	case factor <= 0:
		return placement{}, refuse(kafka.InvalidReplicationFactor,
			"Replication factor was set to an invalid non-positive value.")
	case partitions <= 0:
		return placement{}, refuse(kafka.InvalidPartitions,
			"Number of partitions was set to an invalid non-positive value.")
	case b.registered > 0 && len(b.alive) == 0:
		return placement{}, refuse(kafka.InvalidReplicationFactor, "All brokers are currently fenced.")
	case int(factor) > min(len(b.alive), metadata.ReplicasMax):
		return placement{}, refuse(kafka.InvalidReplicationFactor, fmt.Sprintf(
			"Unable to replicate the partition %d time(s): The target replication factor of %d cannot be "+
				"reached because only %d broker(s) are registered%s.", factor, factor, len(b.alive), b.andNotFenced()))
	}
	return place(b.alive, partitions, int(factor), startOf(id)), result{}
}

// placeByHand validates the assignments of a request.
func (b *topicBatch) placeByHand(t CreateTopic) (placement, result) {
	switch {
	case t.ReplicationFactor != -1:
		return placement{}, refuse(kafka.InvalidRequest,
			"A manual partition assignment was specified, but replication factor was not set to -1.")
	case t.Partitions != -1:
		return placement{}, refuse(kafka.InvalidRequest,
			"A manual partition assignment was specified, but numPartitions was not set to -1.")
	}
	out := placement{replicas: make([][]kafka.BrokerID, len(t.Assignments))}
	for _, a := range t.Assignments {
		if a.Partition < 0 || int(a.Partition) >= len(out.replicas) {
			return placement{}, refuse(kafka.InvalidReplicaAssignment,
				"partitions should be a consecutive 0-based integer sequence.")
		}
		if out.replicas[a.Partition] != nil {
			return placement{}, refuse(kafka.InvalidReplicaAssignment,
				fmt.Sprintf("Found multiple manual partition assignments for partition %d.", a.Partition))
		}
		if r := b.checkReplicas(a, len(t.Assignments[0].Brokers)); !r.ok() {
			return placement{}, r
		}
		out.replicas[a.Partition] = slices.Clone(a.Brokers)
	}
	return out, result{}
}

// checkReplicas validates one partition placed by hand; the first of the request has
// size replicas.
func (b *topicBatch) checkReplicas(a Assignment, size int) result {
	if len(a.Brokers) == 0 {
		return refuse(kafka.InvalidReplicaAssignment,
			"The manual partition assignment includes an empty replica list.")
	}
	for i, id := range a.Brokers {
		switch {
		case i >= metadata.ReplicasMax:
			return refuse(kafka.InvalidReplicaAssignment, fmt.Sprintf(
				"The manual partition assignment includes more than %d replicas.", metadata.ReplicasMax))
		case b.image.Broker(id) == nil:
			return refuse(kafka.InvalidReplicaAssignment, fmt.Sprintf(
				"The manual partition assignment includes broker %d, but no such broker is registered.", id))
		case slices.Contains(a.Brokers[:i], id):
			return refuse(kafka.InvalidReplicaAssignment, fmt.Sprintf(
				"The manual partition assignment includes the broker %d more than once.", id))
		}
	}
	if len(a.Brokers) != size {
		return refuse(kafka.InvalidReplicaAssignment, fmt.Sprintf(
			"The manual partition assignment includes a partition with %d replica(s), but this is not "+
				"consistent with previous partitions, which have %d replica(s).", len(a.Brokers), size))
	}
	if !slices.ContainsFunc(a.Brokers, b.isAlive) {
		return refuse(kafka.InvalidReplicaAssignment, fmt.Sprintf(
			"All brokers specified in the manual partition assignment for partition %d are fenced or in "+
				"controlled shutdown.", a.Partition))
	}
	return result{}
}

// andNotFenced completes Kafka's sentence where it would count wrong.
func (b *topicBatch) andNotFenced() string {
	if len(b.alive) < b.registered {
		return " and not fenced"
	}
	return ""
}

func (b *topicBatch) isAlive(id kafka.BrokerID) bool {
	_, found := slices.BinarySearch(b.alive, id)
	return found
}
