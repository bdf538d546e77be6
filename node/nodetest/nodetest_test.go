package nodetest_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/tidemark-log/tidemark/node/nodetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What was acknowledged before a restart is read after it, through the same address.
func TestRecordsOutliveARestart(t *testing.T) {
	broker := nodetest.Start(t)
	produce(t, broker, "orders", "one", "two", "three")
	broker.Restart()
	require.Equal(t, []string{"one", "two", "three"}, consume(t, broker, "orders", 3))
}

// On a real disk, a start from a snapshot of the metadata knows what the log said: two
// snapshots are kept, and nothing unfinished once the broker has started again.
func TestTopicsOutliveARestartFromASnapshot(t *testing.T) {
	dir := t.TempDir()
	broker := nodetest.Start(t, nodetest.Dir(dir),
		nodetest.Property("metadata.log.max.record.bytes.between.snapshots", "300"))
	for i := range 6 {
		produce(t, broker, fmt.Sprint("t", i), fmt.Sprint("value ", i))
	}
	for range 2 {
		broker.Restart()
		parts, err := filepath.Glob(filepath.Join(dir, "__cluster_metadata-0", "*.part"))
		require.NoError(t, err)
		require.Empty(t, parts)
		for i := range 6 {
			require.Equal(t, []string{fmt.Sprint("value ", i)}, consume(t, broker, fmt.Sprint("t", i), 1))
		}
	}
	broker.Stop()
	whole, err := filepath.Glob(filepath.Join(dir, "__cluster_metadata-0", "0*.checkpoint"))
	require.NoError(t, err)
	require.Len(t, whole, 2)
}

// Nothing is global: brokers of one process know nothing of each other.
func TestBrokersOfOneProcessAreApart(t *testing.T) {
	for i := range 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			broker := nodetest.Start(t, nodetest.Property("num.partitions", "1"))
			value := fmt.Sprint("from ", i)
			produce(t, broker, "same-name", value)
			require.Equal(t, []string{value}, consume(t, broker, "same-name", 1))
		})
	}
}

func produce(t *testing.T, broker *nodetest.Broker, topic string, values ...string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.AllowAutoTopicCreation(),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	require.NoError(t, err)
	defer client.Close()
	for _, v := range values {
		record := &kgo.Record{Topic: topic, Value: []byte(v)}
		require.NoError(t, client.ProduceSync(t.Context(), record).FirstErr())
	}
}

func consume(t *testing.T, broker *nodetest.Broker, topic string, n int) []string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.ConsumePartitions(
		map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}}))
	require.NoError(t, err)
	defer client.Close()
	var values []string
	for len(values) < n {
		fetches := client.PollFetches(t.Context())
		require.NoError(t, fetches.Err0())
		for _, r := range fetches.Records() {
			values = append(values, string(r.Value))
		}
	}
	return values
}
