package log_test

import (
	"bytes"
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/record"
)

// What the law of law_test.go keeps in mind, and how it holds that against what is there.

// modelLog is what a log should hold.
type modelLog struct {
	tp      kafka.TopicPartition
	id      kafka.TopicID
	batches []record.Batch
	durable kafka.Offset
	epoch   kafka.LeaderEpoch
	policy  log.FlushPolicy // wanted
	// others are what the log may be after a crash instead, because a truncation or the
	// creation may not have become durable.
	others []otherPast
	// maybe: the creation was not seen durable, so a crash may take the log back.
	maybe   bool
	deleted bool            // a deletion that may not be durable
	start   kafka.Offset    // as announced
	raised  []kafka.Offset  // as asked for since, in order
	inForce log.FlushPolicy // when it was deleted
}

// otherPast is a history that was truncated to an offset. It is past for good when
// something behind that offset is durable.
type otherPast struct {
	batches []record.Batch
	to      kafka.Offset
}

// end is where the log ends. One that lost all it had begins where it was told to.
func (m *modelLog) end() kafka.Offset { return max(endOf(m.batches), m.start) }

// top is the start asked for last.
func (m *modelLog) top() kafka.Offset {
	if n := len(m.raised); n > 0 {
		return m.raised[n-1]
	}
	return m.start
}

// kept is the batches that hold anything from start on.
func kept(batches []record.Batch, start kafka.Offset) []record.Batch {
	for len(batches) > 0 && batches[0].NextOffset() <= start {
		batches = batches[1:]
	}
	return batches
}

func endOf(batches []record.Batch) kafka.Offset {
	if len(batches) == 0 {
		return 0
	}
	return batches[len(batches)-1].NextOffset()
}

// reconcile compares what came back with what may come back, and takes it as the truth.
func (m *machine) reconcile(policies map[kafka.TopicID]log.FlushPolicy, powerLost bool) {
	if d := m.r.dir.Recovery().Damages; len(d) > 0 {
		m.fatalf("damage without rot: %v", d)
	}
	var keep []*modelLog
	for _, ml := range append(m.logs, m.gone...) {
		l := m.r.dir.Log(ml.tp)
		if l != nil && l.ID() != ml.id {
			l = nil
		}
		if l == nil {
			if !ml.maybe && !ml.deleted {
				m.fatalf("%s is missing", ml.tp)
			}
			continue
		}
		must := ml.durable
		if powerLost && policies[ml.id] == log.FlushOS {
			must = 0
		}
		m.takeStart(ml, l, ml.start)
		m.compare(ml, l, must)
		ml.raised = nil
		ml.deleted, ml.maybe, ml.others, ml.durable = false, false, nil, l.DurableEnd()
		ml.epoch = max(l.LatestEpoch(), -1)
		keep = append(keep, ml)
		l.SetConfig(m.config(ml))
		m.resequence(ml)
	}
	m.logs, m.gone = keep, nil
	if n := len(m.r.dir.All()); n != len(keep) {
		m.fatalf("%d logs came back, %d are known", n, len(keep))
	}
	m.checkAll()
}

// compare finds the history that the log is a prefix of, at least must long.
func (m *machine) compare(ml *modelLog, l *log.Log, must kafka.Offset) {
	got, err := m.r.read(l, l.Start(), l.End())
	if err != nil || max(endOf(got), l.Start()) != l.End() || l.DurableEnd() != l.End() {
		m.fatalf("%s after recovery: %d batches, end %d, durable %d, %v",
			ml.tp, len(got), l.End(), l.DurableEnd(), err)
	}
	for _, history := range append([]otherPast{{batches: ml.batches}}, ml.others...) {
		rest := kept(history.batches, l.Start())
		if l.End() < must || !prefix(got, rest) {
			continue
		}
		ml.batches = history.batches[:len(history.batches)-len(rest)+len(got)]
		if endOf(ml.batches) != l.End() || must == 0 && len(got) == 0 && !knowsProducers(ml, l) {
			ml.batches = nil // it lost all it had, some of it below the start, and begins anew
		}
		return
	}
	m.fatalf("%s came back with end %d, which is no prefix of what was appended (end %d, durable %d)",
		ml.tp, l.End(), ml.end(), must)
}

// knowsProducers tells whether a log remembers the last batch with a producer.
func knowsProducers(ml *modelLog, l *log.Log) bool {
	for _, b := range slices.Backward(ml.batches) {
		if b.HasProducer() {
			return l.CheckProducer(b).Duplicate
		}
	}
	return true
}

func prefix(got, history []record.Batch) bool {
	if len(got) > len(history) {
		return false
	}
	for i, b := range got {
		if !bytes.Equal(b, history[i]) {
			return false
		}
	}
	return true
}

func (m *machine) checkAll() {
	for _, ml := range m.logs {
		l := m.r.dir.Log(ml.tp)
		got, err := m.r.read(l, l.Start(), l.End())
		want := kept(ml.batches, ml.start)
		if err != nil || len(got) != len(want) || !prefix(got, want) {
			m.fatalf("%s holds %d batches from %d to %d, want %d from %d to %d: %v",
				ml.tp, len(got), l.Start(), l.End(), len(want), ml.start, ml.end(), err)
		}
		m.checkProducers(ml, l)
		m.checkTime(ml, l, 1100)
		m.checkEpochs(ml, l)
	}
}

// checkEpochs compares the epoch cache with the fold over the log; one entry more may
// stand at the end, of a leader that has not written.
func (m *machine) checkEpochs(ml *modelLog, l *log.Log) {
	for _, b := range kept(ml.batches, ml.start) {
		if got := l.EpochAt(max(b.BaseOffset(), ml.start)); got != b.LeaderEpoch() {
			m.fatalf("%s: epoch at %d is %d, want %d", ml.tp, b.BaseOffset(), got, b.LeaderEpoch())
		}
		want := ml.end()
		for _, o := range ml.batches {
			if o.LeaderEpoch() > b.LeaderEpoch() {
				want = o.BaseOffset()
				break
			}
		}
		if e, end := l.EndOffsetFor(b.LeaderEpoch()); e != b.LeaderEpoch() || end != want {
			m.fatalf("%s: end of epoch %d is %d/%d, want %d", ml.tp, b.LeaderEpoch(), e, end, want)
		}
	}
}
