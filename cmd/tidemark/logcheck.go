package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

func logCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIR",
		Short: "Check every segment and index below a directory against each other",
		Long: `Check reads every batch below a log directory: checksums, offsets that follow each other,
leader epochs that do not fall, and index entries that name the batch they point at. It
changes nothing. Run it on a broker that is stopped: a running one writes meanwhile.`,
		Example: `  tidemark log check data
  tidemark log check data/orders-0`,
		Args: exactArgs(1, "a log directory, or a partition's"),
		RunE: func(cmd *cobra.Command, args []string) error { return checkLogs(cmd.OutOrStdout(), args[0]) },
	}
}

// checked sums up a check.
type checked struct {
	segments, batches, entries int
	records, bytes             int64
	faults                     int
}

func checkLogs(out io.Writer, dir string) error {
	var sum checked
	c := segmentCheck{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".log" {
			return err
		}
		if filepath.Dir(path) != c.dir {
			c = segmentCheck{dir: filepath.Dir(path), next: -1}
		}
		for _, fault := range c.check(path, &sum) {
			sum.faults++
			fmt.Fprintf(out, "%s: %s\n", path, fault)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if sum.segments == 0 {
		return usageErrorf("there are no segment files below %s", dir)
	}
	fmt.Fprintf(out, "%d segments, %d batches, %d records, %d bytes, %d index entries: %d faults\n",
		sum.segments, sum.batches, sum.records, sum.bytes, sum.entries, sum.faults)
	if sum.faults > 0 {
		return exitErrorf(exitSafety, "%d faults below %s", sum.faults, dir)
	}
	return nil
}

// segmentCheck walks the segments of one partition in the order of their names.
type segmentCheck struct {
	dir   string
	next  kafka.Offset // offset that must come next; −1 at the first segment
	epoch kafka.LeaderEpoch

	base  kafka.Offset
	index indexWalk
	times timeWalk
}

func (c *segmentCheck) check(path string, sum *checked) (faults []string) {
	name := strings.TrimSuffix(filepath.Base(path), ".log")
	base, err := strconv.ParseInt(name, 10, 64)
	if err != nil || len(name) != 20 {
		return nil // some other program's log
	}
	sum.segments++
	c.base = kafka.Offset(base)
	if c.next >= 0 && c.base < c.next {
		faults = append(faults, fmt.Sprintf("begins at offset %d, and the segment before ends at %d", base, c.next))
	}
	c.next = max(c.next, c.base)
	stem := strings.TrimSuffix(path, ".log")
	if c.index.bytes, err = readIfThere(stem + ".index"); err != nil {
		return append(faults, err.Error())
	}
	if c.times.bytes, err = readIfThere(stem + ".timeindex"); err != nil {
		return append(faults, err.Error())
	}
	c.times.highest = -1
	for found, err := range segmentBatches(path) {
		if err != nil {
			return append(faults, fmt.Sprintf("at byte %d: %v", found.position, err))
		}
		if fault := c.batch(found, sum); fault != "" {
			faults = append(faults, fmt.Sprintf("at byte %d: %s", found.position, fault))
		}
	}
	if n := c.index.left() + c.times.left(); n > 0 {
		faults = append(faults, fmt.Sprintf("%d index entries point at no batch", n))
	}
	return faults
}

func (c *segmentCheck) batch(found foundBatch, sum *checked) string {
	b := found.batch
	sum.batches++
	sum.records += int64(b.Count())
	sum.bytes += int64(len(b))
	switch {
	case !b.CRCValid():
		return fmt.Sprintf("checksum of %v is wrong", b)
	case b.BaseOffset() < c.next:
		return fmt.Sprintf("offset %d after %d", b.BaseOffset(), c.next-1)
	case b.LeaderEpoch() < c.epoch:
		return fmt.Sprintf("leader epoch %d after %d", b.LeaderEpoch(), c.epoch)
	}
	c.next, c.epoch = b.NextOffset(), b.LeaderEpoch()
	relative := uint32(b.LastOffset() - c.base)
	sum.entries += c.index.pass(relative, uint32(found.position)) + c.times.pass(relative, b)
	return ""
}

// indexWalk goes through an offset index in step with its log.
type indexWalk struct{ bytes []byte }

// pass takes the entry of this batch, if the next entry is that.
func (w *indexWalk) pass(relative, position uint32) int {
	if len(w.bytes) < 8 || binary.BigEndian.Uint32(w.bytes) != relative ||
		binary.BigEndian.Uint32(w.bytes[4:]) != position {
		return 0
	}
	w.bytes = w.bytes[8:]
	return 1
}

func (w *indexWalk) left() int { return countEntries(w.bytes, 8) }

// timeWalk goes through a time index in step with its log.
type timeWalk struct {
	bytes   []byte
	highest kafka.Timestamp
}

func (w *timeWalk) pass(relative uint32, b record.Batch) int {
	w.highest = max(w.highest, b.MaxTimestamp())
	if len(w.bytes) < 12 || binary.BigEndian.Uint64(w.bytes) != uint64(w.highest) ||
		binary.BigEndian.Uint32(w.bytes[8:]) != relative {
		return 0
	}
	w.bytes = w.bytes[12:]
	return 1
}

func (w *timeWalk) left() int { return countEntries(w.bytes, 12) }

// countEntries counts the entries that are not the zeroes of preallocated room.
func countEntries(b []byte, size int) (n int) {
	for ; len(b) >= size; b = b[size:] {
		for _, x := range b[:size] {
			if x != 0 {
				n++
				break
			}
		}
	}
	return n
}

func readIfThere(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // an index that is missing is rebuilt at the next start
	}
	return b, err
}
