package kafka

import "strconv"

// ErrorCode is an answer of the protocol. It is a value in a reply, never a Go error.
type ErrorCode int16

// The codes Tidemark sends, by Kafka's names.
const (
	UnknownServerError           ErrorCode = -1
	None                         ErrorCode = 0
	OffsetOutOfRange             ErrorCode = 1
	CorruptMessage               ErrorCode = 2
	UnknownTopicOrPartition      ErrorCode = 3
	LeaderNotAvailable           ErrorCode = 5
	NotLeaderOrFollower          ErrorCode = 6
	RequestTimedOut              ErrorCode = 7
	ReplicaNotAvailable          ErrorCode = 9
	MessageTooLarge              ErrorCode = 10
	CoordinatorLoadInProgress    ErrorCode = 14
	CoordinatorNotAvailable      ErrorCode = 15
	NotCoordinator               ErrorCode = 16
	InvalidTopicException        ErrorCode = 17
	RecordListTooLarge           ErrorCode = 18
	NotEnoughReplicas            ErrorCode = 19
	NotEnoughReplicasAfterAppend ErrorCode = 20
	InvalidRequiredAcks          ErrorCode = 21
	TopicAuthorizationFailed     ErrorCode = 29
	InvalidTimestamp             ErrorCode = 32
	UnsupportedVersion           ErrorCode = 35
	TopicAlreadyExists           ErrorCode = 36
	InvalidPartitions            ErrorCode = 37
	InvalidReplicationFactor     ErrorCode = 38
	InvalidReplicaAssignment     ErrorCode = 39
	InvalidConfig                ErrorCode = 40
	NotController                ErrorCode = 41
	InvalidRequest               ErrorCode = 42
	PolicyViolation              ErrorCode = 44
	OutOfOrderSequenceNumber     ErrorCode = 45
	DuplicateSequenceNumber      ErrorCode = 46
	InvalidProducerEpoch         ErrorCode = 47
	InvalidTxnState              ErrorCode = 48
	InvalidProducerIDMapping     ErrorCode = 49
	TransactionalIDAuthFailed    ErrorCode = 53
	KafkaStorageError            ErrorCode = 56
	UnknownProducerID            ErrorCode = 59
	FetchSessionIDNotFound       ErrorCode = 70
	InvalidFetchSessionEpoch     ErrorCode = 71
	ListenerNotFound             ErrorCode = 72
	TopicDeletionDisabled        ErrorCode = 73
	FencedLeaderEpoch            ErrorCode = 74
	UnknownLeaderEpoch           ErrorCode = 75
	UnsupportedCompressionType   ErrorCode = 76
	StaleBrokerEpoch             ErrorCode = 77
	OffsetNotAvailable           ErrorCode = 78
	InvalidRecord                ErrorCode = 87
	ThrottlingQuotaExceeded      ErrorCode = 89
	InvalidUpdateVersion         ErrorCode = 95
	SnapshotNotFound             ErrorCode = 98
	PositionOutOfRange           ErrorCode = 99
	UnknownTopicID               ErrorCode = 100
	DuplicateBrokerRegistration  ErrorCode = 101
	BrokerIDNotRegistered        ErrorCode = 102
	InconsistentTopicID          ErrorCode = 103
	InconsistentClusterID        ErrorCode = 104
	FetchSessionTopicIDError     ErrorCode = 106
	IneligibleReplica            ErrorCode = 107
	MismatchedEndpointType       ErrorCode = 114
	UnsupportedEndpointType      ErrorCode = 115
	TransactionAbortable         ErrorCode = 120
	DuplicateVoter               ErrorCode = 126
	VoterNotFound                ErrorCode = 127
)

