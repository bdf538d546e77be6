package api

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// frameBuffer is a frame nobody pools.
type frameBuffer []byte

func (b frameBuffer) Bytes() []byte { return b }
func (frameBuffer) Retain()         {}
func (frameBuffer) Release()        {}

// elsewhere is the server of broker 1 in a cluster where broker 2 leads partition 0 of "t",
// nobody leads partition 1, and a broker that lacks the client's listener leads partition 2.
func elsewhere(t *testing.T) *Server {
	listener := []metadata.Listener{{Name: "PLAINTEXT", Host: "two", Port: 9092}}
	broker := func(id kafka.BrokerID, at kafka.Offset, l []metadata.Listener) metadata.Record {
		return &metadata.RegisterBrokerRecord{
			ID: id, Epoch: kafka.BrokerEpoch(at), Incarnation: metadata.IncarnationID{byte(id)},
			Rack: "r", Listeners: l,
		}
	}
	id := kafka.TopicID{9}
	partition := func(i int32, leader kafka.BrokerID, isr ...kafka.BrokerID) metadata.Record {
		return &metadata.PartitionRecord{
			TopicID: id, Partition: i, Leader: leader, LeaderEpoch: 4, Replicas: []kafka.BrokerID{2, 3}, ISR: isr,
		}
	}
	image := metadata.NewImage().Apply(0, []metadata.Record{
		broker(2, 0, listener), broker(3, 1, []metadata.Listener{{Name: "INSIDE", Host: "three", Port: 1}}),
		&metadata.TopicRecord{Name: "t", ID: id},
		partition(0, 2, 2), partition(1, metadata.NoLeader), partition(2, 3, 3),
	})
	s := NewServer(Config{Env: &env.Env{Clock: stillClock{}}, NodeID: 1, FetchBytes: FetchBytesMax})
	s.SetImage(image)
	s.PutTopic(image.Topic("t"), TopicConfig{MaxMessageBytes: 1 << 20, SegmentBytes: 1 << 30})
	return s
}

// stillClock stands at the beginning.
type stillClock struct{ env.Clock }

func (stillClock) Now() env.Instant { return 0 }

// reply starts a call and reads what it answers at once.
func reply(t *testing.T, s *Server, req kmsg.Request) kmsg.Response {
	t.Helper()
	a := lookup(req.Key())
	c := NewCall(env.Received{Buffer: frameBuffer(frameFor(a, req.GetVersion(), req.AppendTo(nil)))})
	c.Listener = "PLAINTEXT"
	s.Start(c)
	frame, send, closing := c.Outcome()
	if !send || len(frame.Chunks) != 1 {
		t.Fatalf("send=%v closing=%v", send, closing)
	}
	b := frame.Chunks[0].Bytes
	if binary.BigEndian.Uint32(b) != 7 {
		t.Fatalf("correlation of %x", b)
	}
	b = b[4:]
	if a.flexible(req.GetVersion()) {
		b = b[1:]
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(b); err != nil {
		t.Fatal(err)
	}
	if again := resp.AppendTo(nil); !reflect.DeepEqual(again, b) {
		t.Fatalf("read and written again\n%x\n%x", b, again)
	}
	return resp
}

// KIP-951: who does not lead says who does, and where that is.
func TestProduceNamesTheLeaderThatItIsNot(t *testing.T) {
	s := elsewhere(t)
	for _, version := range []int16{9, 10, 13} {
		req := kmsg.NewProduceRequest()
		req.Version, req.Acks = version, 1
		req.Topics = []kmsg.ProduceRequestTopic{{Topic: "t", TopicID: kafka.TopicID{9}}}
		for i := range int32(2) {
			p := kmsg.ProduceRequestTopicPartition{Partition: i, Records: goodBatch()}
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, p)
		}
		resp := reply(t, s, &req).(*kmsg.ProduceResponse)
		p := resp.Topics[0].Partitions
		for i := range p {
			if p[i].ErrorCode != int16(kafka.NotLeaderOrFollower) {
				t.Fatalf("v%d: %+v", version, p[i])
			}
		}
		if version < 10 {
			continue
		}
		led, orphan := p[0].CurrentLeader, p[1].CurrentLeader
		if led.LeaderID != 2 || led.LeaderEpoch != 4 || orphan.LeaderID != -1 {
			t.Errorf("v%d: %+v", version, p)
		}
		if len(resp.Brokers) != 1 || resp.Brokers[0].NodeID != 2 || resp.Brokers[0].Host != "two" {
			t.Errorf("v%d: %+v", version, resp.Brokers)
		}
	}
}

func TestFetchNamesTheLeaderThatItIsNot(t *testing.T) {
	s := elsewhere(t)
	for _, version := range []int16{11, 12, 15, 16, 18} {
		req := kmsg.NewFetchRequest()
		req.Version, req.SessionEpoch = version, -1
		p := kmsg.NewFetchRequestTopicPartition()
		req.Topics = []kmsg.FetchRequestTopic{{
			Topic: "t", TopicID: kafka.TopicID{9}, Partitions: []kmsg.FetchRequestTopicPartition{p},
		}}
		resp := reply(t, s, &req).(*kmsg.FetchResponse)
		row := resp.Topics[0].Partitions[0]
		if row.ErrorCode != int16(kafka.NotLeaderOrFollower) {
			t.Fatalf("v%d: %+v", version, row)
		}
		if named := row.CurrentLeader.LeaderID == 2 && len(resp.Brokers) == 1; named != (version >= 16) {
			t.Errorf("v%d: %+v %+v", version, row, resp.Brokers)
		}
	}
}

func TestMetadataTellsWhyAPartitionHasNoLeader(t *testing.T) {
	s := elsewhere(t)
	for version, want := range map[int16][3]kafka.ErrorCode{
		5: {kafka.None, kafka.LeaderNotAvailable, kafka.LeaderNotAvailable},
		6: {kafka.None, kafka.LeaderNotAvailable, kafka.ListenerNotFound},
	} {
		req := kmsg.NewMetadataRequest()
		req.Version = version
		resp := reply(t, s, &req).(*kmsg.MetadataResponse)
		for i, p := range resp.Topics[0].Partitions {
			if p.ErrorCode != int16(want[i]) || (p.Leader < 0) != (want[i] != kafka.None) {
				t.Errorf("v%d partition %d: %+v", version, i, p)
			}
			if version >= 5 && (len(p.Replicas) != 2 || !reflect.DeepEqual(p.OfflineReplicas, []int32{3})) {
				t.Errorf("v%d partition %d: replicas %v offline %v", version, i, p.Replicas, p.OfflineReplicas)
			}
		}
		if len(resp.Brokers) != 1 || resp.Brokers[0].NodeID != 2 || *resp.Brokers[0].Rack != "r" {
			t.Errorf("v%d: %+v", version, resp.Brokers)
		}
	}
}
