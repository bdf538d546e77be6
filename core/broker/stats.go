package broker

import (
	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// Stats is a copy of what this broker counts and holds. Counts are since the start.
type Stats struct {
	Ready   bool
	Failure error
	Cluster string
	Epoch   kafka.BrokerEpoch

	Loop  Counters
	Conns int // open now
	API   api.Counters

	FetchSessions          int
	FetchSessionPartitions int

	Dirs []DirStats

	Topics            int
	Partitions        int // held here
	PartitionsLed     int
	PartitionsOffline int // that should be here, and cannot be served
	PerTopic          []TopicStats
}

// DirStats are the numbers of one log directory.
type DirStats struct {
	Path string
	Err  error // why it is offline, nil while it works
	log.Stats
	Recovery DirRecovery
}

// TopicStats are the numbers of one topic's partitions held here.
type TopicStats struct {
	Name       string
	Partitions int
	Bytes      int64
	api.PartitionCounters
}

// Stats gathers everything, and the numbers per topic of the first topicsMax topics by
// name. It looks at every partition, so it is for somebody who asks now and then.
func (b *Broker) Stats(topicsMax int) *Stats {
	s := &Stats{
		Ready: b.ready && !b.leaving, Failure: b.failure, Cluster: b.ClusterID(), Epoch: b.epoch,
		Loop: b.counters, Conns: len(b.conns), API: b.api.Counters,
	}
	s.FetchSessions, s.FetchSessionPartitions = b.api.FetchSessions()
	recoveries := b.Recoveries()
	for i, d := range b.dirs {
		s.Dirs = append(s.Dirs, DirStats{d.path, d.Err(), d.Stats(), recoveries[i]})
	}
	image := b.api.Image()
	for meta := range image.Topics() {
		s.Topics++
		topic := b.statsOf(s, meta)
		if len(s.PerTopic) < topicsMax {
			s.PerTopic = append(s.PerTopic, topic)
		}
	}
	return s
}

// statsOf adds a topic's partitions to the sums.
func (b *Broker) statsOf(s *Stats, meta *metadata.Topic) TopicStats {
	out := TopicStats{Name: meta.Name}
	t := b.api.Topic(meta.ID)
	for i := range meta.PartitionCount() {
		if !meta.Partition(i).HasReplica(b.cfg.NodeID) {
			continue
		}
		var p *api.Partition
		if t != nil {
			p = t.Partition(i)
		}
		if p == nil || p.Log.Err() != nil {
			s.PartitionsOffline++
			if p == nil {
				continue
			}
		}
		s.Partitions++
		if _, leads := p.Leads(); leads {
			s.PartitionsLed++
		}
		out.Partitions++
		out.Bytes += p.Log.Size()
		out.ProducedRecords += p.Counters.ProducedRecords
		out.ProducedBytes += p.Counters.ProducedBytes
		out.FetchedBytes += p.Counters.FetchedBytes
	}
	return out
}
