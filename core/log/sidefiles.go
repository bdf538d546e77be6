package log

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Names of files, as Kafka has them.
const (
	epochFile         = "leader-epoch-checkpoint"
	metadataFile      = "partition.metadata"
	recoveryPointFile = "recovery-point-offset-checkpoint"
	startOffsetFile   = "log-start-offset-checkpoint"
	cleanFile         = ".kafka_cleanshutdown"
	reserveFile       = ".reserve" // see space.go
	JournalFolder     = "journal"  // where a directory has its journal
	tmpSuffix         = ".tmp"
	deletedSuffix     = ".deleted" // of a segment's files on their way out
	deleteSuffix      = "-delete"
)

var errBadCheckpoint = errors.New("log: checkpoint file is malformed")

// checkpointLines splits a checkpoint file: version 0, a count, so many lines of words.
func checkpointLines(b []byte) ([][]string, error) {
	if len(b) > checkpointBytesMax {
		return nil, errBadCheckpoint
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 3 || lines[0] != "0" || lines[len(lines)-1] != "" {
		return nil, errBadCheckpoint
	}
	n, err := strconv.Atoi(lines[1])
	if err != nil || n != len(lines)-3 {
		return nil, errBadCheckpoint
	}
	out := make([][]string, n)
	for i := range out {
		out[i] = strings.Fields(lines[2+i])
	}
	return out, nil
}

// offsetCheckpoint is a file of offsets by partition.
type offsetCheckpoint struct {
	tp     kafka.TopicPartition
	offset kafka.Offset
}

func appendOffsets(b []byte, offsets []offsetCheckpoint) []byte {
	b = fmt.Appendf(b, "0\n%d\n", len(offsets))
	for _, o := range offsets {
		b = fmt.Appendf(b, "%s %d %d\n", o.tp.Topic, o.tp.Partition, o.offset)
	}
	return b
}

func parseOffsets(b []byte) ([]offsetCheckpoint, error) {
	lines, err := checkpointLines(b)
	if err != nil {
		return nil, err
	}
	out := make([]offsetCheckpoint, 0, len(lines))
	for _, line := range lines {
		if len(line) != 3 {
			return nil, errBadCheckpoint
		}
		p, err1 := strconv.ParseInt(line[1], 10, 32)
		o, err2 := strconv.ParseInt(line[2], 10, 64)
		if err1 != nil || err2 != nil || p < 0 || o < 0 {
			return nil, errBadCheckpoint
		}
		tp := kafka.TopicPartition{Topic: line[0], Partition: int32(p)}
		out = append(out, offsetCheckpoint{tp, kafka.Offset(o)})
	}
	return out, nil
}

func appendMetadata(b []byte, id kafka.TopicID) []byte {
	return fmt.Appendf(b, "version: 0\ntopic_id: %s", id)
}

func parseMetadata(b []byte) (kafka.TopicID, error) {
	text := strings.TrimRight(string(b[:min(len(b), 256)]), "\n")
	id, ok := strings.CutPrefix(text, "version: 0\ntopic_id: ")
	if !ok {
		return kafka.TopicID{}, fmt.Errorf("log: %s is malformed", metadataFile)
	}
	return kafka.ParseTopicID(id)
}

func cleanMark(epoch kafka.BrokerEpoch) []byte {
	return fmt.Appendf(nil, `{"version":0,"brokerEpoch":%d}`, epoch)
}

// parseCleanMark accepts what any Kafka wrote. What cannot be read is no mark.
func parseCleanMark(b []byte) (kafka.BrokerEpoch, bool) {
	text := strings.NewReplacer(" ", "", "\n", "").Replace(string(b[:min(len(b), 256)]))
	if !strings.HasPrefix(text, "{") || !strings.HasSuffix(text, "}") {
		return -1, false
	}
	version, epoch := false, kafka.BrokerEpoch(-1)
	for field := range strings.SplitSeq(text[1:len(text)-1], ",") {
		name, value, _ := strings.Cut(field, ":")
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil:
			return -1, false
		case name == `"version"`:
			version = n == 0
		case name == `"brokerEpoch"`:
			epoch = kafka.BrokerEpoch(n)
		}
	}
	return epoch, version
}

// readWhole reads a small file. ErrNotExist comes through; a longer file is an error.
func readWhole(disk env.Disk, path string, limit int64) ([]byte, error) {
	f, err := disk.Open(path, env.OpenExisting)
	if err != nil {
		return nil, fmt.Errorf("log: open %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("log: size of %s: %w", path, err)
	}
	if size > limit {
		return nil, fmt.Errorf("log: %s has %d bytes, more than %d", path, size, limit)
	}
	b := make([]byte, size)
	n, err := f.Pread(b, 0)
	if err != nil {
		return nil, fmt.Errorf("log: read %s: %w", path, err)
	}
	return b[:n], nil
}

// writeWhole replaces a small file so that a crash leaves the old one or the new one.
// Blocking.
func writeWhole(disk env.Disk, dir, name string, b []byte) error {
	path := dir + "/" + name
	if err := writeFile(disk, path+tmpSuffix, b, true); err != nil {
		return err
	}
	if err := disk.Rename(path+tmpSuffix, path); err != nil {
		return fmt.Errorf("log: rename %s: %w", path, err)
	}
	return syncDir(disk, dir)
}

// writeFile writes a new file, and syncs it if asked.
func writeFile(disk env.Disk, path string, b []byte, sync bool) error {
	f, err := disk.Open(path, env.CreateTruncated)
	if err != nil {
		return fmt.Errorf("log: create %s: %w", path, err)
	}
	err = f.Pwrite(b, 0)
	if err == nil && sync {
		err = f.Fsync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("log: write %s: %w", path, err)
	}
	return nil
}

func syncDir(disk env.Disk, dir string) error {
	if err := disk.SyncDir(dir); err != nil {
		return fmt.Errorf("log: sync %s: %w", dir, err)
	}
	return nil
}

func syncAll(disk env.Disk, files, dirs []string) error {
	if err := disk.SyncAll(files, dirs); err != nil {
		return fmt.Errorf("log: sync files: %w", err)
	}
	return nil
}
