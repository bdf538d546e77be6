package api_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// A client with a session knows at any time what one without learns from a full request:
// high watermark, start and error of every partition it wants, and the records there. The
// session may be lost at any time; then it starts anew.
func TestSessionsTellNoLessThanFullRequests(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t)
		b.static["max.incremental.fetch.session.cache.slots"] = "1"
		if err := b.boot(); err != nil {
			t.Fatal(err)
		}
		b.createTopic("t", 3)
		c := &sessionClient{
			bench: b, wants: map[int32]int64{0: 0, 1: 0, 2: 1},
			knows: map[int32]kmsg.FetchResponseTopicPartition{},
		}
		for range 24 {
			switch rapid.IntRange(0, 3).Draw(r, "event") {
			case 0:
				b.produceTo("t", rapid.Int32Range(0, 2).Draw(r, "partition"), batchOf(1))
			case 1:
				delete(c.wants, rapid.Int32Range(0, 3).Draw(r, "forgotten"))
			case 2:
				offset := rapid.Int64Range(0, 3).Draw(r, "offset")
				c.wants[rapid.Int32Range(0, 3).Draw(r, "wanted")] = offset
			case 3: // another client takes the place
				b.advance(121e9)
				b.ask(&kmsg.FetchRequest{Version: 12, Topics: fetchRequest("t", 0, 0).Topics})
			}
			if rapid.Bool().Draw(r, "poll") {
				c.poll(r)
			}
		}
	})
}

type sessionClient struct {
	*bench
	id, epoch int32
	wants     map[int32]int64 // offsets by partition
	sent      map[int32]int64 // what the session has
	knows     map[int32]kmsg.FetchResponseTopicPartition
}

// poll brings the session up to date, fetches, and compares with a full request.
func (c *sessionClient) poll(r *rapid.T) {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.SessionID, req.SessionEpoch = 12, c.id, c.epoch
	// With little room, a high watermark may move without records being told.
	req.MaxBytes = rapid.SampledFrom([]int32{1, 1 << 20}).Draw(r, "max bytes")
	if c.epoch == 0 {
		c.sent = map[int32]int64{}
		clear(c.knows)
	}
	topic := kmsg.FetchRequestTopic{Topic: "t"}
	forgotten := kmsg.FetchRequestForgottenTopic{Topic: "t"}
	for p := range int32(4) {
		offset, wanted := c.wants[p]
		had, known := c.sent[p]
		switch {
		case wanted && (!known || had != offset):
			topic.Partitions = append(topic.Partitions, wantedPartition(p, offset))
			c.sent[p] = offset
		case !wanted && known:
			forgotten.Partitions = append(forgotten.Partitions, p)
			delete(c.sent, p)
			delete(c.knows, p)
		}
	}
	req.Topics = append(req.Topics, topic)
	req.ForgottenTopics = append(req.ForgottenTopics, forgotten)
	resp := c.ask(req).(*kmsg.FetchResponse)
	if resp.ErrorCode != 0 {
		c.epoch = 0
		c.poll(r)
		return
	}
	c.id, c.epoch = resp.SessionID, c.epoch+1
	if c.id == 0 {
		c.epoch = 0
	}
	c.compare(r, resp, req.MaxBytes > 1)
}

func (c *sessionClient) compare(r *rapid.T, resp *kmsg.FetchResponse, whole bool) {
	told := map[int32]bool{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if told[p.Partition] {
				r.Fatalf("partition %d is told twice", p.Partition)
			}
			told[p.Partition], c.knows[p.Partition] = true, p
		}
	}
	for p := range int32(4) {
		offset, wanted := c.wants[p]
		if !wanted {
			if told[p] {
				r.Fatalf("partition %d is told and not wanted", p)
			}
			continue
		}
		full := kmsg.NewPtrFetchRequest()
		full.Version, full.MaxBytes, full.SessionEpoch = 12, 1<<20, -1
		full.Topics = []kmsg.FetchRequestTopic{{
			Topic: "t", Partitions: []kmsg.FetchRequestTopicPartition{wantedPartition(p, offset)},
		}}
		want, have := c.ask(full).(*kmsg.FetchResponse).Topics[0].Partitions[0], c.knows[p]
		if !told[p] {
			have.RecordBatches = nil
		}
		if have.HighWatermark != want.HighWatermark || have.LogStartOffset != want.LogStartOffset ||
			have.ErrorCode != want.ErrorCode || whole && string(have.RecordBatches) != string(want.RecordBatches) {
			r.Fatalf("partition %d told=%v\nhave %+v\nwant %+v", p, told[p], have, want)
		}
	}
}

func wantedPartition(p int32, offset int64) kmsg.FetchRequestTopicPartition {
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = p, offset, 1<<20
	return rp
}

// What waits in a session costs what it costs without: nothing per record, and no list made
// anew for each poll.
func TestIncrementalFetchesReuseTheirList(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1000)
	open := kmsg.NewPtrFetchRequest()
	open.Version, open.SessionEpoch, open.MaxBytes = 12, 0, 1<<20
	topic := kmsg.FetchRequestTopic{Topic: "t"}
	for p := range int32(1000) {
		topic.Partitions = append(topic.Partitions, wantedPartition(p, 0))
	}
	open.Topics = append(open.Topics, topic)
	id := b.ask(open).(*kmsg.FetchResponse).SessionID
	c := b.conn("poll")
	b.counting = true
	epoch := int32(0)
	got := testing.AllocsPerRun(50, func() {
		epoch++
		req := kmsg.NewPtrFetchRequest()
		req.Version, req.SessionID, req.SessionEpoch, req.MaxBytes = 12, id, epoch, 1<<20
		b.sendFrame(c, frameOf(req, 1, "test"))
	})
	if got > 60 {
		t.Errorf("%.0f allocations for a poll of 1000 quiet partitions", got)
	}
}
