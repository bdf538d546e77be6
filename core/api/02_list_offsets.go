package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
)

// ListOffsets (key 2) finds offsets by time, and the ends of a partition.
//
// Versions 1–11, flexible from 6.
//
// Behaviour:
//   - −1 is the high watermark (last stable offset for read_committed), −2 the log start,
//     −3 the record with the largest timestamp, −4 the log start again (nothing is
//     tiered), −5 and −6 nothing (−1).
//   - A timestamp gives the first record at or after it: the record's own offset and
//     timestamp, not the batch's; −1 without error if there is none below the high
//     watermark.
//   - A partition named twice is answered with INVALID_REQUEST in both places.
//   - A new leader whose high watermark has not reached the start of its epoch answers
//     OFFSET_NOT_AVAILABLE (before v5 LEADER_NOT_AVAILABLE) rather than an offset that
//     goes back.
//
// Added by version: v2 isolation level (KIP-98), v4 leader epochs (KIP-320), v7 −3
// (KIP-734), v8 −4 (KIP-405), v9 −5 (KIP-1005), v10 timeout, v11 −6 (KIP-1023).
//
// Not done: replica ids; everybody is answered as a consumer.
func listOffsets(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.ListOffsetsRequest)
	l := &offsetsCall{s: s, c: c, req: req, reading: 1}
	l.reply.Topics = make([]kmsg.ListOffsetsResponseTopic, len(req.Topics))
	l.markRepetitions()
	for t := range req.Topics {
		rt, out := &req.Topics[t], &l.reply.Topics[t]
		out.Topic = rt.Topic
		out.Partitions = make([]kmsg.ListOffsetsResponseTopicPartition, len(rt.Partitions))
		topic, code := s.find(false, rt.Topic, kafka.TopicID{})
		for p := range rt.Partitions {
			rp, row := &rt.Partitions[p], &out.Partitions[p]
			row.Default()
			row.Partition = rp.Partition
			l.one(topic, code, rp, row)
		}
	}
	c.waiting = l
	l.ended()
}

var listOffsetsFields = []field{
	{kind: kInt32},
	{kind: kInt8, from: 2},
	{kind: kArray, fields: []field{
		{kind: kString},
		{kind: kArray, fields: []field{
			{kind: kInt32},
			{kind: kInt32, from: 4},
			{kind: kInt64},
		}},
	}},
	{kind: kInt32, from: 10},
}

// The special timestamps.
const (
	timeLatest         = -1
	timeEarliest       = -2
	timeMax            = -3
	timeEarliestLocal  = -4
	timeLatestTiered   = -5
	timeEarliestUpload = -6
)

// offsetsCall is a list offsets request on its way. Some look-ups go to the disk.
type offsetsCall struct {
	s       *Server
	c       *Call
	req     *kmsg.ListOffsetsRequest
	reply   kmsg.ListOffsetsResponse
	pending []offsetsRead
	reading int
	gone    bool
}

type offsetsRead struct {
	tag env.Tag
	p   *Partition
	row *kmsg.ListOffsetsResponseTopicPartition
}

// markRepetitions notes the partitions that are named twice.
func (l *offsetsCall) markRepetitions() {
	l.s.stamp++
	for t := range l.req.Topics {
		topic, _ := l.s.find(false, l.req.Topics[t].Topic, kafka.TopicID{})
		if topic == nil {
			continue
		}
		for i := range l.req.Topics[t].Partitions {
			if p := topic.Partition(l.req.Topics[t].Partitions[i].Partition); p != nil {
				if p.stamp == l.s.stamp {
					p.repeated = l.s.stamp
				}
				p.stamp = l.s.stamp
			}
		}
	}
}

func (l *offsetsCall) one(topic *Topic, code kafka.ErrorCode, rp *kmsg.ListOffsetsRequestTopicPartition,
	row *kmsg.ListOffsetsResponseTopicPartition) {
	row.Offset, row.Timestamp, row.LeaderEpoch = -1, -1, -1
	var p *Partition
	if code == kafka.None {
		p, code = topic.partition(rp.Partition)
	}
	if code == kafka.None {
		code = l.check(p, rp)
	}
	if code != kafka.None {
		l.refuse(row, code)
		return
	}
	l.lookUp(p, rp.Timestamp, row)
}

