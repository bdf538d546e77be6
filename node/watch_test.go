package node_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-log/tidemark/node"
	"github.com/tidemark-log/tidemark/node/config"
	"github.com/tidemark-log/tidemark/node/nodetest"
)

func get(t *testing.T, address, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

// metric reads one series of a scrape.
func metric(t *testing.T, text, series string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			require.NoError(t, err)
			return v
		}
	}
	t.Fatalf("no %s in\n%s", series, text)
	return 0
}

// What a client did is what a scrape shows, and a scrape harms nothing.
func TestMetricsCountWhatClientsDid(t *testing.T) {
	b := nodetest.Start(t, nodetest.Property("tidemark.admin.address", "127.0.0.1:0"))
	code, text := get(t, b.AdminAddr(), "/readyz")
	require.Equal(t, http.StatusOK, code, text)
	require.Equal(t, "ready\n", text)

	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.AllowAutoTopicCreation(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"orders": {0: kgo.NewOffset().At(0)}}))
	require.NoError(t, err)
	defer client.Close()
	for i := range 7 {
		record := &kgo.Record{Topic: "orders", Value: []byte(fmt.Sprint("order ", i))}
		require.NoError(t, client.ProduceSync(t.Context(), record).FirstErr())
	}
	for got := 0; got < 7; {
		got += client.PollFetches(t.Context()).NumRecords()
	}

	_, text = get(t, b.AdminAddr(), "/metrics")
	for series, want := range map[string]float64{
		"tidemark_ready": 1, "tidemark_loop_responsive": 1, "tidemark_topics": 1, "tidemark_partitions": 1,
		"tidemark_partitions_led": 1, "tidemark_partitions_offline": 0, "tidemark_produced_records_total": 7,
		`tidemark_topic_produced_records_total{topic="orders"}`: 7,
		`tidemark_requests_total{api="Produce"}`:                7,
		`tidemark_request_seconds_count{api="Produce"}`:         7,
		`tidemark_request_errors_total{api="Produce"}`:          0,
	} {
		require.InDelta(t, want, metric(t, text, series), 0, series)
	}
	produced := metric(t, text, "tidemark_produced_bytes_total")
	require.InDelta(t, produced, metric(t, text, `tidemark_topic_bytes{topic="orders"}`), 0)
	require.GreaterOrEqual(t, metric(t, text, "tidemark_fetched_bytes_total"), produced)
	require.Positive(t, metric(t, text, "tidemark_connections"))
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func parse(t *testing.T, dir string, lines ...string) *config.Config {
	t.Helper()
	cfg, err := config.Parse("server.properties", fmt.Sprintf("node.id=1\nlog.dirs=%s\n"+
		"listeners=PLAINTEXT://127.0.0.1:0\ntidemark.journal.file.bytes=1048576\n%s",
		dir, strings.Join(lines, "\n")))
	require.NoError(t, err)
	return cfg
}

