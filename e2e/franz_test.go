package e2e

import (
	"crypto/sha256"
	"hash"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-log/tidemark/e2e/stage"
)

// What franz-go writes it reads back, byte for byte, under each codec.
func TestFranzGoReadsWhatItWrote(t *testing.T) {
	broker := stage.Broker(t)
	mib := stage.FromEnv(t, "E2E_MIB", 32)
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
