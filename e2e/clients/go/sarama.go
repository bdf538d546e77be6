package main

import (
	"slices"
	"strconv"
	"time"

	"github.com/IBM/sarama"
)

var saramaCodecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

type saramaClient struct{ bootstrap []string }

func useSarama(bootstrap string) verbs {
	c := &saramaClient{[]string{bootstrap}}
	return verbs{
		"about": c.about, "produce": c.produce, "consume": c.consume, "offset": c.offset,
		"create": c.create, "grow": c.grow, "describe": c.describe, "configs": c.configs,
		"alter": c.alter, "list": c.list, "trim": c.trim, "delete": c.delete,
	}
}

func saramaConfig() *sarama.Config {
	cfg := sarama.NewConfig()
	cfg.Version = sarama.MaxVersion
	return cfg
}

func (c *saramaClient) about(_ *Question, a *Answer) error {
	a.Client, a.Version = "sarama", moduleVersion("github.com/IBM/sarama")
	a.Codecs, a.Idempotence = []string{"none", "gzip", "snappy", "lz4", "zstd"}, true
	return nil
}

func (c *saramaClient) produce(q *Question, a *Answer) error {
	records, err := q.records()
	if err != nil {
		return err
	}
	cfg := saramaConfig()
	cfg.Producer.Compression = saramaCodecs[q.Codec]
	cfg.Producer.RequiredAcks = sarama.RequiredAcks(q.Acks)
	cfg.Producer.Return.Successes, cfg.Producer.Return.Errors = true, true
	cfg.Producer.MaxMessageBytes = batchBytes
	cfg.Producer.Flush.Frequency = 5 * time.Millisecond
	if q.Idempotent {
		cfg.Producer.Idempotent, cfg.Net.MaxOpenRequests = true, 1
	}
	if len(records) > 0 && records[0].Partition >= 0 {
		cfg.Producer.Partitioner = sarama.NewManualPartitioner
	}
	p, err := sarama.NewAsyncProducer(c.bootstrap, cfg)
	if err != nil {
		return err
	}
	go func() {
		for _, r := range records {
			p.Input() <- saramaMessage(q.Topic, r)
		}
	}()
	a.Errors = map[string]int{}
	for range records { // closed earlier it would give up on what it has to send again
		select {
		case <-p.Successes():
			a.Acked++
		case e := <-p.Errors():
			a.Errors[e.Err.Error()]++
		}
	}
	return p.Close()
}

func saramaMessage(topic string, r Record) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: topic, Partition: int32(r.Partition),
		Timestamp: time.UnixMilli(r.Timestamp)}
	if r.Key != nil {
		m.Key = sarama.ByteEncoder(r.Key)
	}
	if r.Value != nil {
		m.Value = sarama.ByteEncoder(r.Value)
	}
	for _, h := range r.Headers {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
	}
	return m
}

func (c *saramaClient) consume(q *Question, a *Answer) error {
	client, err := sarama.NewClient(c.bootstrap, saramaConfig())
	if err != nil {
		return err
	}
	defer client.Close()
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer consumer.Close()
	var all []Record
	for p := range int32(q.Partitions) {
		end, err := client.GetOffset(q.Topic, p, sarama.OffsetNewest)
		if err != nil {
			return err
		}
		if end == 0 {
			continue
		}
		part, err := consumer.ConsumePartition(q.Topic, p, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		for m := range part.Messages() {
			all = append(all, saramaRecord(m))
			if m.Offset+1 >= end {
				break
			}
		}
		if err := part.Close(); err != nil {
			return err
		}
	}
	a.Count = len(all)
	return q.writeRecords(all)
}

func saramaRecord(m *sarama.ConsumerMessage) Record {
	r := Record{Partition: int(m.Partition), Offset: m.Offset, Timestamp: m.Timestamp.UnixMilli(),
		Key: m.Key, Value: m.Value}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, Header{string(h.Key), h.Value})
	}
	return r
}

func (c *saramaClient) offset(q *Question, a *Answer) error {
	client, err := sarama.NewClient(c.bootstrap, saramaConfig())
	if err != nil {
		return err
	}
	defer client.Close()
	at := int64(0)
	switch q.At {
	case "earliest":
		at = sarama.OffsetOldest
	case "latest":
		at = sarama.OffsetNewest
	case "max-timestamp":
		a.Unsupported = true
		return nil
	default:
		if at, err = strconv.ParseInt(q.At, 10, 64); err != nil {
			return err
		}
	}
	a.Offset, err = client.GetOffset(q.Topic, q.Partition, at)
	return err
}

func (c *saramaClient) admin(act func(sarama.ClusterAdmin) error) error {
	admin, err := sarama.NewClusterAdmin(c.bootstrap, saramaConfig())
	if err != nil {
		return err
	}
	defer admin.Close()
	return act(admin)
}

func (c *saramaClient) create(q *Question, _ *Answer) error {
	detail := &sarama.TopicDetail{NumPartitions: int32(q.Partitions), ReplicationFactor: 1,
		ConfigEntries: map[string]*string{}}
	for k, v := range q.Configs {
		detail.ConfigEntries[k] = &v
	}
	return c.admin(func(admin sarama.ClusterAdmin) error { return admin.CreateTopic(q.Topic, detail, false) })
}

func (c *saramaClient) grow(q *Question, _ *Answer) error {
	return c.admin(func(admin sarama.ClusterAdmin) error {
		return admin.CreatePartitions(q.Topic, int32(q.Partitions), nil, false)
	})
}

func (c *saramaClient) describe(q *Question, a *Answer) error {
	return c.admin(func(admin sarama.ClusterAdmin) error {
		found, err := admin.DescribeTopics([]string{q.Topic})
		if err == nil {
			a.Partitions = len(found[0].Partitions)
		}
		return err
	})
}

func (c *saramaClient) configs(q *Question, a *Answer) error {
	return c.admin(func(admin sarama.ClusterAdmin) error {
		found, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: q.Topic})
		a.Configs = map[string]string{}
		for _, e := range found {
			a.Configs[e.Name] = e.Value
		}
		return err
	})
}

func (c *saramaClient) alter(q *Question, _ *Answer) error {
	entries := map[string]sarama.IncrementalAlterConfigsEntry{}
	for k, v := range q.Configs {
		entries[k] = sarama.IncrementalAlterConfigsEntry{
			Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &v}
	}
	return c.admin(func(admin sarama.ClusterAdmin) error {
		return admin.IncrementalAlterConfig(sarama.TopicResource, q.Topic, entries, false)
	})
}

func (c *saramaClient) list(_ *Question, a *Answer) error {
	return c.admin(func(admin sarama.ClusterAdmin) error {
		found, err := admin.ListTopics()
		for name := range found {
			a.Topics = append(a.Topics, name)
		}
		slices.Sort(a.Topics)
		return err
	})
}

func (c *saramaClient) trim(q *Question, a *Answer) error {
	err := c.admin(func(admin sarama.ClusterAdmin) error {
		return admin.DeleteRecords(q.Topic, map[int32]int64{q.Partition: q.Offset})
	})
	if err != nil {
		return err
	}
	return c.offset(&Question{Topic: q.Topic, Partition: q.Partition, At: "earliest"}, a)
}

func (c *saramaClient) delete(q *Question, _ *Answer) error {
	return c.admin(func(admin sarama.ClusterAdmin) error { return admin.DeleteTopic(q.Topic) })
}
