package compat

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/kafka"
)

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
