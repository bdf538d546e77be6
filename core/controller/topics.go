package controller

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// CreateTopics decides which of the topics are created.
func (c *Controller) CreateTopics(req CreateTopics) Decision[[]TopicCreated] {
	b := c.newTopicBatch(req)
	whole := b.checkWhole(req)
	answers := make([]TopicCreated, len(req.Topics))
	for i, t := range req.Topics {
		answers[i].Name = t.Name
		r := whole
		if r.ok() {
			r = b.create(t, &answers[i])
		}
		answers[i].Code, answers[i].Message = r.code, r.message
	}
	if req.ValidateOnly {
		b.records = nil
	}
	return Decision[[]TopicCreated]{Records: b.records, Answer: answers}
}

// topicBatch is one CreateTopics request under way. It holds what its earlier topics
// take, which the image does not show yet.
type topicBatch struct {
	c *Controller
	fleet
	validate bool

	defaultPartitions int32
	defaultFactor     int16
	defaultConfigs    []metadata.EffectiveConfig // of a topic without own ones, made once

	asked      map[string]int    // how often a name stands in the request
	collisions map[string]string // as the image's, of this batch
	ids        map[kafka.TopicID]bool
	partitions int // created so far
	weight     int // of the records so far, see weightOf
	records    []metadata.Record
}

func (c *Controller) newTopicBatch(req CreateTopics) *topicBatch {
	m, r := c.Image(), c.cfg.Resolver
	b := &topicBatch{
		c: c, fleet: newFleet(m), validate: req.ValidateOnly,
		defaultPartitions: int32(r.BrokerInt(m, "num.partitions")),
		defaultFactor:     int16(min(r.BrokerInt(m, "default.replication.factor"), metadata.ReplicasMax)),
		asked:             make(map[string]int, len(req.Topics)),
		collisions:        map[string]string{},
		ids:               map[kafka.TopicID]bool{},
	}
	for _, t := range req.Topics {
		b.asked[t.Name]++
	}
	return b
}

// checkWhole refuses a request that asks for too much at once.
func (b *topicBatch) checkWhole(req CreateTopics) result {
	if len(req.Topics) > TopicsPerRequestMax {
		return refuse(kafka.PolicyViolation, "Excessively large number of topics per request.")
	}
	total := 0
	for _, t := range req.Topics {
		n := int(t.Partitions)
		switch {
		case len(t.Assignments) > 0:
			n = len(t.Assignments)
		case n == -1:
			n = int(b.defaultPartitions)
		}
		total += max(n, 0)
		if total > PartitionsPerRequestMax {
			return refuse(kafka.PolicyViolation, "Excessively large number of partitions per request.")
		}
	}
	return result{}
}

// create decides on one topic; if it returns ok, the records are in the batch and the
// answer is filled.
func (b *topicBatch) create(t CreateTopic, answer *TopicCreated) result {
	if r := b.checkName(t.Name); !r.ok() {
		return r
	}
	own, r := b.checkConfigs(t.Configs)
	if !r.ok() {
		return r
	}
	id := b.newID()
	var where placement
	if len(t.Assignments) > 0 {
		where, r = b.placeByHand(t)
	} else {
		where, r = b.placeByCounts(t, id)
	}
	if !r.ok() {
		return r
	}
	r = checkRoom(b.image, b.partitions+len(where.replicas), b.weight+weightOf(t.Name, own, where))
	if !r.ok() {
		return r
	}
	b.add(t.Name, id, own, where)
	answer.ID = id
	answer.Partitions = int32(len(where.replicas))
	answer.ReplicationFactor = int16(len(where.replicas[0]))
	answer.Configs = b.describe(own)
	return result{}
}

func (b *topicBatch) checkName(name string) result {
	if b.asked[name] > 1 {
		return refuse(kafka.InvalidRequest, "Duplicate topic name.")
	}
	if why := kafka.ValidateTopicName(name); why != "" {
		return refuse(kafka.InvalidTopicException, why)
	}
	if name == kafka.MetadataTopic {
		return refuse(kafka.InvalidRequest, "Creation of internal topic "+name+" is prohibited.")
	}
	if b.image.Topic(name) != nil {
		return refuse(kafka.TopicAlreadyExists, "Topic '"+name+"' already exists.")
	}
	other := b.image.CollidesWith(name)
	if other == "" {
		other = b.collisions[kafka.CollisionKey(name)]
	}
	if other != "" {
		return refuse(kafka.InvalidTopicException, "Topic '"+name+"' collides with existing topic: "+other)
	}
	return result{}
}

