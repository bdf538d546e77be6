package broker

import (
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/coordinator"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
)

// TestLimitsFitTogether states how the limits of the rooms relate; each is chosen in its own
// room, and none of them can see the others.
func TestLimitsFitTogether(t *testing.T) {
	resolver, err := metadata.NewResolver(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	image := metadata.NewImage()
	broker := func(key string) int64 { return resolver.BrokerInt(image, key) }
	topic := func(key string) int64 { return number(resolver.Topic(image, nil, key).Value) }

	for _, r := range []struct {
		why        string
		small, big int64
		orEqual    bool
	}{
		{"a batch fits into a request", topic("max.message.bytes"), broker("socket.request.max.bytes"), false},
		{"a batch fits into a fetch reply", topic("max.message.bytes"), broker("fetch.max.bytes"), false},
		{"the configured reply is not above what we build", broker("fetch.max.bytes"), api.FetchBytesMax, true},
		{"a batch fits into a segment", topic("max.message.bytes"), topic("segment.bytes"), false},
		{"the largest request's records fit into a segment file", broker("socket.request.max.bytes"),
			log.SegmentBytesMax, false},
		{"an uncompressed batch of the largest request may be inspected", broker("socket.request.max.bytes"),
			record.DecompressedMaxDefault, false},
		{"an idempotent client's five requests do not pause it", 5, PipelineCallsMax / 2, false},
		{"five default batches do not pause it", 5 * topic("max.message.bytes"), PipelineBytesMax / 2, false},
		{"one full reply does not hold up the next call", api.FetchBytesMax, UnsentBytesMax, true},
		{"one request's partitions fit into one decision", 2 * controller.PartitionsPerRequestMax,
			coordinator.RecordsMax, true},
		{"the restart of a broker that leads everything fits into one decision", controller.PartitionsMax + 1,
			coordinator.RecordsMax, true},
		{"one topic may have what one request may make", metadata.PartitionsPerTopicMax,
			controller.PartitionsPerRequestMax, true},
		{"a decision's batch fits into the metadata log's segment", controller.DecisionWeightMax,
			metadataLogConfig().SegmentBytes, false},
		{"a decision's batch may be read back", controller.DecisionWeightMax, record.DecompressedMaxDefault, false},
		{"a config value fits into a record", metadata.ConfigValueMax, metadata.RecordBytesMax, false},
		{"a waiting call outlives no idle connection's patience", int64(api.FetchWaitMax / time.Millisecond),
			broker("connections.max.idle.ms"), true},
	} {
		if r.small > r.big || r.small == r.big && !r.orEqual {
			t.Errorf("%s: %d against %d", r.why, r.small, r.big)
		}
	}
}
