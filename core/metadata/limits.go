package metadata

// RecordBytesMax bounds one encoded record. A config value is the longest part.
const RecordBytesMax = 256 << 10

// ReplicasMax bounds the replicas of one partition. Every record that lists replicas is
// checked against it before it is decided and after it was read.
const ReplicasMax = 1024

// ListenersMax bounds the listeners a broker announces.
const ListenersMax = 64

// ConfigValueMax bounds a config value in bytes, as Kafka's clients and a record must
// carry it.
const ConfigValueMax = 32 << 10

// ConfigListMax bounds the entries of a list value.
const ConfigListMax = 4096

// PartitionsPerTopicMax bounds the partitions of one topic. It is what one request may
// create (Kafka's bound), so that a topic can come into being in one batch.
const PartitionsPerTopicMax = 10_000

// partitionPageSize is the number of partitions that are copied when one of them
// changes. Small pages make changes cheap, large ones the page list short; 64 keeps both
// below 1.5 KiB for the largest topic.
const partitionPageSize = 64

// suggestionDistanceMax is how many edits away the nearest known key may be.
const suggestionDistanceMax = 4
