package metadata

import (
	"math"
	"slices"
	"strings"
)

const (
	hourMillis   = 3_600_000
	minuteMillis = 60_000
	maxLong      = "9223372036854775807"
)

// FlushPolicyKey is our own topic key: when a record counts as held by a replica.
const FlushPolicyKey = "flush.policy"

// The values of flush.policy.
const (
	FlushGroup = "group" // once it is fsynced, with all that arrived meanwhile
	FlushOS    = "os"    // once it is written to the page cache, Kafka's own rule
)

// topicKeys is every topic key, as protocol and tools know them.
var topicKeys = newKeyTable(
	list("cleanup.policy", "delete", "What happens to old segments: they are deleted by age and size, "+
		"compacted by key, or both. Empty keeps all.").
		oneOf("compact", "delete").from(Synonym{Key: "log.cleanup.policy"}).withoutCompaction(),
	long("retention.ms", "604800000", -1,
		"How long a record is kept before its segment may be deleted; -1 is for ever.").
		from(Synonym{"log.retention.ms", 1}, Synonym{"log.retention.minutes", minuteMillis},
			Synonym{"log.retention.hours", hourMillis}),
	long("retention.bytes", "-1", -1,
		"The size above which a partition's oldest segments may be deleted; -1 is unbounded.").
		from(Synonym{Key: "log.retention.bytes"}),
	integer("segment.bytes", "1073741824", 1<<20,
		"The size at which a segment is closed and a new one begun.").
		from(Synonym{Key: "log.segment.bytes"}),
	integer("internal.segment.bytes", "1073741824", 1,
		"As segment.bytes, without its lower bound. For tests.").
		internal(),
	long("segment.ms", "604800000", 1, "The age at which a segment is closed even if it is not full.").
		from(Synonym{"log.roll.ms", 1}, Synonym{"log.roll.hours", hourMillis}),
	long("segment.jitter.ms", "0", 0,
		"The most by which segment.ms is shortened at random, so that not all roll at once.").
		from(Synonym{"log.roll.jitter.ms", 1}, Synonym{"log.roll.jitter.hours", hourMillis}),
	integer("segment.index.bytes", "10485760", 4,
		"The size at which a full offset index closes its segment.").
		from(Synonym{Key: "log.index.size.max.bytes"}),
	integer("index.interval.bytes", "4096", 0,
		"How many bytes of records lie between two entries of the offset index.").
		from(Synonym{Key: "log.index.interval.bytes"}),
	integer("max.message.bytes", "1048588", 0,
		"The largest record batch that is taken, as stored, after compression.").
		from(Synonym{Key: "message.max.bytes"}),
	str("message.timestamp.type", "CreateTime",
		"Whether a record keeps its producer's time or gets the broker's.").
		oneOf("CreateTime", "LogAppendTime").from(Synonym{Key: "log.message.timestamp.type"}),
	long("message.timestamp.before.max.ms", maxLong, 0,
		"How far a record's time may lie before the broker's.").
		from(Synonym{Key: "log.message.timestamp.before.max.ms"}),
	long("message.timestamp.after.max.ms", "3600000", 0,
		"How far a record's time may lie after the broker's.").
		from(Synonym{Key: "log.message.timestamp.after.max.ms"}),
	str("compression.type", "producer",
		"The compression records are stored with; producer keeps what was sent.").
		oneOf("uncompressed", "zstd", "lz4", "snappy", "gzip", "producer").
		from(Synonym{Key: "compression.type"}),
	integer("compression.gzip.level", "-1", -1,
		"The level of gzip when compression.type is gzip; -1 is its default.").
		max(9).check(notZero).from(Synonym{Key: "compression.gzip.level"}),
	integer("compression.lz4.level", "9", 1, "The level of lz4 when compression.type is lz4.").
		max(17).from(Synonym{Key: "compression.lz4.level"}),
	integer("compression.zstd.level", "3", -131072, "The level of zstd when compression.type is zstd.").
		max(22).from(Synonym{Key: "compression.zstd.level"}),
	integer("min.insync.replicas", "1", 1, "How many replicas must be in sync for acks=all to be taken.").
		from(Synonym{Key: "min.insync.replicas"}),
	boolean("unclean.leader.election.enable", "false",
		"Whether a replica that may lack records may be made leader.").
		from(Synonym{Key: "unclean.leader.election.enable"}),
	long("delete.retention.ms", "86400000", 0, "How long compaction keeps a tombstone.").
		from(Synonym{Key: "log.cleaner.delete.retention.ms"}),
	long("min.compaction.lag.ms", "0", 0, "How long a record is left uncompacted at least.").
		from(Synonym{Key: "log.cleaner.min.compaction.lag.ms"}),
	long("max.compaction.lag.ms", maxLong, 1, "How long a record may stay uncompacted at most.").
		from(Synonym{Key: "log.cleaner.max.compaction.lag.ms"}),
	double("min.cleanable.dirty.ratio", "0.5", 0,
		"How much of a log must be uncompacted before compaction runs.").
		max(1).from(Synonym{Key: "log.cleaner.min.cleanable.ratio"}),
	long("file.delete.delay.ms", "60000", 0, "How long a deleted segment's file is kept.").
		from(Synonym{Key: "log.segment.delete.delay.ms"}),
	long("flush.messages", maxLong, 1,
		"After how many records a log is synced, where flush.policy does not do so before.").
		from(Synonym{Key: "log.flush.interval.messages"}),
	long("flush.ms", maxLong, 0, "After how long a log is synced, where flush.policy does not do so before.").
		from(Synonym{Key: "log.flush.interval.ms"}, Synonym{Key: "log.flush.scheduler.interval.ms"}),
	str(FlushPolicyKey, FlushGroup, "When a replica counts as holding a record: group, once it is fsynced "+
		"together with all that arrived meanwhile; os, once it is in the operating system's page cache.").
		oneOf(FlushGroup, FlushOS).from(Synonym{Key: "log.flush.policy"}),
	boolean("preallocate", "false", "Whether a segment's file gets its full size when it is created.").
		from(Synonym{Key: "log.preallocate"}),
	list("leader.replication.throttled.replicas", "",
		"Replicas throttled on the leader: partition:broker, or *.").
		check(throttledReplicas),
	list("follower.replication.throttled.replicas", "",
		"Replicas throttled on the follower: partition:broker, or *.").
		check(throttledReplicas),
	boolean("remote.storage.enable", "false", "Whether old segments move to remote storage.").
		supports("false", "remote storage"),
	long("local.retention.ms", "-2", -2,
		"As retention.ms, for local segments of a topic with remote storage; -2 is equal."),
	long("local.retention.bytes", "-2", -2,
		"As retention.bytes, for local segments of a topic with remote storage."),
	boolean("remote.log.copy.disable", "false", "Whether copying to remote storage stops.").
		supports("false", "remote storage"),
	boolean("remote.log.delete.on.disable", "false",
		"Whether remote data goes when remote storage is switched off.").
		supports("false", "remote storage"),
)

