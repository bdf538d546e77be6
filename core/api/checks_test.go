package api

import (
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// lenient is a topic that objects to nothing.
func lenient() TopicConfig {
	return TopicConfig{MaxMessageBytes: math.MaxInt32, SegmentBytes: math.MaxInt32,
		BeforeMax: math.MaxInt64, AfterMax: math.MaxInt64}
}

func judge(cfg TopicConfig, now int64, batch record.Batch) verdict {
	var v verdict
	in := inspect(&Decoder{inspector: record.NewInspector(record.Limits{})}, batch)
	checkBatch(&v, &Topic{Config: cfg}, kafka.TopicPartition{Topic: "t"}, &in, now)
	return v
}

// keyed builds a batch of records with these keys; "" is null.
func keyed(ts kafka.Timestamp, keys ...string) record.Batch {
	b := record.NewBuilder(record.Options{})
	for _, key := range keys {
		var k []byte
		if key != "" {
			k = []byte(key)
		}
		b.Append(ts, k, nil, nil)
	}
	return b.Build()
}

// A record without a key could never be dropped from a compacted topic.
func TestCompactedTopicsRefuseRecordsWithoutKey(t *testing.T) {
	cfg := lenient()
	if v := judge(cfg, 0, keyed(1, "a", "")); v.code != kafka.None {
		t.Errorf("not compacted: %+v", v)
	}
	cfg.Compact = true
	if v := judge(cfg, 0, keyed(1, "a", "b")); v.code != kafka.None {
		t.Errorf("all have keys: %+v", v)
	}
	v := judge(cfg, 0, keyed(1, "", "a", "", ""))
	if v.code != kafka.InvalidRecord || len(v.bad) != 3 || v.bad[1].index != 2 {
		t.Errorf("%+v", v)
	}
	if !strings.Contains(v.message, "3 record errors in total") {
		t.Errorf("%q", v.message)
	}
}

func TestTimestampsAreComparedWithoutOverflow(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after int64
		now           int64
		ts            kafka.Timestamp
		want          kafka.ErrorCode
	}{
		{"no bounds, far future", math.MaxInt64, math.MaxInt64, 1000, math.MaxInt64, kafka.None},
		{"no bounds, far past", math.MaxInt64, math.MaxInt64, 1000, 0, kafka.None},
		{"at the lower bound", 10, 10, 1000, 990, kafka.None},
		{"below the lower bound", 10, 10, 1000, 989, kafka.InvalidTimestamp},
		{"at the upper bound", 10, 10, 1000, 1010, kafka.None},
		{"above the upper bound", 10, 10, 1000, 1011, kafka.InvalidTimestamp},
		{"no time", 10, 10, 1000, kafka.NoTimestamp, kafka.None},
		{"nothing allowed", 0, 0, 1000, 1000, kafka.None},
	} {
		cfg := lenient()
		cfg.BeforeMax, cfg.AfterMax = c.before, c.after
		if v := judge(cfg, c.now, keyed(c.ts, "k")); v.code != c.want {
			t.Errorf("%s: %v", c.name, v.code)
		}
	}
}

// The list of bad records is bounded, their number is told.
func TestRecordErrorsAreBounded(t *testing.T) {
	cfg := lenient()
	cfg.Compact = true
	v := judge(cfg, 0, keyed(1, make([]string, RecordErrorsMax+500)...))
	if len(v.bad) != RecordErrorsMax || !strings.Contains(v.message, "1500 record errors in total") {
		t.Errorf("%d listed: %s", len(v.bad), v.message)
	}
}

// A bomb that is refused for its records is not inflated again to name them all.
func TestLargeBatchesAreRefusedWithoutInflatingThem(t *testing.T) {
	b := record.NewBuilder(record.Options{Codec: record.CodecZstd})
	for range 3 {
		b.Append(5, nil, make([]byte, LoopInflateMax/2), nil)
	}
	batch := b.Build()
	compact, late := lenient(), lenient()
	compact.Compact = true
	late.BeforeMax = 10
	for name, c := range map[string]struct {
		cfg  TopicConfig
		want verdict
	}{
		"keys": {compact, verdict{kafka.InvalidRecord, keyless, []badRecord{{0, keyless}}}},
		"times": {late, verdict{kafka.InvalidTimestamp, "Timestamps of messages from 5 to 5 are out of range. " +
			"The timestamp should be within [90, 9223372036854775807]", nil}},
	} {
		var v verdict
		in := inspect(&Decoder{inspector: record.NewInspector(record.Limits{})}, batch)
		topic := &Topic{Config: c.cfg}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		checkBatch(&v, topic, kafka.TopicPartition{Topic: "t"}, &in, 100)
		runtime.ReadMemStats(&after)
		if !reflect.DeepEqual(v, c.want) {
			t.Errorf("%s: got %+v", name, v)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > LoopInflateMax/2 {
			t.Errorf("%s: %d bytes were allocated", name, took)
		}
	}
}
