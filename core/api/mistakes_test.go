package api_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/api"
)

// A mistake is something other brokers got wrong in front of clients.
type mistake struct {
	what string // the mistake
	rule string // what holds here instead
	// kept are the tests that keep the rule: a file of this room and a line of it. Empty while
	// no API of key until is offered.
	kept  []keeper
	until int16
}

type keeper struct{ file, line string }

// mistakes are those that were seen in the trackers of brokers and of their clients.
var mistakes = []mistake{
	{
		what: "a fetch at an offset inside a batch skips the batch",
		rule: "the whole batch that contains the offset is returned",
		kept: []keeper{
			{"testdata/01_fetch.txt", "# An offset inside a batch gives the whole batch that holds it."},
			{"testdata/01_fetch.txt", "# Batches are never cut: the first comes whole, however small the limits."},
		},
	},
	{
		what:  "aborted records reach read_committed without their entry in the aborted list",
		rule:  "the list has every aborted transaction that overlaps the answer, open ones included",
		until: endTxnKey,
	},
	{
		what:  "members in the middle of concurrent joins are told that they are unknown",
		rule:  "pending and known members are told apart, one change of state at a time",
		until: joinGroupKey,
	},
	{
		what:  "SyncGroup answers success with empty or cut bytes while another join runs",
		rule:  "REBALANCE_IN_PROGRESS with empty bytes; never code 0 without the leader's assignment",
		until: syncGroupKey,
	},
	{
		what: "max.message.bytes is not looked at",
		rule: "MESSAGE_TOO_LARGE for the batch as it comes, and again for the batch as it is stored",
		kept: []keeper{
			{"testdata/00_produce_topic_limits.txt", "# 13: the size of the batch as stored"},
			{"testdata/00_produce_compression.txt", "# The size that counts is the stored one"},
			{"testdata/44_incremental_alter_configs.txt", "# A smaller limit refuses the next produce"},
		},
	},
	{
		what: "a record without key is taken by a compacted topic",
		rule: "INVALID_RECORD that names each, and the whole batch is refused",
		kept: []keeper{{"checks_test.go", "func TestCompactedTopicsRefuseRecordsWithoutKey("}},
	},
	{
		what: "ListOffsets by time answers the base offset of the batch",
		rule: "the first record at or after the time, its own offset and its own time",
		kept: []keeper{
			{"testdata/02_list_offsets.txt", "# The record's own offset and time, inside a batch"},
			{"../record/inspect_test.go", "func TestLookupsAgreeWithTheRecords("},
		},
	},
	{
		what: "CreatePartitions answers without rows",
		rule: "one row for each topic asked, whatever became of it",
		kept: []keeper{{"testdata/37_create_partitions.txt", "# One row for each topic asked, whatever it is."}},
	},
	{
		what:  "the metadata of a committed offset is dropped",
		rule:  "OffsetFetch gives back the bytes that OffsetCommit brought",
		until: offsetCommitKey,
	},
	{
		what: "DescribeConfigs tells a handful of keys",
		rule: "all keys Kafka has, with source, synonyms and type",
		kept: []keeper{
			{"versions_test.go", "func TestDescribeConfigsListsEveryTopicKey("},
			{"../metadata/configs_test.go", "func TestDescribeNamesEveryTopicKeyOfKafka("},
			{"testdata/32_describe_configs.txt", "IncludeSynonyms: true"},
		},
	},
	{
		what: "APPEND and SUBTRACT overwrite a list",
		rule: "they change the list and nothing else is a list: INVALID_CONFIG",
		kept: []keeper{{"testdata/44_incremental_alter_configs.txt", "# Append and subtract are for lists"}},
	},
	{
		what:  "the timeout of a transaction is not compared with transaction.max.timeout.ms",
		rule:  "INVALID_TRANSACTION_TIMEOUT above it, and at or below zero",
		until: addPartitionsToTxnKey,
	},
	{
		what: "a topic made again under its name goes on with the old leader and epoch",
		rule: "another id, epoch 0, offset 0; the old id is UNKNOWN_TOPIC_ID",
		kept: []keeper{
			{"testdata/19_topics.txt", "# Made again, it is another topic: new id, offset 0, epoch 0."},
			{"testdata/19_topics.txt", "# The id it had before is gone."},
		},
	},
	{
		what: "a slow request is overtaken, and the replies come in another order",
		rule: "replies leave in the order of the requests; acks=0 takes no place among them",
		kept: []keeper{
			{"pipeline_test.go", "func TestRepliesLeaveInTheOrderOfRequests("},
			{"testdata/00_produce_acks.txt", "# acks=0 asks for no answer."},
			{"testdata/00_produce_acks.txt", "# Replies of the requests before come first."},
		},
	},
}

const (
	offsetCommitKey       = 8
	joinGroupKey          = 11
	syncGroupKey          = 14
	addPartitionsToTxnKey = 24
	endTxnKey             = 26
)

// TestEveryMistakeOfOthersHasATestHere holds the list against the tests: each mistake names
// those that would see it, and one that cannot be made yet has to name them on the day its API
// is offered.
func TestEveryMistakeOfOthersHasATestHere(t *testing.T) {
	for _, m := range mistakes {
		offered := slices.ContainsFunc(api.Table(), func(a api.API) bool { return a.Key == m.until })
		if len(m.kept) == 0 && (m.until == 0 || offered) {
			t.Errorf("%s: name the test that keeps the rule: %s", m.what, m.rule)
		}
		for _, k := range m.kept {
			text, err := os.ReadFile(filepath.FromSlash(k.file))
			if err != nil || !strings.Contains(string(text), k.line) {
				t.Errorf("%s: %s has no %q any more (%v)", m.what, k.file, k.line, err)
			}
		}
	}
}
