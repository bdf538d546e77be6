package log

import (
	"fmt"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// DiskDone takes a completion with this directory's tag base.
func (d *Dir) DiskDone(done env.Completion) *Effects {
	d.effects.reset()
	switch o := d.ops.finish(done.Tag); o.kind {
	case opJournal:
		d.groupDone(done)
	case opPrepare:
		d.filePrepared(done)
	case opSegment:
		d.segmentWritten(o.write, done)
	case opJob:
		d.jobStepped(o, done)
	case opRead:
		d.readArrived(o.read, done)
	case opNames:
		d.deletionSynced(o.gone, done)
	case opTrimmed:
		d.trimSynced(o.trim, done)
	}
	return d.give()
}

// Drained does the work that was collected: the journal's next group first, because
// somebody waits for it.
func (d *Dir) Drained() *Effects {
	d.effects.reset()
	if d.err == nil {
		d.submitGroup()
		for again := true; again && !d.space.stuck && d.err == nil; {
			again = d.workBehind()
		}
		if d.point.active {
			d.endCheckpoint()
		}
		d.submitGroup()
	}
	return d.give()
}

// workBehind does what goes to files other than the journal. It tells whether there may be
// more at once: a job that was cut short has made way for a truncation.
func (d *Dir) workBehind() (again bool) {
	d.moveDeleted()
	d.moveTrimmed()
	d.applyCuts()
	ended := d.point.ended
	if !d.point.active && d.wantCheckpoint() {
		d.beginCheckpoint()
	}
	d.submitWrites() // may ask for jobs, which may ask for writes
	d.startJobs()
	d.submitWrites()
	return d.point.ended != ended && len(d.cuts)+len(d.jobs) > 0
}

// TickInterval is how often Tick should be called.
const TickInterval = 250 * time.Millisecond

// Tick sees to what age asks for. Call it about every TickInterval.
func (d *Dir) Tick(now env.Instant) {
	if d.err != nil {
		return
	}
	d.lookForRoom()
	d.journal.Retry()
	d.flushAged(now)
	if d.journal.Checkpoint() >= d.journal.Durable()-1 {
		d.point.at = now // nothing to make safe: its age counts from here
	}
	d.overdue = d.overdue || now.Sub(d.point.at) >= checkpointAge
	d.removeTrash(now)
	d.removeRemains(now)
	d.dueAt = 0
	for _, l := range d.aging {
		d.expect(l.flushDue())
	}
	for _, g := range d.trash {
		d.expect(g.removeAt)
	}
	for _, r := range d.remains {
		d.expect(r.at)
	}
}

// expect notes that Tick should be called at a time, though nothing else may happen until then.
func (d *Dir) expect(at env.Instant) {
	if d.dueAt == 0 || at < d.dueAt {
		d.dueAt = at
	}
}

// DueAt is when Tick should be called though nothing else asks for it: bytes are to be synced
// for their age, or files of what was deleted are to go. False: there are none.
func (d *Dir) DueAt() (at env.Instant, ok bool) { return d.dueAt, d.dueAt != 0 && d.err == nil }

func (d *Dir) give() *Effects {
	if d.err != nil && !d.failed {
		d.failed = true
		d.effects.Failed = d.err
	}
	d.effects.Space, d.space.changed = d.space.changed, false
	return &d.effects
}

func (d *Dir) submitGroup() {
	if _, err := d.journal.Submit(); err != nil {
		d.fail(err)
	}
}

// groupDone is where appends under FlushGroup become durable.
func (d *Dir) groupDone(done env.Completion) {
	if err := d.journal.Done(done.Err); err != nil {
		d.fail(err)
		return
	}
	if d.err == nil {
		d.settle(d.journal.Durable())
		d.settleRaises(d.journal.Durable())
		d.submitGroup()
	}
}

// filePrepared gives the journal its next file. A group may have waited for it.
func (d *Dir) filePrepared(done env.Completion) {
	if err := d.journal.Prepared(done.Err); err != nil {
		d.fail(err)
	}
	d.noRoom(done.Err)
}

// fail takes the directory offline: after a failed write or sync nobody knows what the
// files hold. It is never retried; a restart recovers from what is durable.
func (d *Dir) fail(err error) {
	if d.err != nil {
		return
	}
	d.err = fmt.Errorf("%w: %w", ErrOffline, err)
	d.trace(traceOffline, fmt.Sprintf("%q", err.Error()), [4]int64{int64(d.cfg.Number)})
	d.journal.Abandon()
	for _, l := range d.order {
		l.forgetFrom(0)
	}
}

// WantsRoom tells that something waits for room on the volume: Tick looks for it.
func (d *Dir) WantsRoom() bool {
	return d.err == nil && (d.space.tight || d.space.stuck || d.journal.Full())
}

// Idle tells that no operation is in flight and none is due: the moment to Close. On a full
// volume what is due has to wait, and does not count.
func (d *Dir) Idle() bool {
	return d.ops.inFlight == 0 && !d.journal.Busy() &&
		(len(d.active) == 0 && d.writtenOut() || d.space.stuck)
}
