package workload

import (
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-log/tidemark/core/record"
)

// Config is a mix of clients.
type Config struct {
	// Patience is how long a producer waits for a reply before it gives the request up, which
	// may still take effect; 0, and once the workload is stopping: 2 s.
	Patience time.Duration
	// Bootstrap are the addresses to begin with.
	Bootstrap []string
	Topics    []Topic
	Producers []Producer
	Readers   []Reader
	Listers   []Lister
	Churn     []Churn
}

// Topic is created before the clients start.
type Topic struct {
	Name        string
	Partitions  int32
	Replication int16 // 0: the cluster's default
	Configs     map[string]string
}

// Producer describes producers: Count of them on each partition of the topic.
type Producer struct {
	Topic      string
	Count      int
	Acks       int16 // −1 all, 0, 1
	Idempotent bool
	InFlight   int // batches on the way at once
	// Rate is the batches per second of each producer, on average.
	Rate float64
	// RecordsMax is the largest number of records of a batch; each batch draws its own.
	RecordsMax int
	// BytesMax is the largest size of a record's value; each record draws its own.
	BytesMax int
	// Retries is how often a batch is tried again; −1: until delivery.timeout.
	Retries int
	// Codec is what batches are sent in. The topic's compression.type may have the broker
	// store them in another: readers take any.
	Codec record.Codec
	// Jitter is how far record timestamps stray from the clock, both ways.
	Jitter time.Duration
	// BaseOffset is what the producer writes into its batches, against the rules unless 0.
	BaseOffset int64
	// LogAppendTime says that the topic stamps records itself.
	LogAppendTime bool
}

// ReaderKind is how a reader goes through a partition.
type ReaderKind uint8

// The kinds of readers.
const (
	Tail   ReaderKind = iota // from the start, and on for ever
	Reread                   // from the start or a random offset, again and again
)

// Reader describes readers: Count of them on each partition of the topic.
type Reader struct {
	Topic string
	Kind  ReaderKind
	Count int
	// Pause is between two rereads, on average.
	Pause time.Duration
	// BytesMax bounds each fetch; 0: a megabyte.
	BytesMax int32
}

// Lister asks for offsets and metadata of the topic's partitions.
type Lister struct {
	Topic string
	Count int
	Pause time.Duration // between two questions, on average
}

// Churn creates a topic, uses it, deletes it and creates it anew under the same name.
type Churn struct {
	Topic   string
	Count   int
	Pause   time.Duration
	Configs map[string]string
}

// Validate answers what no client could do, and fills in defaults.
func (c *Config) Validate() error {
	if len(c.Bootstrap) == 0 {
		return errors.New("workload: no address to begin with")
	}
	known := map[string]bool{}
	for i := range c.Topics {
		t := &c.Topics[i]
		if t.Name == "" || t.Partitions <= 0 || known[t.Name] {
			return fmt.Errorf("workload: topic %q with %d partitions: want one each, with partitions", t.Name,
				t.Partitions)
		}
		known[t.Name] = true
	}
	var errs []error
	need := func(what, topic string) {
		if !known[topic] {
			errs = append(errs, fmt.Errorf("workload: %s of topic %q, which is not among the topics", what, topic))
		}
	}
	for i := range c.Producers {
		need("producer", c.Producers[i].Topic)
		errs = append(errs, c.Producers[i].validate())
	}
	for i := range c.Readers {
		r := &c.Readers[i]
		need("reader", r.Topic)
		r.Count, r.Pause = orInt(r.Count, 1), orDuration(r.Pause, 2*time.Second)
		if r.BytesMax <= 0 {
			r.BytesMax = fetchBytes
		}
	}
	for i := range c.Listers {
		l := &c.Listers[i]
		need("lister", l.Topic)
		l.Count, l.Pause = orInt(l.Count, 1), orDuration(l.Pause, 500*time.Millisecond)
	}
	for i := range c.Churn {
		ch := &c.Churn[i]
		ch.Count, ch.Pause = orInt(ch.Count, 1), orDuration(ch.Pause, time.Second)
		if ch.Topic == "" || known[ch.Topic] {
			errs = append(errs, fmt.Errorf("workload: churn of topic %q: want a name of its own", ch.Topic))
		}
	}
	return errors.Join(errs...)
}

func (p *Producer) validate() error {
	p.Count, p.InFlight = orInt(p.Count, 1), orInt(p.InFlight, 1)
	p.RecordsMax, p.BytesMax = orInt(p.RecordsMax, 5), orInt(p.BytesMax, 200)
	if p.Rate == 0 {
		p.Rate = 20
	}
	switch {
	case p.Acks < -1 || p.Acks > 1:
		return fmt.Errorf("workload: acks %d: want -1, 0 or 1", p.Acks)
	case p.Idempotent && p.Acks != -1:
		return errors.New("workload: an idempotent producer needs acks -1")
	case p.InFlight > inFlightMax:
		return fmt.Errorf("workload: %d batches in flight, at most %d keep their order", p.InFlight, inFlightMax)
	case p.RecordsMax < 0 || p.RecordsMax > recordsMax || p.BytesMax < 0 || p.BytesMax > recordBytesMax:
		return fmt.Errorf("workload: up to %d records of %d bytes: at most %d of %d", p.RecordsMax, p.BytesMax,
			recordsMax, recordBytesMax)
	case p.Rate < 0 || p.Rate > 100_000:
		return fmt.Errorf("workload: %g batches per second", p.Rate)
	}
	return nil
}

func orInt(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

func orDuration(v, otherwise time.Duration) time.Duration {
	if v == 0 {
		return otherwise
	}
	return v
}
