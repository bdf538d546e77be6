package log

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// lookup is a search by time. Largest means: the first record of the batch that holds the
// log's largest timestamp which has it; else the first record at or after ts.
type lookup struct {
	ts      kafka.Timestamp
	largest bool
	from    kafka.Offset // nothing before can be the answer
	upTo    kafka.Offset
}

var noTime = TimeResult{Offset: kafka.NoOffset, Timestamp: kafka.NoTimestamp, LeaderEpoch: -1}

// OffsetForTime finds the first record below upTo whose timestamp is ts or later; Offset −1
// if there is none. Like Read, it answers at once with tag 0, or later under the tag.
func (l *Log) OffsetForTime(ts kafka.Timestamp, upTo kafka.Offset) (TimeResult, env.Tag) {
	return l.lookUp(lookup{ts: ts, from: l.start, upTo: min(upTo, l.end)})
}

// MaxTimestamp finds the record with the largest timestamp; Offset −1 if the log is empty,
// or that record is not below upTo.
func (l *Log) MaxTimestamp(upTo kafka.Offset) (TimeResult, env.Tag) {
	k := lookup{ts: kafka.NoTimestamp, largest: true, upTo: min(upTo, l.end)}
	for _, s := range l.segments {
		if s.maxTs > k.ts {
			k.ts, k.from = s.maxTs, s.maxTsEnd
		}
	}
	if k.ts < 0 || k.from < l.start {
		return noTime, 0
	}
	return l.lookUp(k)
}

func (l *Log) lookUp(k lookup) (TimeResult, env.Tag) {
	if l.gone || l.dir.err != nil {
		res := noTime
		res.Err = l.Err()
		return res, 0
	}
	r := l.dir.newRead(l)
	r.look = &k
	if res, done := k.run(r); done {
		*r = diskRead{}
		l.dir.spareReads = append(l.dir.spareReads, r)
		return res, 0
	}
	return TimeResult{}, r.tag
}

// run searches until it has the answer or must wait for the disk.
func (k *lookup) run(r *diskRead) (TimeResult, bool) {
	l := r.log
	for k.from < k.upTo {
		s := k.segment(l)
		if s == nil {
			break
		}
		if !k.largest {
			if !s.loaded {
				k.wait(r)
				return TimeResult{}, false
			}
			if rel, ok := s.times.before(k.ts); ok {
				k.from = max(k.from, s.base+kafka.Offset(rel)+1)
			}
		}
		i := l.cachedAt(k.from)
		if i < 0 {
			k.wait(r)
			return TimeResult{}, false
		}
		for ; i < l.tail.n && l.tail.at(i).seg == s; i++ {
			if res, ok := k.try(l.tail.at(i).batch); ok {
				return res, true
			}
			k.from = l.tail.at(i).next
		}
	}
	return noTime, true
}

// segment gives the next segment that can hold the answer, and moves the search to it.
func (k *lookup) segment(l *Log) *segment {
	for i := max(0, l.segmentFor(k.from)); i < len(l.segments); i++ {
		if s := l.segments[i]; s.maxTs >= k.ts && s.end > k.from {
			k.from = max(k.from, s.base)
			return s
		}
	}
	return nil
}

// wait reads what the search needs next. What lies past upTo is read too: a batch may
// straddle it.
func (k *lookup) wait(r *diskRead) {
	r.from, r.upTo, r.max, r.one = k.from, r.log.end, lookupBytes, true
	if k.largest {
		r.max = 0
	}
	tag := r.log.dir.fetch(r)
	if r.tag == 0 {
		r.tag = tag
	}
}

// try looks for the answer in a batch. An answer that may not be seen is no answer.
func (k *lookup) try(b record.Batch) (TimeResult, bool) {
	if b.MaxTimestamp() < k.ts {
		return noTime, false
	}
	for rec, err := range record.Records(b, record.Limits{}) {
		if err != nil {
			res := noTime
			res.Err = fmt.Errorf("log: records of batch %d: %w: %w", b.BaseOffset(), ErrDamaged, err)
			return res, true
		}
		if rec.Timestamp < k.ts || rec.Offset < k.from && !k.largest {
			continue
		}
		if rec.Offset >= k.upTo {
			return noTime, true
		}
		return TimeResult{Offset: rec.Offset, Timestamp: rec.Timestamp, LeaderEpoch: b.LeaderEpoch()}, true
	}
	return noTime, k.largest
}

// lookOn searches what arrived, then further.
func (d *Dir) lookOn(r *diskRead, w *walk) {
	k := r.look
	for b, err := range record.Batches(r.data[max(0, w.from):w.to]) {
		if err != nil {
			break
		}
		if res, ok := k.try(b); ok {
			r.found(res)
			return
		}
		k.from = b.NextOffset()
	}
	r.drop()
	r.plain = false
	d.resume(r)
}
