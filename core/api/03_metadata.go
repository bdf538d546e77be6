package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// Metadata (key 3) tells which brokers there are, which topics, and who leads what.
//
// Versions 0–13, flexible from 9.
//
// Behaviour:
//   - Topics null (in v0 the empty list) means all topics; the empty list from v1 on means
//     the brokers alone. v12 and later may name topics by id.
//   - Brokers come with the address of the listener the client came in on.
//   - An unknown name is created, if auto.create.topics.enable and the request (v4, before
//     always) allow it: the creation is started and the answer is
//     UNKNOWN_TOPIC_OR_PARTITION until the topic is committed; clients ask again.
//   - Only committed metadata is told, so what one client was shown no other misses.
//   - The controller is the broker asked: any broker takes every admin request.
//   - Authorized operations, if asked for, are all that there are: there is no authorizer.
//
// Added by version: v1 rack, controller, internal flag; v2 cluster id; v4 auto creation by
// choice; v5 offline replicas; v7 leader epochs (KIP-320); v8 authorized operations
// (KIP-430); v10 topic ids (KIP-516); v13 top-level error (KIP-1102).
//
// Not done: creation of internal topics.
func describeMetadata(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.MetadataRequest)
	m := &metadataReply{s: s, c: c, req: req}
	m.resp.Default()
	m.brokers()
	all := req.Topics == nil || req.Version == 0 && len(req.Topics) == 0
	switch {
	case all:
		for t := range s.image.Topics() {
			m.topic(t)
		}
	case m.namesMissing():
		for i := range req.Topics {
			m.failed(kafka.InvalidRequest, text(req.Topics[i].Topic), req.Topics[i].TopicID)
		}
	default:
		for i := range req.Topics {
			m.asked(&req.Topics[i])
		}
		s.autoCreate(m.create)
	}
	s.answer(c, &m.resp)
}

var metadataFields = []field{
	{kind: kArray, null: nullFrom(1), fields: []field{
		{kind: kUUID, from: 10},
		{kind: kString, null: nullFrom(10)},
	}},
	{kind: kBool, from: 4},
	{kind: kBool, from: 8, to: 10},
	{kind: kBool, from: 8},
}

// metadataReply is a reply under construction.
type metadataReply struct {
	s      *Server
	c      *Call
	req    *kmsg.MetadataRequest
	resp   kmsg.MetadataResponse
	create []string // unknown names to be created
}

func (m *metadataReply) brokers() {
	image := m.s.image
	for b := range image.Brokers() {
		if n, ok := m.s.nodeAt(b.ID, m.c.Listener); ok {
			m.resp.Brokers = append(m.resp.Brokers, kmsg.MetadataResponseBroker{
				NodeID: int32(n.id), Host: n.host, Port: n.port, Rack: nullable(n.rack),
			})
		}
	}
	m.resp.ClusterID = nullable(image.ClusterID())
	m.resp.ControllerID = int32(m.s.cfg.NodeID)
	if m.req.IncludeClusterAuthorizedOperations {
		m.resp.AuthorizedOperations = clusterOperations
	}
}

// namesMissing tells a request of v10 or v11 that uses what only v12 knows.
func (m *metadataReply) namesMissing() bool {
	if m.req.Version >= 12 {
		return false
	}
	for i := range m.req.Topics {
		if t := &m.req.Topics[i]; t.Topic == nil || t.TopicID != [16]byte{} {
			return true
		}
	}
	return false
}

// asked answers for one topic of the request.
func (m *metadataReply) asked(rt *kmsg.MetadataRequestTopic) {
	if rt.Topic == nil || rt.TopicID != [16]byte{} {
		if t := m.s.image.TopicByID(rt.TopicID); t != nil {
			m.topic(t)
		} else {
			m.failed(kafka.UnknownTopicID, "", rt.TopicID)
		}
		return
	}
	name := *rt.Topic
	if t := m.s.image.Topic(name); t != nil {
		m.topic(t)
		return
	}
	if kafka.ValidateTopicName(name) != "" {
		m.failed(kafka.InvalidTopicException, name, kafka.TopicID{})
		return
	}
	m.failed(kafka.UnknownTopicOrPartition, name, kafka.TopicID{})
	if m.req.Version < 4 || m.req.AllowAutoTopicCreation {
		m.create = append(m.create, name)
	}
}

func (m *metadataReply) failed(code kafka.ErrorCode, name string, id kafka.TopicID) {
	row := kmsg.NewMetadataResponseTopic()
	row.ErrorCode, row.TopicID = int16(code), id
	// A topic asked for by id alone has no name to tell, which only v12 can express.
	if name != "" || m.req.Version < 12 {
		row.Topic = &name
	}
	row.IsInternal = kafka.IsInternal(name)
	if name != "" && m.req.IncludeTopicAuthorizedOperations {
		row.AuthorizedOperations = topicOperations
	}
	m.resp.Topics = append(m.resp.Topics, row)
	m.s.countError(m.c, code)
}

func (m *metadataReply) topic(t *metadata.Topic) {
	row := kmsg.NewMetadataResponseTopic()
	row.Topic, row.TopicID, row.IsInternal = &t.Name, t.ID, kafka.IsInternal(t.Name)
	if m.req.IncludeTopicAuthorizedOperations {
		row.AuthorizedOperations = topicOperations
	}
	row.Partitions = make([]kmsg.MetadataResponseTopicPartition, 0, t.PartitionCount())
	for i, p := range t.Partitions() {
		row.Partitions = append(row.Partitions, m.partition(i, p))
	}
	m.resp.Topics = append(m.resp.Topics, row)
}

func (m *metadataReply) partition(i int32, p *metadata.Partition) kmsg.MetadataResponseTopicPartition {
	row := kmsg.NewMetadataResponseTopicPartition()
	row.Partition, row.Leader, row.LeaderEpoch = i, int32(p.Leader), int32(p.LeaderEpoch)
	if code := m.s.leaderCode(p, m.c.Listener); code != kafka.None {
		row.Leader = -1
		if m.req.Version < 6 {
			code = kafka.LeaderNotAvailable
		}
		row.ErrorCode = int16(code)
	}
	row.Replicas, row.ISR = brokerIDs(p.Replicas), brokerIDs(p.ISR)
	row.OfflineReplicas = m.s.offline(p, m.c.Listener)
	return row
}

// leaderCode tells whether a client can reach the leader of a partition: 5 if nobody alive
// leads it, 72 if the leader does not have the client's listener.
func (s *Server) leaderCode(p *metadata.Partition, listener string) kafka.ErrorCode {
	if _, ok := s.nodeAt(p.Leader, listener); ok {
		return kafka.None
	}
	if b := s.image.Broker(p.Leader); b != nil && !b.Fenced {
		return kafka.ListenerNotFound
	}
	return kafka.LeaderNotAvailable
}

// offline lists the replicas of a partition that a client cannot reach.
func (s *Server) offline(p *metadata.Partition, listener string) (ids []int32) {
	for _, r := range p.Replicas {
		if _, ok := s.nodeAt(r, listener); !ok {
			ids = append(ids, int32(r))
		}
	}
	return ids
}

func brokerIDs(ids []kafka.BrokerID) []int32 {
	out := make([]int32, len(ids))
	for i, id := range ids {
		out[i] = int32(id)
	}
	return out
}

// text is "" for nil.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
