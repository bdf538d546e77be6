package controller

import (
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// DeleteTopics decides which of the topics are deleted. Deletion is by id, whatever the
// request named: a topic made again under the same name is another topic.
func (c *Controller) DeleteTopics(req DeleteTopics) Decision[[]TopicDeleted] {
	d := deletion{image: c.Image(), names: map[string]int{}, ids: map[kafka.TopicID]int{}}
	for _, t := range req.Topics {
		d.names[t.Name]++
		d.ids[t.ID]++
	}
	whole := c.checkDeletion(req)
	answers := make([]TopicDeleted, len(req.Topics))
	for i, t := range req.Topics {
		answers[i] = TopicDeleted{Name: t.Name, ID: t.ID}
		r := whole
		if r.ok() {
			r = d.delete(t, &answers[i])
		}
		answers[i].Code, answers[i].Message = r.code, r.message
	}
	return Decision[[]TopicDeleted]{Records: d.records, Answer: answers}
}

func (c *Controller) checkDeletion(req DeleteTopics) result {
	switch {
	case !c.cfg.Resolver.BrokerBool(c.Image(), "delete.topic.enable"):
		return refuse(kafka.TopicDeletionDisabled, "Topic deletion is disabled.")
	case len(req.Topics) > TopicsPerRequestMax:
		return refuse(kafka.PolicyViolation, "Excessively large number of topics per request.")
	}
	return result{}
}

// deletion is one DeleteTopics request under way.
type deletion struct {
	image   *metadata.Image
	names   map[string]int        // how often a name stands in the request
	ids     map[kafka.TopicID]int // and an id
	records []metadata.Record
}

func (d *deletion) delete(t DeleteTopic, answer *TopicDeleted) result {
	topic, r := d.find(t)
	if !r.ok() {
		return r
	}
	answer.Name, answer.ID = topic.Name, topic.ID
	d.records = append(d.records, &metadata.RemoveTopicRecord{ID: topic.ID})
	return result{}
}

func (d *deletion) find(t DeleteTopic) (*metadata.Topic, result) {
	switch {
	case t.Name == "" && t.ID.IsZero():
		return nil, refuse(kafka.InvalidRequest, "Neither topic name nor id were specified.")
	case t.Name != "" && !t.ID.IsZero():
		return nil, refuse(kafka.InvalidRequest, "You may not specify both topic name and topic id.")
	case t.Name != "" && d.names[t.Name] > 1:
		return nil, refuse(kafka.InvalidRequest, "Duplicate topic name.")
	case t.Name == "" && d.ids[t.ID] > 1:
		return nil, refuse(kafka.InvalidRequest, "Duplicate topic id.")
	case t.Name != "":
		return d.findByName(t.Name)
	}
	topic := d.image.TopicByID(t.ID)
	switch {
	case topic == nil:
		return nil, refuse(kafka.UnknownTopicID, "This server does not host this topic ID.")
	case d.names[topic.Name] > 0:
		return nil, refuse(kafka.InvalidRequest,
			"The provided topic id maps to a name that was also supplied.")
	}
	return topic, result{}
}

func (d *deletion) findByName(name string) (*metadata.Topic, result) {
	topic := d.image.Topic(name)
	switch {
	case topic == nil:
		return nil, refuse(kafka.UnknownTopicOrPartition, "This server does not host this topic-partition.")
	case d.ids[topic.ID] > 0:
		return nil, refuse(kafka.InvalidRequest,
			"The provided topic name maps to an ID that was already supplied.")
	}
	return topic, result{}
}
