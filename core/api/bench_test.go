package api_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/broker"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/record"
)

// BenchmarkDecodeProduce is what the network goroutines do for each produce.
func BenchmarkDecodeProduce(b *testing.B) {
	for _, records := range []int{1, 64, 4096} {
		b.Run(fmt.Sprintf("%d-records", records), func(b *testing.B) {
			frame := frameOf(produceRequest("t", 0, batchOf(records)), 1, "bench")
			decode := broker.NewDecoder(record.Limits{})
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				decode(env.ClassClient, frame)
			}
		})
	}
}

// BenchmarkDecodeCompressed compares a decoder that lasts with one made for each frame.
func BenchmarkDecodeCompressed(b *testing.B) {
	for _, codec := range []string{"gzip", "snappy", "lz4", "zstd"} {
		batch := makeBatch(map[string]any{"size": "65536", "codec": codec}, 1_000_000)
		frame := frameOf(produceRequest("t", 0, batch), 1, "bench")
		for name, decode := range map[string]func(env.Class, []byte) any{
			"lasting": broker.NewDecoder(record.Limits{}), "fresh": broker.Decode,
		} {
			b.Run(codec+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					decode(env.ClassClient, frame)
				}
			})
		}
	}
}

// BenchmarkProduce is a produce from frame to reply, with the log and a simulated disk.
func BenchmarkProduce(b *testing.B) {
	benchmarkCall(b, func(*bench) kmsg.Request { return produceRequest("t", 0, batchOf(64)) })
}

// BenchmarkFetch is a fetch from the tail cache.
func BenchmarkFetch(b *testing.B) {
	benchmarkCall(b, func(h *bench) kmsg.Request {
		h.produceTo("t", 0, batchOf(64))
		return fetchRequest("t", 0, 0)
	})
}

func benchmarkCall(b *testing.B, prepare func(*bench) kmsg.Request) {
	h := mustBoot(b)
	h.createTopic("t", 1)
	frame := frameOf(prepare(h), 1, "bench")
	c := h.conn("hot")
	h.counting = true
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		h.sendFrame(c, frame)
		h.settle()
	}
}
