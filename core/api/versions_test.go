package api_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
)

// plain are requests that every version must answer without error, by API; the topic "t" has
// two partitions and one record in partition 0.
var plain = map[string]string{
	"Produce": `Acks: -1, TimeoutMillis: 1000, Topics: [{Topic: t, TopicID: t,
		Partitions: [{Partition: 1, Records: {values: [a]}}]}]`,
	"Fetch": `MaxBytes: 1000, MinBytes: 1, SessionEpoch: -1, Topics: [{Topic: t, TopicID: t,
		Partitions: [{Partition: 0, PartitionMaxBytes: 1000, LastFetchedEpoch: -1, CurrentLeaderEpoch: -1},
		{Partition: 1, PartitionMaxBytes: 1000, LastFetchedEpoch: -1, CurrentLeaderEpoch: -1}]}]`,
	"ListOffsets": `Topics: [{Topic: t, Partitions: [{Partition: 0, Timestamp: -1, CurrentLeaderEpoch: -1},
		{Partition: 1, Timestamp: 5, CurrentLeaderEpoch: -1}]}]`,
	"Metadata":    `Topics: [{Topic: t}]`,
	"ApiVersions": `ClientSoftwareName: test, ClientSoftwareVersion: 1`,
	"CreateTopics": `TimeoutMillis: 1000,
		Topics: [{Topic: new, NumPartitions: 1, ReplicationFactor: 1}]`,
	"DeleteTopics":   `TimeoutMillis: 1000, TopicNames: [gone], Topics: [{Topic: gone}]`,
	"InitProducerId": `TransactionalID: null, ProducerID: -1, ProducerEpoch: -1`,
	"OffsetForLeaderEpoch": `ReplicaID: -1, Topics: [{Topic: t, Partitions: [
		{Partition: 0, CurrentLeaderEpoch: -1, LeaderEpoch: 0}, {Partition: 1, CurrentLeaderEpoch: -1}]}]`,
	"DescribeConfigs": `IncludeSynonyms: true, IncludeDocumentation: true,
		Resources: [{ResourceType: 2, ResourceName: t}, {ResourceType: 4, ResourceName: 1}]`,
	"AlterConfigs": `Resources: [{ResourceType: 2, ResourceName: t, Configs: [{Name: retention.ms, Value: 5}]},
		{ResourceType: 4, ResourceName: 1, Configs: [{Name: max.connections, Value: 500}]}]`,
	"DescribeLogDirs": `Topics: [{Topic: t, Partitions: [0, 1, 7]}]`,
	"CreatePartitions": `TimeoutMillis: 1000, Topics: [{Topic: t, Count: 3, Assignment: null},
		{Topic: gone, Count: 2, Assignment: [{Replicas: [1]}]}]`,
	"IncrementalAlterConfigs": `Resources: [{ResourceType: 2, ResourceName: t, Configs: [
		{Name: retention.ms, Op: 0, Value: 5}, {Name: cleanup.policy, Op: 1, Value: null}]},
		{ResourceType: 4, ResourceName: "", Configs: [{Name: message.max.bytes, Value: 5000}]}]`,
	"ListConfigResources":     ``,
	"DescribeCluster":         `EndpointType: 1`,
	"DescribeTopicPartitions": `Topics: [{Topic: t}], ResponsePartitionLimit: 10, Cursor: {Topic: t}`,
}

func TestEveryVersionOfEveryAPIIsAnswered(t *testing.T) {
	for _, a := range api.Table() {
		for version := a.Min; version <= a.Max; version++ {
			t.Run(fmt.Sprintf("%s/v%d", a.Name, version), func(t *testing.T) {
				t.Parallel()
				b := mustBoot(t)
				b.createTopic("t", 2)
				b.createTopic("gone", 1)
				b.produceTo("t", 0, makeBatch(map[string]any{"values": []any{"first"}}, b.now()))
				v, err := parseFlow("{" + plain[a.Name] + "}")
				if err != nil {
					t.Fatal(err)
				}
				req := requestNamed(a.Name)
				b.fill(reflect.ValueOf(req).Elem(), v)
				req.SetVersion(version)
				text := responseText(b.ask(req))
				if strings.Contains(text, "ErrorCode=") {
					t.Error(text)
				}
				if a.Name == "Fetch" && !strings.Contains(text, "0..0[first]") {
					t.Error(text)
				}
			})
		}
	}
}

