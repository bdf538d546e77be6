package api

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// IncrementalAlterConfigs (key 44) changes single configs of topics and brokers.
//
// Versions 0–1, flexible from 1.
//
// Behaviour:
//   - Each resource is changed as a whole or refused, on its own. Operations are set 0,
//     delete 1, append 2 and subtract 3; the last two are for lists, else 40.
//   - An unknown key, a value out of range or a key that cannot change while the broker
//     runs is INVALID_CONFIG; a key or a resource named twice is 42; an unknown topic is 3.
//     Deleting what is not set changes nothing.
//   - A broker is configured through itself; the broker "" is the default of all.
//   - The answer comes when the change is committed and in force here: the next produce is
//     judged by it. flush.policy follows once what was written before is synced.
//   - validate_only answers the same without changing anything.
//
// Added by version: v1 is flexible.
//
// Not done: levels of broker loggers, client metrics, groups.
func incrementalAlterConfigs(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.IncrementalAlterConfigsRequest)
	asked := controller.IncrementalAlterConfigs{ValidateOnly: req.ValidateOnly}
	for i := range req.Resources {
		r := &req.Resources[i]
		change := controller.ChangeConfigs{
			Type: metadata.ResourceType(r.ResourceType), Name: strings.Clone(r.ResourceName),
		}
		for _, e := range r.Configs {
			change.Changes = append(change.Changes, controller.ConfigChange{
				Op: controller.ConfigOp(e.Op), Key: strings.Clone(e.Name), Value: cloned(e.Value),
			})
		}
		asked.Resources = append(asked.Resources, change)
	}
	answer := func(rows []controller.ConfigsAltered) {
		var resp kmsg.IncrementalAlterConfigsResponse
		for i := range rows {
			s.countError(c, rows[i].Code)
			row := kmsg.NewIncrementalAlterConfigsResponseResource()
			row.ErrorCode, row.ErrorMessage = int16(rows[i].Code), nullable(rows[i].Message)
			row.ResourceType, row.ResourceName = kmsg.ConfigResourceType(rows[i].Type), rows[i].Name
			resp.Resources = append(resp.Resources, row)
		}
		s.answer(c, &resp)
	}
	a := &adminCall{refuse: func(code kafka.ErrorCode) {
		rows := make([]controller.ConfigsAltered, len(asked.Resources))
		for i, r := range asked.Resources {
			rows[i] = controller.ConfigsAltered{Type: r.Type, Name: r.Name, Code: code}
		}
		answer(rows)
	}}
	s.cfg.Admin.IncrementalAlterConfigs(asked, settled(a, answer))
	s.awaitAdmin(c, a, alterConfigsMillis)
}

var incrementalConfigsFields = []field{
	{kind: kArray, fields: []field{
		{kind: kInt8},
		{kind: kString},
		{kind: kArray, fields: []field{
			{kind: kString},
			{kind: kInt8},
			{kind: kString, null: nullFrom(0)},
		}},
	}},
	{kind: kBool},
}

const alterConfigsMillis = int32(AlterConfigsWait / 1e6)
