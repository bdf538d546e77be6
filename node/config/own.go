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
		Name: adminKey, Type: metadata.ConfigString, Default: "127.0.0.1:9644", Check: adminAddress,
		Doc: "Where HTTP answers /metrics, /livez and /readyz, as host:port; no host is every address of the " +
			"machine, empty is off. Nobody is asked who they are there, so keep it where only you reach it.",
	},
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

const adminKey = ownPrefix + "admin.address"

func adminAddress(value string) string {
	if value == "" {
		return ""
	}
	if _, _, err := splitHostPort(value); err != nil {
		return "Not an address"
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
func suggestion(e Entry) string {
	if strings.HasPrefix(e.Key, ownPrefix) {
		var names []string
		for _, k := range ownKeys {
			names = append(names, named(k.Name, e))
		}
		return "the keys with this prefix are " + strings.Join(names, ", ")
	}
	if metadata.TopicConfigKey(e.Key) != nil {
		return "this is a key of topics, set when a topic is created" + brokerNameOf(e)
	}
	if near := metadata.NearestBrokerConfig(e.Key); near != "" {
		return "did you mean " + named(near, e) + "?"
	}
	return ""
}

// brokerNameOf tells the broker key that gives a topic key its default.
func brokerNameOf(e Entry) string {
	if s := metadata.TopicConfigKey(e.Key).Synonyms; len(s) > 0 {
		return "; its default for all topics is " + named(s[0].Key, e)
	}
	return ""
}

// named is a key's name where e comes from.
func named(key string, e Entry) string {
	if e.Variable == "" {
		return key
	}
	return variableOfKey(key)
}
