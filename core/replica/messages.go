package replica

import "github.com/tidemark-log/tidemark/core/kafka"

// Key names a partition for ever.
type Key struct {
	Topic     kafka.TopicID
	Partition int32
}

// # The exchange between two brokers
//
// One broker asks another for all partitions it follows from there, in a session (KIP-227): a
// request names only partitions of which something changed on the follower's side, a reply
// only those with records, an error, or news of the high watermark. What is at rest is in
// neither. A reply may wait for something to tell; a request that comes meanwhile has the
// waiting one answered at once, so that what became durable is told without delay.
//
// Requests of one process of a broker are ordered: by session, and by sequence in it. The
// source takes each once and in that order, so that what a follower said is never replaced by
// what it said before. Whoever is out of step starts anew with a higher session.
//
// To name a partition is to ask for its records once: after the source has sent some, or an
// error, it sends no more until the partition is named by a request that was made with
// knowledge of that reply.

// Request is what a Fetcher sends.
type Request struct {
	Broker      kafka.BrokerID
	BrokerEpoch kafka.BrokerEpoch
	Session     uint64 // greater than any before of this process
	Seq         uint64 // in the session; 0 begins it
	Seen        uint64 // replies of the session that were taken, so the Seq of the next
	BytesMax    int    // of records in the reply; one batch may exceed it
	Parts       []Ask
	Forgotten   []Key // not followed any more
}

// Ask is one partition of a Request. Its Broker and BrokerEpoch are the request's.
type Ask struct {
	Key
	Fetch
}

// Reply is what a Source sends for one request.
type Reply struct {
	Session uint64
	Seq     uint64 // of the request
	Code    kafka.ErrorCode
	Parts   []Told
}

// Told is one partition of a Reply.
type Told struct {
	Key
	Answer
}
