package api

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// CreatePartitions (key 37) gives topics more partitions, each topic for itself.
//
// Versions 0–3, flexible from 2.
//
// Behaviour:
//   - count is the number of partitions afterwards; a topic never gets fewer. Refusals are
//     Kafka's: unknown topic 3, no more than there are 37, assignment 39, topic named twice
//     42, too many at once 44.
//   - Every topic that was asked gets a row, whatever became of it.
//   - The answer comes when the partitions are committed and led here.
//   - timeout_ms and validate_only as for CreateTopics.
//
// Added by version: v1 throttle time, v2 is flexible, v3 quotas (KIP-599).
//
// Not done: quotas.
func createPartitions(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.CreatePartitionsRequest)
	asked := controller.CreatePartitions{ValidateOnly: req.ValidateOnly}
	for i := range req.Topics {
		rt := &req.Topics[i]
		t := controller.GrowTopic{Name: strings.Clone(rt.Topic), Count: rt.Count}
		if rt.Assignment != nil {
			t.Assignments = make([][]kafka.BrokerID, len(rt.Assignment))
		}
		for j := range rt.Assignment {
			for _, id := range rt.Assignment[j].Replicas {
				t.Assignments[j] = append(t.Assignments[j], kafka.BrokerID(id))
			}
		}
		asked.Topics = append(asked.Topics, t)
	}
	answer := func(rows []controller.PartitionsCreated) {
		var resp kmsg.CreatePartitionsResponse
		for i := range rows {
			s.countError(c, rows[i].Code)
			row := kmsg.NewCreatePartitionsResponseTopic()
			row.Topic, row.ErrorCode = rows[i].Name, int16(rows[i].Code)
			row.ErrorMessage = nullable(rows[i].Message)
			resp.Topics = append(resp.Topics, row)
		}
		s.answer(c, &resp)
	}
	a := &adminCall{refuse: func(code kafka.ErrorCode) {
		rows := make([]controller.PartitionsCreated, len(asked.Topics))
		for i, t := range asked.Topics {
			rows[i] = controller.PartitionsCreated{Name: t.Name, Code: code}
		}
		answer(rows)
	}}
	s.cfg.Admin.CreatePartitions(asked, settled(a, answer))
	s.awaitAdmin(c, a, req.TimeoutMillis)
}

var createPartitionsFields = []field{
	{kind: kArray, fields: []field{
		{kind: kString},
		{kind: kInt32},
		{kind: kArray, null: nullFrom(0), fields: []field{
			{kind: kArray, fields: of(kInt32)},
		}},
	}},
	{kind: kInt32},
	{kind: kBool},
}
