package process

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Report is what an audit found.
type Report struct {
	Acked   int64 // records acknowledged
	Read    int64 // records read back
	Lost    int64 // acknowledged, and not at their offset
	Doubled int64 // read at more than one offset
	First   string
}

// OK tells that nothing was lost and nothing doubled.
func (r Report) OK() bool { return r.Lost == 0 && r.Doubled == 0 }

func (r *Report) note(format string, args ...any) {
	if r.First == "" {
		r.First = fmt.Sprintf(format, args...)
	}
}

// Audit reads the topic from its start to its end and compares with what was acknowledged.
func Audit(ctx context.Context, addr, topic string, acked [][]Ack) (Report, error) {
	var report Report
	for partition, acks := range acked {
		numbers, err := readPartition(ctx, addr, topic, int32(partition))
		if err != nil {
			return report, err
		}
		report.Read += int64(len(numbers))
		report.Acked += int64(len(acks))
		auditPartition(&report, fmt.Sprintf("%s-%d", topic, partition), numbers, acks)
	}
	return report, nil
}

// auditPartition compares one partition: numbers by offset, from offset 0.
func auditPartition(report *Report, name string, numbers []int64, acks []Ack) {
	for _, a := range acks {
		if a.Offset >= int64(len(numbers)) {
			report.Lost++
			report.note("%s: record %d, acknowledged at %d, is past the end %d", name, a.Number, a.Offset,
				len(numbers))
		} else if numbers[a.Offset] != a.Number {
			report.Lost++
			report.note("%s: offset %d holds record %d, acknowledged was %d", name, a.Offset,
				numbers[a.Offset], a.Number)
		}
	}
	seen := make(map[int64]int64, len(numbers))
	for offset, number := range numbers {
		if before, ok := seen[number]; ok {
			report.Doubled++
			report.note("%s: record %d stands at %d and again at %d", name, number, before, offset)
		}
		seen[number] = int64(offset)
	}
}

// readPartition returns the record numbers by offset.
func readPartition(ctx context.Context, addr, topic string, partition int32) ([]int64, error) {
	start := map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(0)}}
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumePartitions(start))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	end, ok := ends.Lookup(topic, partition)
	if !ok || end.Err != nil {
		return nil, fmt.Errorf("process: end offset of %s-%d: %v", topic, partition, end.Err)
	}
	numbers := make([]int64, 0, end.Offset)
	for int64(len(numbers)) < end.Offset {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		for _, r := range fetches.Records() {
			if r.Offset != int64(len(numbers)) || len(r.Value) < 8 {
				return nil, fmt.Errorf("process: %s-%d: read offset %d, %d bytes, when offset %d was next",
					topic, partition, r.Offset, len(r.Value), len(numbers))
			}
			numbers = append(numbers, int64(binary.BigEndian.Uint64(r.Value)))
		}
	}
	return numbers, nil
}
