package api

// What may be done to a resource, as replies tell it: one bit for each operation, by Kafka's
// numbers. Everybody may do everything while there is no authorizer, and the bits say so.
const (
	opRead            = 1 << 3
	opWrite           = 1 << 4
	opCreate          = 1 << 5
	opDelete          = 1 << 6
	opAlter           = 1 << 7
	opDescribe        = 1 << 8
	opClusterAction   = 1 << 9
	opDescribeConfigs = 1 << 10
	opAlterConfigs    = 1 << 11
	opIdempotentWrite = 1 << 12

	topicOperations = opRead | opWrite | opCreate | opDelete | opAlter | opDescribe |
		opDescribeConfigs | opAlterConfigs
	clusterOperations = opCreate | opAlter | opDescribe | opClusterAction | opDescribeConfigs |
		opAlterConfigs | opIdempotentWrite
)
