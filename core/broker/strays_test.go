package broker

import (
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// A name of a file has at most 255 bytes, a topic's may have 249.
func TestNamesOfStraysFitIntoADirectory(t *testing.T) {
	id := metadata.IncarnationID{1}
	for _, n := range []int{1, 200, 249} {
		tp := kafka.TopicPartition{Topic: strings.Repeat("x", n), Partition: 2147483647}
		name := strayName(tp, id)
		end := "-2147483647.01" + strings.Repeat("00", 15) + "-stray"
		if len(name) > strayNameMax || !strings.HasSuffix(name, end) {
			t.Errorf("%d bytes: %s", len(name), name)
		}
		if _, err := kafka.ParseTopicPartition(name); err == nil {
			t.Errorf("%s could be a partition's folder", name)
		}
	}
}
