package broker

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// # Strays
//
// A log that the metadata knows nothing of is either what a deletion left behind when the
// broker died, or somebody's data: the metadata log was lost, or a disk of another cluster
// was mounted. Only a removal that stands in the metadata log tells the first; everything
// else is renamed, as Kafka does, and kept. That is done before anything is written or led:
// the directory is opened, which replays what belongs into the log, closed, and opened anew
// without the stray.

// Stray is a folder of a log directory that was set aside at boot.
type Stray struct {
	From string
	To   string
}

// straySuffix ends a stray's name.
const straySuffix = "-stray"

// setStraysAside renames the folders of logs that belong to no partition.
func (b *Broker) setStraysAside() error {
	for _, d := range b.dirs {
		var strays []*log.Log
		for _, l := range d.All() {
			if !b.belongs(d, l) && !b.removed[l.ID()] {
				strays = append(strays, l)
			}
		}
		if len(strays) == 0 {
			continue
		}
		if err := d.Close(); err != nil {
			return fmt.Errorf("broker: close %s to set strays aside: %w", d.path, err)
		}
		for _, l := range strays {
			if err := b.setAside(d, l); err != nil {
				return err
			}
		}
		if err := b.env.Disk.SyncDir(d.path); err != nil {
			return fmt.Errorf("broker: sync %s: %w", d.path, err)
		}
		if err := b.openDir(d); err != nil {
			return err
		}
	}
	return nil
}

// belongs tells whether a log is that of a partition of this broker, or the metadata log. A
// log that has lost its topic's id belongs where its name says: it is damaged, not strayed.
func (b *Broker) belongs(d *directory, l *log.Log) bool {
	tp := l.TP()
	if d.number == 0 && tp == metadataTP {
		return true
	}
	image := b.control.Image()
	t := image.TopicByID(l.ID())
	if l.ID().IsZero() {
		t = image.Topic(tp.Topic)
	}
	if t == nil || t.Name != tp.Topic {
		return false
	}
	p := t.Partition(tp.Partition)
	return p != nil && p.HasReplica(b.cfg.NodeID)
}

func (b *Broker) setAside(d *directory, l *log.Log) error {
	s := Stray{From: d.path + "/" + l.TP().String(), To: d.path + "/" + strayName(l.TP(), b.drawID())}
	err := b.env.Disk.Rename(s.From, s.To)
	if errors.Is(err, env.ErrNotExist) {
		b.removed[l.ID()] = true // it never had a byte; only the journal says its name
		return nil
	}
	if err != nil {
		return fmt.Errorf("broker: rename %s: %w", s.From, err)
	}
	d.strays = append(d.strays, s)
	b.trace(traceStray, [4]int64{int64(d.number)}, s.To)
	return nil
}

// strayName is <topic>-<partition>.<uuid>-stray, the topic cut if that would be too long.
func strayName(tp kafka.TopicPartition, id metadata.IncarnationID) string {
	suffix := fmt.Sprintf("-%d.%s%s", tp.Partition, hex.EncodeToString(id[:]), straySuffix)
	return tp.Topic[:min(len(tp.Topic), strayNameMax-len(suffix))] + suffix
}

// deleteRemoved deletes the logs of topics whose removal the metadata log has: the crash
// came between the commit of their deletion and the deletion.
func (b *Broker) deleteRemoved() {
	for _, d := range b.dirs {
		for _, l := range slices.Clone(d.All()) {
			if !b.belongs(d, l) {
				b.deleteLog(d, l)
			}
		}
	}
	b.removed = nil
}
