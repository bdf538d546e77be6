package simulated

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/scenarios/workload"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// storedPartition is a partition's directory, read back.
type storedPartition struct {
	tp       kafka.TopicPartition
	in       string // log directory
	id       string
	segments []*storedSegment
	batches  []storedBatch
	broken   bool // void: perhaps only what stands before the first damage
}

type storedSegment struct {
	base             int64
	log, index, time []byte
	from, to         int // its batches
}

type storedBatch struct {
	written
	segment  *storedSegment
	position int64
	batch    record.Batch
}

type storedLogs []*storedPartition

// readStored reads every log on the disk of a broker that was stopped cleanly. Then nothing
// may be left that a loss of power could still take. Of logs that are void it gives what is
// whole before the first damage.
func (r *run) readStored() (storedLogs, error) {
	return readStored(r.broker.Disk(), r.logDirs(), func(tp kafka.TopicPartition) bool {
		rep := r.ledger.replicas[tp]
		return r.budget.all || rep != nil && rep.void != ""
	})
}

func readStored(disk *simdisk.Disk, logDirs []string,
	void func(kafka.TopicPartition) bool) (storedLogs, error) {
	var logs storedLogs
	byDir := map[string]*storedPartition{}
	for _, name := range disk.CachedFiles() { // sorted: segments come in order of offset
		dir := path.Base(path.Dir(name))
		tp, err := kafka.ParseTopicPartition(dir)
		in := path.Dir(path.Dir(name))
		if err != nil || !slices.Contains(logDirs, in) {
			continue // the journal, checkpoints, logs about to be deleted
		}
		p := byDir[dir]
		if p != nil && p.in != in {
			return nil, fmt.Errorf("L4: %s is in %s and in %s", dir, p.in, in)
		}
		if p == nil {
			p = &storedPartition{tp: tp, in: in}
			byDir[dir] = p
			logs = append(logs, p)
		}
		b, err := disk.ReadCached(name)
		switch {
		case err != nil && (void(tp) || path.Ext(name) != ".log"):
			b = nil // unreadable from here on
		case err != nil:
			return nil, err
		}
		if path.Ext(name) == ".log" && !void(tp) {
			if !disk.IsDurable(name) {
				durable, err := disk.ReadDurable(name)
				return nil, fmt.Errorf("L4: %s is not durable after a clean stop: %d bytes of %d (%v)", name,
					len(durable), len(b), err)
			}
		}
		p.take(path.Base(name), b)
	}
	slices.SortFunc(logs, func(a, b *storedPartition) int {
		return strings.Compare(a.tp.String(), b.tp.String()) // as one directory lists them
	})
	for _, p := range logs {
		err := p.frame()
		if err != nil && !void(p.tp) {
			return nil, fmt.Errorf("%s: %w", p.tp, err)
		}
		p.broken = err != nil || void(p.tp)
	}
	return logs, nil
}

func (p *storedPartition) take(name string, b []byte) {
	if name == topicIDFile {
		for line := range strings.Lines(string(b)) {
			if id, ok := strings.CutPrefix(line, "topic_id: "); ok {
				p.id = strings.TrimSpace(id)
			}
		}
		return
	}
	stem, ext, _ := strings.Cut(name, ".")
	base, err := strconv.ParseInt(stem, 10, 64)
	if err != nil || len(stem) != 20 {
		return
	}
	switch ext {
	case "log":
		p.segment(base).log = b
	case "index":
		p.segment(base).index = b
	case "timeindex":
		p.segment(base).time = b
	}
}

// segment is the one with that base; its files follow each other.
func (p *storedPartition) segment(base int64) *storedSegment {
	if n := len(p.segments); n > 0 && p.segments[n-1].base == base {
		return p.segments[n-1]
	}
	s := &storedSegment{base: base}
	p.segments = append(p.segments, s)
	return s
}

var errChecksum = errors.New("checksum does not match")

// topicIDFile says which topic a log is of.
const topicIDFile = "partition.metadata"

// frame cuts the segments into batches. Segments tile the log (L14).
func (p *storedPartition) frame() error {
	for i, s := range p.segments {
		if n := len(p.batches); s.log == nil || n > 0 && p.batches[n-1].next != s.base {
			return fmt.Errorf("L14: segment %d does not follow the one before", s.base)
		}
		s.from = len(p.batches)
		rest := s.log
		for len(rest) > 0 {
			b, more, err := record.First(rest)
			if err == nil && !b.CRCValid() {
				err = errChecksum
			}
			if err != nil {
				return fmt.Errorf("segment %d at %d of %d: %w", s.base, len(s.log)-len(rest), len(s.log), err)
			}
			if len(p.batches) == s.from && int64(b.BaseOffset()) != s.base && i > 0 {
				return fmt.Errorf("L14: segment %d begins with offset %d", s.base, b.BaseOffset())
			}
			p.batches = append(p.batches, storedBatch{segment: s, position: int64(len(s.log) - len(rest)), batch: b,
				written: written{int64(b.BaseOffset()), int64(b.NextOffset()), int64(b.LeaderEpoch()), int64(b.CRC())}})
			rest = more
		}
		s.to = len(p.batches)
	}
	return nil
}

// final makes the oracle of what is stored.
func (logs storedLogs) final() *history.Final {
	final, decoder := &history.Final{}, workload.NewDecoder()
	for _, p := range logs {
		if p.tp.Topic == kafka.MetadataTopic {
			continue
		}
		f := history.FinalPartition{Topic: p.tp.Topic, TopicID: p.id, Partition: p.tp.Partition}
		place := workload.Place(f.Key())
		for i := range p.batches {
			b := &p.batches[i]
			f.Records = decoder.Append(f.Records, b.batch, place, b.base)
			f.End = b.next
		}
		if len(p.segments) > 0 {
			f.Start = p.segments[0].base
			f.End = max(f.End, f.Start)
		}
		final.Partitions = append(final.Partitions, f)
	}
	return final
}
