package api

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// storedForm gives the batch a topic's compression.type, in memory of its own, if it came
// in another, and answers who owns its bytes. What is stored is measured again.
func (pc *produceCall) storedForm(v *verdict, topic *Topic, p *Partition, in *Inspected) env.Buffer {
	cfg := &topic.Config
	if !cfg.Recompress || in.Batch.Codec() == cfg.Compression.Codec {
		return pc.c.frame
	}
	if most := max(LoopInflateMax, cfg.MaxMessageBytes); in.Summary.DecompressedBytes > most {
		v.refuse(kafka.MessageTooLarge, fmt.Sprintf("The batch in the append to %s has %d bytes of records "+
			"without compression, which exceeds the maximum of %d for storing it as %s.",
			p.TP, in.Summary.DecompressedBytes, most, cfg.Compression.Codec))
		return nil
	}
	made, problem := pc.s.recompressor.Recompress(in.Batch, cfg.Compression)
	switch {
	case problem != nil:
		v.refuse(problem.Code, problem.Message)
	case len(made) > cfg.MaxMessageBytes:
		v.refuse(kafka.MessageTooLarge, fmt.Sprintf("Message batch size is %d bytes in append to partition %s "+
			"which exceeds the maximum configured size of %d.", len(made), p.TP, cfg.MaxMessageBytes))
	case int64(len(made)) > cfg.SegmentBytes:
		refuseSegment(v, p.TP, made, cfg.SegmentBytes)
	default:
		in.Batch = made
		pc.s.Counters.RecompressedBatches++
	}
	return nil // the bytes are nobody else's
}

// refuseSegment refuses a batch that no segment could hold.
func refuseSegment(v *verdict, tp kafka.TopicPartition, b record.Batch, segment int64) {
	v.refuse(kafka.RecordListTooLarge, fmt.Sprintf("Message batch size is %d bytes in append to partition %s, "+
		"which exceeds the maximum configured segment size of %d.", len(b), tp, segment))
}