// checkConfigs validates the topic's own configs and orders them.
func (b *topicBatch) checkConfigs(settings []ConfigSetting) (metadata.Configs, result) {
	own := make(metadata.Configs, 0, min(len(settings), len(metadata.TopicConfigKeys())))
	for _, s := range settings {
		if s.Value == nil {
			return nil, refuse(kafka.InvalidConfig,
				"Null value not supported for topic configs: "+clip(s.Key))
		}
		if why := metadata.ValidateTopicConfig(s.Key, *s.Value); why != "" {
			return nil, refuse(kafka.InvalidConfig, why)
		}
		same := func(e metadata.ConfigEntry) bool { return e.Key == s.Key }
		if slices.ContainsFunc(own, same) {
			return nil, refuse(kafka.InvalidConfig, "Configuration "+s.Key+" is given twice.")
		}
		own = append(own, metadata.ConfigEntry{Key: s.Key, Value: *s.Value})
	}
	slices.SortFunc(own, func(x, y metadata.ConfigEntry) int { return strings.Compare(x.Key, y.Key) })
	if why := b.c.cfg.Resolver.TopicConflict(b.image, own); why != "" {
		return nil, refuse(kafka.InvalidConfig, why)
	}
	return own, result{}
}

// checkRoom refuses what would go beyond a bound of the cluster or of one batch, when so
// many partitions are added by records of so many bytes.
func checkRoom(m *metadata.Image, partitions, weight int) result {
	if m.PartitionCount()+partitions > PartitionsMax {
		return refuse(kafka.PolicyViolation,
			"The cluster cannot have more than "+strconv.Itoa(PartitionsMax)+" partitions.")
	}
	if weight > DecisionWeightMax {
		return refuse(kafka.PolicyViolation, "The request as a whole makes too many metadata records.")
	}
	return result{}
}

// weightOf bounds the bytes of a topic's records from above.
func weightOf(name string, own metadata.Configs, where placement) int {
	weight := recordWeight + len(name)
	for _, e := range own {
		weight += recordWeight + len(name) + len(e.Key) + len(e.Value)
	}
	return weight + where.weight()
}

// add puts a topic that was found good into the batch.
func (b *topicBatch) add(name string, id kafka.TopicID, own metadata.Configs, where placement) {
	b.collisions[kafka.CollisionKey(name)] = name
	b.ids[id] = true
	b.partitions += len(where.replicas)
	b.weight += weightOf(name, own, where)
	b.records = append(b.records, &metadata.TopicRecord{Name: name, ID: id})
	for _, e := range own {
		b.records = append(b.records, &metadata.ConfigRecord{
			Resource: metadata.Resource{Type: metadata.ResourceTopic, Name: name},
			Key:      e.Key, Value: &e.Value,
		})
	}
	for i, replicas := range where.replicas {
		b.records = append(b.records, b.partition(id, int32(i), replicas))
	}
}

func (b *topicBatch) describe(own metadata.Configs) []metadata.EffectiveConfig {
	if len(own) > 0 {
		return b.c.cfg.Resolver.DescribeTopic(b.image, own)
	}
	if b.defaultConfigs == nil {
		b.defaultConfigs = b.c.cfg.Resolver.DescribeTopic(b.image, nil)
	}
	return b.defaultConfigs
}

// newID draws the id of a new topic, a version 4 UUID. It is never one of the reserved
// ids, which that excludes, never in use, and as in Kafka its text never begins with a
// dash, so that tools can take it as an argument. A request that only validates draws
// nothing.
func (b *topicBatch) newID() kafka.TopicID {
	if b.validate {
		return kafka.TopicID{}
	}
	for range topicIDDrawsMax {
		id := kafka.TopicID(b.c.cfg.NewTopicID())
		id[6] = id[6]&0x0f | 0x40
		id[8] = id[8]&0x3f | 0x80
		if id.String()[0] != '-' && b.image.TopicByID(id) == nil && !b.ids[id] {
			return id
		}
	}
	// An id in use would join two topics' logs; a source that repeats itself is broken.
	invariant.Violated("controller.topic-id-new", "no new id in %d draws", topicIDDrawsMax)
	return kafka.TopicID{}
}

// clip keeps a client's text from filling our replies.
func clip(s string) string {
	const most = 128
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%q…", s[:most])
}
