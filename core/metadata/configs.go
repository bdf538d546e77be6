package metadata

import "slices"

// TopicConfigKey returns the definition of a topic key, or nil.
func TopicConfigKey(name string) *ConfigKey { return topicKeys.find(name) }

// BrokerConfigKey returns the definition of a broker key, or nil.
func BrokerConfigKey(name string) *ConfigKey { return brokerKeys.find(name) }

// TopicConfigKeys returns all topic keys, ordered by name.
func TopicConfigKeys() []*ConfigKey { return topicKeys }

// BrokerConfigKeys returns all broker keys, ordered by name.
func BrokerConfigKeys() []*ConfigKey { return brokerKeys }

// NearestTopicConfig returns the topic key that name was probably meant for: the one a
// broker key of that name is the default of, else the one that looks most like it, or "".
func NearestTopicConfig(name string) string {
	for _, k := range topicKeys {
		if slices.ContainsFunc(k.Synonyms, func(s Synonym) bool { return s.Key == name }) {
			return k.Name
		}
	}
	return topicKeys.nearest(name)
}

// NearestBrokerConfig returns the broker key that name was probably meant for: the
// default of the topic key of that name, else the one that looks most like it, or "".
func NearestBrokerConfig(name string) string {
	if k := topicKeys.find(name); k != nil && len(k.Synonyms) > 0 {
		return k.Synonyms[0].Key
	}
	return brokerKeys.nearest(name)
}

// ValidateTopicConfig answers why a topic cannot have this value, or "". It covers what
// is wrong and what this build cannot do.
func ValidateTopicConfig(key, value string) string {
	k, why := FindConfigKey(ResourceTopic, key)
	if why != "" {
		return why
	}
	return k.validateSupported(value)
}

// ValidateBrokerConfig answers why a broker cannot have this value, or "". What a topic
// cannot be given cannot be the default of topics either.
func ValidateBrokerConfig(key, value string) string {
	k, why := FindConfigKey(ResourceBroker, key)
	if why != "" {
		return why
	}
	return k.validateSupported(value)
}

// FindConfigKey returns the definition of a key of that kind of resource, or why there is
// none.
func FindConfigKey(t ResourceType, key string) (k *ConfigKey, why string) {
	if t == ResourceTopic {
		if k = topicKeys.find(key); k == nil {
			why = unknownKey("topic", key, NearestTopicConfig(key))
		}
		return k, why
	}
	if k = brokerKeys.find(key); k == nil {
		why = unknownKey("broker", key, NearestBrokerConfig(key))
	}
	return k, why
}

// ValidateDynamicConfig answers why this value cannot be set on a resource while brokers
// run, or "".
func ValidateDynamicConfig(r Resource, key, value string) string {
	k, why := FindConfigKey(r.Type, key)
	switch {
	case why != "":
		return why
	case r.Type == ResourceTopic:
		return k.validateSupported(value)
	case !k.Dynamic:
		return "Cannot update these configs dynamically: " + key
	case k.Prefixed:
		return "These security configs can be dynamically updated only per-listener using the " +
			"listener prefix: " + key
	}
	if why = k.validateSupported(value); why == "" && r.Name == "" && k.PerBroker {
		why = "Cannot update these configs at default cluster level, broker id must be specified: " + key
	}
	return why
}

func (k *ConfigKey) validateSupported(value string) string {
	why := k.Validate(value)
	if why == "" && k.Supported != nil {
		why = k.Supported(value)
	}
	return why
}

func unknownKey(kind, key, nearest string) string {
	why := "Unknown " + kind + " config name: " + clip(key)
	if nearest != "" {
		why += "; the nearest known name is " + nearest
	}
	return why
}
