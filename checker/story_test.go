package checker

import (
	"slices"

	"github.com/tidemark-log/tidemark/checker/history"
)

// story writes histories for tests: every operation with the numbers of its two events.
type story struct {
	ops   []history.Op
	final *history.Final
	tail  bool
}

const storyEnd = 1000

func (s *story) add(invoke, ret int64, o history.Op) *history.Op {
	o.Invoke = history.Stamp{At: invoke * 1e6, Seq: invoke}
	o.Return = history.Stamp{At: ret * 1e6, Seq: ret}
	if o.Topic == "" {
		o.Topic = "t"
	}
	s.ops = append(s.ops, o)
	return &s.ops[len(s.ops)-1]
}

func values(process int32, first uint64, n int, base int64) []history.Record {
	var rs []history.Record
	for i := range n {
		rs = append(rs, history.Record{Offset: base + int64(i), Value: history.NewValue(process, first+uint64(i)),
			Timestamp: int64(first) + int64(i)})
		if base < 0 {
			rs[i].Offset = -1
		}
	}
	return rs
}

// send is one acknowledged record of process 0 unless changed; base −1 leaves it open.
func (s *story) send(invoke, ret int64, counter uint64, base int64) *history.Op {
	o := s.add(invoke, ret, history.Op{Kind: history.Produce, Acks: -1, Result: history.Ok,
		Records: values(0, counter, 1, base), Attempts: make([]history.Attempt, 1)})
	if base < 0 {
		o.Result = history.Info
	}
	return o
}

func (s *story) by(process int32, o *history.Op) *history.Op {
	o.Process = process
	for i := range o.Records {
		o.Records[i].Value = history.NewValue(process, o.Records[i].Value.Counter())
	}
	return o
}

// poll is a read by process 9 of the records from offset first on, which are those of
// process 0 with counters offset+1.
func (s *story) poll(invoke, ret, position, first int64, n int) *history.Op {
	return s.add(invoke, ret, history.Op{Kind: history.Fetch, Process: 9, Result: history.Ok, Position: position,
		Records: values(0, uint64(first)+1, n, first)})
}

func (s *story) list(invoke, ret, timestamp, offset int64) *history.Op {
	return s.add(invoke, ret, history.Op{Kind: history.ListOffsets, Process: 8, Result: history.Ok,
		Timestamp: timestamp, Offset: offset})
}

// log sets the final log: values of process 0 by counter, from offset 0 on.
func (s *story) log(counters ...uint64) *history.FinalPartition {
	p := history.FinalPartition{Topic: "t", End: int64(len(counters))}
	for i, n := range counters {
		p.Records = append(p.Records, values(0, n, 1, int64(i))...)
	}
	s.final = &history.Final{Partitions: []history.FinalPartition{p}}
	return &s.final.Partitions[0]
}

func (s *story) history() *history.History {
	h := &history.History{Name: "story", Ops: slices.Clone(s.ops), End: history.Stamp{At: storyEnd * 1e6,
		Seq: storyEnd}}
	for p := range int32(10) {
		role := history.RoleProducer
		if p == 9 && s.tail {
			role = history.RoleTail
		}
		h.Processes = append(h.Processes, history.Process{ID: p, Role: role})
	}
	slices.SortFunc(h.Ops, func(a, b history.Op) int { return int(a.Invoke.Seq - b.Invoke.Seq) })
	for i := range h.Ops {
		h.Ops[i].ID = i
	}
	return h
}

func (s *story) check() *Verdict {
	return Check(s.history(), Options{Final: s.final, Fresh: true, Healed: true, ModelPercent: 100})
}
