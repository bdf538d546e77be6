package log

import (
	"strconv"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// epochEntry says that leader epoch epoch begins at offset start.
type epochEntry struct {
	epoch kafka.LeaderEpoch
	start kafka.Offset
}

// epochCache knows where each leader's records begin. Epochs and starts strictly increase.
type epochCache struct {
	entries []epochEntry
	changed bool // since it was written to leader-epoch-checkpoint
}

// assign notes that epoch begins at start, unless it or a later one has begun already. An
// epoch that began at or after start has no record, and gives way.
func (c *epochCache) assign(epoch kafka.LeaderEpoch, start kafka.Offset) bool {
	n := len(c.entries)
	if epoch < 0 || n > 0 && c.entries[n-1].epoch >= epoch {
		return false
	}
	for n > 0 && c.entries[n-1].start >= start {
		n--
	}
	c.entries = append(c.entries[:n], epochEntry{epoch, start})
	c.changed = true
	return true
}

// cutEnd forgets what begins at or after end. Called also when end is the log's end: an
// epoch that wrote nothing must not outlive a truncation.
func (c *epochCache) cutEnd(end kafka.Offset) {
	n := len(c.entries)
	for n > 0 && c.entries[n-1].start >= end {
		n--
	}
	if n < len(c.entries) {
		c.entries, c.changed = c.entries[:n], true
	}
}

// cutStart forgets epochs that end at or before start; the one that holds start begins there.
func (c *epochCache) cutStart(start kafka.Offset) {
	n := 0
	for n+1 < len(c.entries) && c.entries[n+1].start <= start {
		n++
	}
	if len(c.entries) > 0 && c.entries[n].start < start {
		c.entries[n].start = start
		c.changed = true
	}
	if n > 0 {
		c.entries = append(c.entries[:0], c.entries[n:]...)
		c.changed = true
	}
}

func (c *epochCache) latest() kafka.LeaderEpoch {
	if n := len(c.entries); n > 0 {
		return c.entries[n-1].epoch
	}
	return -1
}

// at is the epoch that offset belongs to, −1 if it lies before all.
func (c *epochCache) at(offset kafka.Offset) kafka.LeaderEpoch {
	for i := len(c.entries) - 1; i >= 0; i-- {
		if c.entries[i].start <= offset {
			return c.entries[i].epoch
		}
	}
	return -1
}

// endFor answers OffsetsForLeaderEpoch: the largest epoch not above e that the log knows,
// and the offset where it ends, in a log that ends at end.
func (c *epochCache) endFor(e kafka.LeaderEpoch, end kafka.Offset) (kafka.LeaderEpoch, kafka.Offset) {
	if e < 0 || e > c.latest() {
		return -1, kafka.NoOffset
	}
	if e == c.latest() {
		return e, end
	}
	i := len(c.entries) - 1
	for i > 0 && c.entries[i-1].epoch > e {
		i--
	}
	// entries[i] is the first above e.
	if i == 0 {
		return e, c.entries[0].start
	}
	return c.entries[i-1].epoch, c.entries[i].start
}

func (c *epochCache) check(tp kafka.TopicPartition) {
	for i := 1; i < len(c.entries); i++ {
		a, b := c.entries[i-1], c.entries[i]
		// A follower finds where it diverges from its leader by this order.
		if a.epoch >= b.epoch || a.start >= b.start {
			invariant.Violated("log.epochs-increase", "%s: epoch %d at %d, then %d at %d",
				tp, a.epoch, a.start, b.epoch, b.start)
		}
	}
}

// appendText writes leader-epoch-checkpoint: version, count, then "epoch start" by line.
func (c *epochCache) appendText(b []byte) []byte {
	b = append(b, "0\n"...)
	b = strconv.AppendInt(b, int64(len(c.entries)), 10)
	b = append(b, '\n')
	for _, e := range c.entries {
		b = strconv.AppendInt(b, int64(e.epoch), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(e.start), 10)
		b = append(b, '\n')
	}
	return b
}

// parseEpochs reads what appendText wrote.
func parseEpochs(b []byte) ([]epochEntry, error) {
	lines, err := checkpointLines(b)
	if err != nil {
		return nil, err
	}
	entries := make([]epochEntry, 0, len(lines))
	for _, line := range lines {
		var e epochEntry
		if len(line) != 2 {
			return nil, errBadCheckpoint
		}
		epoch, err1 := strconv.ParseInt(line[0], 10, 32)
		start, err2 := strconv.ParseInt(line[1], 10, 64)
		e.epoch, e.start = kafka.LeaderEpoch(epoch), kafka.Offset(start)
		if err1 != nil || err2 != nil || epoch < 0 || start < 0 {
			return nil, errBadCheckpoint
		}
		if n := len(entries); n > 0 && (entries[n-1].epoch >= e.epoch || entries[n-1].start >= e.start) {
			return nil, errBadCheckpoint
		}
		entries = append(entries, e)
	}
	return entries, nil
}
