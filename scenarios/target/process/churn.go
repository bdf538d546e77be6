package process

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// churnKept is how many topics stand at one time; older ones are deleted.
const churnKept = 12

// Churn makes topics, writes into them and deletes them, again and again, and remembers
// outside the broker what of that was acknowledged.
type Churn struct {
	addr    string
	records int
	stop    context.CancelFunc
	ended   chan struct{}

	mu      sync.Mutex // guards what follows
	topics  []churned
	deleted []string
	err     error
}

// churned is a topic that stands.
type churned struct {
	name string
	acks []Ack
}

// StartChurn begins; each topic gets so many records.
func StartChurn(ctx context.Context, addr string, records int) *Churn {
	churnCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	c := &Churn{addr: addr, records: records, stop: stop, ended: make(chan struct{})}
	go c.run(churnCtx)
	return c
}

// Made is how many topics were made and written so far.
func (c *Churn) Made() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.topics) + len(c.deleted)
}

// Err is why it makes no more, nil while it does.
func (c *Churn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *Churn) run(ctx context.Context) {
	defer close(c.ended)
	for i := 0; ctx.Err() == nil; i++ {
		if err := c.round(ctx, fmt.Sprintf("churn-%d", i)); err != nil && ctx.Err() == nil {
			c.mu.Lock()
			c.err = err
			c.mu.Unlock()
			return
		}
	}
}

func (c *Churn) round(ctx context.Context, name string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addr), kgo.DefaultProduceTopic(name),
		kgo.UnknownTopicRetries(-1), kgo.MetadataMinAge(20*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	err = insist(ctx, kerr.TopicAlreadyExists, func() error {
		_, err := admin.CreateTopic(ctx, 1, 1, nil, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("process: create %s: %w", name, err)
	}
	topic := churned{name: name}
	for number := range int64(c.records) {
		done, err := produceOnce(ctx, client, number)
		if err != nil {
			return fmt.Errorf("process: produce to %s: %w", name, err)
		}
		topic.acks = append(topic.acks, Ack{done.Offset, number})
	}
	c.mu.Lock()
	c.topics = append(c.topics, topic)
	var old string
	if len(c.topics) > churnKept {
		old = c.topics[0].name
		c.topics = c.topics[1:] // asked to go: whether it stands is nobody's business until it is gone
	}
	c.mu.Unlock()
	if old == "" {
		return nil
	}
	return c.delete(ctx, admin, old)
}

// produceOnce produces a record. A client whose connection is cut before the broker's first
// word takes that for a wrong protocol and gives up; it has no producer id then and has sent
// nothing, so the record may be given to it again.
func produceOnce(ctx context.Context, client *kgo.Client, number int64) (*kgo.Record, error) {
	for {
		record := &kgo.Record{Value: binary.BigEndian.AppendUint64(nil, uint64(number))}
		done, err := client.ProduceSync(ctx, record).First()
		var cut *kgo.ErrFirstReadEOF
		if number > 0 || !errors.As(err, &cut) {
			return done, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (c *Churn) delete(ctx context.Context, admin *kadm.Client, name string) error {
	err := insist(ctx, kerr.UnknownTopicOrPartition, func() error {
		_, err := admin.DeleteTopic(ctx, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("process: delete %s: %w", name, err)
	}
	c.mu.Lock()
	c.deleted = append(c.deleted, name)
	c.mu.Unlock()
	return nil
}

// insist repeats an admin call over outages until it is answered. done is the answer to a
// repetition whose first try took effect unheard.
func insist(ctx context.Context, done error, call func() error) error {
	for {
		err := call()
		var refused *kerr.Error
		switch {
		case err == nil, errors.Is(err, done):
			return nil
		case errors.As(err, &refused) && !refused.Retriable:
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Stop ends the churn and compares what stands with what was acknowledged: every topic that
// was made is there with its records, and none that was deleted has come back.
func (c *Churn) Stop(ctx context.Context) (Report, error) {
	c.stop()
	select {
	case <-c.ended:
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
	var report Report
	if c.err != nil {
		return report, c.err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addr))
	if err != nil {
		return report, err
	}
	defer client.Close()
	standing, err := kadm.NewClient(client).ListTopics(ctx)
	if err != nil {
		return report, err
	}
	for _, name := range c.deleted {
		if standing.Has(name) {
			report.Doubled++
			report.note("%s is back after its deletion was acknowledged", name)
		}
	}
	for _, topic := range c.topics {
		if !standing.Has(topic.name) {
			report.Lost += int64(len(topic.acks))
			report.note("%s is not there", topic.name)
			continue
		}
		numbers, err := readPartition(ctx, c.addr, topic.name, 0)
		if err != nil {
			return report, err
		}
		report.Read += int64(len(numbers))
		report.Acked += int64(len(topic.acks))
		auditPartition(&report, topic.name, numbers, topic.acks)
	}
	return report, nil
}
