package log

import (
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// # When an os log is synced
//
// By age: flush.ms, or what the directory says if that is sooner; Tick sees to it. By count:
// no more than flush.messages − 1 acknowledged records are ever unsynced, since the ones beyond
// wait for their sync. With flush.messages=1 that is a sync before every acknowledgement.

// age notes that an os log has unsynced bytes; Tick syncs what is old.
func (l *Log) age() {
	if !l.aging {
		l.aging = true
		l.agingAt = l.dir.env.Clock.Now()
		l.dir.aging = append(l.dir.aging, l)
		l.dir.expect(l.flushDue())
	}
}

// flushDue is when the oldest unsynced byte is old enough.
func (l *Log) flushDue() env.Instant {
	age := l.dir.cfg.FlushAge
	if l.cfg.FlushMs < int64(age/time.Millisecond) {
		age = time.Duration(l.cfg.FlushMs) * time.Millisecond
	}
	return l.agingAt.Add(age)
}

// flushAged has the logs synced whose oldest unsynced byte is old enough.
func (d *Dir) flushAged(now env.Instant) {
	keep := d.aging[:0]
	for _, l := range d.aging {
		if now < l.flushDue() {
			keep = append(keep, l)
			continue
		}
		l.aging = false
		d.queueJob(l)
	}
	clear(d.aging[len(keep):])
	d.aging = keep
}

// flushOften moves the durable end of an os log as far as flush.messages lets it, and has the
// log synced when it has so many unsynced records.
func (l *Log) flushOften() {
	end := l.writtenEnd()
	if n := kafka.Offset(l.cfg.FlushMessages); end-l.flushed >= n {
		l.dir.queueJob(l)
		end = l.flushed + n - 1
	}
	l.advance(max(l.durable, end))
}
