package compat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/kafka"
	"github.com/tidemark-log/tidemark/e2e/stage"
	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

// tools are Apache Kafka's own, pointed at a broker.
type tools struct {
	kafka *kafka.Kafka
	addr  string
}

// kafkaTools fetches Apache Kafka's tools, or skips where that is not possible.
func kafkaTools(t *testing.T, addr string) tools {
	t.Helper()
	k, err := kafka.Install(t.Context())
	if errors.Is(err, kafka.ErrNoJava) {
		stage.Skip(t, err.Error())
	}
	require.NoError(t, err)
	stage.Met("Apache Kafka's tools", kafka.Version)
	return tools{k, addr}
}

// run wants a tool to succeed and returns what it printed.
func (k tools) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := k.try(t, "", name, args...)
	require.NoError(t, err, "%s %v: %s", name, args, out)
	return out
}

// try runs one of Kafka's tools against the broker, with that on its standard input.
func (k tools) try(t *testing.T, stdin, name string, args ...string) (string, error) {
	t.Helper()
	args = append([]string{"--bootstrap-server", k.addr}, args...)
	if name == "kafka-cluster" { // its verb comes first
		args[0], args[1], args[2] = args[2], args[0], args[1]
	}
	cmd := k.kafka.Tool(t.Context(), name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	err := cmd.Run()
	if err != nil {
		return diag.String() + out.String(), err
	}
	return out.String(), nil
}

func TestKafkaTopicsWorksUnchanged(t *testing.T) {
	broker := stage.Broker(t)
	k := kafkaTools(t, broker.Addr())
	require.Contains(t, k.run(t, "kafka-topics", "--create", "--topic", "made", "--partitions", "3",
		"--replication-factor", "1", "--config", "retention.ms=7654321"), "Created topic made.")
	k.run(t, "kafka-topics", "--create", "--topic", "made", "--if-not-exists")
	again, err := k.try(t, "", "kafka-topics", "--create", "--topic", "made")
	require.Error(t, err)
	require.Contains(t, again, "Topic 'made' already exists")
	require.Equal(t, "made\n", k.run(t, "kafka-topics", "--list"))
	described := k.run(t, "kafka-topics", "--describe", "--topic", "made")
	require.Contains(t, described, "PartitionCount: 3")
	require.Contains(t, described, "retention.ms=7654321")
	require.Equal(t, 3, strings.Count(described, "Leader: 1"))
	require.NotContains(t, k.run(t, "kafka-topics", "--describe", "--under-replicated-partitions"), "made")
	require.NotContains(t, k.run(t, "kafka-topics", "--describe", "--unavailable-partitions"), "made")
	require.Contains(t, k.run(t, "kafka-topics", "--describe", "--topics-with-overrides"), "retention.ms")
	k.run(t, "kafka-topics", "--alter", "--topic", "made", "--partitions", "5")
	require.Contains(t, k.run(t, "kafka-topics", "--describe", "--topic", "made"), "PartitionCount: 5")
	fewer, err := k.try(t, "", "kafka-topics", "--alter", "--topic", "made", "--partitions", "2")
	require.Error(t, err)
	require.Contains(t, fewer, "InvalidPartitionsException")
	k.run(t, "kafka-topics", "--delete", "--topic", "made")
	require.Empty(t, strings.TrimSpace(k.run(t, "kafka-topics", "--list")))
	gone, err := k.try(t, "", "kafka-topics", "--describe", "--topic", "made")
	require.Error(t, err)
	require.Contains(t, gone, "Topic 'made' does not exist")
}

func TestKafkaConfigsWorksUnchanged(t *testing.T) {
	broker := stage.Broker(t)
	k := kafkaTools(t, broker.Addr())
	k.run(t, "kafka-topics", "--create", "--topic", "made")
	for _, entity := range []struct {
		args  []string
		key   string
		value string
		after string // what the key is when it is no longer set
	}{
		{[]string{"--entity-type", "topics", "--entity-name", "made"}, "max.message.bytes", "65536", "1048588"},
		{[]string{"--entity-type", "brokers", "--entity-name", "1"}, "log.retention.ms", "86400000", "null"},
		{[]string{"--entity-type", "brokers", "--entity-default"}, "message.max.bytes", "2000000", "1048588"},
	} {
		configs := func(more ...string) string { return k.run(t, "kafka-configs", append(more, entity.args...)...) }
		configs("--alter", "--add-config", entity.key+"="+entity.value)
		require.Contains(t, configs("--describe"), entity.key+"="+entity.value)
		if entity.args[len(entity.args)-1] != "--entity-default" {
			require.Contains(t, configs("--describe", "--all"), entity.key+"="+entity.value)
		}
		configs("--alter", "--delete-config", entity.key)
		require.NotContains(t, configs("--describe"), entity.key+"="+entity.value)
		if entity.args[len(entity.args)-1] != "--entity-default" {
			require.Contains(t, configs("--describe", "--all"), entity.key+"="+entity.after)
		}
	}
	wrong, err := k.try(t, "", "kafka-configs", "--alter", "--entity-type", "topics", "--entity-name", "made",
		"--add-config", "retention.ms=soon")
	require.Error(t, err)
	require.Contains(t, wrong, "Invalid value soon for configuration retention.ms")
}

// lines makes that many MiB of lines of 1 KiB, each its own.
func lines(mib int) string {
	var text strings.Builder
	text.Grow(mib << 20)
	for i := range mib * 1024 {
		fmt.Fprintf(&text, "%08d %s\n", i, strings.Repeat(strconv.Itoa(i%10), 1014))
	}
	return text.String()
}

// What the console and performance tools write is found, measured, trimmed and read back.
func TestKafkaToolsMoveRecordsUnchanged(t *testing.T) {
	broker := stage.Broker(t, "log.segment.bytes=1048576")
	k := kafkaTools(t, broker.Addr())
	mib := stage.FromEnv(t, "E2E_MIB", 8)
	text, count := lines(mib), strconv.Itoa(mib*1024)
	_, err := k.try(t, text, "kafka-console-producer", "--topic", "console")
	require.NoError(t, err)
	read := k.run(t, "kafka-console-consumer", "--topic", "console", "--partition", "0", "--offset", "earliest",
		"--max-messages", count, "--timeout-ms", "20000")
	require.Equal(t, sha256.Sum256([]byte(text)), sha256.Sum256([]byte(read)))

	_, err = k.try(t, "a:1\nb:\nc:NULL\n", "kafka-console-producer", "--topic", "keyed",
		"--compression-codec", "zstd",
		"--reader-property", "parse.key=true", "--reader-property", "key.separator=:",
		"--reader-property", "null.marker=NULL")
	require.NoError(t, err)
	require.Equal(t, "a\t1\nb\t\nc\tnull\n", k.run(t, "kafka-console-consumer", "--topic", "keyed",
		"--partition", "0", "--offset", "0", "--max-messages", "3", "--timeout-ms", "20000",
		"--formatter-property", "print.key=true"))

	perf := k.run(t, "kafka-producer-perf-test", "--topic", "perf", "--num-records", count,
		"--record-size", "1024", "--throughput", "-1", "--command-property", "compression.type=lz4")
	require.Contains(t, perf, count+" records sent")
	for at, want := range map[string]string{
		"earliest": "perf:0:0", "latest": "perf:0:" + count, "earliest-local": "perf:0:0", "latest-tiered": "",
		"max-timestamp": "perf:0:", "0": "perf:0:0",
	} {
		found := k.run(t, "kafka-get-offsets", "--topic", "perf", "--time", at)
		require.True(t, strings.HasPrefix(strings.TrimSpace(found), want), "%s: %s", at, found)
	}
	k.trim(t, "perf")
}

// trim deletes the first records of a topic's partition 0.
func (k tools) trim(t *testing.T, topic string) {
	t.Helper()
	plan := filepath.Join(t.TempDir(), "plan.json")
	text := fmt.Sprintf(`{"partitions":[{"topic":%q,"partition":0,"offset":100}],"version":1}`, topic)
	require.NoError(t, os.WriteFile(plan, []byte(text), 0o600))
	require.Contains(t, k.run(t, "kafka-delete-records", "--offset-json-file", plan), "low_watermark: 100")
	require.Equal(t, topic+":0:100", strings.TrimSpace(
		k.run(t, "kafka-get-offsets", "--topic", topic, "--time", "earliest")))
}

// The tools that ask what a broker is are answered.
func TestKafkaToolsDescribeTheBroker(t *testing.T) {
	broker := stage.Broker(t)
	k := kafkaTools(t, broker.Addr())
	k.run(t, "kafka-topics", "--create", "--topic", "made", "--partitions", "2")
	versions := k.run(t, "kafka-broker-api-versions")
	for _, api := range []string{"Produce(0): 0 to 13", "Fetch(1): 4 to 18", "CreateTopics(19): 2 to 7"} {
		require.Contains(t, versions, api)
	}
	require.Contains(t, k.run(t, "kafka-features", "describe"), "Feature: metadata.version")
	require.Contains(t, k.run(t, "kafka-cluster", "cluster-id"), "Cluster ID: ")
	logs := k.run(t, "kafka-log-dirs", "--describe", "--topic-list", "made")
	require.Contains(t, logs, `"partition":"made-1"`)
	require.Contains(t, logs, `"error":null`)
}

// kafka-dump-log accepts every file that the load of several codecs left behind.
func TestKafkaDumpLogAcceptsEveryFile(t *testing.T) {
	cfg := stage.Config(t, "log.segment.bytes=1048576")
	broker, err := process.Start(t.Context(), cfg)
	require.NoError(t, err)
	defer broker.Kill()
	k := kafkaTools(t, broker.Addr())
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		k.run(t, "kafka-producer-perf-test", "--topic", codec, "--num-records", "6000",
			"--record-size", "1024", "--throughput", "-1", "--command-property", "compression.type="+codec)
	}
	require.NoError(t, broker.Stop(context.Background()))
	requireDumpAccepts(t, k.kafka, filepath.Join(cfg.Dir, "data"))
}
