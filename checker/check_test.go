package checker

import (
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Each check must refuse the history in which its promise is broken, naming it, and accept
// the one next to it in which it is kept, and must have looked at both.
var stories = []struct {
	check     string
	name      string
	bad, good func(s *story)
}{
	{"H1", "acknowledged record is not in the final log",
		func(s *story) { s.send(1, 2, 1, 0); s.send(3, 4, 2, 1); s.log(1) },
		func(s *story) { s.send(1, 2, 1, 0); s.send(3, 4, 2, 1); s.log(1, 2) }},
	{"H1", "acknowledged record was replaced by another",
		func(s *story) { s.send(1, 2, 1, 0); s.send(3, 4, 2, 0); s.log(2) },
		func(s *story) { s.send(1, 2, 1, 0); s.send(3, 4, 2, 1); s.log(1, 2) }},
	{"H1", "unknown effect may be lost, acknowledged not",
		func(s *story) { s.send(1, 2, 1, 0); s.log() },
		func(s *story) { s.send(1, 2, 1, -1); s.send(3, 4, 2, 0); s.log(2) }},
	{"H1", "without oracle: a reader passed over an acknowledged record",
		func(s *story) { s.send(1, 2, 1, 0); s.send(3, 4, 2, 1); s.poll(5, 6, 0, 1, 1) },
		func(s *story) { s.send(1, 2, 1, 0); s.send(3, 4, 2, 1); s.poll(5, 6, 0, 0, 2) }},
	{"H2", "two readers saw different records at one offset",
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.send(3, 4, 2, -1)
			s.poll(5, 6, 0, 0, 1).Records[0].Value++
			s.log(1)
		},
		func(s *story) { s.send(1, 2, 1, 0); s.poll(5, 6, 0, 0, 1); s.log(1) }},
	{"H3", "one attempt, two places",
		func(s *story) { s.send(1, 2, 1, 0); s.log(1, 1) },
		func(s *story) { s.send(1, 2, 1, 0).Attempts = make([]history.Attempt, 2); s.log(1, 1) }},
	{"H3", "an idempotent retry was appended again",
		func(s *story) {
			o := s.send(1, 2, 1, 0)
			o.Idempotent, o.Attempts = true, make([]history.Attempt, 2)
			s.log(1, 1)
		},
		func(s *story) {
			o := s.send(1, 2, 1, 0)
			o.Idempotent, o.Attempts = true, make([]history.Attempt, 2)
			s.log(1)
		}},
	{"H4", "a record nobody sent was read",
		func(s *story) { s.send(1, 2, 1, 0); s.poll(3, 4, 0, 0, 1).Records[0].Value = 0; s.log(1) },
		func(s *story) { s.send(1, 2, 1, 0); s.poll(3, 4, 0, 0, 1); s.log(1) }},
	{"H4", "a record nobody sent is in the log",
		func(s *story) { s.send(1, 2, 1, 0); s.log(1, 7) },
		func(s *story) { s.send(1, 2, 1, 0); s.log(1) }},
	{"H4", "a record was read before it was sent",
		func(s *story) { s.poll(1, 2, 0, 0, 1); s.send(3, 4, 1, 0); s.log(1) },
		func(s *story) { s.poll(1, 4, 0, 0, 1); s.send(2, 3, 1, 0); s.log(1) }},
	{"H4", "a timestamp was altered",
		func(s *story) { s.send(1, 2, 1, 0); s.log(1).Records[0].Timestamp++ },
		func(s *story) { s.send(1, 2, 1, 0).Records[0].Timestamp = -1; s.log(1).Records[0].Timestamp++ }},
	{"H5", "a refused record is in the log",
		func(s *story) { s.send(1, 2, 1, -1).Result = history.Fail; s.log(1) },
		func(s *story) { s.send(1, 2, 1, -1).Result = history.Fail; s.log() }},
	{"H8", "a reader was sent back",
		func(s *story) { s.send(1, 2, 1, 0); s.poll(3, 4, 0, 0, 1); s.poll(5, 6, 1, 0, 1); s.log(1) },
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.poll(3, 4, 0, 0, 1)
			s.poll(5, 6, 0, 0, 1).Seek = true
			s.send(7, 8, 2, 1)
			s.poll(9, 10, 1, 1, 1)
			s.log(1, 2)
		}},
	{"H9", "a reader skipped a record between two polls",
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.send(3, 4, 2, 1)
			s.send(5, 6, 3, 2)
			s.poll(7, 8, 0, 0, 1)
			s.poll(9, 10, 1, 2, 1)
			s.log(1, 2, 3)
		},
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.send(3, 4, 2, 1)
			s.poll(7, 8, 0, 0, 1)
			s.poll(9, 10, 1, 1, 1)
			s.log(1, 2)
		}},
	{"H10", "a poll returned records out of order",
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.send(3, 4, 2, 1)
			rs := s.poll(7, 8, 0, 0, 2).Records
			rs[0], rs[1] = rs[1], rs[0]
			s.log(1, 2)
		},
		func(s *story) { s.send(1, 2, 1, 0); s.send(3, 4, 2, 1); s.poll(7, 8, 0, 0, 2); s.log(1, 2) }},
	{"H11", "one process's pipelined sends were swapped",
		func(s *story) { s.send(1, 4, 1, 1); s.send(2, 3, 2, 0); s.log(2, 1) },
		func(s *story) {
			s.send(1, 4, 1, 1).Attempts = make([]history.Attempt, 2)
			s.send(2, 3, 2, 0)
			s.log(2, 1)
		}},
	{"H12", "a later send stands before one acknowledged earlier",
		func(s *story) {
			s.send(1, 2, 1, 1)
			s.by(1, s.send(3, 4, 1, 0))
			s.log(1, 1).Records[0].Value = history.NewValue(1, 1)
		},
		func(s *story) {
			s.send(1, 4, 1, 1)
			s.by(1, s.send(3, 5, 1, 0))
			s.log(1, 1).Records[0].Value = history.NewValue(1, 1)
		}},
	{"H13", "the tailing reader never got an acknowledged record",
		func(s *story) {
			s.tail = true
			s.send(1, 2, 1, 0)
			s.poll(3, 4, 0, 0, 1)
			s.send(5, 6, 2, 1)
			s.log(1, 2)
		},
		func(s *story) {
			s.tail = true
			s.send(1, 2, 1, 0)
			s.poll(3, 4, 0, 0, 1)
			s.send(5, 6, 2, 1)
			s.poll(7, 8, 1, 1, 1)
			s.log(1, 2)
		}},
	{"H14", "a read after an acknowledgement found nothing",
		func(s *story) { s.send(1, 2, 1, 0); s.poll(3, 4, 0, 0, 0); s.log(1) },
		func(s *story) { s.send(1, 3, 1, 0); s.poll(2, 4, 0, 0, 0); s.log(1) }},
	{"H15", "the end of the log fell",
		func(s *story) { s.send(1, 2, 1, 0); s.list(3, 4, -1, 1); s.list(5, 6, -1, 0); s.log(1) },
		func(s *story) { s.list(3, 4, -1, 0); s.send(5, 6, 1, 0); s.list(7, 8, -1, 1); s.log(1) }},
	{"H16", "a lookup by timestamp skipped a record",
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.send(3, 4, 2, 1)
			s.list(5, 6, 1, 1).FoundTimestamp = 2
			s.log(1, 2)
		},
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.send(3, 4, 2, 1)
			s.list(5, 6, 2, 1).FoundTimestamp = 2
			s.log(1, 2)
		}},
	{"H16", "a lookup by timestamp missed an acknowledged record",
		func(s *story) { s.send(1, 2, 1, 0); s.list(5, 6, 1, -1); s.log(1) },
		func(s *story) { s.send(1, 6, 1, 0); s.list(4, 5, 1, -1); s.log(1) }},
	{"H16", "the largest timestamp was not the largest",
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.send(3, 4, 2, 1)
			s.list(5, 6, -3, 0).FoundTimestamp = 1
			s.log(1, 2)
		},
		func(s *story) {
			s.send(1, 2, 1, 0)
			s.send(3, 6, 2, 1)
			s.list(4, 5, -3, 0).FoundTimestamp = 1
			s.log(1, 2)
		}},
	{"H16", "the largest timestamp was not found, with nothing under way",
		func(s *story) { s.send(1, 2, 1, 0); s.list(5, 6, -3, -1); s.log(1) },
		func(s *story) { s.send(1, 2, 1, 0); s.list(4, 5, -3, -1); s.send(3, 6, 2, 1); s.log(1, 2) }},
	{"H26", "a created topic is unknown",
		func(s *story) { s.create(1, 2, "a", 1); s.metadata(3, 4, "") },
		func(s *story) { s.create(1, 2, "a", 1); s.metadata(3, 4, "a") }},
	{"H26", "a deleted topic came back",
		func(s *story) { s.create(1, 2, "a", 1); s.remove(3, 4, "a"); s.metadata(5, 6, "a") },
		func(s *story) {
			s.create(1, 2, "a", 1)
			s.remove(3, 4, "a")
			s.metadata(5, 6, "")
			s.metadata(7, 8, "b")
		}},
	{"H26", "a leader epoch fell",
		func(s *story) { s.create(1, 2, "a", 1); s.metadata(3, 4, "a").LeaderEpoch = 2; s.metadata(5, 6, "a") },
		func(s *story) { s.create(1, 2, "a", 1); s.metadata(3, 4, "a"); s.metadata(5, 6, "a").LeaderEpoch = 2 }},
	{"H27", "a topic has fewer partitions than acknowledged",
		func(s *story) { s.create(1, 2, "a", 3); s.metadata(3, 4, "a") },
		func(s *story) { s.create(1, 2, "a", 1); s.metadata(3, 4, "a") }},
	{"H28", "half a batch is in the log",
		func(s *story) { s.send(1, 2, 1, -1).Records = values(0, 1, 2, -1); s.log(1) },
		func(s *story) { s.send(1, 2, 1, -1).Records = values(0, 1, 2, -1); s.log(1, 2) }},
	{"H29", "a repetition of what a reader had seen was refused",
		func(s *story) {
			s.repeated(10, 11, kafka.OutOfOrderSequenceNumber, -1)
			s.poll(3, 4, 0, 0, 1)
			s.log(1)
		},
		func(s *story) { s.repeated(10, 11, kafka.None, 0); s.poll(3, 4, 0, 0, 1); s.log(1) }},
	{"C1", "one saw the end, a later one did not",
		func(s *story) { s.send(1, 100, 1, -1); s.poll(3, 4, 0, 0, 1); s.list(5, 6, -1, 0); s.log(1) },
		func(s *story) { s.send(1, 100, 1, -1); s.poll(3, 6, 0, 0, 1); s.list(4, 5, -1, 0); s.log(1) }},
}

