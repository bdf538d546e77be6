package hostile

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// frame is a request as a client sends it, length in front.
func frame(req kmsg.Request, version int16) []byte {
	req.SetVersion(version)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("siege")).AppendRequest(nil, req, 1)
}

// length is the front of a frame of that many bytes.
func length(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// raw is a frame of these bytes.
func raw(body []byte) []byte { return append(length(int32(len(body))), body...) }

// Thousands send one byte a second and never come to the end of a request.
func TestSlowLorisHoldsNobodyUp(t *testing.T) {
	besiege(t, func(s *siege) {
		conns := make([]net.Conn, s.count(3000))
		s.each(len(conns), func(i int) {
			conns[i] = s.dial()
			_, _ = conns[i].Write(length(1000))
		})
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for range max(2, s.count(10)) {
			<-tick.C
			for _, conn := range conns {
				_, err := conn.Write([]byte{0})
				require.NoError(t, err)
			}
			s.sings(t)
		}
	})
}

// Frames of which half comes, and then nothing, or the end.
func TestHalfFramesHoldNobodyUp(t *testing.T) {
	besiege(t, func(s *siege) {
		whole := frame(kmsg.NewPtrMetadataRequest(), 9)
		s.each(s.count(3000), func(i int) {
			conn := s.dial()
			_, _ = conn.Write(whole[:1+i%(len(whole)-1)])
			if i%2 == 0 {
				_ = conn.Close()
			}
		})
		s.sings(t)
	})
}

// Large frames that are begun by many and completed by none cost a bounded sum.
func TestLargeHalfFramesCostABoundedSum(t *testing.T) {
	besiege(t, func(s *siege) {
		part := make([]byte, 6<<20)
		s.each(s.count(300)+60, func(int) {
			conn := s.dial()
			_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Second)) // the broker may stop reading
			_, _ = conn.Write(append(length(90<<20), part...))
		})
		s.sings(t)
	})
}

// Bytes that are no request end the connection, with a reason.
func TestGarbageEndsItsConnectionAlone(t *testing.T) {
	besiege(t, func(s *siege) {
		s.each(s.count(3000), func(i int) {
			source := rand.New(rand.NewPCG(uint64(i), 7))
			body := make([]byte, 10+source.IntN(200))
			for j := range body {
				body[j] = byte(source.Uint32())
			}
			conn := s.dial()
			_, _ = conn.Write(raw(body))
			s.closes(conn)
		})
		s.logged("unknown or unsupported request")
		conn := s.dial()
		_, _ = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		s.closes(conn)
	})
}

// Lengths that no frame can have end the connection at once.
func TestImpossibleLengthsEndTheirConnection(t *testing.T) {
	besiege(t, func(s *siege) {
		for _, n := range []int32{0, -1, -1 << 31, 1<<31 - 1, 100<<20 + 1} {
			s.each(s.count(200), func(int) {
				conn := s.dial()
				_, _ = conn.Write(append(length(n), make([]byte, 100)...))
				s.closes(conn)
			})
		}
		s.logged("frame length out of bounds")
	})
}

// Counts of elements that the frame has no bytes for are refused before memory is taken.
func TestImpossibleCountsEndTheirConnection(t *testing.T) {
	header := func(key, version byte) []byte { return []byte{0, key, 0, version, 0, 0, 0, 1, 255, 255} }
	count := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	produce := append(header(0, 3), 255, 255, 0, 1, 0, 0, 0, 1)
	bodies := [][]byte{
		append(header(3, 1), count(1<<31-1)...), // topics of Metadata
		append(header(3, 1), count(1_000_000)...),
		append(produce, count(1<<31-1)...),
		append(header(19, 2), count(900_000)...),              // of CreateTopics
		append(header(3, 9), 0, 0xff, 0xff, 0xff, 0xff, 0x0f), // compact
		append(header(18, 3), 0xff, 0xff, 0xff, 0xff, 0x0f),   // tags
	}
	besiege(t, func(s *siege) {
		s.each(s.count(2000), func(i int) {
			conn := s.dial()
			_, _ = conn.Write(raw(bodies[i%len(bodies)]))
			s.closes(conn)
		})
		s.logged("connection closed")
	})
}

