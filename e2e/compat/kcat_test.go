package compat

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/stage"
)

// kcat runs librdkafka's command line, of the distribution, against a broker.
type kcat struct{ addr string }

func startKcat(t *testing.T) kcat {
	t.Helper()
	stage.Needs(t, "kcat")
	out, err := exec.CommandContext(t.Context(), "kcat", "-V").Output()
	require.NoError(t, err)
	_, version, _ := strings.Cut(string(out), "Version ")
	stage.Met("kcat", strings.Fields(strings.ReplaceAll(version, "(", ""))[0]+" "+librdkafka(version))
	return kcat{stage.Broker(t).Addr()}
}

func librdkafka(version string) string {
	_, of, _ := strings.Cut(version, "librdkafka ")
	return "(librdkafka " + strings.Fields(of + " ?")[0] + ")"
}

func (k kcat) run(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "kcat", append([]string{"-b", k.addr, "-q"}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var diag strings.Builder
	cmd.Stderr = &diag
	out, err := cmd.Output()
	require.NoError(t, err, "kcat %v: %s", args, diag.String())
	return string(out)
}

// kcat produces lines and reads the same lines back: in each codec, keyed, with headers,
// with and without idempotence, under every acks.
func TestKcatReadsWhatItWrote(t *testing.T) {
	k := startKcat(t)
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "key-%d|%d %s\n", i%40, i, strings.Repeat("v", i%300))
	}
	want := sha256.Sum256([]byte(text.String()))
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for way, setting := range map[string]string{
			"idempotent": "enable.idempotence=true", "all": "acks=all", "one": "acks=1", "none": "acks=0",
		} {
			topic := codec + "-" + way
			k.run(t, text.String(), "-P", "-t", topic, "-p", "0", "-z", codec, "-X", setting, "-K", "|",
				"-H", "color=blue", "-H", "empty=")
			read := k.run(t, "", "-C", "-t", topic, "-p", "0", "-o", "beginning", "-c", "2000", "-f", "%k|%s\n")
			require.Equal(t, want, sha256.Sum256([]byte(read)), topic)
			headers := k.run(t, "", "-C", "-t", topic, "-p", "0", "-o", "1999", "-c", "1", "-f", "%h")
			require.Equal(t, "color=blue,empty=", headers)
		}
	}
}

// kcat lists topics and finds offsets by time.
func TestKcatFindsItsWay(t *testing.T) {
	k := startKcat(t)
	k.run(t, "first\n", "-P", "-t", "found", "-p", "0")
	stamp := strings.TrimSpace(k.run(t, "", "-C", "-t", "found", "-p", "0", "-o", "0", "-c", "1", "-f", "%T"))
	require.Contains(t, k.run(t, "", "-L", "-J"), `"topic":"found"`)
	for at, want := range map[string]string{"-2": "offset 0", "-1": "offset 1", stamp: "offset 0"} {
		require.Contains(t, k.run(t, "", "-Q", "-t", "found:0:"+at), want)
	}
	require.Empty(t, k.run(t, "", "-C", "-t", "found", "-p", "0", "-o", "end", "-e"))
}
