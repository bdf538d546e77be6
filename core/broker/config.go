package broker

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
)

// Listener is where clients of one listener are told to connect. The name is the one
// env.ConnInfo carries: a client only learns addresses of the listener it came in on.
type Listener struct {
	Name     string
	Host     string
	Port     int32
	Protocol string // PLAINTEXT if empty
}

// Config is what a broker is told at its start.
type Config struct {
	// Env is the world of this node.
	Env *env.Env
	// NodeID is node.id.
	NodeID kafka.BrokerID
	// ClusterID is the cluster's id. "" takes what the metadata log says, or draws one
	// when that is new; another id than the log's stops the start.
	ClusterID string
	// Rack is broker.rack, "" for none.
	Rack string
	// LogDirs are the log directories, absolute; the first holds the metadata log.
	LogDirs []string
	// Listeners are the advertised client listeners.
	Listeners []Listener
	// Static are the server keys set in the configuration file, by Kafka's names. Every
	// key must be known and every value valid.
	Static map[string]string
	// Log overrides the sizes of the log directories; Path, Env, TagBase and Node are
	// filled in. The zero value is the defaults.
	Log log.DirConfig
	// SpaceChanged, if set, is told when a log directory begins or ends to refuse clients'
	// appends because its volume is nearly full, with the bytes free. It must not call the
	// broker.
	SpaceChanged func(dir string, tight bool, free int64)
	// Crowded, if set, tells that memory for record bytes runs short. Until it does not,
	// replies are small, and each connection is served one request at a time.
	Crowded func() bool
	// Gone, if set, is told of each connection that ended: whose it was, and why. It must
	// not call the broker.
	Gone func(info env.ConnInfo, why string)
	// Configured, if set, is called when keys of brokers have changed, with a look-up of
	// the values that hold now, for what is bounded outside. It must not call the broker.
	Configured func(value func(key string) string)
	// Serving, if set, is called once when the broker is registered and answers clients. It
	// must not call the broker.
	Serving func()
	// Failed, if set, is told once when the broker cannot go on: its metadata log is lost.
	// It must not call the broker.
	Failed func(error)
}

// Validate answers what is wrong with the configuration.
func (c *Config) Validate() error {
	switch {
	case c.Env == nil:
		return errors.New("broker: config without env")
	case c.NodeID < 0:
		return fmt.Errorf("broker: node.id %d is negative", c.NodeID)
	case len(c.LogDirs) == 0:
		return errors.New("broker: log.dirs is empty")
	case len(c.LogDirs) > dirsMax:
		return fmt.Errorf("broker: log.dirs has %d directories, more than %d", len(c.LogDirs), dirsMax)
	case len(c.Listeners) == 0:
		return errors.New("broker: no listener")
	}
	for i, path := range c.LogDirs {
		for _, other := range c.LogDirs[:i] {
			if path == other {
				return fmt.Errorf("broker: log.dirs names %q twice", path)
			}
		}
	}
	return nil
}

func (c *Config) listeners() (out []metadata.Listener) {
	for _, l := range c.Listeners {
		if l.Protocol == "" {
			l.Protocol = "PLAINTEXT"
		}
		out = append(out, metadata.Listener{Name: l.Name, Host: l.Host, Port: l.Port, Protocol: l.Protocol})
	}
	return out
}

// settings are the broker keys that the loop itself heeds.
type settings struct {
	idle         time.Duration // connections.max.idle.ms
	requestMax   int           // socket.request.max.bytes
	connsMax     int           // max.connections
	producerLife time.Duration // producer.id.expiration.ms

	retentionCheck time.Duration // log.retention.check.interval.ms

	snapshotInterval time.Duration // metadata.log.max.snapshot.interval.ms, 0: no limit
}

