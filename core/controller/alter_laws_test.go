package controller_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// settingsModel is the naive second version of what is set: maps, and the rules of the
// protocol for a few keys of each kind, told anew.
type settingsModel map[metadata.Resource]map[string]string

var (
	topicT     = metadata.Resource{Type: metadata.ResourceTopic, Name: "t"}
	topicU     = metadata.Resource{Type: metadata.ResourceTopic, Name: "u"}
	topicGone  = metadata.Resource{Type: metadata.ResourceTopic, Name: "gone"}
	broker1    = metadata.Resource{Type: metadata.ResourceBroker, Name: "1"}
	broker2    = metadata.Resource{Type: metadata.ResourceBroker, Name: "2"}
	allBrokers = metadata.Resource{Type: metadata.ResourceBroker}
)

func (m settingsModel) clone() settingsModel {
	out := settingsModel{}
	for r, set := range m {
		out[r] = maps.Clone(set)
	}
	return out
}

// after is the model with one resource set to next, or the code that refuses it.
func (m settingsModel) after(r metadata.Resource, next map[string]string) (settingsModel, kafka.ErrorCode) {
	out := m.clone()
	out[r] = next
	of := r
	if r.Type == metadata.ResourceBroker {
		of = metadata.Resource{} // a topic that sets nothing
	}
	if out.lag(of, "min.compaction.lag.ms", 0) > out.lag(of, "max.compaction.lag.ms", 1<<62) {
		return m, kafka.InvalidConfig
	}
	return out, kafka.None
}

func (m settingsModel) lag(topic metadata.Resource, key string, otherwise int64) int64 {
	for _, at := range []struct {
		r   metadata.Resource
		key string
	}{{topic, key}, {broker1, "log.cleaner." + key}, {allBrokers, "log.cleaner." + key}} {
		if v, ok := m[at.r][at.key]; ok {
			n, _ := strconv.ParseInt(v, 10, 64)
			return n
		}
	}
	return otherwise
}

// allows tells whether a value may be set on a resource.
func allows(r metadata.Resource, key, value string) bool {
	_, err := strconv.Atoi(value)
	lag := strings.HasSuffix(key, "compaction.lag.ms")
	switch {
	case r.Type == metadata.ResourceTopic && key == "leader.replication.throttled.replicas":
		for _, e := range strings.Split(value, ",") {
			if e != "" && e != "0:1" && e != "1:2" {
				return false
			}
		}
		return !strings.Contains(value, ",,")
	case r.Type == metadata.ResourceTopic && (key == "retention.ms" || lag && !strings.HasPrefix(key, "log.")):
		return err == nil
	case r.Type == metadata.ResourceBroker &&
		(key == "message.max.bytes" || lag && strings.HasPrefix(key, "log.")):
		return err == nil
	case r.Type == metadata.ResourceBroker && key == "max.connections.per.ip.overrides":
		return true
	}
	return r == broker1 && key == "sasl.enabled.mechanisms"
}

var lists = []string{
	"leader.replication.throttled.replicas", "max.connections.per.ip.overrides", "sasl.enabled.mechanisms",
}

// known tells whether the kind of resource has the key at all.
func known(r metadata.Resource, key string) bool {
	topic := strings.HasPrefix(key, "m") && strings.HasSuffix(key, "lag.ms") || key == "retention.ms" ||
		key == "leader.replication.throttled.replicas"
	return topic == (r.Type == metadata.ResourceTopic) && key != "nonsense"
}

