package api

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// AlterConfigs (key 33) replaces the configs of topics and brokers.
//
// Versions 0–2, flexible from 2.
//
// Behaviour:
//   - What a request does not name is reset to its default: clients that know
//     IncrementalAlterConfigs use that.
//   - Resources, refusals, the time of the answer and validate_only are as there.
//
// Added by version: v2 is flexible.
//
// Not done: client metrics, groups.
func alterConfigs(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.AlterConfigsRequest)
	asked := controller.AlterConfigs{ValidateOnly: req.ValidateOnly}
	for i := range req.Resources {
		r := &req.Resources[i]
		whole := controller.ReplaceConfigs{
			Type: metadata.ResourceType(r.ResourceType), Name: strings.Clone(r.ResourceName),
		}
		for _, e := range r.Configs {
			setting := controller.ConfigSetting{Key: strings.Clone(e.Name), Value: cloned(e.Value)}
			whole.Configs = append(whole.Configs, setting)
		}
		asked.Resources = append(asked.Resources, whole)
	}
	answer := func(rows []controller.ConfigsAltered) {
		var resp kmsg.AlterConfigsResponse
		for i := range rows {
			s.countError(c, rows[i].Code)
			row := kmsg.NewAlterConfigsResponseResource()
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
	s.cfg.Admin.AlterConfigs(asked, settled(a, answer))
	s.awaitAdmin(c, a, alterConfigsMillis)
}

var alterConfigsFields = []field{
	{kind: kArray, fields: []field{
		{kind: kInt8},
		{kind: kString},
		{kind: kArray, fields: []field{
			{kind: kString},
			{kind: kString, null: nullFrom(0)},
		}},
	}},
	{kind: kBool},
}
