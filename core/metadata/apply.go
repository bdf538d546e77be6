package metadata

import (
	"slices"
	"strconv"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// # How an Image shares structure
//
// The trees are copied by reference and copy a node when it is first written. Topics and
// their partition pages carry the generation of the image they were made for: the edit
// that makes generation g may write in place what carries g, and copies everything else
// before the first write. What carries g can only be reached from images made by that
// edit or later, so nobody who holds an older image sees a write. Changing one partition
// of ten thousand copies one page, one list of pages and two paths in trees.

// Apply returns the image after the records of one batch, whose first offset is base.
// Each record takes one offset. The receiver is unchanged. Records come from a decision
// or from the log after decoding; one that contradicts the image is our own mistake and
// violates an invariant.
func (m *Image) Apply(base kafka.Offset, records []Record) *Image {
	// A gap or an overlap would make the image something else than the fold of the log.
	// Control batches take offsets without records, so a gap alone is legal.
	if base < m.end {
		invariant.Violated("metadata.apply-in-order", "base=%d end=%d", base, m.end)
	}
	next := *m
	e := edit{Image: &next}
	next.generation++
	next.end = base + kafka.Offset(len(records))
	next.applied, next.touched = len(records), touched{}
	next.byName, next.byID = m.byName.Copy(), m.byID.Copy()
	next.collisions, next.brokers, next.configs = m.collisions.Copy(), m.brokers.Copy(), m.configs.Copy()
	for _, r := range records {
		e.apply(r)
	}
	return e.Image
}

// edit is an image under construction.
type edit struct{ *Image }

func (e edit) apply(r Record) {
	switch r := r.(type) {
	case *ClusterRecord:
		e.cluster(r)
	case *FeatureLevelRecord:
		level := strconv.Itoa(int(r.Level))
		e.features = e.features.With(r.Name, &level)
	case *RegisterBrokerRecord:
		e.registerBroker(r)
	case *TopicRecord:
		e.createTopic(r)
	case *PartitionRecord:
		e.createPartition(r)
	case *PartitionChangeRecord:
		e.changePartition(r)
	case *RemoveTopicRecord:
		e.removeTopic(r)
	case *ConfigRecord:
		e.setConfig(r)
	case *ProducerIDsRecord:
		e.producerIDs(r)
	// A record that is skipped would make this image another one than its neighbours'.
	default:
		invariant.Violated("metadata.record-known", "%T", r)
	}
}

func (e edit) cluster(r *ClusterRecord) {
	// A second cluster id would mean that two clusters' logs were mixed.
	if e.clusterID != "" && e.clusterID != r.ClusterID {
		invariant.Violated("metadata.cluster-id-fixed", "was=%s now=%s", e.clusterID, r.ClusterID)
	}
	e.clusterID = r.ClusterID
}

func (e edit) registerBroker(r *RegisterBrokerRecord) {
	old := e.Broker(r.ID)
	// R10 for brokers: an epoch that did not rise could not fence the incarnation before.
	if old != nil && (r.Epoch < old.Epoch || r.Epoch == old.Epoch && r.Incarnation != old.Incarnation) {
		invariant.Violated("metadata.broker-epoch-rises", "broker=%d was=%d now=%d", r.ID, old.Epoch, r.Epoch)
	}
	e.brokers.Set(r.ID, &Broker{
		ID: r.ID, Epoch: r.Epoch, Incarnation: r.Incarnation, Fenced: r.Fenced,
		Rack: r.Rack, Listeners: r.Listeners,
	})
	e.touched.broker(r.ID)
}

func (e edit) createTopic(r *TopicRecord) {
	// Two topics under one name or id could not be told apart by clients.
	if e.Topic(r.Name) != nil || e.TopicByID(r.ID) != nil || r.ID.IsZero() {
		invariant.Violated("metadata.topic-new", "topic=%s id=%s", r.Name, r.ID)
	}
	e.putTopic(&Topic{Name: r.Name, ID: r.ID, owner: e.generation})
	e.collisions.Set(kafka.CollisionKey(r.Name), r.Name)
	e.touched.topic(r.ID)
}

func (e edit) createPartition(r *PartitionRecord) {
	t := e.ownTopic(r.TopicID)
	// Partitions are numbered without gaps; a hole would be a partition nobody leads.
	if r.Partition != t.count {
		invariant.Violated("metadata.partition-next", "topic=%s partition=%d count=%d",
			t.Name, r.Partition, t.count)
	}
	p := &Partition{
		Leader: r.Leader, LeaderEpoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch,
		Replicas: r.Replicas, ISR: r.ISR,
	}
	checkShape(t, r.Partition, p)
	t.count++
	e.partitions++
	e.setPartition(t, r.Partition, p)
}

func (e edit) changePartition(r *PartitionChangeRecord) {
	t := e.ownTopic(r.TopicID)
	old := t.Partition(r.Partition)
	// A change of a partition that is not there was decided on another state than this one.
	if old == nil {
		invariant.Violated("metadata.partition-known", "topic=%s partition=%d", t.Name, r.Partition)
	}
	p := &Partition{
		Leader: r.Leader, LeaderEpoch: r.LeaderEpoch, PartitionEpoch: r.PartitionEpoch,
		Replicas: old.Replicas, ISR: r.ISR,
	}
	checkShape(t, r.Partition, p)
	checkEpochs(t, r.Partition, old, p)
	e.setPartition(t, r.Partition, p)
}

// checkShape is invariant R9 as far as one state shows it.
func checkShape(t *Topic, i int32, p *Partition) {
	// R9: a member of the ISR that is no replica would be counted for acks it never gives.
	for _, b := range p.ISR {
		if !p.HasReplica(b) {
			invariant.Violated("metadata.isr-within-replicas", "%s-%d isr=%v replicas=%v",
				t.Name, i, p.ISR, p.Replicas)
		}
	}
	// R9: a leader outside the ISR may lack committed records; an empty ISR has no leader.
	if p.Leader != NoLeader && !slices.Contains(p.ISR, p.Leader) {
		invariant.Violated("metadata.leader-in-isr", "%s-%d leader=%d isr=%v", t.Name, i, p.Leader, p.ISR)
	}
}

// checkEpochs is invariant R10.
func checkEpochs(t *Topic, i int32, old, p *Partition) {
	// R10: proposals are compared by partition epoch; a step of two would hide a change.
	if p.PartitionEpoch != old.PartitionEpoch+1 {
		invariant.Violated("metadata.partition-epoch-by-one", "%s-%d was=%d now=%d",
			t.Name, i, old.PartitionEpoch, p.PartitionEpoch)
	}
	// R10: a leader epoch that fell, or stayed while the leader changed, would let two
	// leaders write under one epoch.
	if p.LeaderEpoch < old.LeaderEpoch || p.LeaderEpoch == old.LeaderEpoch && p.Leader != old.Leader {
		invariant.Violated("metadata.leader-epoch-rises", "%s-%d leader=%d->%d epoch=%d->%d",
			t.Name, i, old.Leader, p.Leader, old.LeaderEpoch, p.LeaderEpoch)
	}
}

func (e edit) removeTopic(r *RemoveTopicRecord) {
	t := e.mustTopic(r.ID)
	e.byName.Delete(t.Name)
	bucket, _ := e.byID.Get(idKey(t.ID))
	bucket = slices.DeleteFunc(slices.Clone(bucket), func(o *Topic) bool { return o.ID == t.ID })
	if len(bucket) == 0 {
		e.byID.Delete(idKey(t.ID))
	} else {
		e.byID.Set(idKey(t.ID), bucket)
	}
	if e.CollidesWith(t.Name) == t.Name {
		e.collisions.Delete(kafka.CollisionKey(t.Name))
	}
	e.partitions -= int(t.count)
	e.touched.topic(t.ID)
	e.touched.config(Resource{Type: ResourceTopic, Name: t.Name})
}

func (e edit) setConfig(r *ConfigRecord) {
	switch r.Resource.Type {
	case ResourceTopic:
		named := e.Topic(r.Resource.Name)
		// A setting of a topic that is not there would come to life with the next of that name.
		if named == nil {
			invariant.Violated("metadata.config-topic-known", "topic=%s key=%s", r.Resource.Name, r.Key)
		}
		t := e.ownTopic(named.ID)
		t.Configs = t.Configs.With(r.Key, r.Value)
	case ResourceBroker:
		c, _ := e.configs.Get(r.Resource.Name)
		if c = c.With(r.Key, r.Value); len(c) == 0 {
			e.configs.Delete(r.Resource.Name)
		} else {
			e.configs.Set(r.Resource.Name, c)
		}
	// A setting kept under an unknown kind of resource would never take effect.
	default:
		invariant.Violated("metadata.config-resource-known", "type=%d name=%q",
			r.Resource.Type, r.Resource.Name)
	}
	e.touched.config(r.Resource)
}

func (e edit) producerIDs(r *ProducerIDsRecord) {
	// Q15: a block that does not rise would hand an id out twice.
	if r.Next <= e.nextProducerID {
		invariant.Violated("metadata.producer-ids-rise", "was=%d now=%d", e.nextProducerID, r.Next)
	}
	e.nextProducerID = r.Next
}

func (e edit) mustTopic(id kafka.TopicID) *Topic {
	t := e.TopicByID(id)
	// A record about a topic that is not there was decided on another state than this one.
	if t == nil {
		invariant.Violated("metadata.topic-known", "id=%s", id)
	}
	return t
}

// ownTopic returns the topic such that this edit may write its struct and page list.
func (e edit) ownTopic(id kafka.TopicID) *Topic {
	t := e.mustTopic(id)
	if t.owner == e.generation {
		return t
	}
	own := *t
	own.owner = e.generation
	own.pages = slices.Clone(t.pages)
	e.putTopic(&own)
	return &own
}

func (e edit) putTopic(t *Topic) {
	e.byName.Set(t.Name, t)
	bucket, _ := e.byID.Get(idKey(t.ID))
	if len(bucket) == 0 || len(bucket) == 1 && bucket[0].ID == t.ID {
		e.byID.Set(idKey(t.ID), []*Topic{t})
		return
	}
	bucket = slices.DeleteFunc(slices.Clone(bucket), func(o *Topic) bool { return o.ID == t.ID })
	e.byID.Set(idKey(t.ID), append(bucket, t))
}

// setPartition writes partition i of a topic this edit owns.
func (e edit) setPartition(t *Topic, i int32, p *Partition) {
	n := int(i) / partitionPageSize
	switch {
	case n == len(t.pages):
		t.pages = append(t.pages, &partitionPage{owner: e.generation})
	case t.pages[n].owner != e.generation:
		page := *t.pages[n]
		page.owner = e.generation
		t.pages[n] = &page
	}
	t.pages[n].slots[i%partitionPageSize] = p
	e.touched.partition(t.ID, i)
}
