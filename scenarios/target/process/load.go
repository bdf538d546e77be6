package process

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// LoadConfig shapes the load.
type LoadConfig struct {
	Topic      string
	Partitions int32
	ValueBytes int // at least 8: the record's number comes first
	InFlight   int // records sent and not yet acknowledged
	// Configs are the topic's own.
	Configs map[string]string
}

// Load keeps a producer busy and remembers, outside the broker, what was acknowledged.
type Load struct {
	cfg    LoadConfig
	client *kgo.Client
	slots  chan struct{}
	stop   context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex // guards what follows
	acked  [][]Ack    // by partition, in the order of the acknowledgements
	count  int64
	refuse error // first send the client gave up on
	last   time.Time
	gap    time.Duration
}

// Ack is a record the broker promised to keep.
type Ack struct{ Offset, Number int64 }

// StartLoad creates the topic and begins to produce with acks=all and idempotence: the
// client repeats what it got no answer to, until it gets one.
func StartLoad(ctx context.Context, addr string, cfg LoadConfig) (*Load, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(addr),
		kgo.DefaultProduceTopic(cfg.Topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(cfg.InFlight+1),
		kgo.ProducerLinger(0),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		kgo.MetadataMinAge(50*time.Millisecond),
	)
	if err != nil {
		return nil, err
	}
	configs := map[string]*string{}
	for key, value := range cfg.Configs {
		configs[key] = &value
	}
	if _, err := kadm.NewClient(client).CreateTopic(ctx, cfg.Partitions, 1, configs, cfg.Topic); err != nil {
		client.Close()
		return nil, fmt.Errorf("process: create topic %s: %w", cfg.Topic, err)
	}
	loadCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &Load{
		cfg: cfg, client: client, stop: stop,
		slots: make(chan struct{}, cfg.InFlight),
		ended: make(chan struct{}),
		acked: make([][]Ack, cfg.Partitions),
		last:  time.Now(),
	}
	go l.run(loadCtx)
	return l, nil
}

func (l *Load) run(ctx context.Context) {
	defer close(l.ended)
	for number := int64(0); ; number++ {
		select {
		case l.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		value := make([]byte, l.cfg.ValueBytes)
		binary.BigEndian.PutUint64(value, uint64(number))
		record := &kgo.Record{Value: value, Partition: int32(number % int64(l.cfg.Partitions))}
		l.client.Produce(context.Background(), record, func(r *kgo.Record, err error) {
			l.acknowledged(r, number, err)
			<-l.slots
		})
	}
}

func (l *Load) acknowledged(r *kgo.Record, number int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.refuse == nil {
			l.refuse = err
		}
		return
	}
	now := time.Now()
	l.gap = max(l.gap, now.Sub(l.last))
	l.last = now
	l.count++
	l.acked[r.Partition] = append(l.acked[r.Partition], Ack{r.Offset, number})
}

// Count is the number of records acknowledged so far.
func (l *Load) Count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

// Gap returns the longest time between two acknowledgements since the last call.
func (l *Load) Gap() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	gap := max(l.gap, time.Since(l.last))
	l.gap, l.last = 0, time.Now()
	return gap
}

// Stop ends the load, waits for what is in flight, and returns what was acknowledged by
// partition. The error is the first send that the client gave up on.
func (l *Load) Stop(ctx context.Context) ([][]Ack, error) {
	l.stop()
	<-l.ended
	err := l.client.Flush(ctx)
	l.client.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		err = l.refuse
	}
	return l.acked, err
}
