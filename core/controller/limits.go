package controller

import "github.com/tidemark-log/tidemark/core/kafka"

// PartitionsPerRequestMax bounds what one request may create, over all its topics. It is
// Kafka's bound; a request is one batch of the metadata log.
const PartitionsPerRequestMax = 10_000

// PartitionsMax bounds the partitions of the cluster. A broker's registration writes a
// record for each partition it leads in one batch, so it bounds that batch.
const PartitionsMax = 100_000

// TopicsPerRequestMax bounds the topics of one CreateTopics, CreatePartitions or
// DeleteTopics request.
const TopicsPerRequestMax = 10_000

// ResourcesPerRequestMax bounds the resources of one request that alters configs.
const ResourcesPerRequestMax = 10_000

// ProducerIDBlock is the number of producer ids a broker is given at a time. A crash
// wastes at most that many of the 2^63 there are.
const ProducerIDBlock kafka.ProducerID = 1000

// DecisionWeightMax bounds the bytes of the records of one decision about topics or
// configs, as estimated from above: the batch must fit the metadata log and be read back
// as one.
const DecisionWeightMax = 8 << 20

// recordWeight is more than the fixed part of any record the controller writes. Together
// with DecisionWeightMax it bounds the number of records to about 105,000, below what
// core/coordinator takes in one decision (RecordsMax).
const recordWeight = 80

// topicIDDrawsMax bounds the draws for one topic id. One in 64 is drawn again for its
// leading dash; a run of so many means that the random source repeats itself.
const topicIDDrawsMax = 16
