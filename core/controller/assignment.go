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

// weight bounds the bytes of the partitions' records from above. A replica is at most five
// bytes, and may stand in the ISR too.
func (w placement) weight() int {
	return len(w.replicas) * (recordWeight + 10*len(w.replicas[0]))
}

// fleet is the brokers as a placement sees them.
type fleet struct {
	image      *metadata.Image
	alive      []kafka.BrokerID // not fenced, ascending
	registered int
}

func newFleet(m *metadata.Image) fleet {
	f := fleet{image: m}
	for broker := range m.Brokers() {
		f.registered++
		if !broker.Fenced {
			f.alive = append(f.alive, broker.ID)
		}
	}
	return f
}

// place spreads partitions over brokers in turn. Brokers are in ascending order, none
// fenced. The leaders of consecutive partitions are consecutive brokers, starting at a
// broker that the topic's id decides, so that small topics do not all start at the first.
// Followers come after the leader at a distance that grows each time the leaders have
// gone round: when a broker dies, its leaders' followers are not all on one other broker.
// Partitions added later go on where the first ones stopped, as far as the brokers are the
// same. Racks are not considered yet.
func (f *fleet) place(s span, replicas int, start uint64) placement {
	brokers := f.alive
	n := len(brokers)
	first := int(start % uint64(n))
	out := placement{replicas: make([][]kafka.BrokerID, s.count)}
	for i := range int(s.count) {
		p := int(s.first) + i
		leader := (first + p) % n
		list := make([]kafka.BrokerID, 0, replicas)
		list = append(list, brokers[leader])
		for j := range replicas - 1 {
			distance := 1 + (p/n+j)%(n-1)
			list = append(list, brokers[(leader+distance)%n])
		}
		out.replicas[i] = list
	}
	return out
}

// span is a run of partitions of one topic.
type span struct{ first, count int32 }

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
	}
	return b.placeByCount(span{0, partitions}, int(factor), startOf(id))
}

// placeByCount chooses brokers if there are enough.
func (f *fleet) placeByCount(s span, factor int, start uint64) (placement, result) {
	switch {
	case f.registered > 0 && len(f.alive) == 0:
		return placement{}, refuse(kafka.InvalidReplicationFactor, "All brokers are currently fenced.")
	case factor > min(len(f.alive), metadata.ReplicasMax):
		return placement{}, refuse(kafka.InvalidReplicationFactor, fmt.Sprintf(
			"Unable to replicate the partition %d time(s): The target replication factor of %d cannot be "+
				"reached because only %d broker(s) are registered%s.", factor, factor, len(f.alive), f.andNotFenced()))
	}
	return f.place(s, factor, start), result{}
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

// checkReplicas validates one partition placed by hand; those before it have size replicas.
func (f *fleet) checkReplicas(a Assignment, size int) result {
	if len(a.Brokers) == 0 {
		return refuse(kafka.InvalidReplicaAssignment,
			"The manual partition assignment includes an empty replica list.")
	}
	for i, id := range a.Brokers {
		switch {
		case i >= metadata.ReplicasMax:
			return refuse(kafka.InvalidReplicaAssignment, fmt.Sprintf(
				"The manual partition assignment includes more than %d replicas.", metadata.ReplicasMax))
		case f.image.Broker(id) == nil:
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
	if !slices.ContainsFunc(a.Brokers, f.isAlive) {
		return refuse(kafka.InvalidReplicaAssignment, fmt.Sprintf(
			"All brokers specified in the manual partition assignment for partition %d are fenced or in "+
				"controlled shutdown.", a.Partition))
	}
	return result{}
}

// andNotFenced completes Kafka's sentence where it would count wrong.
func (f *fleet) andNotFenced() string {
	if len(f.alive) < f.registered {
		return " and not fenced"
	}
	return ""
}

func (f *fleet) isAlive(id kafka.BrokerID) bool {
	_, found := slices.BinarySearch(f.alive, id)
	return found
}

// partition is the record of a new partition. A fenced broker may hold a replica placed by
// hand, but joins the ISR only later.
func (f *fleet) partition(id kafka.TopicID, i int32, replicas []kafka.BrokerID) metadata.Record {
	isFenced := func(id kafka.BrokerID) bool { return !f.isAlive(id) }
	isr := slices.DeleteFunc(slices.Clone(replicas), isFenced)
	return &metadata.PartitionRecord{TopicID: id, Partition: i, Leader: isr[0], Replicas: replicas, ISR: isr}
}
