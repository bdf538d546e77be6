package controller

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// IncrementalAlterConfigs decides which of the resources are changed, key by key.
func (c *Controller) IncrementalAlterConfigs(req IncrementalAlterConfigs) Decision[[]ConfigsAltered] {
	a := c.newAlteration(req.Broker, len(req.Resources))
	answers := make([]ConfigsAltered, len(req.Resources))
	for i, r := range req.Resources {
		answers[i] = a.ask(r.Type, r.Name)
	}
	for i, r := range req.Resources {
		a.decide(&answers[i], func(t target) (metadata.Configs, result) { return t.changed(r.Changes) })
	}
	return a.decision(answers, req.ValidateOnly)
}

// AlterConfigs decides which of the resources get another set of configs.
func (c *Controller) AlterConfigs(req AlterConfigs) Decision[[]ConfigsAltered] {
	a := c.newAlteration(req.Broker, len(req.Resources))
	answers := make([]ConfigsAltered, len(req.Resources))
	for i, r := range req.Resources {
		answers[i] = a.ask(r.Type, r.Name)
	}
	for i, r := range req.Resources {
		a.decide(&answers[i], func(t target) (metadata.Configs, result) { return t.replaced(r.Configs) })
	}
	return a.decision(answers, req.ValidateOnly)
}

// alteration is one request under way. Resources are decided one after the other, each on
// the image that those before it leave: what holds for a topic may rest on the defaults
// that the same request changes.
type alteration struct {
	c       *Controller
	image   *metadata.Image
	broker  kafka.BrokerID
	whole   result
	asked   map[metadata.Resource]int // how often a resource stands in the request
	weight  int                       // of the records so far
	records []metadata.Record
}

func (c *Controller) newAlteration(broker kafka.BrokerID, resources int) *alteration {
	a := &alteration{c: c, image: c.Image(), broker: broker, asked: map[metadata.Resource]int{}}
	if resources > ResourcesPerRequestMax {
		a.whole = refuse(kafka.PolicyViolation, "Excessively large number of resources per request.")
	}
	return a
}

// ask counts a resource and begins its answer.
func (a *alteration) ask(t metadata.ResourceType, name string) ConfigsAltered {
	a.asked[canonical(t, name)]++
	return ConfigsAltered{Type: t, Name: name}
}

func (a *alteration) decision(answers []ConfigsAltered, validateOnly bool) Decision[[]ConfigsAltered] {
	if validateOnly {
		a.records = nil
	}
	return Decision[[]ConfigsAltered]{Records: a.records, Answer: answers}
}

// decide decides on one resource, for which next says what it would have set.
func (a *alteration) decide(answer *ConfigsAltered, next func(target) (metadata.Configs, result)) {
	r := a.whole
	if r.ok() {
		r = a.alter(target{canonical(answer.Type, answer.Name), nil}, next)
	}
	answer.Code, answer.Message = r.code, r.message
}

func (a *alteration) alter(t target, next func(target) (metadata.Configs, result)) result {
	if r := a.checkResource(t.Resource); !r.ok() {
		return r
	}
	t.have = a.image.Configs(t.Resource)
	want, r := next(t)
	if !r.ok() {
		return r
	}
	records, weight := t.difference(want)
	if a.weight+weight > DecisionWeightMax {
		return refuse(kafka.PolicyViolation, "The request as a whole makes too many metadata records.")
	}
	after := a.image.Apply(a.image.End(), records)
	if why := a.conflict(after, t.Resource); why != "" {
		return refuse(kafka.InvalidConfig, why)
	}
	a.image, a.weight, a.records = after, a.weight+weight, append(a.records, records...)
	return result{}
}

// checkResource refuses what does not exist or is not asked in the right place.
func (a *alteration) checkResource(r metadata.Resource) result {
	if a.asked[r] > 1 {
		return refuse(kafka.InvalidRequest, "Each resource must appear at most once.")
	}
	switch r.Type {
	case metadata.ResourceTopic:
		return a.checkTopic(r.Name)
	case metadata.ResourceBroker:
		return a.checkBroker(r.Name)
	}
	return refuse(kafka.InvalidRequest, fmt.Sprintf("Unsupported resource type: %d", r.Type))
}

func (a *alteration) checkTopic(name string) result {
	if name == "" {
		return refuse(kafka.InvalidRequest, "Default topic resources are not allowed.")
	}
	if why := kafka.ValidateTopicName(name); why != "" {
		return refuse(kafka.InvalidTopicException, why)
	}
	if a.image.Topic(name) == nil {
		return refuse(kafka.UnknownTopicOrPartition, "The topic '"+name+"' does not exist.")
	}
	return result{}
}

func (a *alteration) checkBroker(name string) result {
	if name == "" {
		return result{} // the default of all brokers
	}
	id, err := strconv.ParseInt(name, 10, 32)
	switch {
	case err != nil:
		return refuse(kafka.InvalidRequest, "Broker id must be an integer, but it is: "+clip(strconv.Quote(name)))
	case kafka.BrokerID(id) != a.broker:
		return refuse(kafka.InvalidRequest, fmt.Sprintf(
			"Unexpected broker id, expected %d or empty string, but received %d", a.broker, id))
	case a.image.Broker(a.broker) == nil:
		return refuse(kafka.BrokerIDNotRegistered, fmt.Sprintf("No broker with id %d found.", id))
	}
	return result{}
}

// conflict answers which values contradict each other once r is altered: those of the
// topic, or those that hold for a topic that sets nothing. A topic that sets one of two
// values may come to contradict a default set later; the next change of it says so.
func (a *alteration) conflict(after *metadata.Image, r metadata.Resource) string {
	var own metadata.Configs
	if r.Type == metadata.ResourceTopic {
		own = after.Configs(r)
	}
	return a.c.cfg.Resolver.TopicConflict(after, own)
}

