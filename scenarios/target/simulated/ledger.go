package simulated

import (
	"fmt"
	"sort"
	"strings"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/trace"
)

// ledger is the ghost beside the broker: it notes what the broker appended, called durable
// and acknowledged, and holds recovery and the files against it. Its rules, by the names under
// which it reports and counts them:
//
//	L1  offsets of appends follow each other
//	L2  leader epochs do not fall
//	L3  durable end and high watermark stay within the log
//	L4  what is called durable can be recovered from the synced image
//	L5  recovery keeps what was durable, and ends where an append ended
//	L13 after a failed write or sync nothing in that directory is appended or acknowledged
//	L15 a log start is not above what is durable, and never goes back, over a crash neither
//	L17 damage is not seen where there is none
//	R15 an acknowledgement covers durable records only
//
// What a fault has destroyed within the budget is void, and owes nothing any more (budget.go).
type ledger struct {
	run      *run
	offline  map[int64]bool // directories in which a write or sync of this life has failed
	replicas map[kafka.TopicPartition]*replica
	order    []*replica
	notes    int
	checked  map[string]int // by rule
}

// replica is one log as the ledger knows it.
type replica struct {
	tp      kafka.TopicPartition
	dir     int64 // number of the log directory it was created in
	start   int64
	begins  int64     // the log start as announced; what lies below was let go
	batches []written // as appended, in order of offset
	durable int64     // what must survive
	// recovered is the end that a boot under way has found; −1: none. It counts when that
	// boot is over: until then another crash may leave another end.
	recovered int64
	found     bool // by the boot under way
	settled   bool // what stood above recovered is forgotten
	flushOS   bool // durable means written: the promise ends with the power
	deleted   bool
	void      string // the fault that may have destroyed something; "": none
	damaged   bool   // by a fault that changes bytes at rest
}

// written is a batch as it was appended.
type written struct {
	base, next int64
	epoch, crc int64
}

func newLedger(r *run) *ledger {
	return &ledger{run: r, replicas: map[kafka.TopicPartition]*replica{}, offline: map[int64]bool{},
		checked: map[string]int{}}
}

func (r *replica) end() int64 {
	if n := len(r.batches); n > 0 {
		return r.batches[n-1].next
	}
	return r.start
}

// observe takes a trace event of the broker.
func (l *ledger) observe(ev *trace.Event) {
	switch ev.Kind {
	case kindHostLive:
		l.live()
	case kindHostKill:
		l.crash(strikeKill)
	case kindHostStop:
		clear(l.offline)
	case kindPowerLoss:
		l.crash(strikePower)
	case kindOffline:
		l.offline[ev.N[0]] = true
	}
	if ev.Partition < 0 {
		return
	}
	tp := kafka.TopicPartition{Topic: ev.Topic, Partition: ev.Partition}
	r := l.replicas[tp]
	if ev.Kind == kindCreated {
		l.created(r, tp, ev.N[0], ev.N[1])
		return
	}
	if r == nil {
		return
	}
	switch ev.Kind {
	case kindAppend:
		l.appended(r, written{base: ev.N[0], next: ev.N[1], epoch: ev.N[2], crc: ev.N[3]})
	case kindDurable:
		l.madeDurable(r, ev.N[1])
	case kindStart:
		l.started(r, ev.N[1])
	case kindTruncate:
		l.truncated(r, ev.N[1])
	case kindDeleted:
		l.gone(r)
	case kindPolicy:
		r.flushOS = ev.N[0] != 0
	case kindRecovered:
		l.refound(r, ev.N[0])
		l.recovered(r, ev.N[1], ev.N[3])
	case kindAck:
		l.acked(r, ev.N[1], ev.N[2])
	case kindHW:
		l.visible(r, ev.N[1])
	}
}

func (l *ledger) created(old *replica, tp kafka.TopicPartition, start, dir int64) {
	if old != nil && old.void != "" && !old.deleted {
		old.durable = old.start
	}
	if old != nil && !old.deleted && old.durable > old.start {
		l.report("L5", old, "created anew, with records up to %d that were durable", old.durable)
	}
	r := &replica{tp: tp, dir: dir, start: start, begins: start, durable: start, recovered: -1, found: true}
	if old == nil {
		l.order = append(l.order, r)
	} else {
		for i := range l.order {
			if l.order[i] == old {
				l.order[i] = r
			}
		}
	}
	l.replicas[tp] = r
}

