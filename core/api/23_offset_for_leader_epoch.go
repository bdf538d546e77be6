package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// OffsetForLeaderEpoch (key 23) tells where the records of a leader epoch end, so that a
// client can find out whether what it has read is still there.
//
// Versions 2–4, flexible from 4.
//
// Behaviour:
//   - The answer is the largest epoch known that is not above the one asked for, and the
//     start of the epoch after it; for the current epoch, the end of the log.
//   - An epoch above all that are known is −1 with offset −1. One below all that are known
//     is itself, and ends where the log's oldest epoch begins.
//   - The epoch the client believes in is compared first: FENCED_LEADER_EPOCH,
//     UNKNOWN_LEADER_EPOCH. Then 3, 6 and 56 as elsewhere.
//
// Added by version: v2 current leader epoch (KIP-320), v3 replica id (KIP-392).
//
// Not done: replica ids; everybody is answered as a consumer, by the leader alone.
func offsetForLeaderEpoch(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.OffsetForLeaderEpochRequest)
	var resp kmsg.OffsetForLeaderEpochResponse
	resp.Topics = make([]kmsg.OffsetForLeaderEpochResponseTopic, len(req.Topics))
	for t := range req.Topics {
		rt, out := &req.Topics[t], &resp.Topics[t]
		out.Topic = rt.Topic
		out.Partitions = make([]kmsg.OffsetForLeaderEpochResponseTopicPartition, len(rt.Partitions))
		topic, code := s.find(false, rt.Topic, kafka.TopicID{})
		for i := range rt.Partitions {
			row := &out.Partitions[i]
			row.Default()
			row.Partition = rt.Partitions[i].Partition
			code := endOfEpoch(topic, code, &rt.Partitions[i], row)
			row.ErrorCode = int16(code)
			s.countError(c, code)
		}
	}
	s.answer(c, &resp)
}

var leaderEpochFields = []field{
	{kind: kInt32, from: 3},
	{kind: kArray, fields: []field{
		{kind: kString},
		{kind: kArray, fields: []field{
			{kind: kInt32},
			{kind: kInt32, from: 2},
			{kind: kInt32},
		}},
	}},
}

func endOfEpoch(topic *Topic, code kafka.ErrorCode, rp *kmsg.OffsetForLeaderEpochRequestTopicPartition,
	row *kmsg.OffsetForLeaderEpochResponseTopicPartition) kafka.ErrorCode {
	var p *Partition
	if code == kafka.None {
		p, code = topic.partition(rp.Partition)
	}
	if code == kafka.None {
		code = p.checkEpoch(kafka.LeaderEpoch(rp.CurrentLeaderEpoch))
	}
	if code == kafka.None {
		code = p.serves()
	}
	if code == kafka.None {
		epoch, end := p.Log.EndOffsetFor(kafka.LeaderEpoch(rp.LeaderEpoch))
		row.LeaderEpoch, row.EndOffset = int32(epoch), int64(end)
	}
	return code
}
