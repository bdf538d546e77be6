package history

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Kind is what an operation asked for.
type Kind uint8

// The kinds of operations.
const (
	Produce Kind = iota + 1
	Fetch
	ListOffsets
	CreateTopic
	DeleteTopic
	Metadata
)

var kindNames = []string{"", "produce", "fetch", "list-offsets", "create-topic", "delete-topic", "metadata"}

// String is the kind's word.
func (k Kind) String() string { return nameOf(kindNames, int(k)) }

// MarshalText writes the word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the word.
func (k *Kind) UnmarshalText(b []byte) error {
	i, err := indexOf(kindNames, string(b))
	*k = Kind(i)
	return err
}

// Result is what is known of an operation's effect.
type Result uint8

// What can be known. Info is the zero value: whatever is not proven is unknown.
const (
	Info Result = iota // may have taken effect, now or later or never
	Ok                 // took effect, and the answer is known
	Fail               // certainly took no effect
)

var resultNames = []string{"info", "ok", "fail"}

// String is the result's word.
func (r Result) String() string { return nameOf(resultNames, int(r)) }

// MarshalText writes the word.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the word.
func (r *Result) UnmarshalText(b []byte) error {
	i, err := indexOf(resultNames, string(b))
	*r = Result(i)
	return err
}

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown%d", i)
}

func indexOf(names []string, s string) (int, error) {
	for i, n := range names {
		if n == s && s != "" {
			return i, nil
		}
	}
	return 0, fmt.Errorf("history: %q is none of %q", s, names)
}

// ClassifyProduce tells what an error code in a Produce reply proves about the batch. No
// reply at all is always Info. Codes not listed are Info, for a wrong Fail would hide a
// record that appears later.
func ClassifyProduce(code kafka.ErrorCode) Result {
	switch code {
	case kafka.None, kafka.DuplicateSequenceNumber:
		return Ok
	case kafka.NotEnoughReplicas, kafka.MessageTooLarge, kafka.RecordListTooLarge,
		kafka.InvalidRecord, kafka.CorruptMessage, kafka.InvalidTimestamp,
		kafka.UnsupportedVersion, kafka.UnsupportedCompressionType,
		kafka.TopicAuthorizationFailed, kafka.TransactionalIDAuthFailed,
		kafka.InvalidRequiredAcks, kafka.InvalidTxnState, kafka.TransactionAbortable,
		kafka.InvalidProducerEpoch, kafka.OutOfOrderSequenceNumber, kafka.UnknownProducerID,
		kafka.InvalidTopicException, kafka.UnknownTopicID:
		return Fail
	}
	return Info
}

// ResultOfAttempts folds attempts into the operation's result: ok if one was, fail only if
// every one was. An attempt of unknown effect is not undone by a later refusal.
func ResultOfAttempts(attempts []Attempt) Result {
	if len(attempts) == 0 {
		return Fail
	}
	folded := Fail
	for i := range attempts {
		switch attempts[i].Result {
		case Ok:
			return Ok
		case Info:
			folded = Info
		}
	}
	return folded
}
