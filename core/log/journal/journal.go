package journal

import (
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/timing"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/trace"
)

// Events of a journal. The object is the journal's directory.
var (
	traceSubmit = trace.Define("journal.submit", "seq", "entries", "bytes", "checkpoint")
	traceDone   = trace.Define("journal.done", "seq", "file", "generation", "live")
	traceScan   = trace.Define("journal.scan", "first", "last", "groups", "torn")

	tracePrepare  = trace.Define("journal.prepare", "file", "bytes")
	tracePrepared = trace.Define("journal.prepared", "file", "made")
)

// Config is what a journal needs.
type Config struct {
	Path string // its directory; created if missing
	Env  *env.Env
	Tag  env.Tag // of its writes; one is in flight at a time
	// PrepareTag is the tag of the file that is being made; one at a time.
	PrepareTag env.Tag
	Node       int32 // for traces
	FileBytes  int64 // a multiple of Block
	Files      int   // it spreads over so many files before it stalls
	// NotesBytes bounds what a scan keeps in memory for Survey; the rest is read again. 0: 16 MiB.
	NotesBytes int64
	// Progress, if set, is told after each file a scan has read, with its bytes and those
	// of all files.
	Progress func(read, total int64)
}

// Journal is the running journal: a machine over one write at a time.
type Journal struct {
	// config
	cfg Config
	id  uint64

	// files
	live       []*file // hold groups that may still be needed; the last is written to
	free       []*file // may be overwritten
	preparing  *file   // is being made
	full       bool    // there was no room for it
	generation uint64
	numbered   int // files are numbered below this

	// groups
	pending    []*group // pending[0] is the next to write; the last collects
	flying     *group
	spare      []*group
	next       Seq         // sequence of the next group to be opened
	durable    Seq         // every group below was synced
	checkpoint Seq         // wanted: groups below are no longer needed
	carried    Seq         // a durable group carries it
	flyingMark Seq         // the group in flight carries it
	flyingFrom env.Instant // when it was submitted

	err   error
	stats Stats
}

// Stats counts what a journal has done since it was opened.
type Stats struct {
	Groups, Entries, Bytes int64
	Files, FilesFree       int
	// Stalls counts submissions that waited for a file to become free.
	Stalls int64
	// Took is from a group's submission to its durability.
	Took timing.Histogram
}

// Collect puts an entry into the collecting group and returns that group's sequence. A
// batch's payload is not copied: owner is retained until the group's write is reported.
// Any other payload is copied. Urgent marks an entry a checkpoint waits for.
func (j *Journal) Collect(e *Entry, owner env.Buffer, urgent bool) Seq {
	g := j.collecting(len(e.Payload))
	g.add(e, owner)
	g.urgent = g.urgent || urgent
	return g.seq
}

func (j *Journal) collecting(payload int) *group {
	limit := groupEntriesMax
	if j.cfg.Env.Rare.Rare("journal.tiny-group") {
		limit = 1
	}
	if n := len(j.pending); n > 0 && !j.pending[n-1].full(payload, limit) {
		return j.pending[n-1]
	}
	return j.open()
}

func (j *Journal) open() *group {
	var g *group
	if n := len(j.spare); n > 0 {
		g, j.spare = j.spare[n-1], j.spare[:n-1]
	} else {
		g = new(group)
	}
	g.reset(j.next)
	j.next++
	j.pending = append(j.pending, g)
	return g
}

// SetCheckpoint says that groups below seq are no longer needed: everything in them is
// safe elsewhere. The next group carries it, and their files are used again after that
// group is durable.
func (j *Journal) SetCheckpoint(seq Seq) {
	// What is not durable here cannot be safe elsewhere: writing behind comes after.
	if seq > j.durable {
		invariant.Violated("journal.checkpoint-within-durable", "checkpoint=%d durable=%d", seq, j.durable)
	}
	j.checkpoint = max(j.checkpoint, seq)
}

// CarryCheckpoint makes sure that a group is there to carry the checkpoint.
func (j *Journal) CarryCheckpoint() {
	if j.checkpoint > j.carried && j.checkpoint > j.flyingMark && len(j.pending) == 0 {
		j.open()
	}
}

