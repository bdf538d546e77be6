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

// SnapshotBatchBytes is how large a batch of a snapshot becomes: what is encoded in one step
// of the loop, which takes about a millisecond. A record alone may be larger.
const SnapshotBatchBytes = 16 << 10

// SnapshotBatchBytesMax bounds a batch of a snapshot in bytes when it is read. It must
// hold the largest batch that is written, one record with its frame.
const SnapshotBatchBytesMax = 1 << 20

// SnapshotsKept is how many snapshots are kept. The one before the newest serves if the
// newest turns out to be damaged; the log must reach back to it.
const SnapshotsKept = 2

// SnapshotLogRecords is how many records lie between two snapshots at most, as long as the
// image is smaller than that: what a start replays in less than half a second.
const SnapshotLogRecords = 100_000

// SnapshotLogBytes is how many bytes of batches do; Kafka's default.
const SnapshotLogBytes = 20 << 20

// partitionPageSize is the number of partitions that are copied when one of them
// changes. Small pages make changes cheap, large ones the page list short; 64 keeps both
// below 1.5 KiB for the largest topic.
const partitionPageSize = 64

// suggestionDistanceMax is how many edits away the nearest known key may be.
const suggestionDistanceMax = 4
