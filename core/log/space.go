package log

import (
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/env"
)

// # A volume that is nearly full
//
//	free ▲
//	     │ roomy: appends are taken
//	 1.5 ├ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ resumes
//	     │
//	 1.0 ├ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ tight: clients' appends are refused (Tight)
//	     │                          checkpoints, deletions and the metadata log go on
//	   0 └ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ stuck: write-behind and sync jobs wait for Tick
//
// The unit is ReserveBytes and what memory may hold that is in no segment file yet. Nothing is
// lost when a write behind finds no room: the journal has its bytes. Only a sync that fails
// takes the directory offline, since nobody knows what it left.
//
// A file of ReserveBytes lies beside the logs and is given up by a boot that finds less
// free: recovery writes, too.

// space is what a directory knows of its volume.
type space struct {
	tight    bool
	stuck    bool  // an operation found no room; Tick has it tried again
	free     int64 // at the last look, −1: unknown
	appended bool  // something was, since
	reserved bool  // the reserve is there, or was tried
	changed  bool  // tight is not what the owner was told
}

// Tight tells that clients' appends are to be refused, to leave room for what frees room.
func (d *Dir) Tight() bool { return d.space.tight }

// FreeBytes is what was free on the volume at the last look, −1 if that is unknown.
func (d *Dir) FreeBytes() int64 { return d.space.free }

// lookForRoom compares what is free with what is needed.
func (d *Dir) lookForRoom() {
	s := &d.space
	if !s.appended && !s.tight && !s.stuck {
		return
	}
	was := s.tight
	s.appended = false
	s.free = d.env.Disk.Free(d.cfg.Path)
	need := d.cfg.ReserveBytes + d.cache.bytes
	switch {
	case s.free >= 0 && s.free < need:
		s.tight = true
	case s.free >= need+need/2 || s.free < 0 && !s.stuck: // unknown: until the next failure
		s.tight = false
	}
	s.stuck = false
	d.noteTightness(was)
	d.takeReserve()
}

// noteTightness tells the owner of a change, with the next effects.
func (d *Dir) noteTightness(was bool) {
	if s := &d.space; s.tight != was {
		d.trace(traceTight, "", [4]int64{b2i(s.tight), s.free})
		s.changed = true
	}
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// noRoom tells whether err means that the volume is full, and notes it: what failed is
// tried again after the next Tick.
func (d *Dir) noRoom(err error) bool {
	if !errors.Is(err, env.ErrNoSpace) {
		return false
	}
	was := d.space.tight
	d.space.stuck, d.space.tight = true, true
	d.noteTightness(was)
	return true
}

// giveReserve removes the reserve if the volume has less free than that, so that recovery
// can write. It says what it did.
func giveReserve(disk env.Disk, cfg *DirConfig) (given bool, err error) {
	free := disk.Free(cfg.Path)
	if free < 0 || free >= cfg.ReserveBytes {
		return false, nil
	}
	err = disk.Remove(cfg.Path + "/" + reserveFile)
	if errors.Is(err, env.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("log: give up the reserve of %s: %w", cfg.Path, err)
	}
	return true, nil
}

// keepReserve looks for room for the first time, and makes the reserve durable: one that a
// loss of power takes is missed by the very boot that it is for. One that is made later, when
// there is room again, is left to the kernel and to the next boot.
func (b *boot) keepReserve() error {
	d := b.d
	had := d.space.reserved
	d.space.appended = true
	d.lookForRoom()
	if !d.space.reserved || had && b.report.Clean {
		return nil
	}
	path := d.cfg.Path + "/" + reserveFile
	err := b.disk.SyncAll([]string{path}, []string{d.cfg.Path})
	if errors.Is(err, env.ErrNoSpace) || errors.Is(err, env.ErrNotExist) { // it could not be had
		_ = b.disk.Remove(path)
		return nil
	}
	if err != nil {
		return fmt.Errorf("log: sync %s: %w", path, err)
	}
	return nil
}

// takeReserve makes the reserve where there is room for it and as much again.
func (d *Dir) takeReserve() {
	s := &d.space
	if s.reserved || s.tight || d.cfg.ReserveBytes == 0 || s.free >= 0 && s.free < 2*d.cfg.ReserveBytes {
		return
	}
	// Without it things go on as they did; the next boot tries again.
	s.reserved = true
	_ = d.env.Disk.Reserve(d.cfg.Path+"/"+reserveFile, d.cfg.ReserveBytes)
}
