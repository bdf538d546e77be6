package workload

import (
	"encoding/binary"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// toy is a broker of a page: logs in memory, which its machine keeps over restarts. It exists
// so that the clients can be tested alone, and told lies.
type toy struct {
	env   *env.Env
	store *toyStore
	waits map[env.TimerKey]func()
}

// toyStore is what survives.
type toyStore struct {
	topics map[string]*toyTopic
	nextID byte
	pids   int64
	lie    lie
	starts int64
}

// lie is a way to be wrong.
type lie uint8

const (
	honest lie = iota
	losesTail
	forgetsProducers
	servesTwice
	reordersReplies
)

type toyTopic struct {
	id   kafka.TopicID
	logs []*toyLog
}

type toyLog struct {
	batches []record.Batch
	next    int64
	last    map[kafka.ProducerID]record.Batch // newest batch of each producer
}

func newToy(store *toyStore) func(e *env.Env) (env.Handler, error) {
	return func(e *env.Env) (env.Handler, error) {
		store.starts++
		for _, t := range store.topics {
			for _, l := range t.logs {
				if n := len(l.batches); store.lie == losesTail && store.starts > 1 && n > 0 {
					l.next = int64(l.batches[n-1].BaseOffset())
					l.batches = l.batches[:n-1]
				}
				if store.lie == forgetsProducers {
					l.last = map[kafka.ProducerID]record.Batch{}
				}
			}
		}
		return &toy{env: e, store: store, waits: map[env.TimerKey]func(){}}, nil
	}
}

func (t *toy) TimerFired(key env.TimerKey) {
	if fn := t.waits[key]; fn != nil {
		delete(t.waits, key)
		fn()
	}
}
func (t *toy) ConnAccepted(env.ConnID, env.ConnInfo) {}
func (t *toy) ConnDialed(env.ConnID, error)          {}
func (t *toy) ConnWritable(env.ConnID)               {}
func (t *toy) ConnClosed(env.ConnID, error)          {}
func (t *toy) DiskDone(env.Completion)               {}
func (t *toy) Drained()                              {}

func (t *toy) FrameReceived(c env.ConnID, f env.Received) {
	b := slices.Clone(f.Buffer.Bytes())
	f.Buffer.Release()
	key, version := int16(binary.BigEndian.Uint16(b)), int16(binary.BigEndian.Uint16(b[2:]))
	corr := b[4:8]
	client := int(binary.BigEndian.Uint16(b[8:]))
	body := b[10+client:]
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	if req.IsFlexible() {
		body = body[1:]
	}
	if err := req.ReadFrom(body); err != nil {
		t.env.Net.Close(c)
		return
	}
	resp := req.ResponseKind()
	answer := func() {
		out := slices.Clone(corr)
		if resp.IsFlexible() && key != int16(kmsg.ApiVersions) {
			out = append(out, 0)
		}
		t.env.Net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: resp.AppendTo(out)}}})
	}
	if wait := t.handle(req, resp); wait > 0 {
		k := env.TimerKey{Kind: "wait", ID: int64(c)}
		t.waits[k] = func() { t.handle(req, resp); answer() }
		t.env.Clock.SetTimer(k, t.env.Clock.Now().Add(fetchWait/4))
	} else if wait == 0 {
		answer()
	}
}

// handle answers now (0), later (1) or never (−1).
func (t *toy) handle(req kmsg.Request, resp kmsg.Response) int {
	switch req := req.(type) {
	case *kmsg.ApiVersionsRequest:
		for key := range preferred {
			resp := resp.(*kmsg.ApiVersionsResponse)
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: key.Int16(), MaxVersion: 99})
		}
	case *kmsg.CreateTopicsRequest:
		t.create(req, resp.(*kmsg.CreateTopicsResponse))
	case *kmsg.DeleteTopicsRequest:
		t.remove(req, resp.(*kmsg.DeleteTopicsResponse))
	case *kmsg.MetadataRequest:
		t.metadata(req, resp.(*kmsg.MetadataResponse))
	case *kmsg.InitProducerIDRequest:
		t.store.pids++
		resp.(*kmsg.InitProducerIDResponse).ProducerID = t.store.pids
	case *kmsg.ProduceRequest:
		t.produce(req, resp.(*kmsg.ProduceResponse))
		if req.Acks == 0 {
			return -1
		}
	case *kmsg.FetchRequest:
		return t.fetch(req, resp.(*kmsg.FetchResponse))
	case *kmsg.ListOffsetsRequest:
		t.list(req, resp.(*kmsg.ListOffsetsResponse))
	}
	return 0
}

func (t *toy) create(req *kmsg.CreateTopicsRequest, resp *kmsg.CreateTopicsResponse) {
	r := kmsg.NewCreateTopicsResponseTopic()
	r.Topic = req.Topics[0].Topic
	if old := t.store.topics[r.Topic]; old != nil {
		r.ErrorCode = int16(kafka.TopicAlreadyExists)
	} else {
		t.store.nextID++
		topic := &toyTopic{id: kafka.TopicID{t.store.nextID}}
		for range req.Topics[0].NumPartitions {
			topic.logs = append(topic.logs, &toyLog{last: map[kafka.ProducerID]record.Batch{}})
		}
		t.store.topics[r.Topic] = topic
		r.TopicID = topic.id
	}
	resp.Topics = append(resp.Topics, r)
}

