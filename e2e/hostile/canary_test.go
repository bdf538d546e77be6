package hostile

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// canary is an honest client: it writes a record, then another, and reads what it wrote.
type canary struct {
	client *kgo.Client
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu           sync.Mutex // guards what follows
	wrote, read  int64
	slowest      time.Duration
	complaint    error
	disconnects  int
	beingStopped bool
	lastRead     int64
}

const canaryTopic = "canary"

func newCanary(t *testing.T, addr string) *canary {
	t.Helper()
	c := &canary{lastRead: -1}
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic(canaryTopic), kgo.WithHooks(c),
		kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(20*time.Second),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{canaryTopic: {0: kgo.NewOffset().AtStart()}}))
	require.NoError(t, err)
	_, err = kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, canaryTopic)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	c.client, c.stop = client, stop
	c.done.Go(func() { c.write(ctx) })
	c.done.Go(func() { c.consume(ctx) })
	return c
}

// OnBrokerDisconnect implements kgo.HookBrokerDisconnect.
func (c *canary) OnBrokerDisconnect(kgo.BrokerMetadata, net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.beingStopped {
		c.disconnects++
	}
}

func (c *canary) complain(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.complaint == nil && err != nil {
		c.complaint = err
	}
}

func (c *canary) write(ctx context.Context) {
	for number := uint64(0); ctx.Err() == nil; number++ {
		began := time.Now()
		value := binary.BigEndian.AppendUint64(nil, number)
		err := c.client.ProduceSync(ctx, &kgo.Record{Value: value}).FirstErr()
		if ctx.Err() != nil {
			return
		}
		c.complain(err)
		c.mu.Lock()
		c.wrote++
		c.slowest = max(c.slowest, time.Since(began))
		c.mu.Unlock()
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (c *canary) consume(ctx context.Context) {
	for ctx.Err() == nil {
		fetches := c.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		for _, e := range fetches.Errors() {
			c.complain(e.Err)
		}
		for _, r := range fetches.Records() {
			number := int64(binary.BigEndian.Uint64(r.Value))
			c.mu.Lock()
			if number != c.lastRead+1 && c.complaint == nil {
				c.complaint = fmt.Errorf("read record %d after %d", number, c.lastRead)
			}
			c.lastRead = number
			c.read++
			c.mu.Unlock()
		}
	}
}

// sings waits until the canary has written and read some more.
func (c *canary) sings(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	wrote, read := c.wrote, c.read
	c.mu.Unlock()
	require.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.complaint != nil || c.wrote >= wrote+20 && c.read >= read+20
	}, 60*time.Second, 5*time.Millisecond, "the canary is not served")
	c.mu.Lock()
	defer c.mu.Unlock()
	require.NoError(t, c.complaint)
	require.Zero(t, c.disconnects, "the canary was disconnected")
}

func (c *canary) close(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	c.beingStopped = true
	c.mu.Unlock()
	c.stop()
	c.done.Wait()
	c.client.Close()
	require.NoError(t, c.complaint)
	t.Logf("canary: %d written, %d read, slowest %v", c.wrote, c.read, c.slowest.Round(time.Millisecond))
}
