package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// An API is one row of the table: what is offered under a key, and who answers.
type API struct {
	Key  int16
	Name string
	// Min and Max are the versions offered: the ranges of Apache Kafka 4.3, not of the
	// library that decodes them. Flexible is the first version with compact encoding and
	// tagged fields, above Max if there is none.
	Min, Max, Flexible int16
	// LowestListed, if it differs from Min, is what ApiVersions tells instead.
	LowestListed int16

	request func() kmsg.Request
	fields  []field
	start   func(*Server, *Call)
}

// flexible tells whether that version has tagged fields.
func (a *API) flexible(version int16) bool { return version >= a.Flexible }

// table lists what is implemented, by key. An API that works by half is not in it.
var table []*API

func init() {
	table = []*API{
		{0, "Produce", 3, 13, 9, 0, request[kmsg.ProduceRequest], produceFields, produce},
		{1, "Fetch", 4, 18, 12, 4, request[kmsg.FetchRequest], fetchFields, fetch},
		{2, "ListOffsets", 1, 11, 6, 1, request[kmsg.ListOffsetsRequest], listOffsetsFields, listOffsets},
		{3, "Metadata", 0, 13, 9, 0, request[kmsg.MetadataRequest], metadataFields, describeMetadata},
		{18, "ApiVersions", 0, 4, 3, 0, request[kmsg.ApiVersionsRequest], apiVersionsFields, apiVersions},
		{19, "CreateTopics", 2, 7, 5, 2, request[kmsg.CreateTopicsRequest], createTopicsFields, createTopics},
		{20, "DeleteTopics", 1, 6, 4, 1, request[kmsg.DeleteTopicsRequest], deleteTopicsFields, deleteTopics},
		{21, "DeleteRecords", 0, 2, 2, 0, request[kmsg.DeleteRecordsRequest], deleteRecordsFields, deleteRecords},
		{22, "InitProducerId", 0, 5, 2, 0, request[kmsg.InitProducerIDRequest], initProducerFields, initProducer},
		{23, "OffsetForLeaderEpoch", 2, 4, 4, 0, request[kmsg.OffsetForLeaderEpochRequest],
			leaderEpochFields, offsetForLeaderEpoch},
		{32, "DescribeConfigs", 1, 4, 4, 1, request[kmsg.DescribeConfigsRequest], configsFields, describeConfigs},
		{33, "AlterConfigs", 0, 2, 2, 0, request[kmsg.AlterConfigsRequest], alterConfigsFields, alterConfigs},
		{35, "DescribeLogDirs", 1, 5, 2, 0, request[kmsg.DescribeLogDirsRequest], logDirsFields, describeLogDirs},
		{37, "CreatePartitions", 0, 3, 2, 0, request[kmsg.CreatePartitionsRequest],
			createPartitionsFields, createPartitions},
		{44, "IncrementalAlterConfigs", 0, 1, 1, 0, request[kmsg.IncrementalAlterConfigsRequest],
			incrementalConfigsFields, incrementalAlterConfigs},
		{60, "DescribeCluster", 0, 2, 0, 0, request[kmsg.DescribeClusterRequest], clusterFields, describeCluster},
		{74, "ListConfigResources", 0, 1, 0, 0, request[kmsg.ListConfigResourcesRequest],
			configResourcesFields, listConfigResources},
		{75, "DescribeTopicPartitions", 0, 0, 0, 0, request[kmsg.DescribeTopicPartitionsRequest],
			topicPartitionsFields, describeTopicPartitions},
	}
	for _, a := range table {
		byKey[a.Key] = a
	}
}

// byKey finds a row; keys are small.
var byKey [keyMax + 1]*API

// keyMax is the highest key of the table's array, not of Kafka.
const keyMax = 127

func lookup(key int16) *API {
	if key < 0 || key > keyMax {
		return nil
	}
	return byKey[key]
}

// Table is a copy of the rows, for documents and tests.
func Table() []API {
	rows := make([]API, len(table))
	for i, a := range table {
		rows[i] = *a
	}
	return rows
}

// request makes an empty request of type T for the table.
func request[T any, P interface {
	*T
	kmsg.Request
}]() kmsg.Request {
	return P(new(T))
}

const apiVersionsKey = 18
