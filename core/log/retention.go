package log

import (
	"math"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Retain lets go of the oldest segments that are too old or too many, as Kafka does: whole
// segments, all of them committed below hw. A segment is as old as its largest timestamp, by
// the wall clock, in ms; so one record of the future keeps its segment. The last segment goes,
// too, when it is too old: a new one is begun. Start moves when that is durable.
func (l *Log) Retain(wall int64, hw kafka.Offset) {
	if l.Err() != nil {
		return
	}
	from := l.oldest()
	n := from
	for total := l.sizeFrom(from); n < len(l.segments) && l.overdue(n, wall, total, hw); n++ {
		total -= l.segments[n].size
	}
	if n == from {
		return
	}
	if n == len(l.segments) {
		l.roll(l.end)
	}
	l.trace(traceExpired, int64(l.segments[from].base), int64(l.segments[n].base), int64(n-from), wall)
	l.RaiseStart(l.segments[n].base)
}

// overdue tells whether segment n, the first of those that hold total bytes, may go.
func (l *Log) overdue(n int, wall, total int64, hw kafka.Offset) bool {
	s, next := l.segments[n], l.end
	if n+1 < len(l.segments) {
		next = l.segments[n+1].base
	}
	if s.size == 0 || next > hw {
		return false
	}
	return l.cfg.RetentionMs >= 0 && wall > l.expiry(s) ||
		l.cfg.RetentionBytes >= 0 && total-s.size >= l.cfg.RetentionBytes
}

// NextExpiry is the time of the wall clock, in ms, after which the oldest segment is too old;
// the largest there is, if it never will be. Segments already on their way out do not count.
func (l *Log) NextExpiry() int64 {
	s := l.segments[l.oldest()]
	if l.Err() != nil || l.cfg.RetentionMs < 0 || s.size == 0 {
		return math.MaxInt64
	}
	return l.expiry(s)
}

// expiry is when a segment's time is over. Where no record has a timestamp, it counts from
// the last append that this process knows of, which is later rather than too early.
func (l *Log) expiry(s *segment) int64 {
	ts := int64(s.maxTs)
	if ts < 0 {
		ts = s.appended
	}
	if ts > math.MaxInt64-l.cfg.RetentionMs {
		return math.MaxInt64
	}
	return ts + l.cfg.RetentionMs
}

// oldest is the first segment that holds anything from the start asked for on.
func (l *Log) oldest() int {
	n := 0
	for n+1 < len(l.segments) && l.segments[n+1].base <= l.raised {
		n++
	}
	return n
}

func (l *Log) sizeFrom(n int) int64 {
	sum := int64(0)
	for _, s := range l.segments[n:] {
		sum += s.size
	}
	return sum
}
