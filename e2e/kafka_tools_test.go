package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/kafka"
	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

// kafkaTools fetches Apache Kafka's tools, or skips where that is not possible.
func kafkaTools(t *testing.T) *kafka.Kafka {
	t.Helper()
	k, err := kafka.Install(t.Context())
	if errors.Is(err, kafka.ErrNoJava) {
		t.Skipf("skipped: %v", err)
	}
	require.NoError(t, err)
	return k
}

// tool runs one of Kafka's tools to its end and returns what it printed.
func tool(t *testing.T, k *kafka.Kafka, stdin string, name string, args ...string) string {
	t.Helper()
	cmd := k.Tool(t.Context(), name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	require.NoError(t, cmd.Run(), "%s: %s%s", name, diag.String(), out.String())
	return out.String()
}

// Kafka's console and performance tools work unchanged, and its dump tool accepts every
// segment and index that their load left behind.
func TestKafkaToolsWorkUnchanged(t *testing.T) {
	k := kafkaTools(t)
	cfg := brokerConfig(t)
	cfg.Properties = append(cfg.Properties, "log.segment.bytes=1048576")
	broker, err := process.Start(t.Context(), cfg)
	require.NoError(t, err)
	defer func() { broker.Kill() }()

	records := strconv.Itoa(fromEnv(t, "E2E_MIB", 8) * 1024)
	lines := kilobyteLines(t, "E2E_MIB", 8)
	tool(t, k, lines, "kafka-console-producer", "--bootstrap-server", broker.Addr(), "--topic", "console")
	read := tool(t, k, "", "kafka-console-consumer", "--bootstrap-server", broker.Addr(), "--topic", "console",
		"--partition", "0", "--offset", "earliest", "--max-messages", records, "--timeout-ms", "20000")
	require.Equal(t, sha256.Sum256([]byte(lines)), sha256.Sum256([]byte(read)))

	perf := tool(t, k, "", "kafka-producer-perf-test", "--bootstrap-server", broker.Addr(), "--topic", "perf",
		"--num-records", records, "--record-size", "1024", "--throughput", "-1")
	require.Contains(t, perf, records+" records sent")
	offsets := tool(t, k, "", "kafka-get-offsets", "--bootstrap-server", broker.Addr(), "--topic", "perf")
	require.Equal(t, "perf:0:"+records, strings.TrimSpace(offsets))

	require.NoError(t, broker.Stop(context.Background()))
	requireDumpAccepts(t, k, filepath.Join(cfg.Dir, "data"))
}

// requireDumpAccepts lets kafka-dump-log check every log and index below dir.
func requireDumpAccepts(t *testing.T, k *kafka.Kafka, dir string) {
	t.Helper()
	for _, suffix := range []string{"log", "index", "timeindex", "snapshot"} {
		files, err := filepath.Glob(filepath.Join(dir, "*-[0-9]*", "*."+suffix))
		require.NoError(t, err)
		require.NotEmpty(t, files, suffix)
		for some := range slices.Chunk(files, 500) { // a command line has an end
			requireDumpAcceptsFiles(t, k, some)
		}
	}
}

func requireDumpAcceptsFiles(t *testing.T, k *kafka.Kafka, files []string) {
	t.Helper()
	cmd := k.Tool(t.Context(), "kafka-dump-log", "--deep-iteration", "--files", strings.Join(files, ","))
	var diag bytes.Buffer
	cmd.Stderr = &diag
	out, err := cmd.Output()
	require.NoError(t, err, diag.String())
	for line := range strings.Lines(diag.String() + string(out)) {
		require.False(t, complains(line), "%s…: %s", files[0], line)
	}
}

// complains tells the lines in which the dump tool found something wrong. For the first
// batch of a file it always says that "-1 is followed by" its offset.
func complains(line string) bool {
	for _, complaint := range []string{"Mismatches in", "is followed by", "isvalid: false",
		"timestamp mismatch"} {
		if strings.Contains(line, complaint) {
			return !strings.Contains(line, " -1 is followed by")
		}
	}
	return false
}