func readSettings(r *metadata.Resolver, image *metadata.Image) settings {
	return settings{
		idle:         duration(r.BrokerInt(image, "connections.max.idle.ms")),
		requestMax:   int(r.BrokerInt(image, "socket.request.max.bytes")),
		connsMax:     int(r.BrokerInt(image, "max.connections")),
		producerLife: duration(r.BrokerInt(image, "producer.id.expiration.ms")),

		retentionCheck: duration(r.BrokerInt(image, "log.retention.check.interval.ms")),

		snapshotInterval: duration(r.BrokerInt(image, "metadata.log.max.snapshot.interval.ms")),
	}
}

// duration is a number of milliseconds; a negative one stands for "never", and what no
// clock will see is bounded.
func duration(ms int64) time.Duration {
	if ms < 0 || ms > int64(forever/time.Millisecond) {
		return forever
	}
	return time.Duration(ms) * time.Millisecond
}

// number reads a value that was validated when it was set.
func number(value string) int64 {
	n, _ := strconv.ParseInt(value, 10, 64)
	return n
}

// topicConfig is the effective configuration of a topic as produce looks at it.
func topicConfig(r *metadata.Resolver, image *metadata.Image, t *metadata.Topic) api.TopicConfig {
	get := func(key string) string { return r.Topic(image, t.Configs, key).Value }
	cfg := api.TopicConfig{
		MaxMessageBytes: int(number(get("max.message.bytes"))),
		SegmentBytes:    segmentBytes(r, image, t),
		MinISR:          int(number(get("min.insync.replicas"))),
		LogAppendTime:   get("message.timestamp.type") == "LogAppendTime",
		BeforeMax:       number(get("message.timestamp.before.max.ms")),
		AfterMax:        number(get("message.timestamp.after.max.ms")),
	}
	cfg.Compression, cfg.Recompress = compression(get)
	for _, policy := range metadata.SplitList(get("cleanup.policy")) {
		cfg.Compact = cfg.Compact || policy == "compact"
		cfg.Delete = cfg.Delete || policy == "delete"
	}
	return cfg
}

// compression is how a topic's batches are stored, false if as they came.
func compression(get func(string) string) (record.Compression, bool) {
	switch name := get("compression.type"); name {
	case "producer":
		return record.Compression{}, false
	case "uncompressed":
		return record.Compression{Codec: record.CodecNone}, true
	default:
		codec, err := record.ParseCodec(name)
		// It was validated when it was set; a batch stored as something else would be a lie.
		if err != nil {
			invariant.Violated("broker.compression-exists", "compression.type=%q", name)
		}
		how := record.DefaultCompression(codec)
		if codec != record.CodecSnappy {
			how.Level = int(number(get("compression." + name + ".level")))
		}
		return how, true
	}
}

// logConfig is the effective configuration of a topic as its logs look at it.
func logConfig(r *metadata.Resolver, image *metadata.Image, t *metadata.Topic) log.Config {
	get := func(key string) string { return r.Topic(image, t.Configs, key).Value }
	cfg := log.DefaultConfig()
	cfg.SegmentBytes = segmentBytes(r, image, t)
	cfg.SegmentMs = number(get("segment.ms"))
	cfg.FlushMessages, cfg.FlushMs = number(get("flush.messages")), number(get("flush.ms"))
	cfg.SegmentJitterMs = number(get("segment.jitter.ms"))
	for _, policy := range metadata.SplitList(get("cleanup.policy")) {
		if policy == "delete" {
			cfg.RetentionMs, cfg.RetentionBytes = number(get("retention.ms")), number(get("retention.bytes"))
		}
	}
	cfg.IndexIntervalBytes = number(get("index.interval.bytes"))
	cfg.SegmentIndexBytes = number(get("segment.index.bytes"))
	cfg.FileDeleteDelay = duration(number(get("file.delete.delay.ms")))
	if get(metadata.FlushPolicyKey) == metadata.FlushOS {
		cfg.Flush = log.FlushOS
	}
	return cfg
}

// segmentBytes is segment.bytes, or the internal key without its lower bound.
func segmentBytes(r *metadata.Resolver, image *metadata.Image, t *metadata.Topic) int64 {
	if own, ok := t.Configs.Get("internal.segment.bytes"); ok {
		return number(own)
	}
	return number(r.Topic(image, t.Configs, "segment.bytes").Value)
}