func (s *story) create(invoke, ret int64, id string, partitions int32) *history.Op {
	return s.add(invoke, ret, history.Op{Kind: history.CreateTopic, Result: history.Ok, TopicID: id,
		Partitions: partitions})
}

func (s *story) remove(invoke, ret int64, id string) *history.Op {
	return s.add(invoke, ret, history.Op{Kind: history.DeleteTopic, Result: history.Ok, TopicID: id})
}

func (s *story) metadata(invoke, ret int64, id string) *history.Op {
	o := s.add(invoke, ret, history.Op{Kind: history.Metadata, Result: history.Ok, TopicID: id, Partitions: 1})
	if id == "" {
		o.Result, o.Code, o.Partitions = history.Fail, int16(kafka.UnknownTopicOrPartition), 0
	}
	return o
}

func TestEveryCheckRefusesItsAnomalyAndAcceptsItsNeighbour(t *testing.T) {
	named := map[string]bool{}
	for _, st := range stories {
		named[st.check] = true
		t.Run(st.check+" "+st.name, func(t *testing.T) {
			var bad, good story
			st.bad(&bad)
			v := bad.check()
			if v.Outcome != Violated || !has(v, st.check) {
				t.Errorf("the broken history: want %s\n%s", st.check, v.Render(bad.history()))
			}
			st.good(&good)
			v = good.check()
			if v.Outcome != Holds {
				t.Errorf("the sound history:\n%s", v.Render(good.history()))
			}
			if v.Counter(st.check) == 0 {
				t.Errorf("%s passed without having looked at anything", st.check)
			}
		})
	}
	for _, c := range checks {
		if !named[c.Check] {
			t.Errorf("check %s has no story", c.Check)
		}
	}
}

