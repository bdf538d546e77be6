package kafka

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Offset is the position of a record in a partition.
type Offset int64

// NoOffset stands for "none" wherever the protocol says −1.
const NoOffset Offset = -1

func (o Offset) String() string { return strconv.FormatInt(int64(o), 10) }

// LeaderEpoch counts the leaders of a partition. The raft paper's term, for the
// metadata quorum. −1 is "none".
type LeaderEpoch int32

func (e LeaderEpoch) String() string { return strconv.FormatInt(int64(e), 10) }

// BrokerID is node.id.
type BrokerID int32

func (b BrokerID) String() string { return strconv.FormatInt(int64(b), 10) }

// BrokerEpoch numbers the registrations of a broker: the metadata offset of its record.
type BrokerEpoch int64

// ProducerID is unique for the life of the cluster. −1 is "none".
type ProducerID int64

// ProducerEpoch fences older instances of a producer.
type ProducerEpoch int16

// Sequence numbers the records of a producer in a partition; after 2147483647 comes 0.
type Sequence int32

// Add returns the sequence n records later, wrapping as Kafka does.
func (s Sequence) Add(n int32) Sequence {
	if int64(s)+int64(n) > 1<<31-1 {
		return Sequence(int64(s) + int64(n) - 1<<31)
	}
	return s + Sequence(n)
}

// Timestamp is milliseconds since 1970, from a record or the broker's wall clock.
// −1 is "none".
type Timestamp int64

// NoTimestamp stands for "none".
const NoTimestamp Timestamp = -1

// TopicID identifies a topic for ever; a recreated name gets a new one.
type TopicID [16]byte

// String is the 22 characters Kafka prints: base64url without padding.
func (t TopicID) String() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

// IsZero tells the absent id.
func (t TopicID) IsZero() bool { return t == TopicID{} }

// ParseTopicID reads what String wrote.
func ParseTopicID(s string) (TopicID, error) {
	var id TopicID
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, fmt.Errorf("kafka: topic id %q: want 22 characters of base64url", s)
	}
	copy(id[:], b)
	return id, nil
}

// TopicPartition names a partition by its topic's name.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String is topic-partition, which is also the partition's directory name.
func (tp TopicPartition) String() string {
	return tp.Topic + "-" + strconv.FormatInt(int64(tp.Partition), 10)
}

// ParseTopicPartition reads what String wrote.
func ParseTopicPartition(s string) (TopicPartition, error) {
	i := strings.LastIndexByte(s, '-')
	if i > 0 {
		p, err := strconv.ParseInt(s[i+1:], 10, 32)
		if err == nil && p >= 0 && strconv.FormatInt(p, 10) == s[i+1:] {
			return TopicPartition{s[:i], int32(p)}, nil
		}
	}
	return TopicPartition{}, fmt.Errorf("kafka: %q is not topic-partition", s)
}

// Names of the topics that belong to the cluster itself.
const (
	ConsumerOffsetsTopic  = "__consumer_offsets"
	TransactionStateTopic = "__transaction_state"
	ShareGroupStateTopic  = "__share_group_state"
	MetadataTopic         = "__cluster_metadata"
)

// MetadataTopicID is the fixed id of the metadata log, as in KRaft.
var MetadataTopicID = TopicID{15: 1}

// IsInternal tells the topics that clients may not write.
func IsInternal(topic string) bool {
	return topic == ConsumerOffsetsTopic || topic == TransactionStateTopic || topic == ShareGroupStateTopic
}

// TopicNameMax bounds a topic's name so that its directory name stays below 255 bytes.
const TopicNameMax = 249

// ValidateTopicName answers why name cannot be a topic, or "".
func ValidateTopicName(name string) string {
	switch {
	case name == "":
		return "Topic name is invalid: the empty string is not allowed"
	case name == "." || name == "..":
		return "Topic name is invalid: '" + name + "' is not allowed"
	case len(name) > TopicNameMax:
		return fmt.Sprintf("Topic name is invalid: the length of '%s…' is longer than the max allowed length %d",
			name[:32], TopicNameMax)
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if letter || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' {
			continue
		}
		return fmt.Sprintf("Topic name is invalid: %q contains one or more characters other than "+
			"ASCII alphanumerics, '.', '_' and '-'", name)
	}
	return ""
}

// CollisionKey is equal for two names that would collide in metric names ("." and "_").
func CollisionKey(name string) string { return strings.ReplaceAll(name, ".", "_") }
