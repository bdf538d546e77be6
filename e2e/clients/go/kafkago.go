package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

var kafkaGoCodecs = map[string]kafka.Compression{
	"none": 0, "gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
}

// patience bounds every call.
const patience = 60 * time.Second

type kafkaGoClient struct{ bootstrap string }

func useKafkaGo(bootstrap string) verbs {
	c := &kafkaGoClient{bootstrap}
	return verbs{
		"about": c.about, "produce": c.produce, "consume": c.consume, "offset": c.offset,
		"create": c.create, "grow": c.grow, "describe": c.describe, "configs": c.configs,
		"alter": c.alter, "list": c.list, "delete": c.delete,
	}
}

// client knows nothing yet: a transport answers for some seconds from what it knew of topics.
func (c *kafkaGoClient) client() *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(c.bootstrap), Timeout: patience, Transport: &kafka.Transport{}}
}

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

func (c *kafkaGoClient) about(_ *Question, a *Answer) error {
	a.Client, a.Version = "segmentio/kafka-go", moduleVersion("github.com/segmentio/kafka-go")
	a.EmptyIsNull = true // its reader gives nil for both
	a.Overtakes = true   // each batch takes any connection of a pool
	a.Codecs = []string{"none", "gzip", "snappy", "lz4", "zstd"}
	return nil
}

func (c *kafkaGoClient) produce(q *Question, a *Answer) error {
	records, err := q.records()
	if err != nil {
		return err
	}
	w := &kafka.Writer{
		Addr: kafka.TCP(c.bootstrap), Transport: &kafka.Transport{}, Topic: q.Topic,
		Compression:  kafkaGoCodecs[q.Codec],
		RequiredAcks: kafka.RequiredAcks(q.Acks), BatchTimeout: 5 * time.Millisecond, BatchBytes: batchBytes,
		BatchSize: 50, MaxAttempts: 3,
	}
	if len(records) > 0 && records[0].Partition >= 0 {
		w.Balancer = kafka.BalancerFunc(func(m kafka.Message, _ ...int) int { return m.WriterData.(int) })
	} else {
		w.Balancer = &kafka.Hash{}
	}
	messages := make([]kafka.Message, len(records))
	for i, r := range records {
		messages[i] = kafka.Message{Key: r.Key, Value: r.Value, Time: time.UnixMilli(r.Timestamp),
			WriterData: r.Partition}
		for _, h := range r.Headers {
			messages[i].Headers = append(messages[i].Headers, kafka.Header{Key: h.Key, Value: h.Value})
		}
	}
	ctx, cancel := within()
	defer cancel()
	a.Errors = map[string]int{}
	err = w.WriteMessages(ctx, messages...)
	var each kafka.WriteErrors
	switch {
	case err == nil:
		a.Acked = len(messages)
	case errors.As(err, &each):
		for _, err := range each {
			if err == nil {
				a.Acked++
			} else {
				a.Errors[err.Error()]++
			}
		}
	default:
		return err
	}
	return w.Close()
}

func (c *kafkaGoClient) consume(q *Question, a *Answer) error {
	var all []Record
	for p := range q.Partitions {
		end, err := c.offsetAt(q.Topic, p, kafka.LastOffset)
		if err != nil {
			return err
		}
		records, err := c.readPartition(q.Topic, p, end)
		if err != nil {
			return err
		}
		all = append(all, records...)
	}
	a.Count = len(all)
	return q.writeRecords(all)
}

func (c *kafkaGoClient) readPartition(topic string, p int, end int64) ([]Record, error) {
	if end == 0 {
		return nil, nil
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{c.bootstrap}, Topic: topic, Partition: p,
		MinBytes: 1, MaxBytes: 10 << 20, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	ctx, cancel := within()
	defer cancel()
	var records []Record
	for {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			return nil, err
		}
		record := Record{Partition: m.Partition, Offset: m.Offset, Timestamp: m.Time.UnixMilli(),
			Key: m.Key, Value: m.Value}
		for _, h := range m.Headers {
			record.Headers = append(record.Headers, Header{h.Key, h.Value})
		}
		records = append(records, record)
		if m.Offset+1 >= end {
			return records, nil
		}
	}
}

