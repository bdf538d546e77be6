package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
)

// batchBytes is max.message.bytes as brokers have it by default.
const batchBytes = 1<<20 + 12

// Header is a name and bytes, or nil.
type Header struct {
	Key   string `json:"k"`
	Value []byte `json:"v"`
}

// Record is a line of the files that are produced from and consumed into.
type Record struct {
	Partition int      `json:"p"`
	Offset    int64    `json:"o"`
	Timestamp int64    `json:"t"`
	Key       []byte   `json:"k"`
	Value     []byte   `json:"v"`
	Headers   []Header `json:"h"`
}

// Question is what the test asks.
type Question struct {
	Do         string            `json:"do"`
	Topic      string            `json:"topic"`
	Partition  int32             `json:"partition"`
	Partitions int               `json:"partitions"`
	Codec      string            `json:"codec"`
	Acks       int               `json:"acks"`
	Idempotent bool              `json:"idempotent"`
	File       string            `json:"file"`
	At         string            `json:"at"`
	Offset     int64             `json:"offset"`
	Configs    map[string]string `json:"configs"`
}

// Answer goes back as one line.
type Answer struct {
	Error       string            `json:"error,omitempty"`
	Unsupported bool              `json:"unsupported,omitempty"`
	Client      string            `json:"client,omitempty"`
	Version     string            `json:"version,omitempty"`
	Codecs      []string          `json:"codecs,omitempty"`
	Idempotence bool              `json:"idempotence,omitempty"`
	EmptyIsNull bool              `json:"empty_is_null,omitempty"`
	Overtakes   bool              `json:"overtakes,omitempty"`
	Acked       int               `json:"acked,omitempty"`
	Errors      map[string]int    `json:"errors,omitempty"`
	Count       int               `json:"count,omitempty"`
	Offset      int64             `json:"offset"`
	Partitions  int               `json:"partitions,omitempty"`
	Configs     map[string]string `json:"configs,omitempty"`
	Topics      []string          `json:"topics,omitempty"`
}

// verbs is what a client can do; a verb it lacks is answered as unsupported.
type verbs map[string]func(q *Question, a *Answer) error

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "client: want a library and a bootstrap address")
		os.Exit(2)
	}
	library := map[string]func(string) verbs{"sarama": useSarama, "kafka-go": useKafkaGo}[os.Args[1]]
	if library == nil {
		fmt.Fprintf(os.Stderr, "client: no library %q\n", os.Args[1])
		os.Exit(2)
	}
	serve(library(os.Args[2]))
}

func serve(client verbs) {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q Question
		var a Answer
		err := json.Unmarshal(in.Bytes(), &q)
		if verb := client[q.Do]; err == nil && verb != nil {
			err = verb(&q, &a)
		} else {
			a.Unsupported = err == nil
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return // nobody listens any more
		}
	}
}

func (q *Question) records() ([]Record, error) {
	f, err := os.Open(q.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var records []Record
	for in := json.NewDecoder(f); in.More(); {
		var r Record
		if err := in.Decode(&r); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

func (q *Question) writeRecords(records []Record) error {
	f, err := os.Create(q.File)
	if err != nil {
		return err
	}
	defer f.Close()
	out := json.NewEncoder(f)
	for _, r := range records {
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// moduleVersion is the version this binary was built with.
func moduleVersion(path string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dep := range info.Deps {
		if dep.Path == path {
			return dep.Version
		}
	}
	return "unknown"
}
