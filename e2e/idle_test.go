package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-log/tidemark/e2e/stage"
	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

// idleSpan is how long a broker is watched doing nothing.
const idleSpan = 5 * time.Second

// BenchmarkIdle tells what a broker costs that nobody uses: go test ./e2e -run - -bench Idle
// -benchtime 1x. Partitions are created and not written to, then once each with one record.
func BenchmarkIdle(b *testing.B) {
	for _, partitions := range []int{1, 1000, 5000} {
		for _, written := range []bool{false, true} {
			name := fmt.Sprintf("partitions=%d/written=%v", partitions, written)
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					idle(b, partitions, written)
				}
			})
		}
	}
}

func idle(b *testing.B, partitions int, written bool) {
	ctx := b.Context()
	admin, err := process.FreePort()
	require.NoError(b, err)
	cfg := stage.Config(b, fmt.Sprintf("tidemark.admin.address=127.0.0.1:%d", admin))
	cfg.ReadyTimeout = 2 * time.Minute
	timed := func(unit string, do func() error) {
		began := time.Now()
		require.NoError(b, do())
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000, unit)
	}
	var broker *process.Broker
	start := func() (err error) {
		broker, err = process.Start(ctx, cfg)
		return err
	}
	timed("new-ms", start)
	defer func() { broker.Kill() }()
	timed("create-ms", func() error { return create(ctx, broker.Addr(), partitions) })
	if written {
		require.NoError(b, writeEach(ctx, broker.Addr(), partitions))
	}
	before := cpuSeconds(b, broker.Pid())
	time.Sleep(idleSpan) // the span is what is measured
	used := cpuSeconds(b, broker.Pid()) - before
	b.ReportMetric(100*used/idleSpan.Seconds(), "%cpu")
	b.ReportMetric(rssMB(b, broker.Pid()), "RSS-MB")
	timed("scrape-ms", func() error { return scrape(admin) })
	timed("stop-ms", func() error { return broker.Stop(context.Background()) })
	timed("start-ms", start)
	broker.Kill()
	timed("start-after-kill-ms", start)
	b.ReportMetric(rssMB(b, broker.Pid()), "RSS-after-kill-MB")
}

func create(ctx context.Context, addr string, partitions int) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = kadm.NewClient(client).CreateTopic(ctx, int32(partitions), 1, nil, "idle")
	return err
}

// writeEach produces one record to each partition.
func writeEach(ctx context.Context, addr string, partitions int) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.DefaultProduceTopic("idle"))
	if err != nil {
		return err
	}
	defer client.Close()
	records := make([]*kgo.Record, partitions)
	for i := range records {
		records[i] = &kgo.Record{Partition: int32(i), Value: []byte("one")}
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}

func scrape(port int) error {
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// cpuSeconds is what a process has used.
func cpuSeconds(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		b.Skipf("skipped: no /proc here: %v", err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	ticks := 0.0
	for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseFloat(field, 64)
		require.NoError(b, err)
		ticks += n
	}
	return ticks / 100
}

func rssMB(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	require.NoError(b, err)
	pages, err := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	require.NoError(b, err)
	return pages * float64(os.Getpagesize()) / 1e6
}
