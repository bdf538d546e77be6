package journal

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
)

// file is one journal file. It is written from the front, once per generation.
type file struct {
	number     int
	file       env.File
	size       int64 // how far it may be written
	end        int64 // where the next group goes
	generation uint64
	last       Seq // the newest group in it
}

// suffix of a journal file's name; the rest is its number.
const suffix = ".wal"

func fileName(n int) string { return fmt.Sprintf("%08d%s", n, suffix) }

func parseFileName(name string) (int, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 0 && fileName(n) == name
}

// place finds the file that g goes to: the current one or a free one. nil means that there
// is none yet.
func (j *Journal) place(g *group) *file {
	need := g.size()
	if n := len(j.live); n > 0 && j.live[n-1].end+need <= j.live[n-1].size {
		return j.live[n-1]
	}
	for i, f := range j.free {
		if need <= f.size {
			j.free = append(j.free[:i], j.free[i+1:]...)
			j.use(f)
			return f
		}
	}
	return nil
}

// prepare has a file made in the background for a group that place finds none for, or
// waits for a checkpoint to free one. The limit of files may be passed by a group that a
// checkpoint waits for, or the files would never come free.
func (j *Journal) prepare(need int64) {
	if j.preparing != nil || j.full || len(j.live) >= j.cfg.Files && !j.urgent() && len(j.live) > 1 {
		return
	}
	if len(j.free) > 0 { // all of them too small: make room for a large one
		j.drop(j.free[0])
		j.free = append(j.free[:0], j.free[1:]...)
	}
	j.makeLater(max(need, j.cfg.FileBytes))
}

// prepareNext has the next file made while the current one is still being filled, so that
// nobody waits for it.
func (j *Journal) prepareNext() {
	cur := j.live[len(j.live)-1]
	if cur.end > cur.size/4 && len(j.free) == 0 && j.preparing == nil && !j.full && len(j.live) < j.cfg.Files {
		j.makeLater(j.cfg.FileBytes)
	}
}

func (j *Journal) makeLater(size int64) {
	n := j.numbered
	j.numbered++
	j.trace(tracePrepare, int64(n), size, 0, 0)
	f := j.cfg.Env.Disk.OpenLogLater(j.cfg.Path+"/"+fileName(n), size, j.cfg.PrepareTag)
	j.preparing = &file{number: n, file: f, size: size}
}

// Prepared reports the file that was being made: it may be written to, if err is nil. A
// volume that is full leaves the journal as it is, until Retry.
func (j *Journal) Prepared(err error) error {
	f := j.preparing
	// A file nobody waits for may be one that is written to already.
	if f == nil {
		invariant.Violated("journal.prepared-after-prepare", "numbered=%d", j.numbered)
	}
	j.preparing = nil
	j.full = errors.Is(err, env.ErrNoSpace)
	switch {
	case err == nil:
		j.free = append(j.free, f)
	case j.full:
		j.drop(f)
	default:
		_ = f.file.Close()
		j.err = fmt.Errorf("journal: create %s: %w", fileName(f.number), err)
	}
	j.trace(tracePrepared, int64(f.number), b2i(err == nil), 0, 0)
	return j.err
}

// urgent tells that a checkpoint waits for one of the groups to become durable.
func (j *Journal) urgent() bool {
	if j.checkpoint > j.carried {
		return true
	}
	for _, g := range j.pending {
		if g.urgent {
			return true
		}
	}
	return false
}

// use starts a new generation of f.
func (j *Journal) use(f *file) {
	// What a file held must be below a checkpoint that is durable; else a crash now would
	// miss it.
	if f.last >= j.carried && f.last != 0 {
		invariant.Violated("journal.recycled-below-checkpoint", "file=%d last=%d carried=%d",
			f.number, f.last, j.carried)
	}
	f.generation, f.end, f.last = j.generation, 0, 0
	j.generation++
	j.live = append(j.live, f)
}

// create makes a file and its name durable, because a group in it is acknowledged by the
// completion of its write alone. Blocking: for boot and stop, when nothing is in flight. A
// file that is not of the common size is removed afterwards instead of being kept.
func (j *Journal) create(size int64) (*file, error) {
	n := j.numbered
	j.numbered++
	path := j.cfg.Path + "/" + fileName(n)
	f, err := j.cfg.Env.Disk.OpenLog(path, size)
	if err != nil {
		return nil, fmt.Errorf("journal: create %s: %w", path, err)
	}
	if err := j.cfg.Env.Disk.SyncDir(j.cfg.Path); err != nil {
		return nil, fmt.Errorf("journal: sync %s: %w", j.cfg.Path, err)
	}
	return &file{number: n, file: f, size: size}, nil
}

// recycle frees the files whose groups are all below the checkpoint a durable group carries.
func (j *Journal) recycle() {
	keep := 0
	for keep < len(j.live)-1 && j.live[keep].last < j.carried {
		f := j.live[keep]
		keep++
		if f.size != j.cfg.FileBytes || len(j.live)-keep+len(j.free)+j.making() >= j.cfg.Files {
			j.drop(f)
			continue
		}
		j.free = append(j.free, f)
	}
	if keep > 0 {
		j.live = append(j.live[:0], j.live[keep:]...)
	}
}

// making is the number of files under way.
func (j *Journal) making() int { return int(b2i(j.preparing != nil)) }

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (j *Journal) drop(f *file) {
	_ = f.file.Close() // nothing in it is needed any more
	j.cfg.Env.Disk.RemoveAllLater(j.cfg.Path + "/" + fileName(f.number))
}

// Close closes the files. No write may be in flight.
func (j *Journal) Close() error {
	var first error
	for _, f := range append(j.live, j.free...) {
		if err := f.file.Close(); err != nil && first == nil {
			first = fmt.Errorf("journal: close %s: %w", fileName(f.number), err)
		}
	}
	j.live, j.free = nil, nil
	if j.preparing != nil { // it still completes, without us
		_ = j.preparing.file.Close()
	}
	return first
}
