package workload

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/checker/history"
)

// Timestamps with a meaning in ListOffsets.
const (
	timestampLatest   = -1
	timestampEarliest = -2
	timestampMax      = -3
)

// runLister asks where the log begins and ends, which record has a time, and who leads.
// Producers jitter their times, so that a record with a time often stands inside a batch: by
// that museum mutant 023, which answers with the batch, is caught.
func runLister(c *client, cfg *Lister, t *topic, part int32) {
	began := c.f.host.env.Clock.WallMillis()
	for c.f.Sleep(around(c.f, cfg.Pause)) {
		if !c.connect(c.w.leaderOf(t, part)) {
			return
		}
		var ok bool
		switch c.f.Draw("workload.lister.question", 6) {
		case 0, 1:
			_, ok = c.listOffsets(t, part, timestampLatest)
		case 2:
			_, ok = c.listOffsets(t, part, timestampEarliest)
		case 3:
			_, ok = c.listOffsets(t, part, timestampMax)
		case 4:
			span := int(c.f.host.env.Clock.WallMillis()-began) + 1000
			_, ok = c.listOffsets(t, part, began+int64(c.f.Draw("workload.lister.time", span)))
		case 5:
			ok = c.metadata(t.name, part) != nil
		}
		if ok {
			c.calm()
		} else if !c.f.stopped && !c.pause() {
			return
		}
	}
}

// listOffsets asks one question and records it; ok is false where there was no answer.
func (c *client) listOffsets(t *topic, part int32, timestamp int64) (offset int64, ok bool) {
	key, rec := t.key(part), c.w.rec
	id := rec.Begin(history.Op{Process: c.proc, Kind: history.ListOffsets, Topic: key.Topic,
		TopicID:   key.TopicID,
		Partition: part, Timestamp: timestamp})
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Partition, rp.Timestamp = part, timestamp
	req.Topics = append(req.Topics, kmsg.ListOffsetsRequestTopic{Topic: t.name,
		Partitions: []kmsg.ListOffsetsRequestTopicPartition{rp}})
	kresp, err := c.ask(req)
	if err != nil {
		rec.End(id, history.Info).Error = err.Error()
		return 0, false
	}
	resp := kresp.(*kmsg.ListOffsetsResponse)
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		rec.End(id, history.Info).Error = errMalformed.Error()
		return 0, false
	}
	got := &resp.Topics[0].Partitions[0]
	if got.ErrorCode != 0 {
		rec.End(id, history.Fail).Code = got.ErrorCode
		return 0, false
	}
	op := rec.End(id, history.Ok)
	op.Offset, op.FoundTimestamp, op.LeaderEpoch = got.Offset, got.Timestamp, got.LeaderEpoch
	return got.Offset, true
}