func (m settingsModel) incremental(r controller.ChangeConfigs) (settingsModel, kafka.ErrorCode) {
	resource := metadata.Resource{Type: r.Type, Name: r.Name}
	if code := refused(resource); code != kafka.None {
		return m, code
	}
	keys, next := map[string]bool{}, maps.Clone(m[resource])
	if next == nil {
		next = map[string]string{}
	}
	for _, c := range r.Changes {
		if keys[c.Key] || c.Value == nil && c.Op != controller.ConfigDelete {
			return m, kafka.InvalidRequest
		}
		keys[c.Key] = true
	}
	for _, c := range r.Changes {
		if c.Op == controller.ConfigDelete {
			delete(next, c.Key)
			continue
		}
		value := *c.Value
		if c.Op != controller.ConfigSet {
			if !known(resource, c.Key) || !slices.Contains(lists, c.Key) {
				return m, kafka.InvalidConfig
			}
			value = editedList(next[c.Key], c)
		}
		if !allows(resource, c.Key, value) {
			return m, kafka.InvalidConfig
		}
		next[c.Key] = value
	}
	return m.after(resource, next)
}

func editedList(old string, c controller.ConfigChange) string {
	var out []string
	for _, e := range strings.Split(old, ",") {
		if e != "" && !(c.Op == controller.ConfigSubtract && strings.Contains(","+*c.Value+",", ","+e+",")) {
			out = append(out, e)
		}
	}
	if c.Op == controller.ConfigAppend {
		for _, e := range strings.Split(*c.Value, ",") {
			if e != "" && !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	}
	return strings.Join(out, ",")
}

func (m settingsModel) replace(r controller.ReplaceConfigs) (settingsModel, kafka.ErrorCode) {
	resource, next := metadata.Resource{Type: r.Type, Name: r.Name}, map[string]string{}
	if code := refused(resource); code != kafka.None {
		return m, code
	}
	for _, s := range r.Configs {
		if _, twice := next[s.Key]; twice || s.Value == nil {
			return m, kafka.InvalidRequest
		}
		next[s.Key] = *s.Value
	}
	for _, key := range slices.Sorted(maps.Keys(next)) {
		if !allows(resource, key, next[key]) {
			return m, kafka.InvalidConfig
		}
	}
	return m.after(resource, next)
}

func refused(r metadata.Resource) kafka.ErrorCode {
	switch r {
	case topicGone:
		return kafka.UnknownTopicOrPartition
	case broker2:
		return kafka.InvalidRequest // asked at broker 1
	}
	return kafka.None
}

func (m settingsModel) String() string {
	var b strings.Builder
	for _, r := range []metadata.Resource{topicT, topicU, allBrokers, broker1} {
		for _, k := range slices.Sorted(maps.Keys(m[r])) {
			fmt.Fprintf(&b, "%s %s=%q\n", r, k, m[r][k])
		}
	}
	return b.String()
}

func settingsOf(m *metadata.Image) string {
	var b strings.Builder
	for _, r := range []metadata.Resource{topicT, topicU, allBrokers, broker1} {
		for _, e := range m.Configs(r) {
			fmt.Fprintf(&b, "%s %s=%q\n", r, e.Key, e.Value)
		}
	}
	return b.String()
}

func drawResource(t *rapid.T, not []metadata.Resource) metadata.Resource {
	all := []metadata.Resource{topicT, topicU, broker1, allBrokers, topicGone, broker2}
	all = slices.DeleteFunc(all, func(r metadata.Resource) bool { return slices.Contains(not, r) })
	return rapid.SampledFrom(all).Draw(t, "resource")
}

// drawChange draws a change; most suit the resource, so that most requests are good.
func drawChange(t *rapid.T, r metadata.Resource) controller.ConfigChange {
	keys := []string{"retention.ms", "min.compaction.lag.ms", "max.compaction.lag.ms", lists[0]}
	values := []string{"5", "6", "7"}
	if r.Type == metadata.ResourceBroker {
		keys = []string{"message.max.bytes", "log.cleaner.min.compaction.lag.ms",
			"log.cleaner.max.compaction.lag.ms", lists[1]}
	}
	if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
		keys = []string{"nonsense", "retention.ms", "message.max.bytes", "num.partitions", lists[2]}
		values = []string{"5", "x"}
	}
	c := controller.ConfigChange{Key: rapid.SampledFrom(keys).Draw(t, "key")}
	c.Op = controller.ConfigOp(rapid.IntRange(0, 3).Draw(t, "op"))
	if slices.Contains(lists, c.Key) {
		values = []string{"", "0:1", "1:2", "0:1,1:2", "1:2,0:1"}
	} else if rapid.IntRange(0, 9).Draw(t, "list op") > 0 {
		c.Op &= 1
	}
	if rapid.IntRange(0, 30).Draw(t, "null") > 0 {
		value := rapid.SampledFrom(values).Draw(t, "value")
		c.Value = &value
	}
	return c
}

