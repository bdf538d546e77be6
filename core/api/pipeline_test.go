package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

func metadataRequest() kmsg.Request {
	req := kmsg.NewPtrMetadataRequest()
	req.Version, req.Topics = 1, []kmsg.MetadataRequestTopic{}
	return req
}

func fetchRequest(topic string, offset int64, wait time.Duration) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes, req.SessionEpoch, req.MinBytes = 12, 1<<20, -1, 1
	req.MaxWaitMillis = int32(wait.Milliseconds())
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.PartitionMaxBytes = offset, 1<<20
	req.Topics = []kmsg.FetchRequestTopic{{Topic: topic, Partitions: []kmsg.FetchRequestTopicPartition{p}}}
	return req
}

// The reply to a quick request waits for the reply to a slow one before it.
func TestRepliesLeaveInTheOrderOfRequests(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1)
	c := b.conn("c")
	b.hold = true
	b.send(c, produceRequest("t", 0, batchOf(1)))
	b.send(c, metadataRequest())
	b.send(c, fetchRequest("t", 0, time.Second))
	b.send(c, produceRequest("t", 0, batchOf(1)))
	b.send(c, metadataRequest())
	b.settle()
	if len(c.replies) != 0 {
		t.Fatalf("answered too early: %v", c.arrived)
	}
	b.release()
	var order []string
	for _, r := range c.replies {
		order = append(order, strings.TrimPrefix(fmt.Sprintf("%T", r), "*kmsg."))
	}
	want := "ProduceResponse MetadataResponse FetchResponse ProduceResponse MetadataResponse"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("got %s", got)
	}
	if base := c.replies[3].(*kmsg.ProduceResponse).Topics[0].Partitions[0].BaseOffset; base != 1 {
		t.Errorf("the second produce is at offset %d", base)
	}
}

// A connection with many requests under way is read no further until replies have gone out.
func TestPipelineIsBoundedInRequests(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1)
	c := b.conn("c")
	b.hold = true
	for i := range broker.PipelineCallsMax {
		if c.paused {
			t.Fatalf("paused after %d requests", i)
		}
		b.send(c, produceRequest("t", 0, batchOf(1)))
	}
	if !c.paused {
		t.Fatal("never paused")
	}
	b.release()
	if c.paused || len(c.replies) != broker.PipelineCallsMax {
		t.Errorf("paused=%v after %d replies", c.paused, len(c.replies))
	}
}

func TestPipelineIsBoundedInBytes(t *testing.T) {
	b := newBench(t)
	b.static["message.max.bytes"] = fmt.Sprint(20 << 20)
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	b.createTopic("t", 1)
	c := b.conn("c")
	b.hold = true
	big := makeBatch(map[string]any{"size": fmt.Sprint(broker.PipelineBytesMax/2 + 1)}, b.now())
	b.send(c, produceRequest("t", 0, big))
	if c.paused {
		t.Fatal("paused after one request")
	}
	b.send(c, produceRequest("t", 0, big))
	if !c.paused {
		t.Fatal("not paused")
	}
	b.release()
	if c.paused || len(c.replies) != 2 {
		t.Errorf("paused=%v after %d replies", c.paused, len(c.replies))
	}
}

// A client that does not read is not answered, and at some point not served.
func TestRepliesWaitForTheNetwork(t *testing.T) {
	b := mustBoot(t)
	c := b.conn("c")
	c.full = true
	for range broker.PipelineCallsMax + 3 {
		b.send(c, metadataRequest())
	}
	if len(c.replies) != 1 {
		t.Errorf("%d replies went to a full network", len(c.replies))
	}
	if !c.paused {
		t.Error("requests were read on")
	}
	c.full = false
	b.broker.ConnWritable(c.id)
	b.broker.Drained()
	if len(c.replies) != broker.PipelineCallsMax+3 || c.paused {
		t.Errorf("%d replies, paused=%v", len(c.replies), c.paused)
	}
}

