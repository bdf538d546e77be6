package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// InitProducerId (key 22) gives an idempotent producer its id.
//
// Versions 0–5, flexible from 2. Version 6 is unstable in Kafka and not offered.
//
// Behaviour:
//   - Every answer is a new id, unique for the life of the cluster, with epoch 0; also to
//     a producer that states the id it has (Java does after an epoch problem).
//   - Ids come from the controller in blocks; the first requests wait for their block.
//     Too many of them, or a controller that cannot answer, give 14, which clients retry.
//   - Producer id and epoch must be both stated or both −1, and a transactional id must
//     not be empty: else INVALID_REQUEST.
//
// Added by version: v3 producer id and epoch in the request (KIP-360), v4 code 90, v5
// code 120 (KIP-890).
//
// Not done: transactions. A transactional id is refused with UNSUPPORTED_VERSION, which is
// fatal to every client; FindCoordinator, which they ask before, is not listed either.
func initProducer(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.InitProducerIDRequest)
	switch {
	case req.TransactionalID != nil && *req.TransactionalID == "":
		s.refuseProducerID(c, kafka.InvalidRequest)
	case (req.ProducerID >= 0) != (req.ProducerEpoch >= 0):
		s.refuseProducerID(c, kafka.InvalidRequest)
	case req.TransactionalID != nil:
		s.refuseProducerID(c, kafka.UnsupportedVersion)
	case s.producerIDs.next < s.producerIDs.end:
		s.giveProducerID(c)
	default:
		s.awaitProducerIDs(c)
	}
}

var initProducerFields = []field{
	{kind: kString, null: nullFrom(0)},
	{kind: kInt32},
	{kind: kInt64, from: 3},
	{kind: kInt16, from: 3},
}

// producerIDs is the block this broker gives out, and who waits for the next.
type producerIDs struct {
	next, end kafka.ProducerID
	asked     bool
	waits     []*producerIDWait
}

type producerIDWait struct {
	s    *Server
	c    *Call
	over bool
}

// expire implements waiting; there is no deadline in the request.
func (w *producerIDWait) expire() {}

// abandon implements waiting.
func (w *producerIDWait) abandon() { w.over = true }

func (s *Server) giveProducerID(c *Call) {
	var resp kmsg.InitProducerIDResponse
	resp.Default()
	resp.ProducerID, resp.ProducerEpoch = int64(s.producerIDs.next), 0
	s.producerIDs.next++
	s.answer(c, &resp)
}

func (s *Server) refuseProducerID(c *Call, code kafka.ErrorCode) {
	var resp kmsg.InitProducerIDResponse
	resp.Default()
	resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = int16(code), -1, -1
	s.countError(c, code)
	s.answer(c, &resp)
}

func (s *Server) awaitProducerIDs(c *Call) {
	if len(s.producerIDs.waits) >= ProducerIDWaitsMax {
		s.refuseProducerID(c, kafka.CoordinatorLoadInProgress)
		return
	}
	w := &producerIDWait{s: s, c: c}
	c.waiting = w
	s.producerIDs.waits = append(s.producerIDs.waits, w)
	s.askProducerIDs()
}

func (s *Server) askProducerIDs() {
	if s.producerIDs.asked {
		return
	}
	s.producerIDs.asked = true
	s.cfg.Admin.AllocateProducerIDs(func(block controller.ProducerIDsAllocated, code kafka.ErrorCode) {
		s.producerIDs.asked = false
		if code == kafka.None {
			code = block.Code
		}
		if code == kafka.None {
			s.producerIDs.next, s.producerIDs.end = block.First, block.First+block.Count
		}
		s.producerIDsCame(code)
	})
}

func (s *Server) producerIDsCame(code kafka.ErrorCode) {
	waits := s.producerIDs.waits
	s.producerIDs.waits = nil
	for i, w := range waits {
		switch {
		case w.over:
		case code != kafka.None:
			s.refuseProducerID(w.c, kafka.CoordinatorLoadInProgress)
		case s.producerIDs.next < s.producerIDs.end:
			s.giveProducerID(w.c)
		default:
			s.producerIDs.waits = append(s.producerIDs.waits, waits[i:]...)
			s.askProducerIDs()
			return
		}
	}
}
