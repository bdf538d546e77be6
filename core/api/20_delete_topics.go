package api

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// DeleteTopics (key 20) deletes topics by name or id, each for itself.
//
// Versions 1–6, flexible from 4.
//
// Behaviour:
//   - The controller decides: unknown name 3, unknown id 100, deletion switched off 73
//     (before v3 42), both or neither of name and id, or a topic named twice, 42.
//   - Deletion is by id: a topic made again under the name is another topic and starts at
//     offset 0 and epoch 0.
//   - The answer comes when the deletion is committed and acted on here. Files go later.
//   - timeout_ms as for CreateTopics.
//
// Added by version: v3 code 73 (KIP-322), v5 error message, v6 topic ids (KIP-516).
//
// Not done: quotas.
func deleteTopics(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.DeleteTopicsRequest)
	asked := deleteRequest(req)
	a := &adminCall{refuse: func(code kafka.ErrorCode) {
		var resp kmsg.DeleteTopicsResponse
		for _, t := range asked.Topics {
			resp.Topics = append(resp.Topics, deletedRow(req.Version, controller.TopicDeleted{
				Name: t.Name, ID: t.ID, Code: code,
			}))
		}
		s.countError(c, code)
		s.answer(c, &resp)
	}}
	s.cfg.Admin.DeleteTopics(asked, settled(a, func(rows []controller.TopicDeleted) {
		var resp kmsg.DeleteTopicsResponse
		for i := range rows {
			s.countError(c, rows[i].Code)
			resp.Topics = append(resp.Topics, deletedRow(req.Version, rows[i]))
		}
		s.answer(c, &resp)
	}))
	s.awaitAdmin(c, a, req.TimeoutMillis)
}

var deleteTopicsFields = []field{
	{kind: kArray, to: 5, fields: of(kString)},
	{kind: kArray, from: 6, fields: []field{
		{kind: kString, null: nullFrom(6)},
		{kind: kUUID},
	}},
	{kind: kInt32},
}

func deleteRequest(req *kmsg.DeleteTopicsRequest) (out controller.DeleteTopics) {
	for _, name := range req.TopicNames {
		out.Topics = append(out.Topics, controller.DeleteTopic{Name: strings.Clone(name)})
	}
	for i := range req.Topics {
		out.Topics = append(out.Topics, controller.DeleteTopic{
			Name: strings.Clone(text(req.Topics[i].Topic)), ID: req.Topics[i].TopicID,
		})
	}
	return out
}

func deletedRow(version int16, r controller.TopicDeleted) kmsg.DeleteTopicsResponseTopic {
	row := kmsg.NewDeleteTopicsResponseTopic()
	code := r.Code
	if code == kafka.TopicDeletionDisabled && version < 3 {
		code = kafka.InvalidRequest
	}
	row.TopicID, row.ErrorCode, row.ErrorMessage = r.ID, int16(code), nullable(r.Message)
	if r.Name != "" || version < 6 {
		row.Topic = &r.Name
	}
	return row
}