func newKey(t ConfigType, name, value, doc string) *ConfigKey {
	return &ConfigKey{Name: name, Type: t, Default: value, Doc: doc}
}

func integer(name, value string, least float64, doc string) *ConfigKey {
	k := newKey(ConfigInt, name, value, doc)
	k.Min, k.Max = least, math.MaxInt32
	return k
}

func short(name, value string, least float64, doc string) *ConfigKey {
	k := newKey(ConfigShort, name, value, doc)
	k.Min, k.Max = least, math.MaxInt16
	return k
}

func long(name, value string, least float64, doc string) *ConfigKey {
	k := newKey(ConfigLong, name, value, doc)
	k.Min, k.Max = least, math.MaxInt64
	return k
}

func double(name, value string, least float64, doc string) *ConfigKey {
	k := newKey(ConfigDouble, name, value, doc)
	k.Min, k.Max = least, math.MaxFloat64
	return k
}

func boolean(name, value, doc string) *ConfigKey { return newKey(ConfigBool, name, value, doc) }

func str(name, value, doc string) *ConfigKey { return newKey(ConfigString, name, value, doc) }

func list(name, value, doc string) *ConfigKey { return newKey(ConfigList, name, value, doc) }

func (k *ConfigKey) from(synonyms ...Synonym) *ConfigKey {
	k.Synonyms = synonyms
	return k
}

func (k *ConfigKey) max(most float64) *ConfigKey {
	k.Max = most
	return k
}

func (k *ConfigKey) oneOf(values ...string) *ConfigKey {
	k.Values = values
	return k
}

func (k *ConfigKey) check(f func(string) string) *ConfigKey {
	k.Check = f
	return k
}

func (k *ConfigKey) internal() *ConfigKey {
	k.Internal = true
	return k
}

// supports says that this build can do one value only.
func (k *ConfigKey) supports(only, what string) *ConfigKey {
	k.Supported = func(value string) string {
		if strings.EqualFold(strings.TrimSpace(value), only) {
			return ""
		}
		return "This build does not support " + what + ": " + k.Name + " must be " + only
	}
	return k
}

func (k *ConfigKey) withoutCompaction() *ConfigKey {
	k.Supported = func(value string) string {
		if slices.Contains(SplitList(value), "compact") {
			return "This build does not support compaction: " + k.Name + " must be delete or empty"
		}
		return ""
	}
	return k
}

func notZero(value string) string {
	if strings.TrimSpace(value) == "0" {
		return "Value must be between 1 and 9 or equal to -1"
	}
	return ""
}

// throttledReplicas wants "*" or partition:broker pairs.
func throttledReplicas(value string) string {
	if strings.TrimSpace(value) == "*" {
		return ""
	}
	for _, e := range SplitList(value) {
		p, b, ok := strings.Cut(e, ":")
		if !ok || !isDigits(p) || !isDigits(b) {
			return "Must be the literal '*' or a list of replicas in the form partition:broker"
		}
	}
	return ""
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