// Submit writes the oldest waiting group, if none is in flight and there is a file to
// write to. It reports whether it did.
func (j *Journal) Submit() (bool, error) {
	if j.err != nil || j.flying != nil || len(j.pending) == 0 {
		return false, j.err
	}
	g := j.pending[0]
	f := j.place(g)
	if f == nil {
		j.stats.Stalls++
		j.prepare(g.size())
		return false, nil
	}
	j.pending = append(j.pending[:0], j.pending[1:]...)
	j.flying, j.flyingMark, j.flyingFrom = g, j.checkpoint, j.cfg.Env.Clock.Now()
	bufs := g.seal(header{
		id: j.id, generation: f.generation, syncedBelow: j.durable, checkpointBelow: j.checkpoint,
	})
	// One write in flight is what makes every group below this one durable by now; boot
	// tells rot from a torn tail by it.
	if j.durable != g.seq {
		invariant.Violated("journal.groups-in-order", "durable=%d seq=%d", j.durable, g.seq)
	}
	size := g.size()
	j.trace(traceSubmit, int64(g.seq), int64(g.entries), size, int64(j.checkpoint))
	f.file.WriteAt(env.Write{Bufs: bufs, Off: f.end, Durable: true}, j.cfg.Tag)
	f.end += size
	f.last = g.seq
	j.stats.Groups++
	j.stats.Entries += int64(g.entries)
	j.stats.Bytes += size
	j.prepareNext()
	return true, nil
}

// Done reports the write in flight. After an error nothing more is written, for good: what
// the file holds is unknown, and only a boot that reads it can tell.
func (j *Journal) Done(err error) error {
	g := j.flying
	// A completion nobody waits for would make the wrong group durable.
	if g == nil {
		invariant.Violated("journal.done-after-submit", "durable=%d", j.durable)
	}
	j.flying = nil
	if err != nil {
		j.err = fmt.Errorf("journal: write group %d: %w", g.seq, err)
	}
	if j.err != nil {
		g.release()
		return j.err
	}
	j.stats.Took.Add(j.cfg.Env.Clock.Now().Sub(j.flyingFrom))
	j.durable = g.seq + 1
	j.carried = max(j.carried, j.flyingMark)
	g.release()
	j.spare = append(j.spare, g)
	j.recycle()
	cur := j.live[len(j.live)-1]
	j.trace(traceDone, int64(g.seq), int64(cur.number), int64(cur.generation), int64(len(j.live)))
	return nil
}

// Abandon gives up the buffers of groups that will never be written, after a failure.
// The group in flight keeps its own until its write is reported.
func (j *Journal) Abandon() {
	for _, g := range j.pending {
		g.release()
	}
	j.pending = nil
}

// Durable is the sequence below which every group is durable.
func (j *Journal) Durable() Seq { return j.durable }

// Next is the sequence of the group that the next entry goes to, or of one before it.
func (j *Journal) Next() Seq {
	if n := len(j.pending); n > 0 {
		return j.pending[n-1].seq
	}
	return j.next
}

// Carried is the checkpoint that a durable group carries.
func (j *Journal) Carried() Seq { return j.carried }

// Checkpoint is the checkpoint asked for last.
func (j *Journal) Checkpoint() Seq { return j.checkpoint }

// Busy tells that something is in flight.
func (j *Journal) Busy() bool { return j.flying != nil || j.preparing != nil }

// Full tells that there was no room on the volume for the next file.
func (j *Journal) Full() bool { return j.full }

// Retry lets a file be made again after there was no room for one.
func (j *Journal) Retry() { j.full = false }

// Waiting tells that groups wait to be written.
func (j *Journal) Waiting() bool { return len(j.pending) > 0 }

// WaitingBytes is what waits to be written.
func (j *Journal) WaitingBytes() int64 {
	n := int64(0)
	for _, g := range j.pending {
		n += g.size()
	}
	return n
}

// Live is the number of files that hold groups which may still be needed.
func (j *Journal) Live() int { return len(j.live) }

// Err is the failure that stopped the journal.
func (j *Journal) Err() error { return j.err }

// Stats returns the counters.
func (j *Journal) Stats() Stats {
	s := j.stats
	s.Files, s.FilesFree = len(j.live)+len(j.free), len(j.free)
	return s
}

func (j *Journal) trace(k trace.Kind, a, b, c, d int64) {
	j.cfg.Env.Tracer.Trace(trace.Event{
		At: int64(j.cfg.Env.Clock.Now()), Node: j.cfg.Node, Kind: k,
		Topic: "journal", Partition: -1, N: [4]int64{a, b, c, d},
	})
}