func has(v *Verdict, id string) bool {
	for _, a := range v.Anomalies {
		if a.Check == id {
			return true
		}
	}
	return false
}

func TestAllowedAnomaliesAreReportedAndDoNotViolate(t *testing.T) {
	var s story
	s.send(1, 2, 1, 0)
	s.log()
	v := Check(s.history(), Options{Final: s.final, Allowed: []string{"H1"}})
	if v.Outcome != Holds || len(v.Anomalies) != 1 || !v.Anomalies[0].Allowed {
		t.Fatalf("got %s", v.Render(s.history()))
	}
}

func TestStaleReadsAreLegalWithoutFreshness(t *testing.T) {
	var s story
	s.send(1, 2, 1, 0)
	s.poll(3, 4, 0, 0, 0)
	s.list(5, 6, -1, 0)
	s.log(1)
	if v := Check(s.history(), Options{Final: s.final}); v.Outcome != Holds {
		t.Fatalf("got %s", v.Render(s.history()))
	}
}

func TestUnfitHistoryIsInconclusive(t *testing.T) {
	var s story
	s.send(1, 2, 1, 0)
	s.send(2, 3, 2, 1)
	if v := s.check(); v.Outcome != Inconclusive {
		t.Fatalf("two events with one stamp: got %s", v.Outcome)
	}
}

func TestVerdictDrawsTheContradiction(t *testing.T) {
	var s story
	s.send(1, 2, 1, 1)
	s.by(1, s.send(3, 4, 1, 0))
	s.log(1, 1).Records[0].Value = history.NewValue(1, 1)
	got := s.check().Render(s.history())
	for _, want := range []string{
		"violated story seed 0: 2 operations, 10 processes\n",
		"H12 real-time order: t-0: 0/1 was acknowledged before 1/1 was sent, and stands behind it\n",
		"  p0 producer    |--------------|                                  " +
			"#0 produce 0/1 to t-0 acks=-1 -> ok offset 1  0.001000s..0.002000s\n",
		"  p1 producer                                   |---------------|  " +
			"#1 produce 1/1 to t-0 acks=-1 -> ok offset 0  0.003000s..0.004000s\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}
