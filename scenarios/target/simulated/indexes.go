package simulated

import (
	"encoding/binary"
	"fmt"
)

// Sizes of index entries on disk.
const (
	indexEntry = 8
	timeEntry  = 12
)

// indexRules are the invariants of the two index files, by their numbers.
var indexRules = []struct {
	name  string
	check func([]storedBatch, *storedSegment) (int, error)
}{{"L6", checkOffsetIndex}, {"L7", checkTimeIndex}}

// checkIndexes holds the index files against the logs they point into (L6, L7). It returns
// what is wrong and counts the entries looked at. Indexes that a fault has damaged are left
// out.
func checkIndexes(logs storedLogs, damaged map[string]bool, counts map[string]int) []string {
	var notes []string
	for _, p := range logs {
		if p.broken {
			continue
		}
		for _, s := range p.segments {
			if damaged[fmt.Sprintf("%s/%020d", p.tp, s.base)] {
				continue
			}
			batches := p.batches[s.from:s.to]
			for _, rule := range indexRules {
				n, err := rule.check(batches, s)
				counts["ledger/"+rule.name] += n
				if err != nil {
					notes = append(notes, fmt.Sprintf("stored.%s: %s segment %d: %v", rule.name, p.tp, s.base, err))
				}
			}
		}
	}
	return notes
}

// checkOffsetIndex: each entry names the last offset of the batch that starts at its position;
// both grow.
func checkOffsetIndex(batches []storedBatch, s *storedSegment) (int, error) {
	at := map[int64]int64{}
	for i := range batches {
		at[batches[i].position] = batches[i].next - 1
	}
	n, offset, position := 0, int64(-1), int64(-1)
	for b := s.index; len(b) >= indexEntry; b = b[indexEntry:] {
		rel, pos := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
		if rel == 0 && pos == 0 {
			break // room that was not used
		}
		last, ok := at[pos]
		switch {
		case rel <= offset || pos <= position:
			return n, fmt.Errorf("entry %d (%d at %d) does not grow", n, s.base+rel, pos)
		case !ok || last != s.base+rel:
			return n, fmt.Errorf("entry %d says offset %d at %d, there is %d", n, s.base+rel, pos, last)
		}
		n, offset, position = n+1, rel, pos
	}
	if len(s.index)%indexEntry != 0 {
		return n, fmt.Errorf("%d bytes are no whole entries", len(s.index))
	}
	return n, nil
}

// checkTimeIndex: each entry names the largest timestamp so far and the last offset of the
// batch that brought it; both grow.
func checkTimeIndex(batches []storedBatch, s *storedSegment) (int, error) {
	highest := map[int64]int64{} // by last offset of the batch: the highest timestamp up to it
	largest := int64(-1)
	for i := range batches {
		largest = max(largest, int64(batches[i].batch.MaxTimestamp()))
		highest[batches[i].next-1] = largest
	}
	n, when, offset := 0, int64(-1), int64(-1)
	for b := s.time; len(b) >= timeEntry; b = b[timeEntry:] {
		ts, rel := int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint32(b[8:]))
		if ts == 0 && rel == 0 {
			break
		}
		got, ok := highest[s.base+rel]
		switch {
		case ts <= when || rel <= offset:
			return n, fmt.Errorf("time entry %d (%d at offset %d) does not grow", n, ts, s.base+rel)
		case !ok || got != ts:
			return n, fmt.Errorf("time entry %d says %d at offset %d, the largest up to there is %d", n, ts,
				s.base+rel, got)
		}
		n, when, offset = n+1, ts, rel
	}
	if len(s.time)%timeEntry != 0 {
		return n, fmt.Errorf("%d bytes are no whole time entries", len(s.time))
	}
	return n, nil
}
