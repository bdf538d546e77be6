package log

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/log/journal"
)

// deletion is a log on its way out: said in the journal, then renamed, then removed. Until
// it is renamed no new log of that name touches the folder.
type deletion struct {
	log      *Log
	seq      journal.Seq // group that says so
	path     string      // what the folder is renamed to
	moved    bool
	removeAt env.Instant
	need     uint64 // checkpoint that waits for the rename
}

// Delete removes a log. It is gone at once; its folder is renamed when the journal has the
// deletion, and removed after the file delete delay.
func (d *Dir) Delete(l *Log) {
	if l.gone || d.err != nil {
		return
	}
	i, found := d.find(l.tp)
	if !found || d.order[i] != l {
		return
	}
	d.order = append(d.order[:i], d.order[i+1:]...)
	delete(d.byTP, l.tp)
	l.trace(traceDeleted, int64(l.end), 0, 0, 0)
	g := &deletion{log: l, path: l.path + "." + d.uuid() + deleteSuffix}
	name := g.path[len(d.cfg.Path)+1:]
	e := journal.Entry{Kind: journal.KindDeleted, Key: l.key, Payload: []byte(name)}
	g.seq = d.journal.Collect(&e, nil, true) // checkpoints wait for it
	l.gone, l.err = true, fmt.Errorf("log: %s: %w", l.tp, ErrDeleted)
	l.forgetFrom(0)
	d.osLogs = deletePointer(d.osLogs, l)
	d.forgetStarts(l)
	d.aging = deletePointer(d.aging, l)
	d.cuts = deletePointer(d.cuts, l)
	l.producers.byID = nil
	for _, s := range l.segments {
		d.closed.drop(s)
		d.indexes.drop(s)
	}
	d.gone = append(d.gone, g)
}

// uuid is 32 hexadecimal digits, as Kafka puts into the name of a deleted folder.
func (d *Dir) uuid() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], d.env.Rand.Uint64("log.delete.uuid"))
	binary.BigEndian.PutUint64(b[8:], d.env.Rand.Uint64("log.delete.uuid"))
	return hex.EncodeToString(b[:])
}

// moveDeleted renames the folders of deleted logs once that is safe: the deletion is
// durable, and no operation in flight could make the folder anew.
func (d *Dir) moveDeleted() {
	for _, g := range d.gone {
		if g.moved || g.log.ops > 0 || g.log.job != nil || g.seq >= d.journal.Durable() {
			continue
		}
		err := d.moveAway(g)
		if d.noRoom(err) {
			return
		}
		if err != nil {
			d.fail(err)
			return
		}
		d.env.Disk.SyncDirLater(d.cfg.Path, d.ops.start(op{kind: opNames, gone: g}))
	}
}

func (d *Dir) moveAway(g *deletion) error {
	for _, s := range g.log.segments {
		s.close()
	}
	err := d.env.Disk.Rename(g.log.path, g.path)
	if err != nil && !errors.Is(err, env.ErrNotExist) { // nothing was ever written
		return fmt.Errorf("log: rename %s: %w", g.log.path, err)
	}
	g.moved = true
	g.removeAt = d.env.Clock.Now().Add(g.log.cfg.FileDeleteDelay)
	for _, l := range d.order {
		if l.path == g.log.path {
			l.blocked = false
		}
	}
	return nil
}

// deletionSynced ends the journal's interest in a deletion.
func (d *Dir) deletionSynced(g *deletion, done env.Completion) {
	if done.Err != nil {
		d.fail(fmt.Errorf("log: sync %s: %w", d.cfg.Path, done.Err))
		return
	}
	if g.need != 0 && g.need == d.point.id && d.point.active {
		d.point.left--
	}
	d.gone = deletePointer(d.gone, g)
	d.trash = append(d.trash, g)
	d.expect(g.removeAt)
}

// removeTrash unlinks what was deleted long enough ago.
func (d *Dir) removeTrash(now env.Instant) {
	keep := d.trash[:0]
	for _, g := range d.trash {
		if now < g.removeAt {
			keep = append(keep, g)
			continue
		}
		g.log.trace(traceRemoved, 0, 0, 0, 0)
		d.env.Disk.RemoveAllLater(g.path)
	}
	clear(d.trash[len(keep):])
	d.trash = keep
}