func (l *ledger) appended(r *replica, b written) {
	l.saw("L1")
	l.failed(r, "append at offset", b.base)
	r.settle()
	if b.base != r.end() || b.next <= b.base {
		l.report("L1", r, "append of [%d,%d) behind %d", b.base, b.next, r.end())
	}
	if n := len(r.batches); n > 0 && b.epoch < r.batches[n-1].epoch {
		l.report("L2", r, "append at offset %d with epoch %d behind epoch %d", b.base, b.epoch,
			r.batches[n-1].epoch)
	}
	r.batches = append(r.batches, b)
}

func (l *ledger) madeDurable(r *replica, to int64) {
	l.saw("L3")
	if to < r.durable || to > r.end() {
		l.report("L3", r, "durable end moved from %d to %d, log end is %d", r.durable, to, r.end())
	}
	r.durable = to
}

func (l *ledger) visible(r *replica, hw int64) {
	l.saw("L3")
	if hw > r.durable {
		l.report("L3", r, "high watermark %d is above the durable end %d", hw, r.durable)
	}
}

func (l *ledger) acked(r *replica, last, acks int64) {
	if acks == 0 {
		return
	}
	l.saw("R15")
	l.failed(r, "acknowledgement of offset", last)
	if last >= r.durable {
		l.report("R15", r, "offset %d is acknowledged, durable end is %d", last, r.durable)
	}
}

// failed is L13: nothing may rest on files of which nobody knows what they hold.
func (l *ledger) failed(r *replica, what string, offset int64) {
	if l.saw("L13"); l.offline[r.dir] {
		l.report("L13", r, "%s %d after a write or sync had failed in directory %d", what, offset, r.dir)
	}
}

func (l *ledger) truncated(r *replica, to int64) {
	if to < r.durable {
		l.report("L5", r, "truncated to %d, durable end is %d", to, r.durable)
	}
	r.cut(to)
}

// cut drops what stands at or above an offset. It reports false if that is inside a batch.
func (r *replica) cut(to int64) bool {
	n := len(r.batches)
	for n > 0 && r.batches[n-1].next > to {
		n--
	}
	r.batches = r.batches[:n]
	return r.end() == to
}

// started is told that a log begins later than it did, for good.
func (l *ledger) started(r *replica, start int64) {
	if l.saw("L15"); start > r.durable || start < r.begins {
		l.report("L15", r, "start %d, it was %d and the durable end is %d", start, r.begins, r.durable)
	}
	r.begins = start
}

// refound is told where a boot found the log's start. One that was asked for and not announced
// may have become durable.
func (l *ledger) refound(r *replica, start int64) {
	if !r.deleted && start < r.begins {
		l.report("L15", r, "recovery finds the start at %d, it was %d", start, r.begins)
	}
	r.begins = max(r.begins, start)
}

// recovered is told where a boot found the log's end.
func (l *ledger) recovered(r *replica, end, damages int64) {
	l.saw("L5")
	if damages > 0 && !l.run.misread() {
		l.report("L17", r, "recovery complains of %d damages, and no fault damages stored bytes", damages)
	}
	r.recovered, r.found, r.settled = end, true, false
	if r.deleted {
		return
	}
	if r.damaged && !r.flushOS && end < r.durable && damages == 0 && !l.run.budget.all {
		l.run.world.Fail("ledger.L17", fmt.Sprintf("%s: recovery cuts a damaged log at %d, durable end was "+
			"%d, and does not say so", r.tp, end, r.durable))
	}
	if end < r.durable {
		l.report("L5", r, "recovery ends at %d, durable end was %d", end, r.durable)
	}
	if end != r.start && end != r.begins && !r.endsAt(end) {
		l.report("L5", r, "recovery ends at %d, where no batch that was appended ends", end)
	}
}

func (r *replica) endsAt(end int64) bool {
	for i := len(r.batches) - 1; i >= 0 && r.batches[i].next >= end; i-- {
		if r.batches[i].next == end {
			return true
		}
	}
	return false
}

// settle forgets what recovery did not find. It happens at the latest when the boot is over,
// and before the first append: a boot appends too.
func (r *replica) settle() {
	if r.recovered >= 0 && !r.settled {
		r.cut(r.recovered)
		r.settled = true
	}
}