func (l *offsetsCall) check(p *Partition, rp *kmsg.ListOffsetsRequestTopicPartition) kafka.ErrorCode {
	if p.repeated == l.s.stamp {
		return kafka.InvalidRequest
	}
	if !timestampKnown(l.req.Version, rp.Timestamp) {
		return kafka.UnsupportedVersion
	}
	believed := kafka.LeaderEpoch(-1)
	if l.req.Version >= 4 {
		believed = kafka.LeaderEpoch(rp.CurrentLeaderEpoch)
	}
	if code := p.checkEpoch(believed); code != kafka.None {
		return code
	}
	return p.serves()
}

// timestampKnown tells whether a version has that special timestamp.
func timestampKnown(version int16, ts int64) bool {
	switch ts {
	case timeMax:
		return version >= 7
	case timeEarliestLocal:
		return version >= 8
	case timeLatestTiered:
		return version >= 9
	case timeEarliestUpload:
		return version >= 11
	}
	return ts >= timeEarliest
}

func (l *offsetsCall) lookUp(p *Partition, ts int64, row *kmsg.ListOffsetsResponseTopicPartition) {
	switch ts {
	case timeLatest:
		if p.hw < p.epochStart {
			l.refuse(row, l.notYet())
			return
		}
		row.Offset, row.LeaderEpoch = int64(p.LastStable()), int32(p.epoch)
	case timeEarliest, timeEarliestLocal:
		start := p.Log.Start()
		row.Offset, row.LeaderEpoch = int64(start), int32(p.Log.EpochAt(start))
	case timeLatestTiered, timeEarliestUpload:
	case timeMax:
		res, tag := p.Log.MaxTimestamp(p.LastStable())
		l.took(offsetsRead{tag, p, row}, res)
	default:
		res, tag := p.Log.OffsetForTime(kafka.Timestamp(ts), p.LastStable())
		l.took(offsetsRead{tag, p, row}, res)
	}
}

// notYet is what a new leader answers that does not know what is committed.
func (l *offsetsCall) notYet() kafka.ErrorCode {
	if l.req.Version < 5 {
		return kafka.LeaderNotAvailable
	}
	return kafka.OffsetNotAvailable
}

// took fills a row, or notes that the disk was asked.
func (l *offsetsCall) took(r offsetsRead, res log.TimeResult) {
	switch {
	case r.tag != 0:
		l.pending = append(l.pending, r)
		l.reading++
		l.s.reads[r.tag] = l
	case res.Err != nil:
		l.refuse(r.row, r.p.readCode(res.Err))
	case res.Offset < 0 && r.p.hw < r.p.epochStart:
		l.refuse(r.row, l.notYet())
	case res.Offset >= 0:
		r.row.Offset, r.row.Timestamp = int64(res.Offset), int64(res.Timestamp)
		r.row.LeaderEpoch = int32(res.LeaderEpoch)
	}
}

func (l *offsetsCall) refuse(row *kmsg.ListOffsetsResponseTopicPartition, code kafka.ErrorCode) {
	row.ErrorCode = int16(code)
	l.s.countError(l.c, code)
}

// readDone implements readWaiter.
func (l *offsetsCall) readDone(tag env.Tag, done log.ReadDone) {
	if l.gone {
		return
	}
	for _, r := range l.pending {
		if r.tag == tag {
			r.tag = 0
			l.took(r, done.Time)
			break
		}
	}
	l.ended()
}

func (l *offsetsCall) ended() {
	if l.reading--; l.reading == 0 {
		l.gone = true
		l.s.answer(l.c, &l.reply)
	}
}

// expire implements waiting; the call has no deadline, the disk answers or fails.
func (l *offsetsCall) expire() {}

// abandon implements waiting.
func (l *offsetsCall) abandon() { l.gone = true }