// What comes before the broker is registered is answered when it is.
func TestRequestsBeforeRegistrationAreKept(t *testing.T) {
	b := newBench(t)
	b.hold = true
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	c := b.conn("c")
	b.send(c, metadataRequest())
	b.settle()
	if len(c.replies) != 0 || b.broker.Ready() {
		t.Fatalf("ready=%v, %v", b.broker.Ready(), c.arrived)
	}
	b.release()
	if len(c.replies) != 1 || len(c.replies[0].(*kmsg.MetadataResponse).Brokers) != 1 {
		t.Errorf("%v", c.arrived)
	}
}

// Replies that come out of order from two disks leave in order all the same, and the failure
// of one directory leaves the partitions of the other alone.
func TestPartitionsLiveInSeveralDirectories(t *testing.T) {
	b := newBench(t)
	b.dirs = []string{"/d", "/e"}
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	b.createTopic("t", 4)
	for p := range int32(4) {
		b.produceTo("t", p, batchOf(1))
	}
	b.kill(true)
	if err := b.boot(); err != nil {
		t.Fatal(err)
	}
	for p := range int32(4) {
		req := fetchRequest("t", 0, 0)
		req.Topics[0].Partitions[0].Partition = p
		got := b.ask(req).(*kmsg.FetchResponse).Topics[0].Partitions[0]
		if got.HighWatermark != 1 || len(got.RecordBatches) == 0 {
			t.Errorf("partition %d: %+v", p, got)
		}
	}
	b.failUnder = "/e/"
	codes := map[kafka.ErrorCode]int{}
	for p := range int32(4) {
		resp := b.ask(produceRequest("t", p, batchOf(1))).(*kmsg.ProduceResponse)
		codes[kafka.ErrorCode(resp.Topics[0].Partitions[0].ErrorCode)]++
	}
	if codes[kafka.None] == 0 || codes[kafka.KafkaStorageError] == 0 || len(codes) != 2 {
		t.Errorf("%v", codes)
	}
	if b.broker.Failure() != nil {
		t.Error(b.broker.Failure())
	}
	b.createTopic("u", 1)
	b.produceTo("u", 0, batchOf(1))
}

// Without its metadata log a broker cannot go on, and says so.
func TestBrokerTellsTheLossOfItsMetadataLog(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1)
	b.failed = env.ErrIO
	b.ask(produceRequest("t", 0, batchOf(1)))
	if b.broker.Failure() == nil {
		t.Error("no failure")
	}
}

// Every buffer that was handed in is given back: by replies, by closed connections, by
// calls that time out, and by the caches when the broker stops.
func TestBuffersAreGivenBack(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1)
	b.produceTo("t", 0, batchOf(10))
	b.ask(fetchRequest("t", 0, 0))
	gone := b.conn("gone")
	b.send(gone, fetchRequest("t", 1, time.Hour))
	b.hold = true
	b.send(gone, produceRequest("t", 0, batchOf(10)))
	b.send(gone, metadataRequest())
	b.broker.ConnClosed(gone.id, nil)
	b.broker.Drained()
	delete(b.conns, "gone")
	b.release()
	late := b.conn("late")
	b.hold = true
	req := produceRequest("t", 0, batchOf(10))
	req.TimeoutMillis = 100
	b.send(late, req)
	b.advance(time.Second)
	b.release()
	full := b.conn("full")
	full.full = true
	for range 5 {
		b.send(full, fetchRequest("t", 0, 0))
	}
	b.settle()
	if err := b.broker.Stop(); err != nil {
		t.Fatal(err)
	}
	if b.buffers != 0 {
		t.Errorf("%d buffers are missing", b.buffers)
	}
}

// The trace of an acknowledgement says what a checker must know: partition, first and last
// offset; the high watermark had reached it before.
func TestAcknowledgementsAreTraced(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1)
	b.traces = nil
	b.produceTo("t", 0, batchOf(3))
	var lines []string
	for _, ev := range b.traces {
		if ev.Topic == "t" {
			ev.At = 0
			lines = append(lines, ev.String())
		}
	}
	got := strings.Join(lines, "\n")
	hw := strings.Index(got, "b1 t-0 hw from=0 to=3")
	ack := strings.Index(got, "b1 t-0 ack base=0 last=2 acks=-1 repeat=0")
	if hw < 0 || ack < hw {
		t.Errorf("traced:\n%s", got)
	}
}
