package controller_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// grow takes one topic a line: name, count, and assign=b,b;b,b for the new partitions.
func (c *cluster) grow(t *testing.T, d *datadriven.TestData) string {
	req := controller.CreatePartitions{ValidateOnly: d.HasArg("validate-only")}
	for line := range strings.Lines(d.Input) {
		fields := strings.Fields(line)
		topic := controller.GrowTopic{Name: strings.Trim(fields[0], `"`), Count: int32(number(t, fields[1]))}
		if len(fields) > 2 {
			topic.Assignments = [][]kafka.BrokerID{}
			list, _ := strings.CutPrefix(fields[2], "assign=")
			for _, part := range strings.FieldsFunc(list, func(r rune) bool { return r == ';' }) {
				var brokers []kafka.BrokerID
				for _, b := range metadata.SplitList(strings.Trim(part, "-")) {
					brokers = append(brokers, kafka.BrokerID(number(t, b)))
				}
				topic.Assignments = append(topic.Assignments, brokers)
			}
		}
		req.Topics = append(req.Topics, topic)
	}
	decision := c.control.CreatePartitions(req)
	rows := make([]string, len(decision.Answer))
	for i, a := range decision.Answer {
		rows[i] = fmt.Sprintf("%q %s", a.Name, row(a.Code, a.Message, ""))
	}
	return run(c, decision, rows...)
}

// asked is the resources of a script: type:"name" begins one, the lines below it are its
// changes: key=value, key+=value, key-=value, -key to delete, key alone for null, and
// op=number for an operation that does not exist.
func asked(t *testing.T, input string) (out []controller.ChangeConfigs) {
	for line := range strings.Lines(input) {
		line = strings.TrimSuffix(line, "\n")
		if change, indented := strings.CutPrefix(line, "  "); indented {
			r := &out[len(out)-1]
			r.Changes = append(r.Changes, parseChange(t, change))
			continue
		}
		kind, name, _ := strings.Cut(line, ":")
		r := controller.ChangeConfigs{}
		switch kind {
		case "topic":
			r.Type = metadata.ResourceTopic
		case "broker":
			r.Type = metadata.ResourceBroker
		default:
			r.Type = metadata.ResourceType(number(t, kind))
		}
		var err error
		if r.Name, err = strconv.Unquote(name); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out = append(out, r)
	}
	return out
}

func parseChange(t *testing.T, text string) controller.ConfigChange {
	if key, found := strings.CutPrefix(text, "-"); found {
		return controller.ConfigChange{Op: controller.ConfigDelete, Key: key}
	}
	key, value, found := strings.Cut(text, "=")
	c := controller.ConfigChange{Key: key, Value: &value}
	switch {
	case !found:
		c.Value = nil
	case key == "op":
		c.Op, c.Key = controller.ConfigOp(number(t, value)), "retention.ms"
	case strings.HasSuffix(key, "+"):
		c.Op, c.Key = controller.ConfigAppend, strings.TrimSuffix(key, "+")
	case strings.HasSuffix(key, "-"):
		c.Op, c.Key = controller.ConfigSubtract, strings.TrimSuffix(key, "-")
	}
	return c
}

func (c *cluster) alter(t *testing.T, d *datadriven.TestData) string {
	req := controller.IncrementalAlterConfigs{
		Resources: asked(t, d.Input), Broker: at(t, d), ValidateOnly: d.HasArg("validate-only"),
	}
	return c.altered(c.control.IncrementalAlterConfigs(req))
}

func (c *cluster) replace(t *testing.T, d *datadriven.TestData) string {
	req := controller.AlterConfigs{Broker: at(t, d), ValidateOnly: d.HasArg("validate-only")}
	for _, r := range asked(t, d.Input) {
		resource := controller.ReplaceConfigs{Type: r.Type, Name: r.Name}
		for _, change := range r.Changes {
			resource.Configs = append(resource.Configs, controller.ConfigSetting{Key: change.Key, Value: change.Value})
		}
		req.Resources = append(req.Resources, resource)
	}
	return c.altered(c.control.AlterConfigs(req))
}

func (c *cluster) altered(d controller.Decision[[]controller.ConfigsAltered]) string {
	rows := make([]string, len(d.Answer))
	for i, a := range d.Answer {
		rows[i] = fmt.Sprintf("%s %s", metadata.Resource{Type: a.Type, Name: a.Name}, row(a.Code, a.Message, ""))
	}
	return run(c, d, rows...)
}

// at is the broker a request comes in at; most come in at broker 1.
func at(t *testing.T, d *datadriven.TestData) kafka.BrokerID {
	id := int32(1)
	d.MaybeScanArgs(t, "at", &id)
	return kafka.BrokerID(id)
}
