package controller

import (
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// FeatureMetadata is the feature whose level says which record versions may be written.
const FeatureMetadata = "metadata.version"

// FeatureMetadataLevel is the level a new cluster starts at.
const FeatureMetadataLevel int16 = 1

// FormatCluster decides the first records of a metadata log, or none if it has them.
func (c *Controller) FormatCluster(req FormatCluster) Decision[ClusterFormatted] {
	switch have := c.Image().ClusterID(); {
	case have != "" && req.ClusterID != "" && have != req.ClusterID:
		return Decision[ClusterFormatted]{Answer: ClusterFormatted{
			Code:      kafka.InconsistentClusterID,
			Message:   fmt.Sprintf("The metadata log belongs to cluster %s, not to %s.", have, req.ClusterID),
			ClusterID: have,
		}}
	case have != "":
		return Decision[ClusterFormatted]{Answer: ClusterFormatted{ClusterID: have}}
	case req.ClusterID == "":
		return Decision[ClusterFormatted]{Answer: ClusterFormatted{
			Code: kafka.InvalidRequest, Message: "A new cluster needs an id.",
		}}
	}
	return Decision[ClusterFormatted]{
		Records: []metadata.Record{
			&metadata.ClusterRecord{ClusterID: req.ClusterID},
			&metadata.FeatureLevelRecord{Name: FeatureMetadata, Level: FeatureMetadataLevel},
		},
		Answer: ClusterFormatted{ClusterID: req.ClusterID},
	}
}

// RegisterBroker decides on the registration of a broker. A new incarnation gets a new
// epoch and is removed from leadership first: every partition it led gets a higher leader
// epoch in the same batch (R-INCARNATION, R-ELECT), even where it becomes leader again.
// The same incarnation asking again keeps its epoch.
//
// A restart is taken as no loss event here: the only replica holds what it holds. With
// followers the registration will have to prove it or leave the ISR.
func (c *Controller) RegisterBroker(req RegisterBroker) Decision[BrokerRegistered] {
	m := c.Image()
	old := m.Broker(req.ID)
	if r := checkRegistration(m, old, req); !r.ok() {
		return Decision[BrokerRegistered]{Answer: BrokerRegistered{Code: r.code, Message: r.message}}
	}
	record := &metadata.RegisterBrokerRecord{
		ID: req.ID, Epoch: kafka.BrokerEpoch(m.End()), Incarnation: req.Incarnation,
		Rack: req.Rack, Listeners: slices.Clone(req.Listeners),
	}
	if old != nil && old.Incarnation == req.Incarnation {
		return registerAgain(old, record)
	}
	records := append([]metadata.Record{record}, electAfterRestart(m, req.ID)...)
	return Decision[BrokerRegistered]{
		Records: records,
		Answer:  BrokerRegistered{Epoch: record.Epoch, Partitions: len(records) - 1},
	}
}

// registerAgain answers a repeated request, whose first answer may have been lost.
func registerAgain(old *metadata.Broker, record *metadata.RegisterBrokerRecord) Decision[BrokerRegistered] {
	record.Epoch = old.Epoch
	d := Decision[BrokerRegistered]{Answer: BrokerRegistered{Epoch: old.Epoch}}
	if old.Fenced || old.Rack != record.Rack || !slices.Equal(old.Listeners, record.Listeners) {
		d.Records = []metadata.Record{record}
	}
	return d
}

func checkRegistration(m *metadata.Image, old *metadata.Broker, req RegisterBroker) result {
	switch {
	case req.ID < 0:
		return refuse(kafka.InvalidRequest, fmt.Sprintf("Broker id %d is negative.", req.ID))
	case req.Incarnation == metadata.IncarnationID{}:
		return refuse(kafka.InvalidRequest, "The incarnation id is zero.")
	case req.ClusterID != "" && req.ClusterID != m.ClusterID():
		return refuse(kafka.InconsistentClusterID,
			fmt.Sprintf("Expected cluster id %s, but got %s.", m.ClusterID(), req.ClusterID))
	case old != nil && old.Incarnation != req.Incarnation && !old.Fenced && !req.PreviousEnded:
		return refuse(kafka.DuplicateBrokerRegistration,
			fmt.Sprintf("Another broker is registered with that broker id: %d.", req.ID))
	}
	return checkListeners(req.Listeners)
}

func checkListeners(listeners []metadata.Listener) result {
	if len(listeners) == 0 || len(listeners) > metadata.ListenersMax {
		return refuse(kafka.InvalidRequest,
			fmt.Sprintf("A broker announces 1 to %d listeners, not %d.",
				metadata.ListenersMax, len(listeners)))
	}
	for i, l := range listeners {
		same := func(o metadata.Listener) bool { return o.Name == l.Name }
		if l.Name == "" || slices.ContainsFunc(listeners[:i], same) {
			return refuse(kafka.InvalidRequest,
				fmt.Sprintf("Listener name %q is empty or given twice.", l.Name))
		}
	}
	return result{}
}

// electAfterRestart gives every partition that the broker led a new leader epoch. Another
// live member of the ISR is preferred, for the restarted broker has yet to load. Where
// there was no leader and the broker is in the ISR, it becomes leader.
func electAfterRestart(m *metadata.Image, restarted kafka.BrokerID) []metadata.Record {
	var records []metadata.Record
	for t := range m.Topics() {
		for i, p := range t.Partitions() {
			if p.Leader != restarted && p.Leader != metadata.NoLeader || !slices.Contains(p.ISR, restarted) {
				continue
			}
			records = append(records, &metadata.PartitionChangeRecord{
				TopicID: t.ID, Partition: i, Leader: electFromISR(m, p, restarted),
				LeaderEpoch: p.LeaderEpoch + 1, PartitionEpoch: p.PartitionEpoch + 1, ISR: p.ISR,
			})
		}
	}
	return records
}

// electFromISR picks the first replica, in order of preference, that is in the ISR and
// alive; the restarted broker only if there is no other.
func electFromISR(m *metadata.Image, p *metadata.Partition, restarted kafka.BrokerID) kafka.BrokerID {
	for _, id := range p.Replicas {
		b := m.Broker(id)
		if id != restarted && b != nil && !b.Fenced && slices.Contains(p.ISR, id) {
			return id
		}
	}
	return restarted
}
