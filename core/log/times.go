package log

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// lookup is a search by time. Largest means: the first record of the batch that holds the
// log's largest timestamp which has it; else the first record at or after ts.
//
// Where the log begins inside a segment, the segment's largest timestamp may be that of a
// record below. Then the records from the start on are weighed first, one by one.
type lookup struct {
	ts      kafka.Timestamp
	largest bool
	from    kafka.Offset // nothing before can be the answer
	upTo    kafka.Offset

	weigh *segment   // the one being weighed, nil: none
	best  TimeResult // in it so far
	rest  timeBound  // of the segments behind it
}

// timeBound is a largest timestamp and the last offset of the first batch that has it.
type timeBound struct {
	ts  kafka.Timestamp
	end kafka.Offset
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
	k := lookup{largest: true, upTo: min(upTo, l.end)}
	if k.begin(l); k.from < 0 {
		return noTime, 0
	}
	return l.lookUp(k)
}

// begin sets where to search, once more when the log's start has overtaken the search.
func (k *lookup) begin(l *Log) {
	k.from, k.weigh = max(k.from, l.start), nil
	if !k.largest {
		return
	}
	segments := l.segments[l.below():]
	first, all := segments[0], timeBound{kafka.NoTimestamp, kafka.NoOffset}
	k.rest = all
	for i, s := range segments {
		if s.maxTs > all.ts {
			all = timeBound{s.maxTs, s.maxTsEnd}
		}
		if i > 0 && s.maxTs > k.rest.ts {
			k.rest = timeBound{s.maxTs, s.maxTsEnd}
		}
	}
	if first.base < l.start && first.maxTs == all.ts && all.ts >= 0 {
		k.weigh, k.best = first, noTime
		k.ts = kafka.NoTimestamp
		return
	}
	k.ts, k.from = all.ts, all.end
}

// weighed compares what was found in the segment where the log begins with what lies behind.
func (k *lookup) weighed() (TimeResult, bool) {
	k.weigh = nil
	if k.best.Offset >= 0 && k.best.Timestamp >= k.rest.ts {
		return k.best, true
	}
	k.ts, k.from = k.rest.ts, k.rest.end
	return noTime, k.from < 0
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
	for {
		if k.weigh != nil && k.from >= min(k.weigh.end, k.upTo) {
			if res, done := k.weighed(); done {
				return res, true
			}
		}
		if k.from >= k.upTo {
			break
		}
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
	if k.largest && k.weigh == nil {
		r.max = 0
	}
	tag := r.log.dir.fetch(r)
	if r.tag == 0 {
		r.tag = tag
	}
}

// try looks for the answer in a batch. An answer that may not be seen is no answer.
func (k *lookup) try(b record.Batch) (TimeResult, bool) {
	if b.MaxTimestamp() < k.ts || k.weigh != nil && b.MaxTimestamp() <= k.best.Timestamp {
		return noTime, false
	}
	for rec, err := range record.Records(b, record.Limits{}) {
		if err != nil {
			res := noTime
			res.Err = fmt.Errorf("log: records of batch %d: %w: %w", b.BaseOffset(), ErrDamaged, err)
			return res, true
		}
		if rec.Timestamp < k.ts || rec.Offset < k.from && (!k.largest || k.weigh != nil) {
			continue
		}
		if k.weigh != nil {
			if rec.Timestamp > k.best.Timestamp && rec.Offset < k.upTo {
				k.best = TimeResult{Offset: rec.Offset, Timestamp: rec.Timestamp, LeaderEpoch: b.LeaderEpoch()}
			}
			continue
		}
		if rec.Offset >= k.upTo {
			return noTime, true
		}
		return TimeResult{Offset: rec.Offset, Timestamp: rec.Timestamp, LeaderEpoch: b.LeaderEpoch()}, true
	}
	return noTime, k.largest && k.weigh == nil
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
