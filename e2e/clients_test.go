package e2e

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What franz-go writes it reads back, byte for byte, under each codec.
func TestFranzGoReadsWhatItWrote(t *testing.T) {
	broker := startBroker(t)
	mib := fromEnv(t, "E2E_MIB", 32)
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		t.Run(name, func(t *testing.T) {
			size := mib
			if name != "none" {
				size = min(mib, 32)
			}
			client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.ProducerBatchCompression(codec),
				kgo.DefaultProduceTopic("franz-"+name), kgo.AllowAutoTopicCreation(),
				kgo.RecordPartitioner(kgo.ManualPartitioner()))
			require.NoError(t, err)
			defer client.Close()
			wrote := produceMiB(t, client, size)
			read := consumeAll(t, broker.Addr(), "franz-"+name)
			require.Equal(t, wrote.Sum(nil), read.Sum(nil))
		})
	}
}

func produceMiB(t *testing.T, client *kgo.Client, mib int) hash.Hash {
	sum := sha256.New()
	source := rand.New(rand.NewPCG(1, 2))
	for range mib * 256 {
		value := make([]byte, 4096)
		for i := 0; i < len(value); i += 16 { // half random, half not: compressible
			value[i] = byte(source.Uint32())
		}
		sum.Write(value)
		client.Produce(t.Context(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Errorf("produce: %v", err)
			}
		})
	}
	require.NoError(t, client.Flush(t.Context()))
	return sum
}

func consumeAll(t *testing.T, addr, topic string) hash.Hash {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumePartitions(
		map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}}))
	require.NoError(t, err)
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), topic)
	require.NoError(t, err)
	end, _ := ends.Lookup(topic, 0)
	sum := sha256.New()
	for next := int64(0); next < end.Offset; {
		fetches := client.PollFetches(t.Context())
		require.NoError(t, fetches.Err0())
		for _, r := range fetches.Records() {
			require.Equal(t, next, r.Offset)
			sum.Write(r.Value)
			next++
		}
	}
	return sum
}

// kcat (librdkafka) produces a file of lines and reads the same lines back.
func TestKcatReadsWhatItWrote(t *testing.T) {
	needs(t, "kcat")
	broker := startBroker(t)
	lines := kilobyteLines(t, "E2E_MIB", 32)
	sent := sha256.Sum256([]byte(lines))

	produce := exec.CommandContext(t.Context(), "kcat", "-P", "-b", broker.Addr(), "-t", "kcat", "-p", "0")
	produce.Stdin = strings.NewReader(lines)
	out, err := produce.CombinedOutput()
	require.NoError(t, err, string(out))
	consume := exec.CommandContext(t.Context(), "kcat", "-C", "-q", "-e", "-b", broker.Addr(), "-t", "kcat",
		"-p", "0", "-o", "beginning")
	got, err := consume.Output()
	require.NoError(t, err)
	require.Equal(t, sent, sha256.Sum256(got))
}

// kilobyteLines makes that many MiB of lines of 1 KiB, each its own.
func kilobyteLines(t *testing.T, size string, short int) string {
	var lines strings.Builder
	n := fromEnv(t, size, short) * 1024
	lines.Grow(n * 1024)
	for i := range n {
		fmt.Fprintf(&lines, "%08d %s\n", i, strings.Repeat(strconv.Itoa(i%10), 1014))
	}
	return lines.String()
}
