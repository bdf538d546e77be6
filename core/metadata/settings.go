package metadata

import (
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/invariant"
)

// TopicSettings are the effective values of the topic keys that code acts on, typed.
type TopicSettings struct {
	CleanupDelete      bool
	CleanupCompact     bool
	RetentionMs        int64 // -1 is for ever
	RetentionBytes     int64 // -1 is unbounded
	SegmentBytes       int64
	SegmentMs          int64
	SegmentJitterMs    int64
	SegmentIndexBytes  int64
	IndexIntervalBytes int64
	MaxMessageBytes    int64
	LogAppendTime      bool
	TimestampBeforeMs  int64 // how far a record's time may lie before the broker's
	TimestampAfterMs   int64 // and after it
	CompressionType    string
	MinInsyncReplicas  int
	UncleanElection    bool
	FileDeleteDelayMs  int64
	FlushMessages      int64
	FlushMs            int64
	FlushPolicy        string // FlushGroup or FlushOS
}

// TopicSettings returns the values for a topic with the given own configs. It parses
// some twenty values, so keep the result until the topic's or the broker's configs
// change.
func (r *Resolver) TopicSettings(m *Image, own Configs) TopicSettings {
	value := func(key string) string { return r.Topic(m, own, key).Value }
	number := func(key string) int64 { return mustInt(key, value(key)) }
	truth := func(key string) bool { return mustBool(key, value(key)) }
	s := TopicSettings{
		RetentionMs:        number("retention.ms"),
		RetentionBytes:     number("retention.bytes"),
		SegmentBytes:       number("segment.bytes"),
		SegmentMs:          number("segment.ms"),
		SegmentJitterMs:    number("segment.jitter.ms"),
		SegmentIndexBytes:  number("segment.index.bytes"),
		IndexIntervalBytes: number("index.interval.bytes"),
		MaxMessageBytes:    number("max.message.bytes"),
		LogAppendTime:      value("message.timestamp.type") == "LogAppendTime",
		TimestampBeforeMs:  number("message.timestamp.before.max.ms"),
		TimestampAfterMs:   number("message.timestamp.after.max.ms"),
		CompressionType:    value("compression.type"),
		MinInsyncReplicas:  int(number("min.insync.replicas")),
		UncleanElection:    truth("unclean.leader.election.enable"),
		FileDeleteDelayMs:  number("file.delete.delay.ms"),
		FlushMessages:      number("flush.messages"),
		FlushMs:            number("flush.ms"),
		FlushPolicy:        value(FlushPolicyKey),
	}
	if v, ok := own.Get("internal.segment.bytes"); ok {
		s.SegmentBytes = mustInt("internal.segment.bytes", v)
	}
	for _, p := range SplitList(value("cleanup.policy")) {
		s.CleanupDelete = s.CleanupDelete || p == "delete"
		s.CleanupCompact = s.CleanupCompact || p == "compact"
	}
	return s
}

// BrokerInt returns the value of a numeric broker key that has a default.
func (r *Resolver) BrokerInt(m *Image, key string) int64 { return mustInt(key, r.Broker(m, key).Value) }

// BrokerBool returns the value of a boolean broker key.
func (r *Resolver) BrokerBool(m *Image, key string) bool {
	return mustBool(key, r.Broker(m, key).Value)
}

func mustInt(key, value string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	// Every way a value comes in validates it, so that its use never has to guess.
	if err != nil {
		invariant.Violated("metadata.config-is-number", "key=%s value=%q", key, value)
	}
	return n
}

func mustBool(key, value string) bool {
	b, ok := parseBool(value)
	// A switch whose value was never validated would be read as off, and nobody would know.
	if !ok {
		invariant.Violated("metadata.config-is-boolean", "key=%s value=%q", key, value)
	}
	return b
}
