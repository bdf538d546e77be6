package api_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// While memory for record bytes runs short a fetch brings one batch, and no more than one
// request of a connection is under way.
func TestCrowdedBrokerServesALittleAtATime(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1)
	c := b.conn("c")
	for range 3 {
		b.send(c, produceRequest("t", 0, batchOf(1)))
		b.settle()
	}
	fetched := func() int {
		c.replies = nil
		b.send(c, fetchRequest("t", 0, time.Second))
		b.settle()
		return len(c.replies[0].(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches)
	}
	all := fetched()
	b.crowded = true
	if one := fetched(); one == 0 || 3*one != all {
		t.Errorf("%d bytes of %d came", one, all)
	}

	c.replies = nil
	b.hold = true
	b.send(c, produceRequest("t", 0, batchOf(1)))
	b.send(c, produceRequest("t", 0, batchOf(1)))
	b.settle()
	b.release()
	if len(c.replies) != 2 {
		t.Errorf("%d replies to two requests", len(c.replies))
	}
}

// A client that does not take its replies gets no further request started.
func TestBlockedConnectionStartsNothing(t *testing.T) {
	b := mustBoot(t)
	b.createTopic("t", 1)
	c := b.conn("c")
	c.full = true
	b.send(c, metadataRequest())
	b.send(c, produceRequest("t", 0, batchOf(1)))
	b.settle()
	if len(c.replies) != 1 {
		t.Fatalf("%d replies on a full connection", len(c.replies))
	}
	other := b.conn("other")
	end := func() int64 {
		other.replies = nil
		b.send(other, fetchRequest("t", 0, 0))
		b.settle()
		return other.replies[0].(*kmsg.FetchResponse).Topics[0].Partitions[0].HighWatermark
	}
	if at := end(); at != 0 {
		t.Errorf("a produce behind a full connection was applied: %d", at)
	}
	c.full = false
	b.broker.ConnWritable(c.id)
	b.broker.Drained()
	b.settle()
	if at := end(); at != 1 || len(c.replies) != 2 {
		t.Errorf("not read on: high watermark %d, %d replies", at, len(c.replies))
	}
}
