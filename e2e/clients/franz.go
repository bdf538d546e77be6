package clients

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var franzCodecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

// batchBytes is max.message.bytes as brokers have it by default.
const batchBytes = 1<<20 + 12

// franz is franz-go under the contract, in this process.
type franz struct {
	bootstrap string
	admin     *kadm.Client // of the question being answered
}

func startFranz(_ context.Context, bootstrap string, _ io.Writer) (Client, error) {
	return &franz{bootstrap: bootstrap}, nil
}

// Close implements Client.
func (f *franz) Close() error { return nil }

// Ask implements Client. Each question gets a new client: one that knew the topics a moment
// ago would answer for what they are now.
func (f *franz) Ask(ctx context.Context, q Question) (Answer, error) {
	var a Answer
	verbs := map[string]func(context.Context, *Question, *Answer) error{
		"about": f.about, "produce": f.produce, "consume": f.consume, "offset": f.offset,
		"create": f.create, "grow": f.grow, "describe": f.describe, "configs": f.configs,
		"alter": f.alter, "list": f.list, "trim": f.trim, "delete": f.delete,
	}
	verb := verbs[q.Do]
	if verb == nil {
		a.Unsupported = true
		return a, nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(f.bootstrap))
	if err != nil {
		return a, err
	}
	defer client.Close()
	f.admin = kadm.NewClient(client)
	if err := verb(ctx, &q, &a); err != nil {
		a.Error = err.Error()
	}
	return a, nil
}

func (f *franz) about(ctx context.Context, _ *Question, a *Answer) error {
	a.Client, a.Version = "franz-go", "unknown"
	a.Codecs, a.Idempotence = []string{"none", "gzip", "snappy", "lz4", "zstd"}, true
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}",
		"github.com/twmb/franz-go").Output()
	if err == nil {
		a.Version = strings.TrimSpace(string(out))
	}
	return err
}

func (f *franz) produce(ctx context.Context, q *Question, a *Answer) error {
	records, err := ReadRecords(q.File)
	if err != nil {
		return err
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(f.bootstrap), kgo.DefaultProduceTopic(q.Topic),
		kgo.ProducerBatchCompression(franzCodecs[q.Codec]), kgo.ProducerBatchMaxBytes(batchBytes),
		kgo.RequiredAcks(map[int]kgo.Acks{-1: kgo.AllISRAcks(), 0: kgo.NoAck(), 1: kgo.LeaderAck()}[q.Acks]),
	}
	if !q.Idempotent {
		opts = append(opts, kgo.DisableIdempotentWrite())
	}
	if len(records) > 0 && records[0].Partition >= 0 {
		opts = append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	a.Errors = map[string]int{}
	var mu sync.Mutex // guards a
	for _, r := range records {
		client.Produce(ctx, franzRecord(r), func(_ *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				a.Acked++
			} else {
				a.Errors[err.Error()]++
			}
		})
	}
	return client.Flush(ctx)
}

func franzRecord(r Record) *kgo.Record {
	out := &kgo.Record{Partition: r.Partition, Key: r.Key, Value: r.Value,
		Timestamp: time.UnixMilli(r.Timestamp)}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return out
}

func (f *franz) consume(ctx context.Context, q *Question, a *Answer) error {
	ends, err := f.admin.ListEndOffsets(ctx, q.Topic)
	if err != nil {
		return err
	}
	parts, left := map[int32]kgo.Offset{}, int64(0)
	for p := range int32(q.Partitions) {
		end, ok := ends.Lookup(q.Topic, p)
		if !ok || end.Err != nil {
			return fmt.Errorf("end of %s-%d: %v", q.Topic, p, end.Err)
		}
		parts[p], left = kgo.NewOffset().At(0), left+end.Offset
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(f.bootstrap),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{q.Topic: parts}))
	if err != nil {
		return err
	}
	defer client.Close()
	var records []Record
	for int64(len(records)) < left {
		fetches := client.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return errs[0].Err
		}
		for _, r := range fetches.Records() {
			records = append(records, fromFranz(r))
		}
	}
	a.Count = len(records)
	return WriteRecords(q.File, records)
}

func fromFranz(r *kgo.Record) Record {
	out := Record{Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp.UnixMilli(),
		Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, Header{h.Key, h.Value})
	}
	return out
}

func (f *franz) offset(ctx context.Context, q *Question, a *Answer) error {
	var found kadm.ListedOffsets
	var err error
	switch q.At {
	case "earliest":
		found, err = f.admin.ListStartOffsets(ctx, q.Topic)
	case "latest":
		found, err = f.admin.ListEndOffsets(ctx, q.Topic)
	case "max-timestamp":
		found, err = f.admin.ListMaxTimestampOffsets(ctx, q.Topic)
	default:
		at, bad := strconv.ParseInt(q.At, 10, 64)
		if bad != nil {
			return bad
		}
		found, err = f.admin.ListOffsetsAfterMilli(ctx, at, q.Topic)
	}
	if err != nil {
		return err
	}
	one, _ := found.Lookup(q.Topic, q.Partition)
	a.Offset = one.Offset
	return one.Err
}

func (f *franz) create(ctx context.Context, q *Question, _ *Answer) error {
	configs := map[string]*string{}
	for k, v := range q.Configs {
		configs[k] = &v
	}
	_, err := f.admin.CreateTopic(ctx, int32(q.Partitions), 1, configs, q.Topic)
	return err
}

func (f *franz) grow(ctx context.Context, q *Question, _ *Answer) error {
	answers, err := f.admin.UpdatePartitions(ctx, q.Partitions, q.Topic)
	if err != nil {
		return err
	}
	return answers.Error()
}

func (f *franz) describe(ctx context.Context, q *Question, a *Answer) error {
	topics, err := f.admin.ListTopics(ctx, q.Topic)
	if err != nil {
		return err
	}
	a.Partitions = len(topics[q.Topic].Partitions)
	return topics[q.Topic].Err
}

func (f *franz) configs(ctx context.Context, q *Question, a *Answer) error {
	found, err := f.admin.DescribeTopicConfigs(ctx, q.Topic)
	if err != nil {
		return err
	}
	a.Configs = map[string]string{}
	for _, c := range found[0].Configs {
		a.Configs[c.Key] = c.MaybeValue()
	}
	return found[0].Err
}

func (f *franz) alter(ctx context.Context, q *Question, _ *Answer) error {
	var changes []kadm.AlterConfig
	for k, v := range q.Configs {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: k, Value: &v})
	}
	answers, err := f.admin.AlterTopicConfigs(ctx, changes, q.Topic)
	if err != nil {
		return err
	}
	return answers[0].Err
}

func (f *franz) list(ctx context.Context, _ *Question, a *Answer) error {
	topics, err := f.admin.ListTopics(ctx)
	a.Topics = topics.Names()
	slices.Sort(a.Topics)
	return err
}

func (f *franz) trim(ctx context.Context, q *Question, a *Answer) error {
	var offsets kadm.Offsets
	offsets.AddOffset(q.Topic, q.Partition, q.Offset, -1)
	answers, err := f.admin.DeleteRecords(ctx, offsets)
	if err != nil {
		return err
	}
	one, ok := answers.Lookup(q.Topic, q.Partition)
	if !ok {
		return errors.New("no answer for the partition")
	}
	a.Offset = one.LowWatermark
	return one.Err
}

func (f *franz) delete(ctx context.Context, q *Question, _ *Answer) error {
	_, err := f.admin.DeleteTopic(ctx, q.Topic)
	return err
}
