package log

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log/journal"
	"github.com/tidemark-log/tidemark/core/record"
)

// Dir is a log directory: it fails as a whole, and has one journal. OpenDir makes it.
type Dir struct {
	// config
	cfg DirConfig
	env *env.Env

	// hard state
	byTP  map[kafka.TopicPartition]*Log
	order []*Log // by topic, partition
	blobs []blob // by key

	// soft state
	journal  *journal.Journal
	marks    markRing
	ops      opTable
	cache    cacheOrder
	ahead    aheads
	writes   []*Log // have something to write to their segments
	dirty    []*Log // have entries in the journal that a checkpoint must make safe
	aging    []*Log // os logs with unsynced bytes, oldest first
	osLogs   []*Log // logs whose policy the journal must keep saying
	jobs     []*Log // wait for a sync job
	active   []*syncJob
	running  int  // sync jobs under way
	overdue  bool // a checkpoint is, by age
	point    checkpoint
	cuts     []*Log      // wait for a truncation of their files
	raises   []raise     // starts on their way through the journal, in order
	starts   []*Log      // whose start the journal must keep saying
	trims    []*trimming // segments let go, not yet renamed and synced
	remains  []remains   // files to be removed when their time comes
	dueAt    env.Instant // when age asks for something next, 0: never
	gone     []*deletion // not yet renamed and synced
	trash    []*deletion // to be removed when their time comes
	space    space
	closed   closedFiles
	indexes  indexCache
	recovery Recovery
	counts   counts

	writingOut bool // a clean stop has begun
	closing    bool // and is at its end
	uses       uint64
	err        error

	// scratch
	scanBuf     []byte // of the last file that boot has read
	effects     Effects
	failed      bool // Failed was reported
	spareQueue  []*Log
	spareDirty  []*Log
	spareWrites []*segmentWrite
	spareReads  []*diskRead
}

// blob is a small value that the journal keeps for others: votes.
type blob struct {
	key   string
	value []byte
	seq   journal.Seq
}

// Recovery tells what opening the directory found.
func (d *Dir) Recovery() Recovery { return d.recovery }

// All returns the logs by topic and partition. The slice is the directory's: read only.
func (d *Dir) All() []*Log { return d.order }

// Log returns the log of a partition, nil if there is none.
func (d *Dir) Log(tp kafka.TopicPartition) *Log { return d.byTP[tp] }

// Err tells why the directory is offline. Nothing in it is appended or acknowledged.
func (d *Dir) Err() error { return d.err }

// SetBrokerEpoch sets what the mark of a clean stop will say.
func (d *Dir) SetBrokerEpoch(e kafka.BrokerEpoch) { d.cfg.BrokerEpoch = e }

// JournalStats counts what the journal has done since OpenDir.
func (d *Dir) JournalStats() journal.Stats { return d.journal.Stats() }

// Waiting is the bytes that wait for the journal: a reason to pause producers.
func (d *Dir) Waiting() int64 { return d.journal.WaitingBytes() }

// Create makes an empty log. It does no file work: the log becomes durable with the
// journal, and its files are made when they are first written.
func (d *Dir) Create(tp kafka.TopicPartition, id kafka.TopicID, cfg Config) (*Log, error) {
	if d.err != nil {
		return nil, d.err
	}
	if d.byTP[tp] != nil {
		return nil, fmt.Errorf("log: create %s: %w", tp, env.ErrExist)
	}
	l := d.newLog(tp, id, cfg.withDefaults())
	l.policy = l.cfg.Flush
	l.segments = []*segment{newSegment(0)}
	l.blocked = slices.ContainsFunc(d.gone, func(g *deletion) bool { return !g.moved && g.log.path == l.path })
	d.insert(l)
	l.trace(traceCreated, 0, int64(d.cfg.Number), 0, 0)
	l.born = d.note(l, journal.Entry{
		Kind: journal.KindCreated, Key: l.key, B: int64(l.policy), Payload: []byte(tp.Topic),
	})
	l.gate = l.born
	if l.policy == FlushOS {
		l.trace(tracePolicy, int64(FlushOS), 0, 0, 0)
		l.policySeq = l.gate
		d.osLogs = append(d.osLogs, l)
	}
	return l, nil
}

func (d *Dir) newLog(tp kafka.TopicPartition, id kafka.TopicID, cfg Config) *Log {
	return &Log{
		dir: d, tp: tp, id: id, key: journal.Key{Topic: id, Partition: tp.Partition},
		path: d.cfg.Path + "/" + tp.String(), cfg: cfg,
		producers: producers{expiry: d.cfg.ProducerExpiry},
	}
}

func compareTP(a, b kafka.TopicPartition) int {
	if c := strings.Compare(a.Topic, b.Topic); c != 0 {
		return c
	}
	return compareInt64(int64(a.Partition), int64(b.Partition))
}

func (d *Dir) find(tp kafka.TopicPartition) (int, bool) {
	return slices.BinarySearchFunc(d.order, tp, func(l *Log, tp kafka.TopicPartition) int {
		return compareTP(l.tp, tp)
	})
}

