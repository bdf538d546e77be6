package api

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// DescribeTopicPartitions (key 75) tells topics with their partitions, page by page.
//
// Versions 0–0, flexible from 0.
//
// Behaviour:
//   - Topics come in the order of their names, each once; none asked means all.
//   - A page holds at most response_partition_limit partitions, and never more than
//     max.request.partition.size.limit. The cursor in the reply is where the next page
//     begins; null means that this was the last.
//   - A cursor at a topic that was not asked for, or at a negative partition, is
//     INVALID_REQUEST in every topic of the request.
//   - An unknown topic is 3, a name that no topic can have is 17; a topic deleted between
//     two pages is left out of "all".
//   - Everybody may do everything while there is no authorizer, and the bits say so.
//
// Added by version: v0 is the first (KIP-966).
//
// Not done: eligible leader replicas outside the ISR; both lists are empty, as they are on
// a broker whose replicas are all in sync.
func describeTopicPartitions(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.DescribeTopicPartitionsRequest)
	d := topicPages{s: s, c: c}
	d.left = max(min(int(req.ResponsePartitionLimit), s.cfg.PartitionsPerPage), 1)
	if req.Cursor != nil {
		d.from, d.first = req.Cursor.Topic, req.Cursor.Partition
	}
	names := askedNames(req)
	switch {
	case req.Cursor != nil && (d.first < 0 || len(names) > 0 && !slices.Contains(names, d.from)):
		for _, t := range req.Topics {
			d.failed(t.Topic, kafka.InvalidRequest)
		}
	case len(names) == 0:
		d.all()
	default:
		d.named(names)
	}
	s.answer(c, &d.resp)
}

var topicPartitionsFields = []field{
	{kind: kArray, fields: []field{{kind: kString}}},
	{kind: kInt32},
	{kind: kStruct, null: nullFrom(0), fields: []field{{kind: kString}, {kind: kInt32}}},
}

// askedNames are the topics of a request in the order they are answered.
func askedNames(req *kmsg.DescribeTopicPartitionsRequest) []string {
	names := make([]string, 0, len(req.Topics))
	for _, t := range req.Topics {
		names = append(names, t.Topic)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// topicPages is a page under construction.
type topicPages struct {
	s     *Server
	c     *Call
	resp  kmsg.DescribeTopicPartitionsResponse
	from  string // the cursor
	first int32
	left  int // partitions that still fit
}

func (d *topicPages) all() {
	for t := range d.s.image.TopicsFrom(d.from) {
		if !d.topic(t) {
			return
		}
	}
}

func (d *topicPages) named(names []string) {
	for _, name := range names {
		t := d.s.image.Topic(name)
		switch {
		case name < d.from:
		case d.left == 0:
			d.next(name, 0)
			return
		case t != nil:
			if !d.topic(t) {
				return
			}
		case kafka.ValidateTopicName(name) != "":
			d.failed(name, kafka.InvalidTopicException)
		default:
			d.failed(name, kafka.UnknownTopicOrPartition)
		}
	}
}

// topic adds what fits of a topic, and tells whether there may be room for more.
func (d *topicPages) topic(t *metadata.Topic) bool {
	if d.left == 0 {
		d.next(t.Name, 0)
		return false
	}
	row := kmsg.NewDescribeTopicPartitionsResponseTopic()
	row.Topic, row.TopicID, row.IsInternal = &t.Name, t.ID, kafka.IsInternal(t.Name)
	row.AuthorizedOperations = topicOperations
	i := int32(0)
	if t.Name == d.from {
		i = min(d.first, t.PartitionCount())
	}
	for ; i < t.PartitionCount() && d.left > 0; i++ {
		row.Partitions = append(row.Partitions, d.partition(i, t.Partition(i)))
		d.left--
	}
	d.resp.Topics = append(d.resp.Topics, row)
	if i < t.PartitionCount() {
		d.next(t.Name, i)
		return false
	}
	return true
}

func (d *topicPages) partition(i int32,
	p *metadata.Partition) kmsg.DescribeTopicPartitionsResponseTopicPartition {
	row := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
	row.Partition, row.LeaderID, row.LeaderEpoch = i, int32(p.Leader), int32(p.LeaderEpoch)
	if code := d.s.leaderCode(p, d.c.Listener); code != kafka.None {
		row.LeaderID, row.ErrorCode = -1, int16(code)
	}
	row.Replicas, row.ISR = brokerIDs(p.Replicas), brokerIDs(p.ISR)
	row.OfflineReplicas = d.s.offline(p, d.c.Listener)
	row.EligibleLeaderReplicas, row.LastKnownELR = []int32{}, []int32{}
	return row
}

func (d *topicPages) next(topic string, partition int32) {
	d.resp.NextCursor = &kmsg.DescribeTopicPartitionsResponseNextCursor{
		Topic: topic, Partition: partition,
	}
}

func (d *topicPages) failed(name string, code kafka.ErrorCode) {
	row := kmsg.NewDescribeTopicPartitionsResponseTopic()
	row.ErrorCode, row.Topic, row.IsInternal = int16(code), &name, kafka.IsInternal(name)
	d.resp.Topics = append(d.resp.Topics, row)
	d.s.countError(d.c, code)
}
