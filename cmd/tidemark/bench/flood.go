package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// flood sends one ready-made batch again and again.
func flood(ctx context.Context, r *run) error {
	topic, err := createTopic(ctx, r.target, r.o)
	if err != nil {
		return err
	}
	defer topic.delete()
	f, err := startFlood(ctx, topic, r.o)
	if err != nil {
		return err
	}
	err = r.meterWhile(ctx, &f.acked, &f.failure)
	return cmp.Or(err, f.end())
}

// flooding is the load of flood while it runs, from several connections to each leader.
type flooding struct {
	topic   *topic
	acked   atomic.Int64 // records
	failure firstError
	done    atomic.Bool
	workers sync.WaitGroup
	stop    context.CancelFunc
}

func startFlood(ctx context.Context, k *topic, o Options) (*flooding, error) {
	batch, records, err := readyBatch(o)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	f := &flooding{topic: k, stop: stop}
	for leader, partitions := range k.led() {
		for i := range o.Clients {
			w, err := dial(ctx, k.brokers[leader])
			if err != nil {
				f.failure.set(err)
				return nil, f.end()
			}
			// Connections start at different partitions, or they would meet at each.
			at := i * len(partitions) / o.Clients
			c := &floodConn{flooding: f, wire: w, records: int64(records),
				sent: make(chan int32, o.InFlight-1)}
			c.prepare(append(partitions[at:len(partitions):len(partitions)], partitions[:at]...), o, batch)
			f.workers.Go(c.write)
			f.workers.Go(c.read)
		}
	}
	return f, nil
}

// end lets what is in flight be answered, and reports the first thing that went wrong.
func (f *flooding) end() error {
	f.done.Store(true)
	answered := make(chan struct{})
	go func() { f.workers.Wait(); close(answered) }()
	select {
	case <-answered:
	case <-time.After(answerMax):
		f.failure.set(errors.New("requests were not answered"))
		f.stop()
		<-answered
	}
	f.stop()
	return f.failure.get()
}

// floodConn keeps requests in flight on one connection.
type floodConn struct {
	*flooding
	wire     *wire
	records  int64 // in the batch
	version  int16
	requests []request
	sent     chan int32 // partitions asked, in order; its room is what may be in flight
}

// request is a produce request around a batch that all requests share.
type request struct {
	partition     int32
	before, after []byte
	batch         []byte
}

func (c *floodConn) prepare(partitions []int32, o Options, batch []byte) {
	for _, partition := range partitions {
		req := kmsg.NewPtrProduceRequest()
		req.TimeoutMillis = int32(answerMax.Milliseconds())
		if req.Acks = -1; o.Acks == "1" {
			req.Acks = 1
		}
		req.Topics = []kmsg.ProduceRequestTopic{{
			Topic: c.topic.name, TopicID: c.topic.id,
			Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: partition, Records: batch}},
		}}
		whole := c.wire.encode(req, partition)
		at := bytes.Index(whole, batch)
		c.requests = append(c.requests, request{
			partition: partition, before: bytes.Clone(whole[:at]), batch: batch,
			after: bytes.Clone(whole[at+len(batch):]),
		})
		c.version = req.Version
	}
}

func (c *floodConn) write() {
	defer close(c.sent)
	for i := 0; !c.done.Load() && c.failure.get() == nil; i++ {
		r := c.requests[i%len(c.requests)]
		c.sent <- r.partition
		parts := net.Buffers{r.before, r.batch, r.after}
		if _, err := parts.WriteTo(c.wire.socket); err != nil {
			c.failure.set(err)
			return
		}
	}
}

func (c *floodConn) read() {
	defer c.wire.close()
	res := kmsg.NewPtrProduceResponse()
	res.Version = c.version
	for partition := range c.sent {
		if c.failure.get() != nil {
			continue // until the writer has seen it too
		}
		err := c.wire.read(partition, res)
		if err == nil {
			err = produced(res)
		}
		if err != nil {
			c.failure.set(err)
			continue
		}
		c.acked.Add(c.records)
	}
}

func produced(res *kmsg.ProduceResponse) error {
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		return errors.New("a produce response without its partition")
	}
	p := res.Topics[0].Partitions[0]
	err := kerr.ErrorForCode(p.ErrorCode)
	if err != nil && p.ErrorMessage != nil {
		return fmt.Errorf("%w: %s", err, *p.ErrorMessage)
	}
	return err
}

// readyBatch makes one batch of about the size asked for, to be sent any number of times.
func readyBatch(o Options) (batch []byte, records int, err error) {
	codec, err := record.ParseCodec(o.Codec)
	if err != nil {
		return nil, 0, err
	}
	b := record.NewBuilder(record.Options{Codec: codec})
	values := payloads(o.Size)
	now := kafka.Timestamp(time.Now().UnixMilli())
	for b.Count() == 0 || b.Len()+o.Size <= o.Batch {
		b.Append(now, nil, values[b.Count()%len(values)], nil)
	}
	records = b.Count()
	return b.Build(), records, nil
}