// canonical names a broker in one way only: "01" is broker 1.
func canonical(t metadata.ResourceType, name string) metadata.Resource {
	if t == metadata.ResourceBroker {
		if id, err := strconv.ParseInt(name, 10, 32); err == nil {
			name = kafka.BrokerID(id).String()
		}
	}
	return metadata.Resource{Type: t, Name: name}
}

// target is a resource with what is set on it.
type target struct {
	metadata.Resource
	have metadata.Configs
}

// changed is what is set after the changes of an incremental request.
func (t target) changed(changes []ConfigChange) (metadata.Configs, result) {
	if r := checkChanges(changes); !r.ok() {
		return nil, r
	}
	want := t.have
	for _, c := range changes {
		value, r := t.valueAfter(c)
		if !r.ok() {
			return nil, r
		}
		want = want.With(c.Key, value)
	}
	return want, result{}
}

// checkChanges refuses what can be seen without knowing the keys.
func checkChanges(changes []ConfigChange) result {
	keys := make([]string, 0, len(changes))
	for _, c := range changes {
		keys = append(keys, c.Key)
	}
	if r := checkOnce(keys); !r.ok() {
		return r
	}
	var null []string
	for _, c := range changes {
		switch {
		case c.Op < ConfigSet || c.Op > ConfigSubtract:
			return refuse(kafka.InvalidRequest, fmt.Sprintf("Unknown operations type %d", c.Op))
		case c.Op != ConfigDelete && c.Value == nil:
			null = append(null, c.Key)
		}
	}
	return refuseNull(null)
}

// valueAfter is the value of a key after a change, nil for none. A key that is deleted
// need not be known: it may stem from another release.
func (t target) valueAfter(c ConfigChange) (*string, result) {
	if c.Op == ConfigDelete {
		return nil, result{}
	}
	value := *c.Value
	if c.Op != ConfigSet {
		k, why := metadata.FindConfigKey(t.Type, c.Key)
		if why != "" {
			return nil, refuse(kafka.InvalidConfig, why)
		}
		if k.Type != metadata.ConfigList {
			return nil, refuse(kafka.InvalidConfig, fmt.Sprintf(
				"Can't %s to key %s because its type is not LIST.", c.Op, c.Key))
		}
		value = t.edited(k, c)
	}
	if why := metadata.ValidateDynamicConfig(t.Resource, c.Key, value); why != "" {
		return nil, refuse(kafka.InvalidConfig, why)
	}
	return &value, result{}
}

// edited appends to a list or subtracts from it. A list that is not set here begins as
// the key's default, as in Kafka, not as what holds by another level's setting.
func (t target) edited(k *metadata.ConfigKey, c ConfigChange) string {
	old, isSet := t.have.Get(c.Key)
	if !isSet {
		old = k.Default
	}
	entries := metadata.SplitList(old)
	for _, e := range metadata.SplitList(*c.Value) {
		at := slices.Index(entries, e)
		switch {
		case c.Op == ConfigAppend && at < 0:
			entries = append(entries, e)
		case c.Op == ConfigSubtract && at >= 0:
			entries = slices.Delete(entries, at, at+1)
		}
	}
	return strings.Join(entries, ",")
}

// replaced is what is set after a request that names all of it.
func (t target) replaced(settings []ConfigSetting) (metadata.Configs, result) {
	var keys, null []string
	for _, s := range settings {
		keys = append(keys, s.Key)
		if s.Value == nil {
			null = append(null, s.Key)
		}
	}
	if r := checkOnce(keys); !r.ok() {
		return nil, r
	}
	if r := refuseNull(null); !r.ok() {
		return nil, r
	}
	var want metadata.Configs
	for _, s := range settings {
		if why := metadata.ValidateDynamicConfig(t.Resource, s.Key, *s.Value); why != "" {
			return nil, refuse(kafka.InvalidConfig, why)
		}
		want = want.With(s.Key, s.Value)
	}
	return want, result{}
}

// difference is the records that make want of what is set, in the order of the keys, and
// a bound of their bytes. What stays as it is takes no record.
func (t target) difference(want metadata.Configs) (records []metadata.Record, weight int) {
	add := func(key string, value *string) {
		records = append(records, &metadata.ConfigRecord{Resource: t.Resource, Key: key, Value: value})
		weight += recordWeight + len(t.Name) + len(key)
		if value != nil {
			weight += len(*value)
		}
	}
	i := 0
	for _, w := range want {
		for ; i < len(t.have) && t.have[i].Key < w.Key; i++ {
			add(t.have[i].Key, nil)
		}
		if i < len(t.have) && t.have[i].Key == w.Key {
			i++
			if t.have[i-1].Value == w.Value {
				continue
			}
		}
		add(w.Key, &w.Value)
	}
	for ; i < len(t.have); i++ {
		add(t.have[i].Key, nil)
	}
	return records, weight
}

func checkOnce(keys []string) result {
	slices.Sort(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			return refuse(kafka.InvalidRequest, "Error due to duplicate config keys")
		}
	}
	return result{}
}

func refuseNull(keys []string) result {
	if len(keys) == 0 {
		return result{}
	}
	return refuse(kafka.InvalidRequest, "Null value not supported for : "+clip(strings.Join(keys, ", ")))
}

// String is Kafka's name of the operation.
func (o ConfigOp) String() string {
	switch o {
	case ConfigSet:
		return "SET"
	case ConfigDelete:
		return "DELETE"
	case ConfigAppend:
		return "APPEND"
	case ConfigSubtract:
		return "SUBTRACT"
	}
	return "OP_" + strconv.Itoa(int(o))
}
