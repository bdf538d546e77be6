package metadata_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-log/tidemark/core/metadata"
)

// kafkaTopicKeys is what tools read by name; one missing looks broken to them.
const kafkaTopicKeys = `cleanup.policy compression.gzip.level compression.lz4.level compression.type
compression.zstd.level delete.retention.ms file.delete.delay.ms flush.messages flush.ms
follower.replication.throttled.replicas index.interval.bytes leader.replication.throttled.replicas
local.retention.bytes local.retention.ms max.compaction.lag.ms max.message.bytes
message.timestamp.after.max.ms message.timestamp.before.max.ms message.timestamp.type
min.cleanable.dirty.ratio min.compaction.lag.ms min.insync.replicas preallocate remote.log.copy.disable
remote.log.delete.on.disable remote.storage.enable retention.bytes retention.ms segment.bytes
segment.index.bytes segment.jitter.ms segment.ms unclean.leader.election.enable`

func TestDescribeNamesEveryTopicKeyOfKafka(t *testing.T) {
	r, err := metadata.NewResolver(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, e := range r.DescribeTopic(metadata.NewImage(), nil) {
		got[e.Key.Name] = true
	}
	for _, name := range strings.Fields(kafkaTopicKeys) {
		if !got[name] {
			t.Errorf("%s is missing", name)
		}
		delete(got, name)
	}
	delete(got, metadata.FlushPolicyKey) // our own
	for name := range got {
		t.Errorf("%s is not Kafka's", name)
	}
}

// Every definition is complete, its default is valid, and a topic key and the broker
// keys it falls back to agree on the default.
func TestConfigDefinitionsAreConsistent(t *testing.T) {
	r, err := metadata.NewResolver(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	image := metadata.NewImage()
	for _, k := range metadata.TopicConfigKeys() {
		checkDefinition(t, k)
		if why := metadata.ValidateTopicConfig(k.Name, k.Default); why != "" {
			t.Errorf("%s: the default is refused: %s", k.Name, why)
		}
		for _, s := range k.Synonyms {
			if metadata.BrokerConfigKey(s.Key) == nil {
				t.Fatalf("%s: synonym %s is no broker key", k.Name, s.Key)
			}
		}
		e := r.Topic(image, nil, k.Name)
		if e.Value != k.Default || !e.IsSet || e.Source != metadata.SourceDefault {
			t.Errorf("%s: %q from %d, but the default is %q", k.Name, e.Value, e.Source, k.Default)
		}
	}
	for _, k := range metadata.BrokerConfigKeys() {
		checkDefinition(t, k)
		if why := metadata.ValidateBrokerConfig(k.Name, k.Default); why != "" && !k.NoDefault {
			t.Errorf("%s: the default is refused: %s", k.Name, why)
		}
	}
}

func checkDefinition(t *testing.T, k *metadata.ConfigKey) {
	if k.Type < metadata.ConfigBool || k.Type > metadata.ConfigPassword {
		t.Errorf("%s: type %d", k.Name, k.Type)
	}
	if !strings.HasSuffix(k.Doc, ".") || len(k.Doc) < 15 {
		t.Errorf("%s: documented as %q", k.Name, k.Doc)
	}
	if metadata.TopicConfigKey(k.Name) != k && metadata.BrokerConfigKey(k.Name) != k {
		t.Errorf("%s is defined twice", k.Name)
	}
}

func TestTopicSettingsAreTyped(t *testing.T) {
	r, err := metadata.NewResolver(1, map[string]string{"log.retention.hours": "2", "log.flush.policy": "os"})
	if err != nil {
		t.Fatal(err)
	}
	s := r.TopicSettings(metadata.NewImage(), metadata.Configs{
		{Key: "cleanup.policy", Value: "compact, delete"}, {Key: "internal.segment.bytes", Value: "4096"},
		{Key: "message.timestamp.type", Value: "LogAppendTime"},
	})
	if s.RetentionMs != 7_200_000 || s.FlushPolicy != metadata.FlushOS || s.SegmentBytes != 4096 ||
		!s.CleanupCompact || !s.CleanupDelete || !s.LogAppendTime || s.MaxMessageBytes != 1_048_588 ||
		s.TimestampAfterMs != 3_600_000 || s.FlushMs != 1<<63-1 || s.MinInsyncReplicas != 1 {
		t.Errorf("%+v", s)
	}
}

func TestPasswordsAreNeverInMessages(t *testing.T) {
	long := strings.Repeat("secret", metadata.ConfigValueMax)
	got := metadata.ValidateBrokerConfig("ssl.key.password", long)
	if got == "" || strings.Contains(got, "secret") {
		t.Errorf("message %.100q", got)
	}
}

// No secret comes into the metadata log, its snapshots, dumps and traces: every node of
// the cluster and every backup would hold it.
func TestSecretsCannotBeSetDynamically(t *testing.T) {
	for _, k := range metadata.BrokerConfigKeys() {
		for _, name := range []string{"", "1"} {
			r := metadata.Resource{Type: metadata.ResourceBroker, Name: name}
			if k.Sensitive() && metadata.ValidateDynamicConfig(r, k.Name, "x") == "" {
				t.Errorf("%s can be set on %s", k.Name, r)
			}
		}
	}
	for _, k := range metadata.TopicConfigKeys() {
		if k.Sensitive() {
			t.Errorf("topics have %s", k.Name)
		}
	}
}

// The script sets values on the four levels and asks what holds.
func TestConfigScript(t *testing.T) {
	var static map[string]string
	var own metadata.Configs
	image := metadata.NewImage()
	set := func(resource metadata.Resource, input string) {
		for key, value := range settings(input) {
			r := &metadata.ConfigRecord{Resource: resource, Key: key, Value: &value}
			image = image.Apply(image.End(), []metadata.Record{r})
		}
	}
	datadriven.RunTest(t, "testdata/configs.txt", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "validate-topic":
			return validateAll(d.Input, metadata.ValidateTopicConfig)
		case "validate-broker":
			return validateAll(d.Input, metadata.ValidateBrokerConfig)
		case "set-broker", "set-all-brokers":
			r := metadata.Resource{Type: metadata.ResourceBroker}
			if d.Cmd == "set-broker" {
				r.Name = "1"
			}
			return validateAll(d.Input, func(key, value string) string {
				return metadata.ValidateDynamicConfig(r, key, value)
			})
		case "static":
			static = settings(d.Input)
			if _, err := metadata.NewResolver(1, static); err != nil {
				return err.Error() + "\n"
			}
			return ""
		case "broker":
			set(metadata.Resource{Type: metadata.ResourceBroker, Name: "1"}, d.Input)
		case "all-brokers":
			set(metadata.Resource{Type: metadata.ResourceBroker}, d.Input)
		case "topic":
			own = nil
			for _, line := range strings.Fields(d.Input) {
				key, value, _ := strings.Cut(line, "=")
				own = append(own, metadata.ConfigEntry{Key: key, Value: value})
			}
		case "describe-topic", "describe-broker":
			r, err := metadata.NewResolver(1, static)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			var b strings.Builder
			for _, key := range strings.Fields(d.Input) {
				if d.Cmd == "describe-topic" {
					writeEffective(&b, r.Topic(image, own, key))
				} else {
					writeEffective(&b, r.Broker(image, key))
				}
			}
			return b.String()
		default:
			d.Fatalf(t, "unknown command")
		}
		return ""
	})
}

func validateAll(input string, validate func(key, value string) string) string {
	var b strings.Builder
	for line := range strings.Lines(input) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		why := validate(key, value)
		if why == "" {
			why = "ok"
		}
		b.WriteString(why + "\n")
	}
	return b.String()
}

func settings(input string) map[string]string {
	out := map[string]string{}
	for _, line := range strings.Fields(input) {
		key, value, _ := strings.Cut(line, "=")
		out[key] = value
	}
	return out
}

func writeEffective(b *strings.Builder, e metadata.EffectiveConfig) {
	fmt.Fprintf(b, "%s=%s set=%t source=%d type=%d\n", e.Key.Name, e.Value, e.IsSet, e.Source, e.Key.Type)
	for _, s := range e.Derived {
		fmt.Fprintf(b, "  %s=%s source=%d\n", s.Name, s.Value, s.Source)
	}
}
