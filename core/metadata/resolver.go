package metadata

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// ConfigSource tells where an effective value comes from, in the numbers of
// DescribeConfigs.
type ConfigSource int8

// The sources, the most specific first.
const (
	SourceTopic          ConfigSource = 1
	SourceDynamicBroker  ConfigSource = 2
	SourceDynamicDefault ConfigSource = 3
	SourceStatic         ConfigSource = 4
	SourceDefault        ConfigSource = 5
)

// EffectiveConfig is a key with the value that holds.
type EffectiveConfig struct {
	Key     *ConfigKey
	Value   string
	IsSet   bool // false: the key has no value at all
	Source  ConfigSource
	Derived []ConfigSynonym // every value on the way, the one that holds first
}

// ConfigSynonym is one value that holds, or would hold if the ones before it were absent.
type ConfigSynonym struct {
	Name   string
	Value  string
	Source ConfigSource
}

// Resolver answers which config values hold on one broker: what is set on the topic,
// else dynamically on the broker, else dynamically for all brokers, else in the broker's
// own file, else the default.
type Resolver struct {
	broker Resource // holds the dynamic values of this broker
	static Configs
}

// NewResolver makes a resolver for a broker whose file sets static. Every key must be
// known and every value valid; the error names all that are not.
func NewResolver(broker kafka.BrokerID, static map[string]string) (*Resolver, error) {
	r := &Resolver{broker: Resource{Type: ResourceBroker, Name: broker.String()}}
	if err := r.SetStatic(static); err != nil {
		return nil, err
	}
	return r, nil
}

// SetStatic replaces what the broker's file sets, by a file that was read again. After an
// error nothing has changed.
func (r *Resolver) SetStatic(static map[string]string) error {
	var values Configs
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(static)) {
		values = append(values, ConfigEntry{key, static[key]})
		if why := ValidateBrokerConfig(key, static[key]); why != "" {
			problems = append(problems, errors.New(why))
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("metadata: static configs: %w", errors.Join(problems...))
	}
	r.static = values
	return nil
}

// Topic returns the value of one topic key, for a topic with the given own configs. The
// key must be a topic key.
func (r *Resolver) Topic(m *Image, own Configs, key string) EffectiveConfig {
	k := TopicConfigKey(key)
	// Our own code asks by constant names; a client's key was looked up before.
	if k == nil {
		invariant.Violated("metadata.topic-key-known", "key=%q", key)
	}
	e := EffectiveConfig{Key: k, Source: SourceDefault}
	if v, ok := own.Get(key); ok {
		e.add(Synonym{Key: key}, v, SourceTopic)
	}
	r.addBroker(&e, m, k.Synonyms)
	if len(k.Synonyms) == 0 {
		e.add(Synonym{Key: key}, k.Default, SourceDefault)
	}
	return e
}

// Broker returns the value of one broker key. The key must be a broker key.
func (r *Resolver) Broker(m *Image, key string) EffectiveConfig {
	k := BrokerConfigKey(key)
	// Broker keys are asked for by constant names too; a misspelt one would read as a default.
	if k == nil {
		invariant.Violated("metadata.broker-key-known", "key=%q", key)
	}
	e := EffectiveConfig{Key: k, Source: SourceDefault}
	r.addBroker(&e, m, brokerNames(key))
	// The way begins at the key's own value: another name that goes before it does not
	// change what was set under this one.
	own := slices.IndexFunc(e.Derived, func(s ConfigSynonym) bool { return s.Name == key })
	if own < 0 {
		return EffectiveConfig{Key: k, Source: SourceDefault}
	}
	e.Derived = e.Derived[own:]
	e.Value, e.Source = e.Derived[0].Value, e.Derived[0].Source
	return e
}

// brokerNames are the names under which a broker key may be set: most have one.
func brokerNames(key string) []Synonym {
	for _, names := range severalNames {
		if slices.Contains(names, Synonym{Key: key}) {
			return names
		}
	}
	return []Synonym{{Key: key}}
}

// severalNames are the broker keys that stand for one value in several units, or by
// another key's default.
var severalNames = [...][]Synonym{
	{{Key: "log.retention.ms"}, {Key: "log.retention.minutes"}, {Key: "log.retention.hours"}},
	{{Key: "log.roll.ms"}, {Key: "log.roll.hours"}},
	{{Key: "log.roll.jitter.ms"}, {Key: "log.roll.jitter.hours"}},
	{{Key: "log.flush.interval.ms"}, {Key: "log.flush.scheduler.interval.ms"}},
}

// DescribeTopic returns all topic keys that clients are shown, ordered by name.
func (r *Resolver) DescribeTopic(m *Image, own Configs) []EffectiveConfig {
	out := make([]EffectiveConfig, 0, len(topicKeys))
	for _, k := range topicKeys {
		if !k.Internal {
			out = append(out, r.Topic(m, own, k.Name))
		}
	}
	return out
}

// DescribeBroker returns all broker keys that clients are shown, ordered by name.
func (r *Resolver) DescribeBroker(m *Image) []EffectiveConfig {
	out := make([]EffectiveConfig, 0, len(brokerKeys))
	for _, k := range brokerKeys {
		if !k.Internal {
			out = append(out, r.Broker(m, k.Name))
		}
	}
	return out
}

// addBroker adds what is known about a broker key with several names, the most specific
// source first. Within one source the names go in their order; an hour set while the
// broker runs goes before the milliseconds of its file, as in Kafka.
func (r *Resolver) addBroker(e *EffectiveConfig, m *Image, names []Synonym) {
	for _, level := range [...]struct {
		set    Configs
		source ConfigSource
	}{
		{m.Configs(r.broker), SourceDynamicBroker},
		{m.Configs(Resource{Type: ResourceBroker}), SourceDynamicDefault},
		{r.static, SourceStatic},
	} {
		for _, s := range names {
			if v, ok := level.set.Get(s.Key); ok {
				e.add(s, v, level.source)
			}
		}
	}
	for _, s := range names {
		if k := BrokerConfigKey(s.Key); !k.NoDefault {
			e.add(s, k.Default, SourceDefault)
		}
	}
}

// add appends a value to the way; the first one holds.
func (e *EffectiveConfig) add(s Synonym, value string, source ConfigSource) {
	if len(e.Derived) == 0 {
		e.Value, e.IsSet, e.Source = s.scaled(value), true, source
	}
	e.Derived = append(e.Derived, ConfigSynonym{s.Key, value, source})
}

// scaled converts a broker's number to the topic key's unit. Negative numbers mean
// "none" in every unit.
func (s Synonym) scaled(value string) string {
	if s.Scale <= 1 {
		return value
	}
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	// Values are validated before they are set; the scaled ones are 32 bits wide.
	if err != nil || n > math.MaxInt32 {
		invariant.Violated("metadata.config-value-valid", "key=%s value=%q", s.Key, value)
	}
	if n < 0 {
		return value
	}
	return strconv.FormatInt(n*s.Scale, 10)
}

// TopicConflict answers which two effective values of a topic with the given own configs
// contradict each other, or "".
func (r *Resolver) TopicConflict(m *Image, own Configs) string {
	const least, most = "min.compaction.lag.ms", "max.compaction.lag.ms"
	low, high := r.Topic(m, own, least).Value, r.Topic(m, own, most).Value
	if mustInt(least, low) > mustInt(most, high) {
		return fmt.Sprintf("conflict topic config setting %s (%s) > %s (%s)", least, low, most, high)
	}
	return ""
}
