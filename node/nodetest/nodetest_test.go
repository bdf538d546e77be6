package nodetest_test

import (
	"fmt"
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
