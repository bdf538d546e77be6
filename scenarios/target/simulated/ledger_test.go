package simulated

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/sim"
)

// play feeds trace events to a ledger and returns the rule that was broken, or "".
func play(events ...func(*run)) string {
	r := &run{s: &scenarios.Scenario{}, counts: map[string]int{}}
	r.world = sim.NewWorld(sim.Config{})
	r.recorder = history.NewRecorder("", 0, func() int64 { return 0 })
	r.ledger, r.budget = newLedger(r), &budget{run: r}
	r.broker = r.world.AddHost(sim.HostConfig{Name: brokerName, Boot: r.bootBroker})
	for _, e := range events {
		e(r)
	}
	if err := r.world.Failure(); err != nil {
		return err.(*sim.Failure).Name
	}
	return ""
}

func event(kind trace.Kind, n ...int64) func(*run) {
	return func(r *run) {
		ev := trace.Event{Node: brokerID, Kind: kind, Topic: "t"}
		copy(ev.N[:], n)
		r.ledger.observe(&ev)
	}
}

func crash(k strike) func(*run) { return func(r *run) { r.ledger.crash(k) } }

func asked(r *run) {
	r.recorder.End(r.recorder.Begin(history.Op{Kind: history.DeleteTopic, Topic: "t"}), history.Ok)
}

// Each rule is broken once, beside a neighbour that keeps it.
func TestLedgerNoticesEachBrokenRule(t *testing.T) {
	created := event(kindCreated, 0)
	first, second := event(kindAppend, 0, 2, 1, 77), event(kindAppend, 2, 3, 1, 78)
	durable := event(kindDurable, 0, 2)
	for name, c := range map[string]struct {
		want   string
		events []func(*run)
	}{
		"appends follow each other": {"", []func(*run){created, first, second}},
		"a start within what is durable": {"", []func(*run){created, first, durable, event(kindStart, 0, 2),
			crash(strikePower), event(kindRecovered, 2, 2)}},
		"a start above what is durable": {"ledger.L15", []func(*run){created, first, event(kindStart, 0, 2)}},
		"a start forgotten by a crash": {"ledger.L15", []func(*run){created, first, durable,
			event(kindStart, 0, 2), crash(strikePower), event(kindRecovered, 0, 2)}},
		"an append leaves a gap": {"ledger.L1", []func(*run){created, first, event(kindAppend, 3, 4, 1,
			1)}},
		"an append goes back": {"ledger.L1", []func(*run){created, first, event(kindAppend, 1, 4, 1,
			1)}},
		"an epoch falls": {"ledger.L2", []func(*run){created, first, event(kindAppend, 2, 3, 0,
			1)}},
		"durable past the end": {"ledger.L3", []func(*run){created, first, event(kindDurable, 0, 3)}},
		"durable falls": {"ledger.L3", []func(*run){created, first, durable,
			event(kindDurable, 2, 1)}},
		"visible before durable":      {"ledger.L3", []func(*run){created, first, event(kindHW, 0, 2)}},
		"visible when durable":        {"", []func(*run){created, first, durable, event(kindHW, 0, 2)}},
		"acknowledged before durable": {"ledger.R15", []func(*run){created, first, event(kindAck, 0, 1, -1)}},
		"acknowledged when durable":   {"", []func(*run){created, first, durable, event(kindAck, 0, 1, -1)}},
		"acks=0 promises nothing":     {"", []func(*run){created, first, event(kindAck, 0, 1, 0)}},
		"truncated below durable": {"ledger.L5", []func(*run){created, first, durable,
			event(kindTruncate, 2, 0)}},
		"append where a write had failed": {"ledger.L13", []func(*run){created, event(kindOffline, 0), first}},
		"append in another directory":     {"", []func(*run){created, event(kindOffline, 1), first}},
		"acknowledged where a write had failed": {"ledger.L13", []func(*run){event(kindCreated, 0, 2), first,
			durable, event(kindOffline, 2), event(kindAck, 0, 1, -1)}},
		"append in the next life": {"", []func(*run){created, event(kindOffline, 0), crash(strikeKill),
			event(kindRecovered, 0, 0), event(kindHostLive), first}},
		"recovery keeps what was durable": {"", []func(*run){created, first, durable, second, crash(strikeKill),
			event(kindRecovered, 0, 2), event(kindHostLive)}},
		"recovery may keep more": {"", []func(*run){created, first, durable, second,
			crash(strikePower), event(kindRecovered, 0, 3), event(kindHostLive)}},
		"recovery keeps less": {"ledger.L5", []func(*run){created, first, durable,
			crash(strikeKill), event(kindRecovered, 0, 0)}},
		"recovery ends inside a batch": {"ledger.L5", []func(*run){created, first, crash(strikeKill),
			event(kindRecovered, 0, 1)}},
		"recovery does not find the log": {"ledger.L5", []func(*run){created, first, durable,
			crash(strikeKill), event(kindHostLive)}},
		"what was seen once must stay": {"ledger.L5", []func(*run){created, first, crash(strikeKill),
			event(kindRecovered, 0, 2), event(kindHostLive), crash(strikePower), event(kindRecovered, 0, 0)}},
		"but not before it was served": {"", []func(*run){created, first, crash(strikeKill),
			event(kindRecovered, 0, 2), crash(strikePower), event(kindRecovered, 0, 0)}},
		"os may lose with the power": {"", []func(*run){created, event(kindPolicy, 1, 0), first, durable,
			crash(strikePower), event(kindRecovered, 0, 0)}},
		"os may not lose by a kill": {"ledger.L5", []func(*run){created, event(kindPolicy, 1, 0), first,
			durable, crash(strikeKill), event(kindRecovered, 0, 0)}},
		"deleted unasked": {"ledger.L5", []func(*run){created, first, durable,
			event(kindDeleted, 2)}},
		"deleted as asked": {"", []func(*run){created, first, durable, asked, event(kindDeleted,
			2), crash(strikeKill), event(kindHostLive)}},
		"created over durable records": {"ledger.L5", []func(*run){created, first, durable, created}},
	} {
		require.Equal(t, c.want, play(c.events...), name)
	}
}