func (d *Dir) insert(l *Log) {
	i, found := d.find(l.tp)
	// Two logs in one folder would write over each other.
	if found {
		invariant.Violated("log.one-log-per-partition", "%s", l.tp)
	}
	d.order = slices.Insert(d.order, i, l)
	d.byTP[l.tp] = l
}

// journalBatch puts an append into the collecting group and remembers how far the log is
// durable once that group is.
func (d *Dir) journalBatch(l *Log, s *segment, pos int64, b record.Batch, owner env.Buffer) {
	e := journal.Entry{Kind: journal.KindBatch, Key: l.key, A: int64(s.base), B: pos, Payload: b}
	seq := d.journal.Collect(&e, owner, false)
	l.lastSeq = seq
	if l.markSeq == seq {
		d.marks.at(l.mark).end = l.end
	} else {
		l.mark, l.markSeq = d.marks.push(mark{l, seq, l.end}), seq
	}
	d.touch(l)
}

// note puts an entry other than a batch into the collecting group.
func (d *Dir) note(l *Log, e journal.Entry) journal.Seq {
	// A log whose file work waits for an entry must not wait for a checkpoint to make room
	// for it: that may wait for the log.
	gates := e.Kind == journal.KindCreated || e.Kind == journal.KindTruncate
	seq := d.journal.Collect(&e, nil, gates)
	l.lastSeq = seq
	d.touch(l)
	return seq
}

// touch makes the next checkpoint see to the log.
func (d *Dir) touch(l *Log) {
	if !l.dirty && !l.gone {
		l.dirty = true
		d.dirty = append(d.dirty, l)
	}
}

// SetConfig changes the settings. A change of the flush policy takes effect in its own
// time: see Policy.
func (l *Log) SetConfig(cfg Config) {
	was := l.cfg.Flush
	l.cfg = cfg.withDefaults()
	if l.gone || l.dir.err != nil {
		return
	}
	switch {
	case l.cfg.Flush == FlushGroup && l.policy == FlushOS && was != FlushGroup:
		l.switchAt = l.end
		l.dir.queueJob(l)
	case l.cfg.Flush == FlushOS && l.policy == FlushGroup:
		l.setPolicy(FlushOS)
	}
}

// setPolicy puts a policy in force. The journal says so before any byte rests on it: boot
// trusts a group log's segments only as far as the journal reaches, and reads an os log's
// on from its recovery point.
func (l *Log) setPolicy(p FlushPolicy) {
	d := l.dir
	l.policy, l.switchAt = p, 0
	l.trace(tracePolicy, int64(p), int64(l.end), 0, 0)
	if p == FlushOS {
		l.osFrom = l.end
		d.touch(l)
		l.notePolicy(true)
		l.gate = l.policySeq
		d.osLogs = append(d.osLogs, l)
		return
	}
	l.osFrom = 0
	d.note(l, l.policyEntry(p, l.end))
	d.osLogs = deletePointer(d.osLogs, l)
}

// arrive completes a switch to FlushGroup: all that was written under FlushOS was synced,
// and the journal has all since.
func (l *Log) arrive() {
	if l.policy == FlushOS && l.cfg.Flush == FlushGroup && l.flushed >= l.switchAt &&
		max(l.journaled, l.switchAt) >= l.durable {
		l.setPolicy(FlushGroup)
		l.advance(min(l.journaled, l.end)) // a segment's write may still be waiting
	}
}

// mark says that a log is durable below end once group seq is.
type mark struct {
	log *Log
	seq journal.Seq
	end kafka.Offset
}

// markRing holds the marks of groups not yet durable, in order.
type markRing struct {
	ring []mark // length a power of two
	from uint64 // position of the oldest
	n    int
}

func (r *markRing) at(i uint64) *mark { return &r.ring[i&uint64(len(r.ring)-1)] }

func (r *markRing) push(m mark) uint64 {
	if r.n == len(r.ring) {
		grown := make([]mark, max(64, 2*len(r.ring)))
		for i := range uint64(r.n) {
			grown[(r.from+i)&uint64(len(grown)-1)] = *r.at(r.from + i)
		}
		r.ring = grown
	}
	i := r.from + uint64(r.n)
	r.n++
	*r.at(i) = m
	return i
}

// settle hands out the marks of groups below seq.
func (d *Dir) settle(below journal.Seq) {
	r := &d.marks
	for r.n > 0 && r.at(r.from).seq < below {
		m := *r.at(r.from)
		*r.at(r.from) = mark{}
		r.from++
		r.n--
		if !m.log.gone {
			m.log.settled(min(m.end, m.log.end))
		}
	}
}

// settled reports that durable groups hold the log up to end.
func (l *Log) settled(end kafka.Offset) {
	l.journaled = max(l.journaled, end)
	if l.policy == FlushOS {
		if l.written >= l.switchAt {
			l.advance(end)
		}
		l.arrive()
		return
	}
	l.advance(end)
	l.queueWrite()
}