func (t *toy) remove(req *kmsg.DeleteTopicsRequest, resp *kmsg.DeleteTopicsResponse) {
	r := kmsg.NewDeleteTopicsResponseTopic()
	r.TopicID = req.Topics[0].TopicID
	r.ErrorCode = int16(kafka.UnknownTopicID)
	for name, topic := range t.store.topics {
		if topic.id == req.Topics[0].TopicID {
			delete(t.store.topics, name)
			r.ErrorCode = 0
		}
	}
	resp.Topics = append(resp.Topics, r)
}

func (t *toy) metadata(req *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
	resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: "toy", Port: 1}}
	r := kmsg.NewMetadataResponseTopic()
	r.Topic = req.Topics[0].Topic
	if topic := t.store.topics[*r.Topic]; topic != nil {
		r.TopicID = topic.id
		for i := range topic.logs {
			r.Partitions = append(r.Partitions, kmsg.MetadataResponseTopicPartition{Partition: int32(i), Leader: 1})
		}
	} else {
		r.ErrorCode = int16(kafka.UnknownTopicOrPartition)
	}
	resp.Topics = append(resp.Topics, r)
}

func (t *toy) byID(id kafka.TopicID) *toyTopic {
	for _, topic := range t.store.topics {
		if topic.id == id {
			return topic
		}
	}
	return nil
}

func (t *toy) produce(req *kmsg.ProduceRequest, resp *kmsg.ProduceResponse) {
	rt, rp := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
	in := &req.Topics[0].Partitions[0]
	rt.TopicID, rp.Partition = req.Topics[0].TopicID, in.Partition
	if topic := t.byID(rt.TopicID); topic == nil {
		rp.ErrorCode = int16(kafka.UnknownTopicID)
	} else {
		base, code := topic.logs[in.Partition].append(slices.Clone(in.Records))
		rp.BaseOffset, rp.ErrorCode = base, int16(code)
	}
	rt.Partitions = append(rt.Partitions, rp)
	resp.Topics = append(resp.Topics, rt)
}

func (l *toyLog) append(b record.Batch) (int64, kafka.ErrorCode) {
	if last := l.last[b.ProducerID()]; b.HasProducer() && last != nil {
		switch {
		case last.BaseSequence() == b.BaseSequence():
			return int64(last.BaseOffset()), 0
		case last.LastSequence().Add(1) != b.BaseSequence():
			return -1, kafka.OutOfOrderSequenceNumber
		}
	}
	base := l.next
	b.SetBaseOffset(kafka.Offset(base))
	l.batches = append(l.batches, b)
	l.next = int64(b.NextOffset())
	if b.HasProducer() {
		l.last[b.ProducerID()] = b
	}
	return base, 0
}

func (t *toy) fetch(req *kmsg.FetchRequest, resp *kmsg.FetchResponse) int {
	*resp = kmsg.FetchResponse{Version: resp.Version}
	rt, rp := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
	in := &req.Topics[0].Partitions[0]
	rt.TopicID, rp.Partition = req.Topics[0].TopicID, in.Partition
	if topic := t.byID(rt.TopicID); topic == nil {
		rp.ErrorCode = int16(kafka.UnknownTopicID)
	} else {
		l := topic.logs[in.Partition]
		if in.FetchOffset > l.next {
			rp.ErrorCode = int16(kafka.OffsetOutOfRange)
		}
		for i, b := range l.batches {
			if int64(b.LastOffset()) >= in.FetchOffset {
				rp.RecordBatches = append(rp.RecordBatches, b...)
				if t.store.lie == servesTwice && i%50 == 49 {
					rp.RecordBatches = append(rp.RecordBatches, b...)
				}
			}
		}
	}
	rt.Partitions = append(rt.Partitions, rp)
	resp.Topics = append(resp.Topics, rt)
	if rp.ErrorCode == 0 && len(rp.RecordBatches) == 0 && req.MaxWaitMillis > 0 {
		return 1
	}
	return 0
}

func (t *toy) list(req *kmsg.ListOffsetsRequest, resp *kmsg.ListOffsetsResponse) {
	rt, rp := kmsg.NewListOffsetsResponseTopic(), kmsg.NewListOffsetsResponseTopicPartition()
	in := &req.Topics[0].Partitions[0]
	rt.Topic, rp.Partition = req.Topics[0].Topic, in.Partition
	rp.Offset, rp.Timestamp = -1, -1
	if topic := t.store.topics[rt.Topic]; topic == nil {
		rp.ErrorCode = int16(kafka.UnknownTopicOrPartition)
	} else {
		l := topic.logs[in.Partition]
		switch {
		case in.Timestamp == timestampLatest:
			rp.Offset = l.next
		case in.Timestamp == timestampEarliest:
			rp.Offset = 0
		default:
			l.find(in.Timestamp, &rp)
		}
	}
	rt.Partitions = append(rt.Partitions, rp)
	resp.Topics = append(resp.Topics, rt)
}

func (l *toyLog) find(ts int64, rp *kmsg.ListOffsetsResponseTopicPartition) {
	for _, b := range l.batches {
		for r := range record.Records(b, record.Limits{}) {
			if ts >= 0 && int64(r.Timestamp) >= ts && rp.Offset < 0 || ts == timestampMax &&
				int64(r.Timestamp) > rp.Timestamp {
				rp.Offset, rp.Timestamp = int64(r.Offset), int64(r.Timestamp)
			}
		}
	}
}
