package config

import (
	"math"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/metadata"
)

// ownPrefix begins every key that Kafka does not have.
const ownPrefix = "tidemark."

// ownKeys are those keys. Their defaults are the ones of core/log.
var ownKeys = []*metadata.ConfigKey{
	{
		Name: "tidemark.journal.file.bytes", Type: metadata.ConfigLong, Default: "67108864",
		Min: 1 << 20, Max: 1 << 30, Check: wholeBlocks,
		Doc: "The size of one file of the journal, a multiple of 4096.",
	},
	{
		Name: "tidemark.journal.files", Type: metadata.ConfigInt, Default: "16", Min: 3, Max: 1024,
		Doc: "How many files the journal may spread over. More of them let the disk of the segments lag further " +
			"behind, and make recovery longer.",
	},
	{
		Name: "tidemark.tail.cache.bytes", Type: metadata.ConfigLong, Default: "33554432",
		Min: 1 << 20, Max: math.MaxInt64 >> 20,
		Doc: "Memory for the newest bytes of all partitions of a log directory; reads at the tail touch no disk.",
	},
	{
		Name: "tidemark.reserve.bytes", Type: metadata.ConfigLong, Default: "67108864",
		Min: 0, Max: math.MaxInt64 >> 20,
		Doc: "Free space below which a log directory takes no more records from clients, while it still serves " +
			"reads and lets topics be deleted; records are taken again when half as much more is free. A file " +
			"of this size lies in the directory and is given up by a start on a full volume; 0 is neither.",
	},
}

func wholeBlocks(value string) string {
	const block = 4096
	if n, err := parseInt(value); err == nil && n%block != 0 {
		return "Value must be a multiple of 4096"
	}
	return ""
}

// keyNamed is the definition of a key, Kafka's or ours, or nil.
func keyNamed(name string) *metadata.ConfigKey {
	if i := slices.IndexFunc(ownKeys, func(k *metadata.ConfigKey) bool { return k.Name == name }); i >= 0 {
		return ownKeys[i]
	}
	return metadata.BrokerConfigKey(name)
}

// suggestion says which key may have been meant, or "".
func suggestion(name string) string {
	if strings.HasPrefix(name, ownPrefix) {
		var names []string
		for _, k := range ownKeys {
			names = append(names, k.Name)
		}
		return "the keys with this prefix are " + strings.Join(names, ", ")
	}
	if metadata.TopicConfigKey(name) != nil {
		return "this is a key of topics, set when a topic is created" + brokerNameOf(name)
	}
	if near := metadata.NearestBrokerConfig(name); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// brokerNameOf tells the broker key that gives a topic key its default.
func brokerNameOf(topicKey string) string {
	if s := metadata.TopicConfigKey(topicKey).Synonyms; len(s) > 0 {
		return "; its default for all topics is " + s[0].Key
	}
	return ""
}
