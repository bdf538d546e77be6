package bench

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// produce writes through the client library as fast as acknowledgements let it.
func produce(ctx context.Context, r *run) error {
	topic, err := createTopic(ctx, r.target, r.o)
	if err != nil {
		return err
	}
	defer topic.delete()
	var (
		acked   atomic.Int64
		failure firstError
		workers sync.WaitGroup
	)
	work, stop := context.WithCancel(ctx)
	defer stop()
	values := payloads(r.o.Size)
	for range r.o.Clients {
		client, err := topic.producer(r.o, r.o.Linger)
		if err != nil {
			return err
		}
		defer client.Close()
		workers.Go(func() { produceOn(work, client, values, &acked, &failure) })
	}
	err = r.meterWhile(ctx, &acked, &failure)
	stop()
	workers.Wait()
	return cmp.Or(err, failure.get())
}

// produceOn writes until the context ends; what is under way then is given up, for it is
// not counted.
func produceOn(
	ctx context.Context, client *kgo.Client, values [][]byte, acked *atomic.Int64, failure *firstError,
) {
	for i := 0; ctx.Err() == nil && failure.get() == nil; i++ {
		client.Produce(ctx, &kgo.Record{Value: values[i%len(values)]}, func(_ *kgo.Record, err error) {
			if err == nil {
				acked.Add(1)
			} else if ctx.Err() == nil {
				failure.set(err)
			}
		})
	}
}

// meterWhile lets running work get its first answer and warm up, and then meters it for the
// measured time. It ends early when the work fails.
func (r *run) meterWhile(ctx context.Context, acked *atomic.Int64, failure *firstError) error {
	m := newMeter(r.target)
	wait, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	err := eventually(wait, func() bool { return acked.Load() > 0 || failure.get() != nil })
	if err != nil {
		return fmt.Errorf("nothing was acknowledged: %w", err)
	}
	if err := sleepWhile(ctx, r.o.Warmup, failure); err != nil {
		return err
	}
	m.start()
	before := acked.Load()
	if err := sleepWhile(ctx, r.o.Duration, failure); err != nil {
		return err
	}
	records := acked.Load() - before
	r.figures = m.stop(records, records*int64(r.o.Size))
	return nil
}