func drawChanges(t *rapid.T, not []metadata.Resource) controller.ChangeConfigs {
	r := drawResource(t, not)
	out := controller.ChangeConfigs{Type: r.Type, Name: r.Name}
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		out.Changes = append(out.Changes, drawChange(t, r))
	}
	return out
}

// Over all histories of both requests: each resource gets the code and the settings that
// the naive model gives it, one after the other; deciding changes nothing; validating
// answers the same and writes nothing; no record sets what is set already.
func TestAlteredConfigsAreTheNaiveModels(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{cluster: newCluster(t), t: rt, epochs: map[kafka.BrokerID]kafka.BrokerEpoch{}}
		h.registered(1)
		h.registered(2)
		for _, name := range []string{"t", "u"} {
			h.append(h.control.CreateTopics(controller.CreateTopics{Topics: []controller.CreateTopic{
				{Name: name, Partitions: 1, ReplicationFactor: 1},
			}}).Records)
		}
		m := settingsModel{}
		for range rapid.IntRange(1, 12).Draw(rt, "requests") {
			m = h.alteredAsModel(m)
			if got := settingsOf(h.control.Image()); got != m.String() {
				rt.Fatalf("settings\n%s\nwant\n%s", got, m)
			}
		}
		h.restart()
	})
}

func (h *history) alteredAsModel(m settingsModel) settingsModel {
	var req controller.IncrementalAlterConfigs
	var whole controller.AlterConfigs
	req.Broker, whole.Broker = 1, 1
	replace := rapid.Bool().Draw(h.t, "replace")
	var want []kafka.ErrorCode
	var taken []metadata.Resource
	for range rapid.IntRange(1, 3).Draw(h.t, "resources") {
		r := drawChanges(h.t, taken)
		taken = append(taken, metadata.Resource{Type: r.Type, Name: r.Name})
		req.Resources = append(req.Resources, r)
		all := controller.ReplaceConfigs{Type: r.Type, Name: r.Name}
		for _, c := range r.Changes {
			all.Configs = append(all.Configs, controller.ConfigSetting{Key: c.Key, Value: c.Value})
		}
		whole.Resources = append(whole.Resources, all)
		code := kafka.None
		if replace {
			m, code = m.replace(all)
		} else {
			m, code = m.incremental(r)
		}
		want = append(want, code)
	}
	decide := func(validate bool) controller.Decision[[]controller.ConfigsAltered] {
		req.ValidateOnly, whole.ValidateOnly = validate, validate
		if replace {
			return h.control.AlterConfigs(whole)
		}
		return h.control.IncrementalAlterConfigs(req)
	}
	validated := decide(true)
	if len(validated.Records) > 0 {
		h.t.Fatal("validating writes")
	}
	h.checkChange(decide(false).Records)
	answer := decided(h, func() controller.Decision[[]controller.ConfigsAltered] { return decide(false) })
	for i, a := range answer {
		if a.Code != want[i] || (a.Message == "") != (a.Code == kafka.None) || a != validated.Answer[i] {
			h.t.Fatalf("%+v: %+v, want %s", req.Resources[i], a, want[i])
		}
	}
	return m
}

// checkChange wants each record to change something.
func (h *history) checkChange(records []metadata.Record) {
	image := h.control.Image()
	for _, r := range records {
		c := r.(*metadata.ConfigRecord)
		old, isSet := image.Configs(c.Resource).Get(c.Key)
		if isSet == (c.Value != nil) && (!isSet || old == *c.Value) {
			h.t.Fatalf("%s changes nothing", c)
		}
	}
}
