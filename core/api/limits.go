package api

import "time"

// Limits on what a client may ask. Beyond the first five the connection is closed: a
// client that sends such a frame is broken, and a reply could not be trusted to reach it.
const (
	// RequestElementsMax bounds the elements of all arrays of a request together. Kafka
	// bounds each array; the sum bounds what the decoded request costs in memory.
	RequestElementsMax = 1_000_000
	// RequestTagsMax bounds the tagged fields of a request together.
	RequestTagsMax = 10_000
	// StringMax bounds a string of a request; the older encoding cannot hold more.
	StringMax = 1<<15 - 1
	// HeaderMin is the shortest request header: key, version, correlation id, client id.
	HeaderMin = 10
	// FetchBytesMax bounds the records of one fetch reply whatever the client asks:
	// Kafka's default of fetch.max.bytes.
	FetchBytesMax = 57671680
	// FetchWaitMax bounds the time a fetch may wait for bytes. Kafka does not bound it;
	// a client that asks for more closed its connection long before.
	FetchWaitMax = 10 * time.Minute
	// FetchSessionIdle is how long a session must not have been used, or must have lived if
	// a larger one wants its place, before it may be ended. Kafka's fixed value.
	FetchSessionIdle = 2 * time.Minute
	// SessionPartitionsMax bounds the partitions of all fetch sessions together; the number
	// of sessions alone, as in Kafka, would not bound memory. One takes some 200 bytes.
	SessionPartitionsMax = 250_000
	// spareFetchParts bounds the memory kept between two fetches.
	spareFetchParts = 10_000
	// ProduceWaitMax bounds the timeout of a produce request in the same way.
	ProduceWaitMax = 10 * time.Minute
	// LoopInflateMax bounds the records, without compression, of a batch that is inflated on
	// the event loop: to store it in another compression, or to name its bad records. The
	// work holds up all other clients of the shard. For the first, a larger
	// max.message.bytes goes before it: such a topic wants batches of that size.
	LoopInflateMax = 16 << 20
	// RecordErrorsMax bounds the bad records named in one produce reply.
	RecordErrorsMax = 1000
	// AdminWaitMax bounds the timeout of a create or delete topics request.
	AdminWaitMax = 10 * time.Minute
	// AlterConfigsWait is how long a change of configs may take; the request has no timeout
	// of its own. Kafka's default of request.timeout.ms.
	AlterConfigsWait = 30 * time.Second
	// ProducerIDWaitsMax bounds the calls that wait for a block of producer ids.
	ProducerIDWaitsMax = 10_000
)

// millis is a duration of the protocol, bounded.
func millis(ms int32, most time.Duration) time.Duration {
	return min(time.Duration(ms)*time.Millisecond, most)
}
