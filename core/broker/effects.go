package broker

import (
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// carryOut acts on what a log directory reports.
func (b *Broker) carryOut(d *directory, eff *log.Effects) {
	if eff == nil {
		return
	}
	for _, l := range eff.Durable {
		if l == b.metalog {
			b.metadataDurable()
		} else if p := b.partition(l); p != nil {
			p.Durable(l.DurableEnd())
			p.Committed(committed(p))
			b.look(p)
		}
	}
	for _, l := range eff.Started {
		if p := b.partition(l); p != nil {
			p.Started()
		}
	}
	for _, r := range eff.Reads {
		b.api.ReadDone(r)
	}
	if eff.Space && b.cfg.SpaceChanged != nil {
		b.cfg.SpaceChanged(d.path, d.Tight(), d.FreeBytes())
	}
	if eff.Failed != nil {
		b.dirFailed(d, eff.Failed)
	}
}

// committed is the commit rule of a partition with one replica: what the leader would find
// again is what all would.
func committed(p *api.Partition) kafka.Offset { return p.Log.DurableEnd() }

// partition finds what serves a log.
func (b *Broker) partition(l *log.Log) *api.Partition {
	t := b.api.Topic(l.ID())
	if t == nil {
		return nil
	}
	if p := t.Partition(l.TP().Partition); p != nil && p.Log == l {
		return p
	}
	return nil
}

// metadataDurable acts on newly committed metadata, and only then lets the replies go: who
// is told that a topic exists finds it served.
func (b *Broker) metadataDurable() {
	hw := b.metalog.DurableEnd()
	b.apply(b.control.Commit(hw))
	b.release(b.runtime.HighWatermarkAdvanced(hw))
	b.metadataGrown(hw)
}

// apply does what a difference of committed images asks of this broker.
func (b *Broker) apply(delta *metadata.Delta) {
	image := delta.To
	b.api.SetImage(image)
	for _, t := range delta.TopicsDeleted {
		b.deleteTopic(t)
	}
	for i := range delta.Partitions {
		if pd := &delta.Partitions[i]; pd.After != nil {
			b.applyPartition(image, pd)
		}
	}
	b.reconfigure(image, delta.Configs)
}

// reconfigure puts changed configs in force: those of a topic in its partitions, those of
// brokers in the loop and in every topic, since any may take its default from there.
func (b *Broker) reconfigure(image *metadata.Image, changed []metadata.Resource) {
	brokers := slices.ContainsFunc(changed, func(r metadata.Resource) bool {
		return r.Type == metadata.ResourceBroker
	})
	if brokers {
		b.reconfigureAll(image)
		return
	}
	for _, r := range changed {
		if r.Type == metadata.ResourceTopic {
			b.configured(image, image.Topic(r.Name))
		}
	}
}

// reconfigureAll puts in force whatever may rest on a broker's keys.
func (b *Broker) reconfigureAll(image *metadata.Image) {
	b.settings = readSettings(b.resolver, image)
	for t := range image.Topics() {
		b.configured(image, t)
	}
	if b.cfg.Configured != nil {
		b.cfg.Configured(func(key string) string { return b.resolver.Broker(image, key).Value })
	}
}

// Config is the value of a broker key that holds now. The key must be known.
func (b *Broker) Config(key string) metadata.EffectiveConfig {
	return b.resolver.Broker(b.api.Image(), key)
}

// SetStatic puts in force what the configuration file, read again, says now. The caller keeps
// to keys that may change while a broker runs. After an error nothing has changed.
func (b *Broker) SetStatic(static map[string]string) error {
	if err := b.resolver.SetStatic(static); err != nil {
		return err
	}
	b.cfg.Static = static
	b.reconfigureAll(b.api.Image())
	return nil
}

// applyPartition makes, leads or gives up a partition.
func (b *Broker) applyPartition(image *metadata.Image, pd *metadata.PartitionDelta) {
	t := b.api.Topic(pd.Topic.ID)
	if t == nil || t.Meta != pd.Topic {
		t = b.api.PutTopic(pd.Topic, topicConfig(b.resolver, image, pd.Topic))
	}
	p := t.Partition(pd.Partition)
	if p == nil && pd.After.HasReplica(b.cfg.NodeID) {
		p = b.open(image, t, pd)
	}
	if p == nil {
		return
	}
	epoch, leads := p.Leads()
	switch {
	case pd.After.Leader != b.cfg.NodeID:
		if leads {
			p.Resign()
		}
	case b.registeredIn(image) && (!leads || epoch != pd.After.LeaderEpoch):
		p.BecomeLeader(pd.After.LeaderEpoch)
		p.Committed(committed(p))
	}
}

// registeredIn tells whether an image knows this incarnation. Before it does, no partition
// is led: the epoch it was led in before belongs to the life that ended.
func (b *Broker) registeredIn(image *metadata.Image) bool {
	self := image.Broker(b.cfg.NodeID)
	return self != nil && self.Incarnation == b.incarnation
}

// open finds or makes the log of a partition. A log that cannot be made leaves the
// partition unserved: clients are told that its directory failed.
func (b *Broker) open(image *metadata.Image, t *api.Topic, pd *metadata.PartitionDelta) *api.Partition {
	cfg := logConfig(b.resolver, image, pd.Topic)
	d, l := b.findLog(pd)
	if l != nil && l.ID().IsZero() { // it says no more whose it is: kept, and not served
		b.trace(traceDirFailed, [4]int64{int64(d.number)}, pd.TP().String()+" has lost its topic id")
		return nil
	}
	if l == nil {
		d = b.emptiest()
		made, err := d.Create(pd.TP(), pd.Topic.ID, cfg)
		if err != nil {
			b.trace(traceDirFailed, [4]int64{int64(d.number)}, err.Error())
			return nil
		}
		d.partitions++
		l = made
	} else {
		l.SetConfig(cfg)
	}
	p := api.NewPartition(api.PartitionConfig{
		ID: pd.Topic.ID, Log: l, Env: b.env, Node: b.cfg.NodeID, Offline: d.Err,
	})
	t.Serve(p)
	if l.Size() > 0 {
		b.look(p)
	}
	return p
}

// findLog looks for a partition's log in all directories. One of the same name but another
// id belongs to a topic that was deleted.
func (b *Broker) findLog(pd *metadata.PartitionDelta) (*directory, *log.Log) {
	for _, d := range b.dirs {
		l := d.Log(pd.TP())
		switch {
		case l == nil:
		case l.ID() == pd.Topic.ID || l.ID().IsZero():
			return d, l
		default:
			b.deleteLog(d, l)
		}
	}
	return nil, nil
}

// emptiest is the working directory with the fewest partitions.
func (b *Broker) emptiest() *directory {
	best := b.dirs[0]
	for _, d := range b.dirs[1:] {
		if d.Err() == nil && (best.Err() != nil || d.partitions < best.partitions) {
			best = d
		}
	}
	return best
}

// deleteTopic gives a topic up and deletes its logs.
func (b *Broker) deleteTopic(t *metadata.Topic) {
	known := b.api.RemoveTopic(t.ID)
	if known == nil {
		return
	}
	for i := range t.PartitionCount() {
		if p := known.Partition(i); p != nil {
			b.unplan(p)
		}
	}
	for _, d := range b.dirs {
		for i := range t.PartitionCount() {
			l := d.Log(kafka.TopicPartition{Topic: t.Name, Partition: i})
			if l != nil && l.ID() == t.ID {
				b.deleteLog(d, l)
			}
		}
	}
}

func (b *Broker) deleteLog(d *directory, l *log.Log) {
	d.Delete(l)
	d.partitions--
}

// configured hands the effective configuration of a topic to what heeds it.
func (b *Broker) configured(image *metadata.Image, meta *metadata.Topic) {
	t := b.api.PutTopic(meta, topicConfig(b.resolver, image, meta))
	cfg := logConfig(b.resolver, image, meta)
	for i := range meta.PartitionCount() {
		if p := t.Partition(i); p != nil {
			p.Log.SetConfig(cfg)
			b.look(p)
		}
	}
}

// dirFailed gives a log directory up: nothing in it is acknowledged any more. Without the
// metadata log the broker cannot go on at all, and says so.
func (b *Broker) dirFailed(d *directory, err error) {
	if d.failed {
		return
	}
	d.failed = true
	b.trace(traceDirFailed, [4]int64{int64(d.number)}, err.Error())
	for _, l := range d.All() {
		if p := b.partition(l); p != nil {
			p.Fail(kafka.KafkaStorageError)
		}
	}
	if d != b.dirs[0] {
		return
	}
	b.failure = fmt.Errorf("broker: log directory %s with the metadata log: %w", d.path, err)
	b.release(b.runtime.LogFailed())
	if b.cfg.Failed != nil {
		b.cfg.Failed(b.failure)
	}
}