var errorNames = map[ErrorCode]string{
	UnknownServerError:           "UNKNOWN_SERVER_ERROR",
	None:                         "NONE",
	OffsetOutOfRange:             "OFFSET_OUT_OF_RANGE",
	CorruptMessage:               "CORRUPT_MESSAGE",
	UnknownTopicOrPartition:      "UNKNOWN_TOPIC_OR_PARTITION",
	LeaderNotAvailable:           "LEADER_NOT_AVAILABLE",
	NotLeaderOrFollower:          "NOT_LEADER_OR_FOLLOWER",
	RequestTimedOut:              "REQUEST_TIMED_OUT",
	ReplicaNotAvailable:          "REPLICA_NOT_AVAILABLE",
	MessageTooLarge:              "MESSAGE_TOO_LARGE",
	CoordinatorLoadInProgress:    "COORDINATOR_LOAD_IN_PROGRESS",
	CoordinatorNotAvailable:      "COORDINATOR_NOT_AVAILABLE",
	NotCoordinator:               "NOT_COORDINATOR",
	InvalidTopicException:        "INVALID_TOPIC_EXCEPTION",
	RecordListTooLarge:           "RECORD_LIST_TOO_LARGE",
	NotEnoughReplicas:            "NOT_ENOUGH_REPLICAS",
	NotEnoughReplicasAfterAppend: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
	InvalidRequiredAcks:          "INVALID_REQUIRED_ACKS",
	TopicAuthorizationFailed:     "TOPIC_AUTHORIZATION_FAILED",
	InvalidTimestamp:             "INVALID_TIMESTAMP",
	UnsupportedVersion:           "UNSUPPORTED_VERSION",
	TopicAlreadyExists:           "TOPIC_ALREADY_EXISTS",
	InvalidPartitions:            "INVALID_PARTITIONS",
	InvalidReplicationFactor:     "INVALID_REPLICATION_FACTOR",
	InvalidReplicaAssignment:     "INVALID_REPLICA_ASSIGNMENT",
	InvalidConfig:                "INVALID_CONFIG",
	NotController:                "NOT_CONTROLLER",
	InvalidRequest:               "INVALID_REQUEST",
	PolicyViolation:              "POLICY_VIOLATION",
	OutOfOrderSequenceNumber:     "OUT_OF_ORDER_SEQUENCE_NUMBER",
	DuplicateSequenceNumber:      "DUPLICATE_SEQUENCE_NUMBER",
	InvalidProducerEpoch:         "INVALID_PRODUCER_EPOCH",
	InvalidTxnState:              "INVALID_TXN_STATE",
	InvalidProducerIDMapping:     "INVALID_PRODUCER_ID_MAPPING",
	TransactionalIDAuthFailed:    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
	KafkaStorageError:            "KAFKA_STORAGE_ERROR",
	UnknownProducerID:            "UNKNOWN_PRODUCER_ID",
	FetchSessionIDNotFound:       "FETCH_SESSION_ID_NOT_FOUND",
	InvalidFetchSessionEpoch:     "INVALID_FETCH_SESSION_EPOCH",
	ListenerNotFound:             "LISTENER_NOT_FOUND",
	TopicDeletionDisabled:        "TOPIC_DELETION_DISABLED",
	FencedLeaderEpoch:            "FENCED_LEADER_EPOCH",
	UnknownLeaderEpoch:           "UNKNOWN_LEADER_EPOCH",
	UnsupportedCompressionType:   "UNSUPPORTED_COMPRESSION_TYPE",
	StaleBrokerEpoch:             "STALE_BROKER_EPOCH",
	OffsetNotAvailable:           "OFFSET_NOT_AVAILABLE",
	InvalidRecord:                "INVALID_RECORD",
	ThrottlingQuotaExceeded:      "THROTTLING_QUOTA_EXCEEDED",
	InvalidUpdateVersion:         "INVALID_UPDATE_VERSION",
	SnapshotNotFound:             "SNAPSHOT_NOT_FOUND",
	PositionOutOfRange:           "POSITION_OUT_OF_RANGE",
	UnknownTopicID:               "UNKNOWN_TOPIC_ID",
	DuplicateBrokerRegistration:  "DUPLICATE_BROKER_REGISTRATION",
	BrokerIDNotRegistered:        "BROKER_ID_NOT_REGISTERED",
	InconsistentTopicID:          "INCONSISTENT_TOPIC_ID",
	InconsistentClusterID:        "INCONSISTENT_CLUSTER_ID",
	FetchSessionTopicIDError:     "FETCH_SESSION_TOPIC_ID_ERROR",
	IneligibleReplica:            "INELIGIBLE_REPLICA",
	MismatchedEndpointType:       "MISMATCHED_ENDPOINT_TYPE",
	UnsupportedEndpointType:      "UNSUPPORTED_ENDPOINT_TYPE",
	TransactionAbortable:         "TRANSACTION_ABORTABLE",
	DuplicateVoter:               "DUPLICATE_VOTER",
	VoterNotFound:                "VOTER_NOT_FOUND",
}

// String is Kafka's name of the code.
func (c ErrorCode) String() string {
	if n, ok := errorNames[c]; ok {
		return n
	}
	return "ERROR_" + strconv.Itoa(int(c))
}