func (c *kafkaGoClient) offset(q *Question, a *Answer) (err error) {
	at := int64(0)
	switch q.At {
	case "earliest":
		at = kafka.FirstOffset
	case "latest":
		at = kafka.LastOffset
	case "max-timestamp":
		a.Unsupported = true
		return nil
	default:
		if at, err = strconv.ParseInt(q.At, 10, 64); err != nil {
			return err
		}
	}
	a.Offset, err = c.offsetAt(q.Topic, int(q.Partition), at)
	return err
}

func (c *kafkaGoClient) offsetAt(topic string, partition int, at int64) (int64, error) {
	ctx, cancel := within()
	defer cancel()
	answer, err := c.client().ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: {{Partition: partition, Timestamp: at}}}})
	if err != nil {
		return 0, err
	}
	found := answer.Topics[topic][0]
	switch {
	case found.Error != nil:
		return 0, found.Error
	case at == kafka.FirstOffset:
		return found.FirstOffset, nil
	case at == kafka.LastOffset:
		return found.LastOffset, nil
	}
	for offset := range found.Offsets {
		return offset, nil
	}
	return -1, nil
}

func (c *kafkaGoClient) create(q *Question, _ *Answer) error {
	topic := kafka.TopicConfig{Topic: q.Topic, NumPartitions: q.Partitions, ReplicationFactor: 1}
	for k, v := range q.Configs {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	ctx, cancel := within()
	defer cancel()
	answer, err := c.client().CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err != nil {
		return err
	}
	return answer.Errors[q.Topic]
}

func (c *kafkaGoClient) grow(q *Question, _ *Answer) error {
	ctx, cancel := within()
	defer cancel()
	answer, err := c.client().CreatePartitions(ctx, &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: q.Topic, Count: int32(q.Partitions)}}})
	if err != nil {
		return err
	}
	return answer.Errors[q.Topic]
}

func (c *kafkaGoClient) describe(q *Question, a *Answer) error {
	ctx, cancel := within()
	defer cancel()
	answer, err := c.client().Metadata(ctx, &kafka.MetadataRequest{Topics: []string{q.Topic}})
	if err != nil {
		return err
	}
	a.Partitions = len(answer.Topics[0].Partitions)
	return answer.Topics[0].Error
}

func (c *kafkaGoClient) configs(q *Question, a *Answer) error {
	ctx, cancel := within()
	defer cancel()
	answer, err := c.client().DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: q.Topic}}})
	if err != nil {
		return err
	}
	a.Configs = map[string]string{}
	for _, e := range answer.Resources[0].ConfigEntries {
		a.Configs[e.ConfigName] = e.ConfigValue
	}
	return answer.Resources[0].Error
}

func (c *kafkaGoClient) alter(q *Question, _ *Answer) error {
	resource := kafka.IncrementalAlterConfigsRequestResource{ResourceType: kafka.ResourceTypeTopic,
		ResourceName: q.Topic}
	for k, v := range q.Configs {
		resource.Configs = append(resource.Configs, kafka.IncrementalAlterConfigsRequestConfig{
			Name: k, Value: v, ConfigOperation: kafka.ConfigOperationSet})
	}
	ctx, cancel := within()
	defer cancel()
	answer, err := c.client().IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{resource}})
	if err != nil {
		return err
	}
	return answer.Resources[0].Error
}

func (c *kafkaGoClient) list(_ *Question, a *Answer) error {
	ctx, cancel := within()
	defer cancel()
	answer, err := c.client().Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return err
	}
	for _, topic := range answer.Topics {
		a.Topics = append(a.Topics, topic.Name)
	}
	return nil
}

func (c *kafkaGoClient) delete(q *Question, _ *Answer) error {
	ctx, cancel := within()
	defer cancel()
	answer, err := c.client().DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{q.Topic}})
	if err != nil {
		return err
	}
	return answer.Errors[q.Topic]
}
