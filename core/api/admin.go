package api

import (
	"strings"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Admin decides about the cluster and answers once what it decided is committed and acted
// on here, so that the next request on any connection sees it. done is called once. A code
// other than None comes without answers: the request was not decided, or its fate is
// unknown. What a request refers to must not be the frame's bytes.
type Admin interface {
	CreateTopics(req controller.CreateTopics, done func([]controller.TopicCreated, kafka.ErrorCode))
	DeleteTopics(req controller.DeleteTopics, done func([]controller.TopicDeleted, kafka.ErrorCode))
	CreatePartitions(req controller.CreatePartitions, done func([]controller.PartitionsCreated, kafka.ErrorCode))
	// The broker of both requests is filled in by the callee.
	IncrementalAlterConfigs(req controller.IncrementalAlterConfigs,
		done func([]controller.ConfigsAltered, kafka.ErrorCode))
	AlterConfigs(req controller.AlterConfigs, done func([]controller.ConfigsAltered, kafka.ErrorCode))
	AllocateProducerIDs(done func(controller.ProducerIDsAllocated, kafka.ErrorCode))
}

// adminCode translates why the controller did not answer into what an admin client
// understands: it asks again after 41, and knows after 7 that the request may have worked.
func adminCode(code kafka.ErrorCode) kafka.ErrorCode {
	switch code {
	case kafka.NotCoordinator, kafka.CoordinatorLoadInProgress, kafka.CoordinatorNotAvailable:
		return kafka.NotController
	}
	return code
}

// adminCall is an admin request that waits for the controller.
type adminCall struct {
	// refuse answers all items with a code.
	refuse func(kafka.ErrorCode)
	over   bool
}

// expire implements waiting. The controller may still do what was asked.
func (a *adminCall) expire() {
	a.over = true
	a.refuse(kafka.RequestTimedOut)
}

// abandon implements waiting.
func (a *adminCall) abandon() { a.over = true }

// settled takes the controller's answer for a call that may have been answered already.
func settled[A any](a *adminCall, answer func(A)) func(A, kafka.ErrorCode) {
	return func(rows A, code kafka.ErrorCode) {
		switch {
		case a.over:
		case code != kafka.None:
			a.refuse(adminCode(code))
		default:
			answer(rows)
		}
		a.over = true
	}
}

// awaitAdmin parks a call until the controller answered or the timeout ran out.
func (s *Server) awaitAdmin(c *Call, a *adminCall, timeoutMillis int32) {
	if a.over {
		return
	}
	c.waiting = a
	if timeoutMillis <= 0 {
		a.expire()
		return
	}
	c.Deadline = s.now().Add(millis(timeoutMillis, AdminWaitMax))
}

// autoCreate starts the creation of topics that a client asked for by name.
func (s *Server) autoCreate(names []string) {
	if !s.cfg.AutoCreate || len(names) == 0 {
		return
	}
	var req controller.CreateTopics
	for _, name := range names {
		// The metadata log has a directory of its own, and internal topics their owners.
		if name == kafka.MetadataTopic || kafka.IsInternal(name) || s.creating[name] {
			continue
		}
		name = strings.Clone(name)
		s.creating[name] = true
		req.Topics = append(req.Topics, controller.CreateTopic{Name: name, Partitions: -1, ReplicationFactor: -1})
	}
	if len(req.Topics) == 0 {
		return
	}
	s.cfg.Admin.CreateTopics(req, func([]controller.TopicCreated, kafka.ErrorCode) {
		for i := range req.Topics {
			delete(s.creating, req.Topics[i].Name)
		}
	})
}
