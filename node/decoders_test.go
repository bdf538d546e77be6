package node

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/record"
)

// The judgement of a batch does not depend on which decoder made it: what inflates to more
// than the usual is taken up to the bound, and refused beyond.
func TestDecodersTakeLargeBatchesAndRefuseBombs(t *testing.T) {
	d := newDecoders()
	for size, refused := range map[int]bool{
		1 << 10: false, inflatedUsual + 1<<20: false, record.DecompressedMaxDefault + 1: true,
	} {
		frame := produceFrame(t, size)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				decoded := d.decode(env.ClassClient, frame).(*api.Decoded)
				if decoded.Err != nil || decoded.InflatesTooLarge() != refused {
					t.Errorf("%d bytes: refused %v, %v", size, decoded.InflatesTooLarge(), decoded.Err)
				}
			})
		}
		all.Wait()
	}
	hello := kmsg.NewRequestFormatter().AppendRequest(nil, kmsg.NewPtrApiVersionsRequest(), 1)[4:]
	require.NoError(t, d.decode(env.ClassClient, hello).(*api.Decoded).Err)
}

// produceFrame is a request with one batch that inflates to a little more than size.
func produceFrame(t *testing.T, size int) []byte {
	t.Helper()
	compressor, err := kgo.DefaultCompressor(kgo.ZstdCompression())
	require.NoError(t, err)
	body := binary.AppendVarint([]byte{0, 0, 0, 1}, int64(size))
	body = append(append(body, make([]byte, size)...), 0)
	packed, codec := compressor.Compress(new(bytes.Buffer),
		append(binary.AppendVarint(nil, int64(len(body))), body...))
	batch := kmsg.RecordBatch{
		Length: int32(49 + len(packed)), PartitionLeaderEpoch: -1, Magic: 2, Attributes: int16(codec),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 1, Records: packed,
	}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))

	part := kmsg.NewProduceRequestTopicPartition()
	part.Records = raw
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = "t", append(topic.Partitions, part)
	req := kmsg.NewPtrProduceRequest()
	req.Topics = append(req.Topics, topic)
	req.SetVersion(7)
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)[4:]
}