func (b *bench) createTopic(name string, partitions int32) {
	b.t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version, req.TimeoutMillis = 7, 1000
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	req.Topics = append(req.Topics, topic)
	resp := b.ask(req).(*kmsg.CreateTopicsResponse).Topics[0]
	if resp.ErrorCode != 0 {
		b.t.Fatal(kafka.ErrorCode(resp.ErrorCode))
	}
	b.ids[name] = resp.TopicID
}

func (b *bench) produceTo(topic string, partition int32, batch []byte) {
	b.t.Helper()
	resp := b.ask(produceRequest(topic, partition, batch)).(*kmsg.ProduceResponse)
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		b.t.Fatal(kafka.ErrorCode(code))
	}
}

func produceRequest(topic string, partition int32, batch []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 9, -1, 30000
	req.Topics = []kmsg.ProduceRequestTopic{{
		Topic: topic, Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: partition, Records: batch}},
	}}
	return req
}

// Tools show a key they know and do not find as missing.
func TestDescribeConfigsListsEveryTopicKey(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1)
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Version, req.IncludeSynonyms, req.IncludeDocumentation = 4, true, true
	topic := kmsg.DescribeConfigsRequestResource{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "t"}
	req.Resources = append(req.Resources, topic)
	rows := map[string]kmsg.DescribeConfigsResponseResourceConfig{}
	for _, row := range b.ask(req).(*kmsg.DescribeConfigsResponse).Resources[0].Configs {
		rows[row.Name] = row
	}
	for _, key := range metadata.TopicConfigKeys() {
		row, ok := rows[key.Name]
		if ok == key.Internal {
			t.Errorf("%s: listed=%v", key.Name, ok)
		}
		if !ok {
			continue
		}
		if row.ConfigType != kmsg.ConfigType(key.Type) || row.Documentation == nil || len(row.ConfigSynonyms) == 0 {
			t.Errorf("%s: %+v", key.Name, row)
		}
	}
}

// A produce of a thousand records must not cost a thousand of anything.
func TestProduceAndFetchAllocateNothingPerRecord(t *testing.T) {
	for _, path := range []struct {
		name string
		run  func(b *bench, records int) func()
	}{
		{"produce", func(b *bench, records int) func() {
			frame := frameOf(produceRequest("t", 0, batchOf(records)), 1, "test")
			c := b.conn("hot")
			return func() {
				b.sendFrame(c, frame)
				b.settle()
			}
		}},
		{"fetch", func(b *bench, records int) func() {
			b.produceTo("t", 0, batchOf(records))
			req := kmsg.NewPtrFetchRequest()
			req.Version, req.MaxBytes, req.SessionEpoch = 12, 1<<20, -1
			p := kmsg.NewFetchRequestTopicPartition()
			p.PartitionMaxBytes = 1 << 20
			req.Topics = []kmsg.FetchRequestTopic{{Topic: "t", Partitions: []kmsg.FetchRequestTopicPartition{p}}}
			frame := frameOf(req, 1, "test")
			c := b.conn("hot")
			return func() {
				b.sendFrame(c, frame)
				b.settle()
			}
		}},
	} {
		t.Run(path.name, func(t *testing.T) {
			measure := func(records int) float64 {
				b := mustBoot(t)
				b.createTopic("t", 1)
				run := path.run(b, records)
				b.counting = true
				return testing.AllocsPerRun(50, run)
			}
			few, many := measure(1), measure(500)
			t.Logf("%.0f allocations with 1 record, %.0f with 500", few, many)
			// The simulated disk allocates by bytes, which the margin is for.
			if many > few+20 {
				t.Errorf("%.0f allocations with 1 record, %.0f with 500", few, many)
			}
		})
	}
}

func batchOf(records int) []byte {
	b := record.NewBuilder(record.Options{})
	for range records {
		b.Append(1_000_000, nil, []byte("0123456789012345"), nil)
	}
	return b.Build()
}