// gone is told that a log is deleted: only what a client asked for, and what never held
// anything, may go.
func (l *ledger) gone(r *replica) {
	r.deleted = true
	if r.durable > r.start && !l.run.recorder.Asked(history.DeleteTopic, r.tp.Topic) {
		l.report("L5", r, "deleted with records up to %d, and no client asked for that", r.durable)
	}
}

// live ends a boot: what it found is served from now on, so it must last.
func (l *ledger) live() {
	for _, r := range l.order {
		switch {
		case r.recovered >= 0:
			r.settle()
			if r.durable = max(r.durable, r.recovered); l.isVoid(r) {
				r.durable = r.recovered
			}
		case !r.found && !r.deleted && r.durable > r.start:
			l.report("L5", r, "recovery did not find the log, durable end was %d", r.durable)
		}
		r.recovered = -1
	}
}

// crash is told of a crash.
func (l *ledger) crash(k strike) {
	clear(l.offline)
	for _, r := range l.order {
		r.recovered, r.found = -1, false
		if k == strikePower && r.flushOS {
			r.durable = r.start
		}
	}
}

// isVoid tells that a log may have lost something within the budget.
func (l *ledger) isVoid(r *replica) bool { return r.void != "" || l.run.budget.all }

// inFlight tells whether something was appended and is not durable yet.
func (l *ledger) inFlight() bool {
	for _, r := range l.order {
		if r.end() > r.durable {
			return true
		}
	}
	return false
}

func (l *ledger) saw(rule string) { l.checked[rule]++ }

// report stops the world: everything after would only be a consequence.
func (l *ledger) report(rule string, r *replica, format string, args ...any) {
	if l.isVoid(r) && rule != "L13" {
		l.run.counts["ledger/void"]++
		return
	}
	if l.notes++; l.notes > ledgerNotesMax {
		return
	}
	var tail []string
	for _, b := range r.batches[max(0, len(r.batches)-5):] {
		tail = append(tail, fmt.Sprintf("[%d,%d)e%d", b.base, b.next, b.epoch))
	}
	l.run.world.Fail("ledger."+rule, fmt.Sprintf("%s: %s; last appends %s", r.tp, fmt.Sprintf(format, args...),
		strings.Join(tail, " ")))
}

// compare holds the stored logs against what was appended. It returns what differs.
func (l *ledger) compare(stored []*storedPartition) []string {
	var notes []string
	byTP := map[kafka.TopicPartition]*storedPartition{}
	for _, p := range stored {
		byTP[p.tp] = p
	}
	for _, r := range l.order {
		p := byTP[r.tp]
		switch {
		case l.isVoid(r):
		case p == nil && !r.deleted && r.end() > r.start:
			notes = append(notes, fmt.Sprintf("ledger.L5: %s: no files, the log had [%d,%d)", r.tp, r.start, r.end()))
		case p != nil && !r.deleted:
			l.saw("L5")
			notes = append(notes, r.compare(p)...)
		}
	}
	return notes
}

// from is the index of the first batch that has anything at or above an offset.
func (r *replica) from(offset int64) int {
	return sort.Search(len(r.batches), func(i int) bool { return r.batches[i].next > offset })
}

func (r *replica) compare(p *storedPartition) []string {
	appended := r.batches
	if len(p.segments) > 0 {
		// Segments go as a whole, and only those that lie below the start.
		base := p.segments[0].base
		if base > r.begins {
			return []string{fmt.Sprintf("ledger.L15: %s: the first segment is %d, the start %d", r.tp, base, r.begins)}
		}
		appended = r.batches[r.from(base):]
	}
	return sameBatches(r.tp, appended, p)
}

func sameBatches(tp kafka.TopicPartition, appended []written, p *storedPartition) []string {
	for i := range max(len(appended), len(p.batches)) {
		if i >= len(appended) {
			return []string{fmt.Sprintf("ledger.L5: %s: offset %d is stored and was never appended", tp,
				p.batches[i].base)}
		}
		if i >= len(p.batches) {
			return []string{fmt.Sprintf("ledger.L5: %s: offset %d was appended and is not stored", tp,
				appended[i].base)}
		}
		if got := p.batches[i].written; got != appended[i] {
			return []string{fmt.Sprintf("ledger.L5: %s: stored batch %v, appended %v (base, next, epoch, checksum)",
				tp, got, appended[i])}
		}
	}
	return nil
}
