package metadata

// TopicConfigKey returns the definition of a topic key, or nil.
func TopicConfigKey(name string) *ConfigKey { return topicKeys.find(name) }

// BrokerConfigKey returns the definition of a broker key, or nil.
func BrokerConfigKey(name string) *ConfigKey { return brokerKeys.find(name) }

// TopicConfigKeys returns all topic keys, ordered by name.
func TopicConfigKeys() []*ConfigKey { return topicKeys }

// BrokerConfigKeys returns all broker keys, ordered by name.
func BrokerConfigKeys() []*ConfigKey { return brokerKeys }

// NearestTopicConfig returns the known topic key that looks most like name, or "".
func NearestTopicConfig(name string) string { return topicKeys.nearest(name) }

// NearestBrokerConfig returns the known broker key that looks most like name, or "".
func NearestBrokerConfig(name string) string { return brokerKeys.nearest(name) }

// ValidateTopicConfig answers why a topic cannot have this value, or "". It covers what
// is wrong and what this build cannot do.
func ValidateTopicConfig(key, value string) string {
	k := topicKeys.find(key)
	if k == nil {
		return unknownKey("topic", key, topicKeys)
	}
	why := k.Validate(value)
	if why == "" && k.Supported != nil {
		why = k.Supported(value)
	}
	return why
}

// ValidateBrokerConfig answers why a broker cannot have this value, or "".
func ValidateBrokerConfig(key, value string) string {
	k := brokerKeys.find(key)
	if k == nil {
		return unknownKey("broker", key, brokerKeys)
	}
	return k.Validate(value)
}

func unknownKey(kind, key string, keys keyTable) string {
	why := "Unknown " + kind + " config name: " + clip(key)
	if near := keys.nearest(key); near != "" {
		why += "; the nearest known name is " + near
	}
	return why
}