// stored makes a partition of batches of one record with the given timestamps.
func storedWith(t *testing.T, times ...kafka.Timestamp) storedLogs {
	p := &storedPartition{tp: kafka.TopicPartition{Topic: "t"}}
	s := p.segment(0)
	for i, ts := range times {
		b := record.NewBuilder(record.Options{BaseOffset: kafka.Offset(i)})
		b.Append(ts, nil, []byte("v"), nil)
		s.log = append(s.log, b.Build()...)
	}
	require.NoError(t, p.frame())
	return storedLogs{p}
}

func offsetEntry(rel, pos uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, rel), pos)
}

func timeEntryOf(ts uint64, rel uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, ts), rel)
}

func TestIndexEntriesMustPointAtWhatTheySay(t *testing.T) {
	logs := storedWith(t, 10, 30, 20)
	s := logs[0].segments[0]
	second := uint32(logs[0].batches[1].position)
	check := func() string {
		return strings.Join(checkIndexes(logs, nil, map[string]int{}), "; ")
	}
	s.index, s.time = offsetEntry(1, second), timeEntryOf(30, 1)
	require.Empty(t, check())
	s.index = offsetEntry(2, second)
	require.Contains(t, check(), "entry 0 says offset 2 at")
	s.index = offsetEntry(1, second+1)
	require.Contains(t, check(), "stored.L6")
	s.index = append(offsetEntry(1, second), offsetEntry(1, second)...)
	require.Contains(t, check(), "does not grow")
	s.index, s.time = nil, timeEntryOf(20, 2)
	require.Contains(t, check(), "the largest up to there is 30")
	s.time = append(timeEntryOf(30, 1), timeEntryOf(30, 2)...)
	require.Contains(t, check(), "does not grow")
	s.time = []byte{1}
	require.Contains(t, check(), "no whole time entries")
}

func TestStoredLogMustBeWhatWasAppended(t *testing.T) {
	p := storedWith(t, 10, 20)[0]
	r := &replica{tp: p.tp}
	for i := range p.batches {
		r.batches = append(r.batches, p.batches[i].written)
	}
	require.Empty(t, r.compare(p))
	r.batches[1].crc++
	require.Contains(t, r.compare(p)[0], "stored batch")
	r.batches = r.batches[:1]
	require.Contains(t, r.compare(p)[0], "never appended")
	p.batches = nil
	require.Contains(t, r.compare(p)[0], "not stored")
}
