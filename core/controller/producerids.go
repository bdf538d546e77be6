package controller

import (
	"fmt"
	"math"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// AllocateProducerIDs decides on the next block of producer ids. A block is given once:
// what a crashed broker did not use is lost (invariant Q15).
func (c *Controller) AllocateProducerIDs(req AllocateProducerIDs) Decision[ProducerIDsAllocated] {
	m := c.Image()
	if r := checkBrokerEpoch(m, req.Broker, req.Epoch); !r.ok() {
		return Decision[ProducerIDsAllocated]{Answer: ProducerIDsAllocated{Code: r.code, Message: r.message}}
	}
	first := m.NextProducerID()
	if first > math.MaxInt64-ProducerIDBlock {
		return Decision[ProducerIDsAllocated]{Answer: ProducerIDsAllocated{
			Code:    kafka.UnknownServerError,
			Message: "Exhausted all producer ids: the next block would end beyond the largest.",
		}}
	}
	return Decision[ProducerIDsAllocated]{
		Records: []metadata.Record{&metadata.ProducerIDsRecord{
			Broker: req.Broker, Epoch: req.Epoch, Next: first + ProducerIDBlock,
		}},
		Answer: ProducerIDsAllocated{First: first, Count: ProducerIDBlock},
	}
}

// checkBrokerEpoch refuses what an ended incarnation of a broker asks.
func checkBrokerEpoch(m *metadata.Image, id kafka.BrokerID, epoch kafka.BrokerEpoch) result {
	b := m.Broker(id)
	switch {
	case b == nil:
		return refuse(kafka.BrokerIDNotRegistered, fmt.Sprintf("No broker is registered with id %d.", id))
	case b.Epoch != epoch:
		return refuse(kafka.StaleBrokerEpoch,
			fmt.Sprintf("Expected broker epoch %d, but got %d.", b.Epoch, epoch))
	}
	return result{}
}
