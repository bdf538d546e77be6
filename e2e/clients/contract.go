package clients

// Header is a record header; a nil value is one that is absent.
type Header struct {
	Key   string `json:"k"`
	Value []byte `json:"v"`
}

// Record is one line of the files that clients produce from and consume into. Partition −1
// leaves the choice to the client.
type Record struct {
	Partition int32    `json:"p"`
	Offset    int64    `json:"o"`
	Timestamp int64    `json:"t"`
	Key       []byte   `json:"k"`
	Value     []byte   `json:"v"`
	Headers   []Header `json:"h"`
}

// Question is what a program is asked to do. The verbs:
//
//	about                                    client, version, codecs, idempotence
//	produce  topic file codec acks idempotent   acked, errors
//	consume  topic partitions file           count; every record from the start to the end
//	offset   topic partition at              offset; at: earliest, latest, max-timestamp, or ms
//	create   topic partitions configs
//	grow     topic partitions
//	describe topic                           partitions
//	configs  topic                           configs
//	alter    topic configs                   of an existing topic, one at a time where it can
//	list                                     topics
//	trim     topic partition offset          offset; deletes records before it
//	delete   topic
type Question struct {
	Do         string            `json:"do"`
	Topic      string            `json:"topic,omitempty"`
	Partition  int32             `json:"partition"`
	Partitions int               `json:"partitions,omitempty"`
	Codec      string            `json:"codec,omitempty"`
	Acks       int               `json:"acks"`
	Idempotent bool              `json:"idempotent"`
	File       string            `json:"file,omitempty"`
	At         string            `json:"at,omitempty"`
	Offset     int64             `json:"offset"`
	Configs    map[string]string `json:"configs,omitempty"`
}

// Answer is what came of it. Error is the words of the client.
type Answer struct {
	Error       string `json:"error"`
	Unsupported bool   `json:"unsupported"`

	Client      string   `json:"client"`
	Version     string   `json:"version"`
	Codecs      []string `json:"codecs"`
	Idempotence bool     `json:"idempotence"`
	// NoNullHeaders: the client cannot write a header without a value.
	NoNullHeaders bool `json:"no_null_headers"`
	// NoBareRecords: the client writes no record with neither key nor value.
	NoBareRecords bool `json:"no_bare_records"`
	// Overtakes: without acknowledgements the client keeps no order.
	Overtakes bool `json:"overtakes"`
	// EmptyIsNull: the client reads what is empty as absent.
	EmptyIsNull bool `json:"empty_is_null"`

	Acked      int               `json:"acked"`
	Errors     map[string]int    `json:"errors"` // of single records, by the client's words
	Count      int               `json:"count"`
	Offset     int64             `json:"offset"`
	Partitions int               `json:"partitions"`
	Configs    map[string]string `json:"configs"`
	Topics     []string          `json:"topics"`
}
