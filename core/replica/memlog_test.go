package replica_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/replica"
)

// memLog is a partition's log in memory: one record a batch. What a crash leaves of it is
// what was durable.
type memLog struct {
	start, durable kafka.Offset
	records        []memRecord // from start on
	epochs         []epochStart
	// What a power loss takes although it was reported durable: the policy os.
	flushed kafka.Offset
}

type memRecord struct {
	epoch kafka.LeaderEpoch
	value string
}

type epochStart struct {
	epoch kafka.LeaderEpoch
	start kafka.Offset
}

func (l *memLog) Start() kafka.Offset      { return l.start }
func (l *memLog) End() kafka.Offset        { return l.start + kafka.Offset(len(l.records)) }
func (l *memLog) DurableEnd() kafka.Offset { return l.durable }

func (l *memLog) at(o kafka.Offset) memRecord { return l.records[o-l.start] }

func (l *memLog) LatestEpoch() kafka.LeaderEpoch {
	if n := len(l.epochs); n > 0 {
		return l.epochs[n-1].epoch
	}
	return -1
}

func (l *memLog) EpochAt(o kafka.Offset) kafka.LeaderEpoch {
	for _, e := range slices.Backward(l.epochs) {
		if e.start <= o {
			return e.epoch
		}
	}
	return -1
}

func (l *memLog) EndOffsetFor(e kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset) {
	if e < 0 || e > l.LatestEpoch() {
		return -1, kafka.NoOffset
	}
	for i, known := range l.epochs {
		if known.epoch > e {
			if i == 0 {
				return e, known.start
			}
			return l.epochs[i-1].epoch, known.start
		}
	}
	return e, l.End()
}

// beginEpoch notes that e begins at the end. An epoch without a record gives way.
func (l *memLog) beginEpoch(e kafka.LeaderEpoch, at kafka.Offset) {
	if e <= l.LatestEpoch() {
		return
	}
	for n := len(l.epochs); n > 0 && l.epochs[n-1].start >= at; n-- {
		l.epochs = l.epochs[:n-1]
	}
	l.epochs = append(l.epochs, epochStart{e, at})
}

func (l *memLog) append(r memRecord) {
	if r.epoch < l.LatestEpoch() {
		panic(fmt.Sprintf("append of epoch %d after %d", r.epoch, l.LatestEpoch()))
	}
	l.beginEpoch(r.epoch, l.End())
	l.records = append(l.records, r)
}

func (l *memLog) truncate(to kafka.Offset) {
	l.records = l.records[:to-l.start]
	for n := len(l.epochs); n > 0 && l.epochs[n-1].start >= to; n-- {
		l.epochs = l.epochs[:n-1]
	}
	l.durable, l.flushed = min(l.durable, to), min(l.flushed, to)
}

func (l *memLog) raiseStart(to kafka.Offset) {
	if to <= l.start {
		return
	}
	l.records = slices.Clone(l.records[to-l.start:])
	l.start = to
	l.durable, l.flushed = max(l.durable, to), max(l.flushed, to)
	kept := l.epochs[:0]
	for i, e := range l.epochs {
		if i+1 < len(l.epochs) && l.epochs[i+1].start <= to {
			continue
		}
		e.start = max(e.start, to)
		kept = append(kept, e)
	}
	l.epochs = kept
}

// rot stands for what cannot be read.
const rot = "?"

// rotten lists the ranges of it.
func (l *memLog) rotten() (ranges []replica.Range) {
	for o := l.start; o < l.End(); o++ {
		switch n := len(ranges); {
		case l.at(o).value != rot:
		case n > 0 && ranges[n-1].To == o:
			ranges[n-1].To++
		default:
			ranges = append(ranges, replica.Range{From: o, To: o + 1})
		}
	}
	return ranges
}

func (l *memLog) restart(at kafka.Offset) {
	*l = memLog{start: at, durable: at, flushed: at}
}

// String draws the log: "0:aab|1:c" has three records of epoch 0 and one of epoch 1.
func (l *memLog) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%d]", l.start)
	epoch := kafka.LeaderEpoch(-1)
	for _, r := range l.records {
		if r.epoch != epoch {
			fmt.Fprintf(&b, " %d:", r.epoch)
			epoch = r.epoch
		}
		b.WriteString(r.value)
	}
	return b.String()
}
