package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/record"
)

// consume fills a topic and reads it back as a mirror would: whole batches, looked at no
// deeper than their headers.
func consume(ctx context.Context, r *run) error {
	topic, err := createTopic(ctx, r.target, r.o)
	if err != nil {
		return err
	}
	defer topic.delete()
	records, err := topic.fill(ctx, r.o)
	if err != nil {
		return fmt.Errorf("fill the topic: %w", err)
	}
	syncDisks()
	if err := sleep(ctx, r.o.Settle); err != nil {
		return err
	}
	return topic.drain(ctx, r, records)
}

// fill writes as many bytes as asked for and tells how many records they are.
func (k *topic) fill(ctx context.Context, o Options) (int64, error) {
	f, err := startFlood(ctx, k, o)
	if err != nil {
		return 0, err
	}
	enough := func() bool { return f.acked.Load()*int64(o.Size) >= o.Fill || f.failure.get() != nil }
	err = eventually(ctx, enough)
	if ended := f.end(); err == nil {
		err = ended
	}
	return f.acked.Load(), err
}

// drain reads that many records from the start, on one connection to each leader.
func (k *topic) drain(ctx context.Context, r *run, records int64) error {
	var (
		read, bytes atomic.Int64
		failure     firstError
		readers     sync.WaitGroup
	)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	m := newMeter(r.target)
	var all []*reader
	for leader, partitions := range k.led() {
		w, err := dial(ctx, k.brokers[leader])
		if err != nil {
			return err
		}
		defer w.close()
		c := &reader{topic: k, wire: w, offsets: map[int32]int64{}}
		for _, p := range partitions {
			c.offsets[p] = 0
		}
		all = append(all, c)
	}
	m.start()
	for _, c := range all {
		readers.Go(func() {
			defer stop() // the others must not wait for what never comes
			for last := time.Now(); read.Load() < records; {
				gotRecords, gotBytes, err := c.fetch()
				if err == nil && gotRecords == 0 && time.Since(last) > answerMax {
					err = fmt.Errorf("%d of %d records are not there to be read", records-read.Load(), records)
				}
				if err != nil && read.Load() < records {
					failure.set(err)
					return
				}
				if gotRecords > 0 {
					last = time.Now()
				}
				read.Add(gotRecords)
				bytes.Add(gotBytes)
			}
		})
	}
	readers.Wait()
	r.figures = m.stop(records, bytes.Load())
	return failure.get()
}

// reader fetches from one leader.
type reader struct {
	topic   *topic
	wire    *wire
	offsets map[int32]int64 // next to read, by partition
}

// fetch reads once and moves the offsets past what came.
func (c *reader) fetch() (records, bytes int64, err error) {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes = int32(fetchWaitMax.Milliseconds()), 1
	req.MaxBytes, req.SessionEpoch = fetchBytesMax, -1
	asked := kmsg.NewFetchRequestTopic()
	asked.Topic, asked.TopicID = c.topic.name, c.topic.id
	for partition, offset := range c.offsets {
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, fetchPartitionBytesMax
		asked.Partitions = append(asked.Partitions, p)
	}
	req.Topics = append(req.Topics, asked)
	if _, err := c.wire.socket.Write(c.wire.encode(req, 1)); err != nil {
		return 0, 0, err
	}
	res := kmsg.NewPtrFetchResponse()
	res.Version = req.Version
	if err := c.wire.read(1, res); err != nil {
		return 0, 0, err
	}
	if err := kerr.ErrorForCode(res.ErrorCode); err != nil {
		return 0, 0, err
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return records, bytes, err
			}
			next, err := after(p.RecordBatches, c.offsets[p.Partition])
			if err != nil {
				return records, bytes, err
			}
			records += next - c.offsets[p.Partition]
			bytes += int64(len(p.RecordBatches))
			c.offsets[p.Partition] = next
		}
	}
	return records, bytes, nil
}

// after is the offset that follows the whole batches in b. One that is cut off at the
// limit of the answer comes again.
func after(b []byte, next int64) (int64, error) {
	for len(b) >= record.HeaderSize {
		size := 12 + int(binary.BigEndian.Uint32(b[8:]))
		if size < record.HeaderSize {
			return 0, errors.New("what was fetched is no record batch")
		}
		if len(b) < size {
			break
		}
		batch := record.Batch(b[:size])
		if int64(batch.NextOffset()) <= next {
			return 0, fmt.Errorf("fetched up to offset %d when %d was asked for", batch.NextOffset(), next)
		}
		next = int64(batch.NextOffset())
		b = b[size:]
	}
	return next, nil
}
