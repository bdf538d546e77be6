package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// DeleteRecords (key 21) raises the log start offsets of partitions: what lies below is given
// to nobody any more.
//
// Versions 0–2, flexible from 2.
//
// Behaviour:
//   - Offset −1 is the high watermark. Below −1, or above the high watermark:
//     OFFSET_OUT_OF_RANGE. At or below the log start: nothing is to be done.
//   - An internal topic is INVALID_TOPIC_EXCEPTION, one that is not to be deleted from by its
//     cleanup.policy POLICY_VIOLATION. Then 3, 6 and 56 as elsewhere.
//   - The answer comes when the new start is durable, and low_watermark is the log start then;
//     −1 with an error. A Fetch below it is OFFSET_OUT_OF_RANGE from that moment on.
//   - REQUEST_TIMED_OUT when timeout_ms has passed: the start may yet move.
//
// Added by version: nothing but encodings.
//
// Not done: waiting for other replicas, there are none.
func deleteRecords(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.DeleteRecordsRequest)
	d := &recordsCall{s: s, c: c}
	d.reply.Topics = make([]kmsg.DeleteRecordsResponseTopic, len(req.Topics))
	d.waiting = 1
	for t := range req.Topics {
		rt, out := &req.Topics[t], &d.reply.Topics[t]
		out.Topic = rt.Topic
		out.Partitions = make([]kmsg.DeleteRecordsResponseTopicPartition, len(rt.Partitions))
		topic, code := s.find(false, rt.Topic, kafka.TopicID{})
		for i := range rt.Partitions {
			row := &out.Partitions[i]
			row.Default()
			row.Partition, row.LowWatermark = rt.Partitions[i].Partition, -1
			d.one(topic, code, rt.Partitions[i].Offset, row)
		}
	}
	d.waiting--
	d.wait(req.TimeoutMillis)
}

var deleteRecordsFields = []field{
	{kind: kArray, fields: []field{
		{kind: kString},
		{kind: kArray, fields: []field{
			{kind: kInt32},
			{kind: kInt64},
		}},
	}},
	{kind: kInt32},
}

// recordsCall is a delete records request on its way.
type recordsCall struct {
	s       *Server
	c       *Call
	reply   kmsg.DeleteRecordsResponse
	parts   []recordsPart // that wait for their log's start
	waiting int
	over    bool
}

type recordsPart struct {
	p   *Partition
	row *kmsg.DeleteRecordsResponseTopicPartition
}

func (d *recordsCall) one(topic *Topic, code kafka.ErrorCode, offset int64,
	row *kmsg.DeleteRecordsResponseTopicPartition) {
	var p *Partition
	if code == kafka.None && topic.Internal {
		code = kafka.InvalidTopicException
	}
	if code == kafka.None {
		p, code = topic.partition(row.Partition)
	}
	if code == kafka.None {
		code = p.serves()
	}
	if code == kafka.None {
		offset, code = p.startFor(topic, offset)
	}
	switch {
	case code != kafka.None:
		row.ErrorCode = int16(code)
		d.s.countError(d.c, code)
	case kafka.Offset(offset) <= p.Log.Start():
		row.LowWatermark = int64(p.Log.Start())
	default:
		p.Log.RaiseStart(kafka.Offset(offset))
		p.onStart.add(ackWait{at: kafka.Offset(offset), part: len(d.parts), call: d})
		d.parts = append(d.parts, recordsPart{p, row})
		d.waiting++
	}
}

// startFor is the offset that a request to delete up to offset means.
func (p *Partition) startFor(topic *Topic, offset int64) (int64, kafka.ErrorCode) {
	switch hw := int64(p.HighWatermark()); {
	case !topic.Config.Delete:
		return 0, kafka.PolicyViolation
	case p.Log.Err() != nil:
		return 0, kafka.KafkaStorageError
	case offset == -1:
		return hw, kafka.None
	case offset < 0 || offset > hw:
		return 0, kafka.OffsetOutOfRange
	}
	return offset, kafka.None
}

// acked implements acknowledged: a partition's start has passed what was asked for.
func (d *recordsCall) acked(i int, code kafka.ErrorCode) {
	if d.over {
		return
	}
	part := &d.parts[i]
	part.row.ErrorCode = int16(code)
	if code == kafka.None {
		part.row.LowWatermark = int64(part.p.Log.Start())
	}
	d.s.countError(d.c, code)
	part.p = nil
	if d.waiting--; d.waiting == 0 {
		d.finish()
	}
}

// wait answers now, or when the last start has moved, or when the timeout is over.
func (d *recordsCall) wait(timeoutMillis int32) {
	if d.waiting == 0 {
		d.finish()
		return
	}
	d.c.waiting = d
	if timeoutMillis <= 0 {
		d.expire()
		return
	}
	d.c.Deadline = d.s.now().Add(millis(timeoutMillis, AdminWaitMax))
}

func (d *recordsCall) finish() {
	d.over = true
	d.s.answer(d.c, &d.reply)
}

// expire implements waiting.
func (d *recordsCall) expire() {
	for i := range d.parts {
		if part := &d.parts[i]; part.p != nil {
			part.row.ErrorCode = int16(kafka.RequestTimedOut)
			part.row.LowWatermark = int64(part.p.Log.Start())
			d.s.countError(d.c, kafka.RequestTimedOut)
		}
	}
	d.finish()
}

// abandon implements waiting.
func (d *recordsCall) abandon() { d.over = true }
