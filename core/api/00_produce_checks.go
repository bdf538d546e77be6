package api

import (
	"fmt"
	"math"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// verdict is the first objection to a batch.
type verdict struct {
	code    kafka.ErrorCode
	message string
	bad     []badRecord
}

func (v *verdict) refuse(code kafka.ErrorCode, message string) {
	v.code, v.message = code, message
}

// checkBatch judges the bytes against what any batch must be and what the topic asks of
// it, in Kafka's order. What needs no configuration was found by the Decode hook.
func checkBatch(v *verdict, topic *Topic, tp kafka.TopicPartition, in *Inspected, now int64) {
	cfg, b := &topic.Config, in.Batch
	switch {
	case b == nil:
		v.refuse(in.Framing.Code, in.Framing.Message)
	case b.BaseOffset() != 0:
		v.refuse(kafka.InvalidRecord, fmt.Sprintf("Base offset of the batch is %d, expected 0", b.BaseOffset()))
	case len(b) > cfg.MaxMessageBytes:
		v.refuse(kafka.MessageTooLarge, fmt.Sprintf("The record batch size in the append to %s is %d bytes "+
			"which exceeds the maximum configured value of %d.", tp, len(b), cfg.MaxMessageBytes))
	case in.Problem != nil:
		v.refuse(in.Problem.Code, in.Problem.Message)
		if in.Problem.RecordIndex >= 0 {
			v.bad = []badRecord{{int32(in.Problem.RecordIndex), in.Problem.Message}}
		}
	case cfg.Compact && in.Summary.NullKeys:
		refuseKeyless(v, in)
	case !cfg.LogAppendTime && outsideTime(cfg, in.Summary, now):
		refuseTimes(v, cfg, in, now)
	case int64(len(b)) > cfg.SegmentBytes && !cfg.Recompress:
		refuseSegment(v, tp, b, cfg.SegmentBytes)
	}
}

// outsideTime tells whether some record's timestamp is out of range; "none" never is.
func outsideTime(cfg *TopicConfig, sum record.Summary, now int64) bool {
	low, high := timeRange(cfg, now)
	return sum.MinTimestamp != kafka.NoTimestamp && sum.MinTimestamp < low || sum.MaxTimestamp > high
}

// timeRange is what message.timestamp.before.max.ms and after.max.ms allow around now.
func timeRange(cfg *TopicConfig, now int64) (low, high kafka.Timestamp) {
	low, high = math.MinInt64, math.MaxInt64
	if cfg.BeforeMax < now-math.MinInt64/2 {
		low = kafka.Timestamp(now - cfg.BeforeMax)
	}
	if cfg.AfterMax < math.MaxInt64-now {
		high = kafka.Timestamp(now + cfg.AfterMax)
	}
	return low, high
}

const keyless = "Compacted topic cannot accept message without key"

// refuseKeyless names the records without key; a compacted topic could never drop them.
func refuseKeyless(v *verdict, in *Inspected) {
	if tooLargeToName(in) {
		v.bad = []badRecord{{int32(in.Summary.FirstNullKey), keyless}}
		v.refuse(kafka.InvalidRecord, keyless)
		return
	}
	found, err := record.NewInspector(record.Limits{}).WithoutKey(in.Batch)
	refuseRecords(v, kafka.InvalidRecord, found, err, func(record.Indexed) string { return keyless })
}

// refuseTimes names the records out of range.
func refuseTimes(v *verdict, cfg *TopicConfig, in *Inspected, now int64) {
	low, high := timeRange(cfg, now)
	if tooLargeToName(in) {
		v.refuse(kafka.InvalidTimestamp, fmt.Sprintf("Timestamps of messages from %d to %d are out of range. "+
			"The timestamp should be within [%d, %d]", in.Summary.MinTimestamp, in.Summary.MaxTimestamp, low, high))
		return
	}
	found, err := record.NewInspector(record.Limits{}).OutsideTime(in.Batch, low, high)
	refuseRecords(v, kafka.InvalidTimestamp, found, err, func(r record.Indexed) string {
		return fmt.Sprintf("Timestamp %d of message with offset %d is out of range. The timestamp "+
			"should be within [%d, %d]", r.Timestamp, r.Index, low, high)
	})
}

// tooLargeToName tells a batch that is refused without inflating it once more: that would be
// work on the event loop which everybody waits for and a stranger asked for.
func tooLargeToName(in *Inspected) bool {
	return in.Batch.Codec() != record.CodecNone && in.Summary.DecompressedBytes > LoopInflateMax
}

// refuseRecords lists the bad records of a batch, all of them up to the limit.
func refuseRecords(v *verdict, code kafka.ErrorCode, found []record.Indexed, err error,
	why func(record.Indexed) string) {
	if err != nil {
		v.refuse(kafka.CorruptMessage, err.Error())
		return
	}
	for _, r := range found[:min(len(found), RecordErrorsMax)] {
		v.bad = append(v.bad, badRecord{int32(r.Index), why(r)})
	}
	if len(found) > 0 {
		v.refuse(code, recordErrorsMessage(len(found), v.bad))
	}
}

// recordErrorsMessage sums the bad records up as Kafka does.
func recordErrorsMessage(total int, bad []badRecord) string {
	var s strings.Builder
	fmt.Fprintf(&s, "One or more records have been rejected due to %d record errors in total, and only "+
		"showing the first three errors at most: [", total)
	for i, r := range bad[:min(3, len(bad))] {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(r.message)
	}
	s.WriteByte(']')
	return s.String()
}
