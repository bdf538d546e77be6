package api

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// CreateTopics (key 19) creates topics, each for itself.
//
// Versions 2–7, flexible from 5.
//
// Behaviour:
//   - The controller decides; its refusals are Kafka's (name 17, exists 36, partitions 37,
//     replication factor 38, assignment 39, config 40, repeated name 42, too many 44).
//   - The answer comes when the topic is committed and led here: the next request, on any
//     connection, finds it.
//   - timeout_ms that runs out first, or is not positive, gives REQUEST_TIMED_OUT; the
//     topics may still be made.
//   - validate_only answers the same without making anything.
//
// Added by version: v4 −1 for default partitions and replication factor (KIP-464), v5
// configs and numbers in the reply (KIP-525), v6 quotas (KIP-599), v7 topic ids (KIP-516).
//
// Not done: quotas, policies of the operator's own.
func createTopics(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.CreateTopicsRequest)
	a := &adminCall{refuse: func(code kafka.ErrorCode) {
		var resp kmsg.CreateTopicsResponse
		for i := range req.Topics {
			row := newCreatedRow(req.Topics[i].Topic, code, "")
			resp.Topics = append(resp.Topics, row)
		}
		s.countError(c, code)
		s.answer(c, &resp)
	}}
	s.cfg.Admin.CreateTopics(createRequest(req), settled(a, func(rows []controller.TopicCreated) {
		s.answerCreated(c, rows)
	}))
	s.awaitAdmin(c, a, req.TimeoutMillis)
}

var createTopicsFields = []field{
	{kind: kArray, fields: []field{
		{kind: kString},
		{kind: kInt32},
		{kind: kInt16},
		{kind: kArray, fields: []field{
			{kind: kInt32},
			{kind: kArray, fields: of(kInt32)},
		}},
		{kind: kArray, fields: []field{
			{kind: kString},
			{kind: kString, null: nullFrom(0)},
		}},
	}},
	{kind: kInt32},
	{kind: kBool},
}

// createRequest copies the request out of the frame: what is decided outlives it.
func createRequest(req *kmsg.CreateTopicsRequest) controller.CreateTopics {
	out := controller.CreateTopics{ValidateOnly: req.ValidateOnly}
	for i := range req.Topics {
		rt := &req.Topics[i]
		t := controller.CreateTopic{
			Name: strings.Clone(rt.Topic), Partitions: rt.NumPartitions, ReplicationFactor: rt.ReplicationFactor,
		}
		for _, ra := range rt.ReplicaAssignment {
			a := controller.Assignment{Partition: ra.Partition}
			for _, id := range ra.Replicas {
				a.Brokers = append(a.Brokers, kafka.BrokerID(id))
			}
			t.Assignments = append(t.Assignments, a)
		}
		for _, rc := range rt.Configs {
			c := controller.ConfigSetting{Key: strings.Clone(rc.Name), Value: cloned(rc.Value)}
			t.Configs = append(t.Configs, c)
		}
		out.Topics = append(out.Topics, t)
	}
	return out
}

func cloned(s *string) *string {
	if s == nil {
		return nil
	}
	c := strings.Clone(*s)
	return &c
}

func (s *Server) answerCreated(c *Call, rows []controller.TopicCreated) {
	var resp kmsg.CreateTopicsResponse
	for i := range rows {
		r := &rows[i]
		row := newCreatedRow(r.Name, r.Code, r.Message)
		s.countError(c, r.Code)
		if r.Code == kafka.None {
			row.TopicID = r.ID
			row.NumPartitions, row.ReplicationFactor = r.Partitions, r.ReplicationFactor
			for j := range r.Configs {
				e := &r.Configs[j]
				rc := kmsg.NewCreateTopicsResponseTopicConfig()
				rc.Name, rc.Source, rc.IsSensitive = e.Key.Name, int8(e.Source), e.Key.Sensitive()
				rc.Value = shownValue(e.Key, e.Value, e.IsSet)
				row.Configs = append(row.Configs, rc)
			}
		}
		resp.Topics = append(resp.Topics, row)
	}
	s.answer(c, &resp)
}

func newCreatedRow(name string, code kafka.ErrorCode, message string) kmsg.CreateTopicsResponseTopic {
	row := kmsg.NewCreateTopicsResponseTopic()
	row.Topic, row.ErrorCode, row.ErrorMessage = name, int16(code), nullable(message)
	row.NumPartitions, row.ReplicationFactor = -1, -1
	row.Configs = []kmsg.CreateTopicsResponseTopicConfig{}
	return row
}
