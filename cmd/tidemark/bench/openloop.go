package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// # Open loop
//
// A closed loop that waits for a slow answer sends nothing meanwhile, and so measures one
// slow record where a user would have seen hundreds (coordinated omission). Here records
// are due at fixed times; each is timed from then, whether it could be sent or not. How
// late the loop itself was is measured beside it: no percentile below that lag means
// anything.

// latency times acknowledgements.
func latency(ctx context.Context, r *run) error {
	topic, err := createTopic(ctx, r.target, r.o)
	if err != nil {
		return err
	}
	defer topic.delete()
	client, err := topic.producer(r.paced(), 0)
	if err != nil {
		return err
	}
	defer client.Close()
	var (
		mu      sync.Mutex // guards seen
		seen    = newHistogram()
		failure firstError
	)
	err = r.openLoop(ctx, &failure, func(due time.Time, value []byte, measured bool) {
		client.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			took := time.Since(due)
			failure.set(err)
			if measured && err == nil {
				mu.Lock()
				note(seen, took)
				mu.Unlock()
			}
		})
	})
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	if err := client.Flush(wait); err != nil {
		return fmt.Errorf("wait for the last acknowledgements: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	r.took(seen)
	return failure.get()
}

// paced is how the open loops write: every record goes to the next partition.
func (r *run) paced() Options {
	o := r.o
	o.Spread = "uniform"
	return o
}

// took puts the percentiles before the other figures.
func (r *run) took(seen *hdrhistogram.Histogram) {
	r.latency = seen
	r.figures = append(percentiles(seen), r.figures...)
}

// endToEnd times a record's way to a consumer.
func endToEnd(ctx context.Context, r *run) error {
	topic, err := createTopic(ctx, r.target, r.o)
	if err != nil {
		return err
	}
	defer topic.delete()
	arrivals, err := topic.consumeAll(ctx)
	if err != nil {
		return err
	}
	defer arrivals.stop()
	client, err := topic.producer(r.paced(), 0)
	if err != nil {
		return err
	}
	defer client.Close()
	var (
		sent    int64
		failure firstError
	)
	err = r.openLoop(ctx, &failure, func(due time.Time, value []byte, measured bool) {
		stamped := append([]byte(nil), value...)
		stamp := int64(0) // warming up
		if measured {
			stamp = int64(due.Sub(arrivals.epoch))
		}
		binary.BigEndian.PutUint64(stamped, uint64(stamp))
		sent++
		client.Produce(ctx, &kgo.Record{Value: stamped}, func(_ *kgo.Record, err error) { failure.set(err) })
	})
	if err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	err = eventually(wait, func() bool { return arrivals.count.Load() >= sent || failure.get() != nil })
	if err != nil {
		return fmt.Errorf("wait for the last records: %w; %d of %d came", err, arrivals.count.Load(), sent)
	}
	r.took(arrivals.end())
	return failure.get()
}

// arrivals is the consumer of endToEnd.
type arrivals struct {
	client *kgo.Client
	epoch  time.Time // what the stamps count from
	count  atomic.Int64
	ended  chan struct{}
	seen   *hdrhistogram.Histogram // the consumer's, until ended
}

// consumeAll reads the topic from its start, which is before any record, so that it does
// not matter when it gets going.
func (k *topic) consumeAll(ctx context.Context) (*arrivals, error) {
	from := map[int32]kgo.Offset{}
	for partition := range k.leaders {
		from[int32(partition)] = kgo.NewOffset().At(0)
	}
	client, err := k.target.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{k.name: from}),
		kgo.FetchMaxWait(fetchWaitMax))
	if err != nil {
		return nil, err
	}
	a := &arrivals{client: client, epoch: time.Now(), ended: make(chan struct{}), seen: newHistogram()}
	go a.consume(ctx)
	return a, nil
}

func (a *arrivals) consume(ctx context.Context) {
	defer close(a.ended)
	for {
		fetches := a.client.PollFetches(ctx)
		if fetches.IsClientClosed() || ctx.Err() != nil {
			return
		}
		now := time.Since(a.epoch)
		fetches.EachRecord(func(r *kgo.Record) {
			if due := int64(binary.BigEndian.Uint64(r.Value)); due != 0 {
				note(a.seen, now-time.Duration(due))
			}
			a.count.Add(1)
		})
	}
}

func (a *arrivals) stop() {
	a.client.Close()
	<-a.ended
}

// end stops the consumer and gives what it timed.
func (a *arrivals) end() *hdrhistogram.Histogram {
	a.stop()
	return a.seen
}

// openLoop calls send for records at the rate asked for, for as long as asked for.
func (r *run) openLoop(
	ctx context.Context, failure *firstError, send func(due time.Time, value []byte, measured bool),
) error {
	runtime.LockOSThread() // its timer is made precise
	defer runtime.UnlockOSThread()
	preciseSleep()
	var (
		values  = payloads(r.o.Size)
		meter   = newMeter(r.target)
		burst   = max(1, r.o.Rate/ticksMax)
		tick    = time.Duration(float64(time.Second) * float64(burst) / float64(r.o.Rate))
		lag     = newHistogram()
		began   = time.Now()
		records int64
	)
	for due := began; due.Sub(began) < r.o.Warmup+r.o.Duration; due = due.Add(tick) {
		sleepUntil(due)
		if err := errors.Join(ctx.Err(), failure.get()); err != nil {
			return err
		}
		late := time.Since(due)
		if late > lagMax {
			return fmt.Errorf("cannot hold %d records a second: after %v it is %v behind", r.o.Rate,
				time.Since(began).Round(time.Second), late.Round(time.Second))
		}
		measured := due.Sub(began) >= r.o.Warmup
		if measured {
			if records == 0 {
				meter.start()
			}
			note(lag, late)
			records += int64(burst)
		}
		for i := range burst {
			send(due, values[(int(records)+i)%len(values)], measured)
		}
	}
	r.figures = append(meter.stop(records, records*int64(r.o.Size)),
		Figure{Lag, float64(lag.ValueAtQuantile(99)) * millisPerNano})
	return nil
}
