package controller

import (
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// AlterPartition decides on the ISRs that a leader proposes (R-ISR): compare and set on
// leader epoch and partition epoch. Each partition is changed or refused on its own.
//
// A proposal of the ISR as it is gets a new partition epoch like any other. The leader
// withdraws an older proposal with it, which must not be accepted afterwards
// (docs/decisions/0007-a-proposed-member-counts-until-the-epoch-moves.md).
func (c *Controller) AlterPartition(req AlterPartition) Decision[PartitionsAltered] {
	m := c.Image()
	r := checkBrokerEpoch(m, req.Broker, req.Epoch)
	if !r.ok() {
		return Decision[PartitionsAltered]{Answer: PartitionsAltered{Code: r.code, Message: r.message}}
	}
	a := isrChanges{image: m, leader: req.Broker, changed: map[partitionKey]bool{}}
	rows := make([]PartitionAltered, len(req.Partitions))
	for i := range req.Partitions {
		rows[i] = a.alter(&req.Partitions[i])
	}
	return Decision[PartitionsAltered]{Records: a.records, Answer: PartitionsAltered{Partitions: rows}}
}

type partitionKey struct {
	topic     kafka.TopicID
	partition int32
}

// isrChanges is one AlterPartition request under way.
type isrChanges struct {
	image   *metadata.Image
	leader  kafka.BrokerID // who asks
	changed map[partitionKey]bool
	weight  int
	records []metadata.Record
}

func (a *isrChanges) alter(p *ProposeISR) PartitionAltered {
	row := PartitionAltered{TopicID: p.TopicID, Partition: p.Partition}
	old, r := a.find(p)
	if r.ok() {
		r = a.compare(p, old)
	}
	if r.ok() {
		r = a.checkMembers(p, old)
	}
	if r.ok() {
		r = a.grow(p)
	}
	if !r.ok() {
		row.Code, row.Message = r.code, r.message
		return row
	}
	isr := make([]kafka.BrokerID, len(p.ISR))
	for i, member := range p.ISR {
		isr[i] = member.ID
	}
	row.Leader, row.LeaderEpoch = old.Leader, old.LeaderEpoch
	row.PartitionEpoch, row.ISR = old.PartitionEpoch+1, isr
	a.changed[partitionKey{p.TopicID, p.Partition}] = true
	a.records = append(a.records, &metadata.PartitionChangeRecord{
		TopicID: p.TopicID, Partition: p.Partition, Leader: row.Leader,
		LeaderEpoch: row.LeaderEpoch, PartitionEpoch: row.PartitionEpoch, ISR: isr,
	})
	return row
}

func (a *isrChanges) find(p *ProposeISR) (*metadata.Partition, result) {
	t := a.image.TopicByID(p.TopicID)
	if t == nil {
		return nil, refuse(kafka.UnknownTopicID, "This server does not host this topic ID.")
	}
	old := t.Partition(p.Partition)
	if old == nil {
		return nil, refuse(kafka.UnknownTopicOrPartition, "This server does not host this topic-partition.")
	}
	return old, result{}
}

// compare refuses what was not proposed by the leader of the partition as it is.
func (a *isrChanges) compare(p *ProposeISR, old *metadata.Partition) result {
	switch {
	case p.LeaderEpoch > old.LeaderEpoch || p.PartitionEpoch > old.PartitionEpoch:
		// The leader has learned of a change that is not in this log: another controller made it.
		return refuse(kafka.NotController,
			"The leader knows of a newer state of the partition than this controller.")
	case p.LeaderEpoch < old.LeaderEpoch:
		return refuse(kafka.FencedLeaderEpoch,
			fmt.Sprintf("Expected leader epoch %d, but got %d.", old.LeaderEpoch, p.LeaderEpoch))
	case a.leader != old.Leader:
		return refuse(kafka.InvalidRequest, fmt.Sprintf("The leader is %d, not %d.", old.Leader, a.leader))
	// Of two proposals in one request the first that is accepted moves the epoch.
	case p.PartitionEpoch < old.PartitionEpoch || a.changed[partitionKey{p.TopicID, p.Partition}]:
		return refuse(kafka.InvalidUpdateVersion, "The partition epoch has moved since the proposal.")
	}
	return result{}
}

// checkMembers refuses an ISR that can never be, then one that cannot be now: a member is
// registered under the epoch that the leader knows it by (KIP-903), and not fenced.
func (a *isrChanges) checkMembers(p *ProposeISR, old *metadata.Partition) result {
	led := false
	for i, member := range p.ISR {
		same := func(o ISRMember) bool { return o.ID == member.ID }
		if !old.HasReplica(member.ID) || slices.ContainsFunc(p.ISR[:i], same) {
			return refuse(kafka.InvalidRequest,
				fmt.Sprintf("Broker %d is no replica of the partition, or stands in the ISR twice.", member.ID))
		}
		led = led || member.ID == a.leader
	}
	if !led {
		return refuse(kafka.InvalidRequest, "The leader is not in the ISR that it proposes.")
	}
	for _, member := range p.ISR {
		if r := a.checkEligible(member); !r.ok() {
			return r
		}
	}
	return result{}
}

func (a *isrChanges) checkEligible(member ISRMember) result {
	b := a.image.Broker(member.ID)
	switch {
	case b == nil:
		return refuse(kafka.IneligibleReplica, fmt.Sprintf("Broker %d is not registered.", member.ID))
	case b.Epoch != member.Epoch:
		return refuse(kafka.IneligibleReplica, fmt.Sprintf(
			"Broker %d is registered with epoch %d, not %d.", member.ID, b.Epoch, member.Epoch))
	case b.Fenced:
		return refuse(kafka.IneligibleReplica, fmt.Sprintf("Broker %d is fenced.", member.ID))
	}
	return result{}
}

// grow counts the record of p against what fits one decision. Its ISR was checked, so it
// has no more members than the partition has replicas.
func (a *isrChanges) grow(p *ProposeISR) result {
	weight := recordWeight + 5*len(p.ISR)
	if a.weight+weight > DecisionWeightMax {
		return refuse(kafka.RequestTimedOut,
			"The request as a whole makes too many metadata records; propose again.")
	}
	a.weight += weight
	return result{}
}
