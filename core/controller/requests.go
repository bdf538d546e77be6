package controller

import (
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// FormatCluster asks for the first records of a new metadata log.
type FormatCluster struct {
	ClusterID string
}

// ClusterFormatted answers FormatCluster. A log that has a cluster id keeps it: Code is
// InvalidRequest if it is another than the one asked for.
type ClusterFormatted struct {
	Code    kafka.ErrorCode
	Message string
	// ClusterID is the id that holds.
	ClusterID string
}

// RegisterBroker asks to admit an incarnation of a broker.
type RegisterBroker struct {
	ID          kafka.BrokerID
	Incarnation metadata.IncarnationID
	ClusterID   string // "" is not checked
	Rack        string
	Listeners   []metadata.Listener
	// PreviousEnded says that no earlier incarnation of this id can be running: the
	// controller's own broker knows, since it holds the lock of the log directory.
	// Otherwise another incarnation that is registered and not fenced refuses this one.
	PreviousEnded bool
}

// BrokerRegistered answers RegisterBroker.
type BrokerRegistered struct {
	Code    kafka.ErrorCode
	Message string
	// Epoch is the broker's epoch, to be carried by all it says from now on.
	Epoch kafka.BrokerEpoch
	// Partitions is the number of partitions whose leader epoch was raised.
	Partitions int
}

// CreateTopics asks for topics. Each is created or refused on its own.
type CreateTopics struct {
	Topics []CreateTopic
	// ValidateOnly asks what would happen.
	ValidateOnly bool
}

// CreateTopic asks for one topic.
type CreateTopic struct {
	Name string
	// Partitions and ReplicationFactor are -1 for the broker's default, and must be -1
	// when Assignments are given.
	Partitions        int32
	ReplicationFactor int16
	Assignments       []Assignment
	Configs           []ConfigSetting
}

// Assignment places one partition by hand; the first broker is the preferred leader.
type Assignment struct {
	Partition int32
	Brokers   []kafka.BrokerID
}

// ConfigSetting is one config of a request. A nil value is the protocol's null.
type ConfigSetting struct {
	Key   string
	Value *string
}

// TopicCreated answers one CreateTopic; answers stand in the order of the request. All
// fields are filled only if Code is None. With ValidateOnly the ID is zero.
type TopicCreated struct {
	Name              string
	Code              kafka.ErrorCode
	Message           string
	ID                kafka.TopicID
	Partitions        int32
	ReplicationFactor int16
	// Configs are the effective values of all topic keys.
	Configs []metadata.EffectiveConfig
}

// DeleteTopics asks to delete topics. Each is deleted or refused on its own.
type DeleteTopics struct {
	Topics []DeleteTopic
}

// DeleteTopic names one topic, by name or by id, not both.
type DeleteTopic struct {
	Name string
	ID   kafka.TopicID
}

// TopicDeleted answers one DeleteTopic; answers stand in the order of the request. Name
// and ID are both filled if the topic was found.
type TopicDeleted struct {
	Name    string
	ID      kafka.TopicID
	Code    kafka.ErrorCode
	Message string
}

// CreatePartitions asks for more partitions of topics. Each topic is grown or refused on
// its own.
type CreatePartitions struct {
	Topics []GrowTopic
	// ValidateOnly asks what would happen.
	ValidateOnly bool
}

// GrowTopic asks for one topic to have Count partitions in all.
type GrowTopic struct {
	Name  string
	Count int32
	// Assignments place the new partitions by hand, in order; the first broker is the
	// preferred leader. Nil leaves that to the controller, empty places none.
	Assignments [][]kafka.BrokerID
}

// PartitionsCreated answers one GrowTopic; answers stand in the order of the request, one
// for each topic asked, whatever became of it.
type PartitionsCreated struct {
	Name    string
	Code    kafka.ErrorCode
	Message string
}

// ConfigOp says what becomes of a config value, in the numbers of the protocol.
type ConfigOp int8

// The operations. Append and subtract are for values that are lists.
const (
	ConfigSet      ConfigOp = 0
	ConfigDelete   ConfigOp = 1
	ConfigAppend   ConfigOp = 2
	ConfigSubtract ConfigOp = 3
)

// IncrementalAlterConfigs asks to change single configs of resources. Each resource is
// changed as a whole or refused, on its own.
type IncrementalAlterConfigs struct {
	Resources []ChangeConfigs
	// Broker is the one the request came in at: a broker is configured through itself.
	Broker kafka.BrokerID
	// ValidateOnly asks what would happen.
	ValidateOnly bool
}

// ChangeConfigs names the changes of one resource: a topic, a broker by its id, or all
// brokers by the empty name.
type ChangeConfigs struct {
	Type    metadata.ResourceType
	Name    string
	Changes []ConfigChange
}

// ConfigChange is one change. A nil value is the protocol's null; ConfigDelete ignores it.
type ConfigChange struct {
	Op    ConfigOp
	Key   string
	Value *string
}

// AlterConfigs asks to replace all configs of resources: what is not named is reset. Each
// resource is replaced as a whole or refused, on its own.
type AlterConfigs struct {
	Resources []ReplaceConfigs
	// Broker is the one the request came in at: a broker is configured through itself.
	Broker kafka.BrokerID
	// ValidateOnly asks what would happen.
	ValidateOnly bool
}

// ReplaceConfigs names the new configs of one resource: a topic, a broker by its id, or
// all brokers by the empty name.
type ReplaceConfigs struct {
	Type    metadata.ResourceType
	Name    string
	Configs []ConfigSetting
}

// ConfigsAltered answers one resource of IncrementalAlterConfigs or AlterConfigs; answers
// stand in the order of the request.
type ConfigsAltered struct {
	Type    metadata.ResourceType
	Name    string
	Code    kafka.ErrorCode
	Message string
}

// AllocateProducerIDs asks for a block of producer ids.
type AllocateProducerIDs struct {
	Broker kafka.BrokerID
	Epoch  kafka.BrokerEpoch
}

// ProducerIDsAllocated answers AllocateProducerIDs: the ids First to First+Count-1 belong
// to that broker for the life of the cluster.
type ProducerIDsAllocated struct {
	Code    kafka.ErrorCode
	Message string
	First   kafka.ProducerID
	Count   kafka.ProducerID
}

// AlterPartition is a leader's proposal of ISRs, for any partitions it leads.
type AlterPartition struct {
	// Broker is who asks, Epoch that of its registration.
	Broker     kafka.BrokerID
	Epoch      kafka.BrokerEpoch
	Partitions []ProposeISR
}

// ProposeISR asks for another ISR of one partition, or for the one it has, to withdraw what
// was proposed before.
type ProposeISR struct {
	TopicID   kafka.TopicID
	Partition int32
	// LeaderEpoch and PartitionEpoch are those of the state that the change is to follow.
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch int32
	ISR            []ISRMember
}

// ISRMember is a member of a proposed ISR, with the registration under which the leader
// knows it. An unknown epoch (−1) is none: such a member is ineligible.
type ISRMember struct {
	ID    kafka.BrokerID
	Epoch kafka.BrokerEpoch
}

// PartitionsAltered answers AlterPartition. If Code is not None nothing was changed and
// there are no rows.
type PartitionsAltered struct {
	Code       kafka.ErrorCode
	Message    string
	Partitions []PartitionAltered // in the order of the request
}

// PartitionAltered answers one ProposeISR. The new state is filled only if Code is None.
type PartitionAltered struct {
	TopicID   kafka.TopicID
	Partition int32
	Code      kafka.ErrorCode
	Message   string

	Leader         kafka.BrokerID
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch int32
	ISR            []kafka.BrokerID
}
