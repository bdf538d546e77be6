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
	k := topicKeys.find(key)
	if k == nil {
		return unknownKey("topic", key, NearestTopicConfig(key))
	}
	return k.validateSupported(value)
}

// ValidateBrokerConfig answers why a broker cannot have this value, or "". What a topic
// cannot be given cannot be the default of topics either.
func ValidateBrokerConfig(key, value string) string {
	k := brokerKeys.find(key)
	if k == nil {
		return unknownKey("broker", key, NearestBrokerConfig(key))
	}
	return k.validateSupported(value)
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