func start(t *testing.T, cfg *config.Config, out io.Writer) *node.Node {
	t.Helper()
	n, err := node.Start(cfg, node.Options{Log: slog.New(slog.NewTextHandler(out, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	return n
}

// A second node on a machine that said nothing of the admin's port starts all the same; one
// that was told the port does not pretend to have it.
func TestAdminPortOfANeighbourIsNotTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	address := "tidemark.admin.address=" + taken.Addr().String()

	cfg := parse(t, t.TempDir(), address)
	_, err = node.Start(cfg, node.Options{})
	require.ErrorContains(t, err, "tidemark.admin.address")
	require.ErrorContains(t, err, taken.Addr().String())

	cfg.AdminChosen = false
	var out syncBuffer
	n := start(t, cfg, &out)
	require.Empty(t, n.AdminAddr())
	require.Contains(t, out.String(), "no metrics and no health from this node")
}

// A file that is read again changes what may change, says what needs a restart, and what a
// client has set goes before it.
func TestReloadAppliesWhatMayChange(t *testing.T) {
	dir := t.TempDir()
	var out syncBuffer
	n := start(t, parse(t, dir, "log.retention.ms=1000", "num.partitions=1", "tidemark.admin.address="), &out)
	client, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()))
	require.NoError(t, err)
	defer client.Close()
	admin := kadm.NewClient(client)
	held := func(key string) string {
		configs, err := admin.DescribeBrokerConfigs(t.Context(), 1)
		require.NoError(t, err)
		for _, c := range configs[0].Configs {
			if c.Key == key {
				return c.MaybeValue()
			}
		}
		t.Fatalf("no %s", key)
		return ""
	}
	require.NoError(t, n.Reload(parse(t, dir, "log.retention.ms=2000", "num.partitions=3",
		"tidemark.admin.address=", "log.roll.ms=5")))
	require.Equal(t, "2000", held("log.retention.ms"))
	require.Equal(t, "1", held("num.partitions"))
	for _, line := range []string{
		`msg=changed key=log.retention.ms from=1000 to=2000`,
		`msg="needs a restart" key=num.partitions "runs with"=1 "file says"=3`,
		`msg="the configuration was read again" changed=2 "need a restart"=1`,
	} {
		require.Contains(t, out.String(), line)
	}

	_, err = admin.AlterBrokerConfigs(t.Context(),
		[]kadm.AlterConfig{{Op: kadm.SetConfig, Name: "log.retention.ms", Value: kadm.StringPtr("77")}}, 1)
	require.NoError(t, err)
	require.NoError(t, n.Reload(parse(t, dir, "log.retention.ms=3000", "tidemark.admin.address=")))
	require.Equal(t, "77", held("log.retention.ms"))
	require.Contains(t, out.String(), `msg="changed, and a client's value goes before it" key=log.retention.ms`)
}

// The bound on connections is the listeners' business, outside the loop; it hears of it.
func TestReloadReachesTheListeners(t *testing.T) {
	dir := t.TempDir()
	n := start(t, parse(t, dir, "tidemark.admin.address="), io.Discard)
	client, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()))
	require.NoError(t, err)
	defer client.Close()
	require.NoError(t, client.Ping(t.Context()))
	require.NoError(t, n.Reload(parse(t, dir, "tidemark.admin.address=", "max.connections=1")))
	conn, err := net.Dial("tcp", n.Addr())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

// A file that takes a key away gives it its default again.
func TestReloadGivesBackDefaults(t *testing.T) {
	dir := t.TempDir()
	var out syncBuffer
	n := start(t, parse(t, dir, "log.retention.hours=1", "tidemark.admin.address="), &out)
	require.NoError(t, n.Reload(parse(t, dir, "tidemark.admin.address=")))
	require.Contains(t, out.String(), `key=log.retention.hours from=1 to="168 (default)"`)
	out.reset()
	require.NoError(t, n.Reload(parse(t, dir, "tidemark.admin.address=")))
	require.Contains(t, out.String(), `changed=0 "need a restart"=0`)
}

// Clients do not hold a stop up, whatever they are doing: nothing, half of a request, or
// waiting for records that will not come.
func TestStopDoesNotWaitForClients(t *testing.T) {
	n := start(t, parse(t, t.TempDir(), "tidemark.admin.address=127.0.0.1:0"), io.Discard)
	for _, sent := range []string{"", "\x00\x00", "\x00\x00\x10\x00half"} {
		conn, err := net.Dial("tcp", n.Addr())
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte(sent))
		require.NoError(t, err)
	}
	watcher, err := net.Dial("tcp", n.AdminAddr())
	require.NoError(t, err)
	defer watcher.Close()

	client, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.AllowAutoTopicCreation(),
		kgo.FetchMaxWait(time.Minute), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			"quiet": {0: kgo.NewOffset().At(0)},
		}))
	require.NoError(t, err)
	defer client.Close()
	record := &kgo.Record{Topic: "quiet", Value: []byte("v")}
	require.NoError(t, client.ProduceSync(t.Context(), record).FirstErr())
	require.Equal(t, 1, client.PollFetches(t.Context()).NumRecords())
	for { // until it waits for a second record
		_, text := get(t, n.AdminAddr(), "/metrics")
		if metric(t, text, "tidemark_fetch_waits_total") > 0 {
			break
		}
	}
	require.NoError(t, n.Stop())
}
