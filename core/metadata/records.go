package metadata

import (
	"github.com/tidemark-log/tidemark/core/kafka"
)

// RecordType tells the records of the metadata log apart. The numbers are on disk.
type RecordType uint8

// The record types. A number is never used twice.
const (
	TypeCluster         RecordType = 1
	TypeFeatureLevel    RecordType = 2
	TypeRegisterBroker  RecordType = 3
	TypeTopic           RecordType = 4
	TypePartition       RecordType = 5
	TypePartitionChange RecordType = 6
	TypeRemoveTopic     RecordType = 7
	TypeConfig          RecordType = 8
	TypeProducerIDs     RecordType = 9
	TypeSnapshotHeader  RecordType = 10
	TypeSnapshotFooter  RecordType = 11
)

// Record is one fact of the metadata log. The set of implementations is closed: it is
// the table in encoding.go.
type Record interface {
	Type() RecordType
	// String is one line of text, for dumps; its grammar is the golden files'.
	String() string
}

// NoLeader stands for a partition without leader, or a record without broker.
const NoLeader kafka.BrokerID = -1

// ClusterRecord names the cluster. It is the first record of a metadata log and appears
// once.
type ClusterRecord struct {
	_struct bool `codec:",toarray"`

	ClusterID string
}

// FeatureLevelRecord sets the level of a feature, such as metadata.version. It lets a
// later release write new record versions only once every node can read them.
type FeatureLevelRecord struct {
	_struct bool `codec:",toarray"`

	Name  string
	Level int16
}

// Listener is an address a broker announces to clients or peers.
type Listener struct {
	_struct bool `codec:",toarray"`

	Name     string // such as PLAINTEXT
	Host     string
	Port     int32
	Protocol string // security protocol: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
}

// IncarnationID is drawn anew by each start of a broker process.
type IncarnationID [16]byte

// RegisterBrokerRecord says that an incarnation of a broker joined. Epoch is the offset
// at which the record was first written; it is spelled out so that a snapshot keeps it.
type RegisterBrokerRecord struct {
	_struct bool `codec:",toarray"`

	ID          kafka.BrokerID
	Epoch       kafka.BrokerEpoch
	Incarnation IncarnationID
	Fenced      bool
	Rack        string
	Listeners   []Listener
}

// TopicRecord creates a topic without partitions; PartitionRecords follow in its batch.
type TopicRecord struct {
	_struct bool `codec:",toarray"`

	Name string
	ID   kafka.TopicID
}

// PartitionRecord creates a partition.
type PartitionRecord struct {
	_struct bool `codec:",toarray"`

	TopicID        kafka.TopicID
	Partition      int32
	Leader         kafka.BrokerID
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch int32
	Replicas       []kafka.BrokerID
	ISR            []kafka.BrokerID
}

// PartitionChangeRecord gives the new leader, epochs and ISR of a partition, all of them
// whether changed or not. It spells the epochs out, where Kafka derives them, so that a
// reader can check them and a dump can be read alone.
type PartitionChangeRecord struct {
	_struct bool `codec:",toarray"`

	TopicID        kafka.TopicID
	Partition      int32
	Leader         kafka.BrokerID
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch int32
	ISR            []kafka.BrokerID
}

// RemoveTopicRecord deletes a topic with its partitions and configs, by id: a topic made
// again under the same name is not touched.
type RemoveTopicRecord struct {
	_struct bool `codec:",toarray"`

	ID kafka.TopicID
}

// ResourceType says what a config belongs to, in the numbers of the protocol.
type ResourceType int8

// The resources that carry configs so far.
const (
	ResourceTopic  ResourceType = 2
	ResourceBroker ResourceType = 4 // name "" is the default of all brokers
)

// Resource is what a config belongs to.
type Resource struct {
	_struct bool `codec:",toarray"`

	Type ResourceType
	Name string
}

// ConfigRecord sets one config value, or removes it when Value is nil.
type ConfigRecord struct {
	_struct bool `codec:",toarray"`

	Resource Resource
	Key      string
	Value    *string
}

// ProducerIDsRecord hands the block of producer ids that ends below Next to a broker.
// The block begins at the Next of the record before.
type ProducerIDsRecord struct {
	_struct bool `codec:",toarray"`

	Broker kafka.BrokerID
	Epoch  kafka.BrokerEpoch
	Next   kafka.ProducerID
}

// SnapshotHeaderRecord is the first record of a snapshot. It never stands in the log.
type SnapshotHeaderRecord struct {
	_struct bool `codec:",toarray"`

	// End is the offset after the last record that the snapshot stands for.
	End kafka.Offset
	// LeaderEpoch is that record's.
	LeaderEpoch kafka.LeaderEpoch
	// Timestamp is that record's.
	Timestamp kafka.Timestamp
}

// SnapshotFooterRecord is the last record of a snapshot: without it the snapshot is cut
// off. It never stands in the log.
type SnapshotFooterRecord struct {
	_struct bool `codec:",toarray"`

	// Records is the number of records between header and footer.
	Records int64
	// Digest is the CRC-32C of the values of all records before this one. Batches have
	// their own; this one tells a batch of another snapshot.
	Digest uint32
}

// Type implements Record.
func (*ClusterRecord) Type() RecordType { return TypeCluster }

// Type implements Record.
func (*FeatureLevelRecord) Type() RecordType { return TypeFeatureLevel }

// Type implements Record.
func (*RegisterBrokerRecord) Type() RecordType { return TypeRegisterBroker }

// Type implements Record.
func (*TopicRecord) Type() RecordType { return TypeTopic }

// Type implements Record.
func (*PartitionRecord) Type() RecordType { return TypePartition }

// Type implements Record.
func (*PartitionChangeRecord) Type() RecordType { return TypePartitionChange }

// Type implements Record.
func (*RemoveTopicRecord) Type() RecordType { return TypeRemoveTopic }

// Type implements Record.
func (*ConfigRecord) Type() RecordType { return TypeConfig }

// Type implements Record.
func (*ProducerIDsRecord) Type() RecordType { return TypeProducerIDs }

// Type implements Record.
func (*SnapshotHeaderRecord) Type() RecordType { return TypeSnapshotHeader }

// Type implements Record.
func (*SnapshotFooterRecord) Type() RecordType { return TypeSnapshotFooter }
