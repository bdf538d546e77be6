package checker

import (
	"fmt"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// topics checks what was said about topics as such.
func (c *check) topics() {
	byName := map[string][]*history.Op{}
	var names []string
	for i := range c.h.Ops {
		o := &c.h.Ops[i]
		if o.Kind != history.CreateTopic && o.Kind != history.DeleteTopic && o.Kind != history.Metadata {
			continue
		}
		if byName[o.Topic] == nil {
			names = append(names, o.Topic)
		}
		byName[o.Topic] = append(byName[o.Topic], o)
	}
	for _, name := range names {
		c.topic(name, byName[name])
	}
}

// topic is H26 and H27 for one name: ops in order of invocation.
func (c *check) topic(name string, ops []*history.Op) {
	for i, o := range ops {
		if o.Kind != history.Metadata {
			continue
		}
		for _, d := range ops[:i] {
			switch {
			case d.Kind == history.DeleteTopic:
				c.staysDeleted(name, d, o)
			case d.Kind == history.CreateTopic && d.Result == history.Ok && d.Return.Before(o.Invoke):
				c.staysCreated(name, d, o, ops)
			case d.Kind == history.Metadata && d.Return.Before(o.Invoke):
				c.epochStays(name, d, o)
			}
		}
	}
}

// found tells whether a Metadata answer showed the topic; known whether it said anything.
func found(o *history.Op) (found, known bool) {
	switch {
	case o.Result == history.Ok && o.TopicID != "":
		return true, true
	case o.Code == int16(kafka.UnknownTopicOrPartition) || o.Code == int16(kafka.UnknownTopicID):
		return false, true
	}
	return false, false
}

func (c *check) staysDeleted(name string, d, o *history.Op) {
	if d.Result != history.Ok || !d.Return.Before(o.Invoke) || d.TopicID == "" {
		return
	}
	is, known := found(o)
	if !known {
		return
	}
	c.saw("H26", 1)
	if is && o.TopicID == d.TopicID {
		c.report("H26", name, "a topic id is there again after its deletion was acknowledged", d.ID, o.ID)
	}
}

// staysCreated demands that a topic is there from its acknowledgement until somebody may have
// deleted it.
func (c *check) staysCreated(name string, d, o *history.Op, ops []*history.Op) {
	for _, x := range ops {
		if x.Kind == history.DeleteTopic && x.Result != history.Fail && d.Invoke.Before(x.Return) &&
			x.Invoke.Before(o.Return) {
			return
		}
	}
	is, known := found(o)
	if !known {
		return
	}
	c.saw("H26", 1)
	switch {
	case !is:
		c.report("H26", name, "unknown after its creation was acknowledged", d.ID, o.ID)
	case d.TopicID != "" && o.TopicID != d.TopicID:
		c.report("H26", name, "has another id than the one acknowledged, and nobody deleted it", d.ID, o.ID)
	default:
		c.saw("H27", 1)
		if d.Partitions > 0 && o.Partitions < d.Partitions {
			c.report("H27", name, fmt.Sprintf("has %d partitions, %d were acknowledged", o.Partitions,
				d.Partitions), d.ID, o.ID)
		}
	}
}

func (c *check) epochStays(name string, d, o *history.Op) {
	is, _ := found(o)
	was, _ := found(d)
	if !is || !was || d.TopicID != o.TopicID || d.Partition != o.Partition {
		return
	}
	c.saw("H26", 1)
	if o.LeaderEpoch < d.LeaderEpoch {
		c.report("H26", name, fmt.Sprintf("partition %d: leader epoch was %d, later %d",
			o.Partition, d.LeaderEpoch, o.LeaderEpoch), d.ID, o.ID)
	}
}
