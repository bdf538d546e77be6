package api

import (
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
)

// Topic is a topic of the committed metadata as the handlers need it at every request:
// found by one map look-up, with its effective configuration parsed.
type Topic struct {
	Meta     *metadata.Topic
	Internal bool
	Config   TopicConfig
	// parts are the partitions held here, nil where another broker has them or where the
	// log could not be made.
	parts []*Partition
	self  kafka.BrokerID
}

// TopicConfig are the effective settings that produce looks at.
type TopicConfig struct {
	MaxMessageBytes int
	SegmentBytes    int64
	MinISR          int
	Compact         bool
	Delete          bool // the cleanup policy lets records be deleted
	LogAppendTime   bool
	// Recompress tells that batches are stored in Compression, whatever they came in.
	Recompress  bool
	Compression record.Compression

	BeforeMax int64 // milliseconds a timestamp may lie in the past
	AfterMax  int64 // milliseconds a timestamp may lie in the future
}

// PutTopic makes a topic known, or replaces what is known of it; its partitions stay.
func (s *Server) PutTopic(meta *metadata.Topic, cfg TopicConfig) *Topic {
	t := s.ids[meta.ID]
	if t == nil {
		t = &Topic{Internal: kafka.IsInternal(meta.Name), self: s.cfg.NodeID}
		s.ids[meta.ID] = t
		s.names[meta.Name] = t
	}
	t.Meta, t.Config = meta, cfg
	for int32(len(t.parts)) < meta.PartitionCount() {
		t.parts = append(t.parts, nil)
	}
	return t
}

// RemoveTopic forgets a topic and answers those who wait for it.
func (s *Server) RemoveTopic(id kafka.TopicID) *Topic {
	t := s.ids[id]
	if t == nil {
		return nil
	}
	delete(s.ids, id)
	// A topic made again under the name may be known already.
	if s.names[t.Meta.Name] == t {
		delete(s.names, t.Meta.Name)
	}
	for _, p := range t.parts {
		if p != nil {
			p.Deleted()
		}
	}
	return t
}

// Topic finds a known topic by id.
func (s *Server) Topic(id kafka.TopicID) *Topic { return s.ids[id] }

// Serve puts a partition in its place.
func (t *Topic) Serve(p *Partition) { t.parts[p.TP.Partition] = p }

// Partition is a partition held here, or nil.
func (t *Topic) Partition(i int32) *Partition {
	if i < 0 || int(i) >= len(t.parts) {
		return nil
	}
	return t.parts[i]
}

// SetImage gives the committed metadata that descriptions are answered from.
func (s *Server) SetImage(image *metadata.Image) { s.image = image }

// Image is the committed metadata.
func (s *Server) Image() *metadata.Image { return s.image }

// find resolves what a request names, by id from the version on that has ids, by name
// before. For an unknown topic it answers the code of that version.
func (s *Server) find(byID bool, name string, id kafka.TopicID) (*Topic, kafka.ErrorCode) {
	if byID {
		if t := s.ids[id]; t != nil {
			return t, kafka.None
		}
		return nil, kafka.UnknownTopicID
	}
	if t := s.names[name]; t != nil {
		return t, kafka.None
	}
	return nil, kafka.UnknownTopicOrPartition
}

// partition resolves a partition of a topic: 3 if the metadata has none of that number, 6
// if another broker leads it, 56 if this one should and has no log for it.
func (t *Topic) partition(i int32) (*Partition, kafka.ErrorCode) {
	switch {
	case i < 0 || i >= t.Meta.PartitionCount():
		return nil, kafka.UnknownTopicOrPartition
	case t.parts[i] != nil:
		return t.parts[i], kafka.None
	case t.Meta.Partition(i).Leader == t.self:
		return nil, kafka.KafkaStorageError
	}
	return nil, kafka.NotLeaderOrFollower
}

// hint tells who leads a partition by the committed metadata, nil if nobody is known: the
// protocol leaves out what has its default, -1.
func (t *Topic) hint(i int32) *leaderHint {
	if m := t.Meta.Partition(i); m != nil && m.Leader != metadata.NoLeader {
		return &leaderHint{m.Leader, m.LeaderEpoch}
	}
	return nil
}

// nodesFor lists the addresses of the leaders named in hints, each once, for the listener
// a client came in on.
func (s *Server) nodesFor(hints []leaderHint, listener string) []node {
	var nodes []node
next:
	for _, h := range hints {
		for _, n := range nodes {
			if n.id == h.leader {
				continue next
			}
		}
		if n, ok := s.nodeAt(h.leader, listener); ok {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// nodeAt is the address of a live broker on a listener.
func (s *Server) nodeAt(id kafka.BrokerID, listener string) (node, bool) {
	b := s.image.Broker(id)
	if b == nil || b.Fenced {
		return node{}, false
	}
	l, ok := b.Listener(listener)
	return node{id, l.Host, l.Port, b.Rack}, ok
}
