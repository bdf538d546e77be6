package node_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/node/nodetest"
)

// The benchmarks of this file are a request's whole way over real sockets and disks, on one
// bare connection that allocates nothing itself: what is reported per operation is what the
// broker spends on one request, whatever it holds.

// BenchmarkProduceRequest has one iteration per acknowledged produce, so many in flight.
func BenchmarkProduceRequest(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		for _, inFlight := range []int{1, 16} {
			b.Run(fmt.Sprintf("bytes=%d/inflight=%d", size, inFlight), func(b *testing.B) {
				socket := connect(b, nodetest.Start(b, roomy...))
				pump(b, socket, produceFrame(size), inFlight, size)
			})
		}
	}
}

// BenchmarkFetchRequest has one iteration per fetch of a megabyte: from the tail cache, and
// from a segment that the page cache holds.
func BenchmarkFetchRequest(b *testing.B) {
	for _, from := range []string{"tail", "segment"} {
		b.Run(from, func(b *testing.B) {
			options := roomy
			if from == "segment" {
				options = append(options[:len(options):len(options)],
					nodetest.Property("tidemark.tail.cache.bytes", "1048576"))
			}
			socket := connect(b, nodetest.Start(b, options...))
			const batch, asked, written = 64 << 10, 1 << 20, 4 << 20
			frame, reply := produceFrame(batch), []byte(nil)
			for range written / batch {
				_, err := socket.Write(frame)
				require.NoError(b, err)
				reply = readReply(b, socket, reply)
			}
			pump(b, socket, fetchFrame(asked), 1, asked)
		})
	}
}

// roomy is a journal that a benchmark does not wait for.
var roomy = []nodetest.Option{
	nodetest.Property("tidemark.journal.file.bytes", "67108864"), nodetest.Property("num.partitions", "1"),
}

// connect makes the topic and a bare connection.
func connect(b *testing.B, broker *nodetest.Broker) net.Conn {
	b.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.AllowAutoTopicCreation())
	require.NoError(b, err)
	defer client.Close()
	first := &kgo.Record{Topic: "bench", Value: []byte("first")}
	require.NoError(b, client.ProduceSync(b.Context(), first).FirstErr())
	socket, err := net.Dial("tcp", broker.Addr())
	require.NoError(b, err)
	b.Cleanup(func() { _ = socket.Close() })
	return socket
}

func produceFrame(size int) []byte {
	builder := record.NewBuilder(record.Options{})
	value := make([]byte, 1<<10)
	for builder.Count() == 0 || builder.Len()+len(value) <= size {
		builder.Append(1_700_000_000_000, nil, value, nil)
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 9, -1, 30_000
	req.Topics = []kmsg.ProduceRequestTopic{{Topic: "bench", Partitions: []kmsg.ProduceRequestTopicPartition{
		{Partition: 0, Records: builder.Build()}}}}
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)
}

func fetchFrame(bytes int32) []byte {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 12, 500, 1, bytes
	req.SessionEpoch = -1
	asked, p := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	p.PartitionMaxBytes = bytes
	asked.Topic, asked.Partitions = "bench", []kmsg.FetchRequestTopicPartition{p}
	req.Topics = []kmsg.FetchRequestTopic{asked}
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)
}

func readReply(b *testing.B, socket net.Conn, buf []byte) []byte {
	var head [4]byte
	if _, err := io.ReadFull(socket, head[:]); err != nil {
		b.Fatal(err)
	}
	n := int(binary.BigEndian.Uint32(head[:]))
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	if _, err := io.ReadFull(socket, buf[:n]); err != nil {
		b.Fatal(err)
	}
	return buf[:n]
}

// pump keeps so many requests on the way and counts one iteration per reply.
func pump(b *testing.B, socket net.Conn, frame []byte, inFlight, bytes int) {
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	tokens, ended := make(chan struct{}, inFlight), make(chan struct{})
	for range inFlight {
		tokens <- struct{}{}
	}
	go func() {
		defer close(ended)
		for range tokens {
			if _, err := socket.Write(frame); err != nil {
				return
			}
		}
	}()
	var reply []byte
	for b.Loop() {
		reply = readReply(b, socket, reply)
		tokens <- struct{}{}
	}
	close(tokens)
	for range inFlight { // what is still on the way
		reply = readReply(b, socket, reply)
	}
	<-ended
}
