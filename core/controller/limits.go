package controller

import "github.com/tidemark-log/tidemark/core/kafka"

// PartitionsPerRequestMax bounds what one CreateTopics request may create, over all its
// topics. It is Kafka's bound; a request is one batch of the metadata log.
const PartitionsPerRequestMax = 10_000

// PartitionsMax bounds the partitions of the cluster. A broker's registration writes a
// record for each partition it leads in one batch, so it bounds that batch.
const PartitionsMax = 100_000

// TopicsPerRequestMax bounds the topics of one CreateTopics or DeleteTopics request.
const TopicsPerRequestMax = 10_000

// ProducerIDBlock is the number of producer ids a broker is given at a time. A crash
// wastes at most that many of the 2^63 there are.
const ProducerIDBlock kafka.ProducerID = 1000

// topicIDDrawsMax bounds the draws for one topic id. A second draw happens about once in
// the life of 2^100 clusters; more than a few mean that the random source is broken.
const topicIDDrawsMax = 16
