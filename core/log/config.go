package log

import (
	"fmt"
	"math"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// FlushPolicy says when a batch counts as durable.
type FlushPolicy uint8

const (
	// FlushGroup: when the journal group that carries it was synced. The default.
	FlushGroup FlushPolicy = iota
	// FlushOS: when it was written to its segment. Survives the death of the process,
	// not the loss of power. Kafka's own rule.
	FlushOS
)

func (p FlushPolicy) String() string {
	if p == FlushOS {
		return "os"
	}
	return "group"
}

// ParseFlushPolicy reads what String wrote.
func ParseFlushPolicy(s string) (FlushPolicy, error) {
	switch s {
	case "group":
		return FlushGroup, nil
	case "os":
		return FlushOS, nil
	}
	return FlushGroup, fmt.Errorf("log: flush policy %q: want group or os", s)
}

// Config is what a topic's settings say about one log.
type Config struct {
	SegmentBytes       int64         // segment.bytes: roll before an append would pass it
	SegmentMs          int64         // segment.ms: roll when a segment spans more time
	SegmentJitterMs    int64         // segment.jitter.ms: the most by which that is shortened
	RetentionMs        int64         // retention.ms, −1: for ever
	RetentionBytes     int64         // retention.bytes, −1: without bound
	FlushMessages      int64         // flush.messages: under FlushOS, fewer are ever unsynced
	FlushMs            int64         // flush.ms: under FlushOS, how long they may be
	IndexIntervalBytes int64         // index.interval.bytes: one index entry per so many bytes
	SegmentIndexBytes  int64         // segment.index.bytes: roll when an index is full
	FileDeleteDelay    time.Duration // file.delete.delay.ms: between delete and removal
	Flush              FlushPolicy
	_                  struct{}
}

// DefaultConfig is Kafka's defaults, but nothing is deleted for its age.
func DefaultConfig() Config {
	return Config{
		SegmentBytes:       1 << 30,
		SegmentMs:          int64(7 * 24 * time.Hour / time.Millisecond),
		RetentionMs:        -1,
		RetentionBytes:     -1,
		FlushMessages:      math.MaxInt64,
		FlushMs:            math.MaxInt64,
		IndexIntervalBytes: 4096,
		SegmentIndexBytes:  10 << 20,
		FileDeleteDelay:    time.Minute,
	}
}

// withDefaults fills what is zero and bounds what a segment file cannot hold.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	if c.SegmentBytes <= 0 {
		c.SegmentBytes = d.SegmentBytes
	}
	c.SegmentBytes = min(c.SegmentBytes, SegmentBytesMax)
	if c.SegmentMs <= 0 {
		c.SegmentMs = d.SegmentMs
	}
	if c.FlushMessages <= 0 {
		c.FlushMessages = d.FlushMessages
	}
	if c.FlushMs < 0 {
		c.FlushMs = d.FlushMs
	}
	if c.IndexIntervalBytes < 0 {
		c.IndexIntervalBytes = d.IndexIntervalBytes
	}
	if c.SegmentIndexBytes <= 0 {
		c.SegmentIndexBytes = d.SegmentIndexBytes
	}
	if c.FileDeleteDelay < 0 {
		c.FileDeleteDelay = d.FileDeleteDelay
	}
	return c
}

// DirConfig is what a log directory needs to open.
type DirConfig struct {
	Path string   // absolute
	Env  *env.Env // Disk, Clock, Rand, Tracer, Rare and Buffers are used
	// TagBase is in the high byte of every tag of this directory, and no other's.
	TagBase env.Tag
	Node    kafka.BrokerID // for traces
	Number  int            // of the directory among the broker's, for traces
	// BrokerEpoch is written into the mark of a clean stop; SetBrokerEpoch changes it.
	BrokerEpoch kafka.BrokerEpoch

	JournalFileBytes int64 // size of a journal file, a multiple of 4096
	JournalFiles     int   // how many of them the journal may spread over
	TailCacheBytes   int64 // newest bytes of all logs together, kept in memory
	// ReserveBytes is the free space below which clients' appends are refused, and the size
	// of a file that a boot on a full volume gives up; 0: neither. See space.go.
	ReserveBytes   int64
	ProducerExpiry time.Duration
	// FlushAge bounds how long an os log's bytes stay unsynced, and how long journal
	// files may wait for a checkpoint while little is written.
	FlushAge time.Duration
	// Progress, if set, is told during OpenDir how far it is. OpenDir waits for it.
	Progress func(Progress)
	_        struct{}
}

// Defaults fills what is zero.
func (c DirConfig) Defaults() DirConfig {
	if c.JournalFileBytes == 0 {
		c.JournalFileBytes = journalFileBytesDefault
	}
	if c.JournalFiles == 0 {
		c.JournalFiles = journalFilesDefault
	}
	if c.TailCacheBytes == 0 {
		c.TailCacheBytes = tailCacheBytesDefault
	}
	if c.ProducerExpiry == 0 {
		c.ProducerExpiry = producerExpiryDefault
	}
	if c.FlushAge == 0 {
		c.FlushAge = flushAgeDefault
	}
	return c
}

// Validate tells why the directory cannot open with this.
func (c DirConfig) Validate() error {
	switch {
	case c.Env == nil || c.Env.Disk == nil:
		return fmt.Errorf("log: directory %q has no environment", c.Path)
	case len(c.Path) == 0 || c.Path[0] != '/':
		return fmt.Errorf("log: directory %q is not an absolute path", c.Path)
	case c.TagBase&(1<<56-1) != 0:
		return fmt.Errorf("log: tag base %#x uses more than its high byte", uint64(c.TagBase))
	case c.JournalFileBytes%4096 != 0 || c.JournalFileBytes < journalFileBytesMin:
		return fmt.Errorf("log: journal file of %d bytes: want a multiple of 4096, at least %d",
			c.JournalFileBytes, journalFileBytesMin)
	case c.ReserveBytes < 0:
		return fmt.Errorf("log: reserve of %d bytes: want none or more", c.ReserveBytes)
	case c.JournalFiles < journalFilesMin || c.JournalFiles > math.MaxInt16:
		return fmt.Errorf("log: %d journal files: want at least %d", c.JournalFiles, journalFilesMin)
	}
	return nil
}