// Batches that inflate a thousandfold are refused, many at a time, at bounded memory.
func TestCompressedBombsAreRefused(t *testing.T) {
	zeroes := make([]byte, 256<<20)
	for name, codec := range map[string]kgo.CompressionCodec{
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
		"zstd": kgo.ZstdCompression(),
	} {
		t.Run(name, func(t *testing.T) {
			bomb := produceOf(bomb(t, codec, zeroes))
			besiege(t, func(s *siege) {
				s.each(s.count(100), func(int) {
					conn := s.dial()
					if _, err := conn.Write(bomb); err != nil {
						return
					}
					if code, ok := produceAnswer(conn); !ok || code == 0 {
						t.Errorf("a bomb was answered with %d, %v", code, ok)
					}
				})
			})
		})
	}
}

// bomb is a batch of one record of so many zeroes.
func bomb(t *testing.T, codec kgo.CompressionCodec, zeroes []byte) []byte {
	t.Helper()
	compressor, err := kgo.DefaultCompressor(codec)
	require.NoError(t, err)
	// The body of a record without key and headers, whose value is zeroes.
	record := []byte{0, 0, 0, 1}
	record = binary.AppendVarint(record, int64(len(zeroes)))
	record = append(append(record, zeroes...), 0)
	whole := append(binary.AppendVarint(nil, int64(len(record))), record...)
	packed, kind := compressor.Compress(new(bytes.Buffer), whole)
	batch := kmsg.RecordBatch{
		Length: int32(49 + len(packed)), PartitionLeaderEpoch: -1, Magic: 2, Attributes: int16(kind),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 1, Records: packed,
	}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func produceOf(batch []byte) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 10_000
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = canaryTopic
	part := kmsg.NewProduceRequestTopicPartition()
	part.Records = batch
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	return frame(req, 7)
}

// produceAnswer reads the error code of a produce to one partition.
func produceAnswer(conn net.Conn) (code int16, ok bool) {
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return 0, false
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, body); err != nil {
		return 0, false
	}
	var answer kmsg.ProduceResponse
	answer.SetVersion(7)
	if err := answer.ReadFrom(body[4:]); err != nil {
		return 0, false
	}
	return answer.Topics[0].Partitions[0].ErrorCode, true
}

// Five thousand connections that do nothing cost little.
func TestIdleConnectionsCostLittle(t *testing.T) {
	besiege(t, func(s *siege) {
		hello := frame(kmsg.NewPtrApiVersionsRequest(), 0)
		s.each(s.count(5000), func(i int) {
			conn := s.dial()
			if i%2 == 0 {
				_, _ = conn.Write(hello)
			}
		})
		s.sings(t)
		t.Logf("%d idle connections: %d MiB", s.count(5000), s.memory("VmRSS")>>20)
	})
}

// Beyond max.connections newcomers are turned away, and those within are served on.
func TestFloodOfConnectionsIsTurnedAway(t *testing.T) {
	besiege(t, func(s *siege) {
		conns := make([]net.Conn, s.count(5000))
		s.each(len(conns), func(i int) { conns[i] = s.dial() })
		s.sings(t)
		s.logged("max.connections are open")
		for _, conn := range conns {
			_ = conn.Close()
		}
		client, err := kgo.NewClient(kgo.SeedBrokers(s.addr))
		require.NoError(t, err)
		defer client.Close()
		require.Eventually(t, func() bool { return client.Ping(t.Context()) == nil }, 30*time.Second,
			50*time.Millisecond, "after the flood nobody is let in")
	}, "max.connections=100")
}

// Who asks for megabytes and reads none of them gets no more memory than a bound, and
// nobody waits for them.
func TestClientsThatNeverReadCostABoundedSum(t *testing.T) {
	besiege(t, func(s *siege) {
		s.fill(t, 48)
		ask := fetchOf(52 << 20)
		s.each(s.count(200)+20, func(int) {
			conn := s.dial()
			_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Second)) // the broker may stop reading
			for range 20 {
				if _, err := conn.Write(ask); err != nil {
					return
				}
			}
		})
		s.sings(t)
	})
}

// fill writes that many MiB into a topic.
func (s *siege) fill(t *testing.T, mib int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.addr), kgo.DefaultProduceTopic("full"),
		kgo.AllowAutoTopicCreation(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	require.NoError(t, err)
	defer client.Close()
	value := make([]byte, 1<<19)
	for range 2 * mib {
		client.Produce(t.Context(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	require.NoError(t, client.Flush(t.Context()))
}

// fetchOf asks for that many bytes from the start of the topic that fill wrote.
func fetchOf(bytes int32) []byte {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.MinBytes, req.MaxWaitMillis = bytes, 1, 100
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = "full"
	part := kmsg.NewFetchRequestTopicPartition()
	part.PartitionMaxBytes = bytes
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	return frame(req, 11)
}
