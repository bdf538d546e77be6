package journal

import (
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/invariant"
)

// Secure makes durable what Replay will give, before anything is changed because of it. A
// killed process may have left the newest group in the cache only; were it replayed and
// then lost with the power, what it left half done could not be explained. All groups
// before it say themselves that they were durable. It is written again in a new place, under
// its own sequence: a sync of the old one proves nothing if an earlier sync failed.
func (s *Scan) Secure() error {
	j := &Journal{cfg: s.cfg, id: s.id, generation: s.maxGen + 1, next: s.last + 1}
	s.journal = j
	if j.id == 0 {
		j.id = max(1, s.cfg.Env.Rand.Uint64("journal.id"))
	}
	if err := s.openFree(j); err != nil {
		return err
	}
	// The names must be durable even of files found here: a process that was killed may
	// have left some that only the cache knows.
	if err := s.syncNames(); err != nil {
		return err
	}
	if len(s.groups) == 0 {
		j.durable = j.next
		return nil
	}
	newest := s.groups[len(s.groups)-1]
	g := new(group)
	g.reset(newest.seq)
	err := s.replayGroup(newest, func(_ Seq, e Entry) error {
		e.Payload = slices.Clone(e.Payload)
		g.add(&e, nil)
		return nil
	})
	if err != nil {
		return err
	}
	j.durable, j.checkpoint = newest.seq, newest.checkpointBelow
	return j.writeNow(g)
}

// Start begins a new generation after everything Replay gave was made durable elsewhere.
// It writes one group with the entries given, whose checkpoint is itself, and makes it
// durable, so that no later boot replays what this one did: dropped tails stay dropped,
// and all other files are free. Blocking; boot only.
func (s *Scan) Start(entries []Entry) (*Journal, error) {
	if s.journal == nil {
		if err := s.Secure(); err != nil {
			return nil, err
		}
	}
	j := s.journal
	if err := j.Seal(entries); err != nil {
		return nil, err
	}
	if err := s.openReplayed(j); err != nil {
		return nil, err
	}
	r := s.report
	j.trace(traceScan, int64(r.First), int64(r.Last), int64(r.Groups), int64(r.TornGroups))
	return j, nil
}

func (s *Scan) syncNames() error {
	parent := s.cfg.Path[:max(1, lastSlash(s.cfg.Path))]
	for _, dir := range []string{s.cfg.Path, parent} {
		if err := s.cfg.Env.Disk.SyncDir(dir); err != nil {
			return fmt.Errorf("journal: sync %s: %w", dir, err)
		}
	}
	return nil
}

func lastSlash(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return i
		}
	}
	return 0
}

// openFree makes the directory and opens the files that hold nothing that is needed.
func (s *Scan) openFree(j *Journal) error {
	if err := s.cfg.Env.Disk.MkdirAll(s.cfg.Path); err != nil {
		return fmt.Errorf("journal: make %s: %w", s.cfg.Path, err)
	}
	for i, f := range s.files {
		j.numbered = max(j.numbered, f.number+1)
		if s.needed[i] {
			continue
		}
		if err := s.reopen(j, f); err != nil {
			return err
		}
	}
	return nil
}

// openReplayed frees the files that were needed: the first group made them old.
func (s *Scan) openReplayed(j *Journal) error {
	for i, f := range s.files {
		if !s.needed[i] {
			continue
		}
		if err := s.reopen(j, f); err != nil {
			return err
		}
	}
	return nil
}

// reopen puts a file among the free ones, or removes it if it is not of the common size: a
// larger one would be kept for nothing, and a smaller one was made for a start, or was being
// made when the process ended.
func (s *Scan) reopen(j *Journal, f *scanned) error {
	if f.size != s.cfg.FileBytes || len(j.free)+len(j.live) >= s.cfg.Files {
		s.cfg.Env.Disk.RemoveAllLater(f.path)
		return nil
	}
	opened, err := s.cfg.Env.Disk.OpenLog(f.path, s.cfg.FileBytes)
	if err != nil {
		return fmt.Errorf("journal: open %s: %w", f.path, err)
	}
	j.free = append(j.free, &file{number: f.number, file: opened, size: s.cfg.FileBytes})
	return nil
}

// Seal writes one group with the entries given, which makes all groups before it
// unnecessary. Everything they said must be safe elsewhere, and no write in flight.
// Blocking.
func (j *Journal) Seal(entries []Entry) error {
	if err := j.Drain(); err != nil {
		return err
	}
	g := j.open()
	j.pending = j.pending[:0]
	for i := range entries {
		g.add(&entries[i], nil)
	}
	j.checkpoint = g.seq
	return j.writeNow(g)
}

// Drain writes the waiting groups, blocking. No write may be in flight.
func (j *Journal) Drain() error {
	// A group written past one in flight could be durable without it.
	if j.flying != nil {
		invariant.Violated("journal.drain-when-idle", "flying=%d", j.flying.seq)
	}
	for j.err == nil && len(j.pending) > 0 {
		g := j.pending[0]
		j.pending = append(j.pending[:0], j.pending[1:]...)
		if err := j.writeNow(g); err != nil {
			return err
		}
	}
	return j.err
}

// placeNow is place for boot and stop: a file that is missing is made. It is a small one,
// so that a start needs not wait for zeroes; the running journal has larger ones made.
func (j *Journal) placeNow(g *group) (*file, error) {
	if f := j.place(g); f != nil {
		return f, nil
	}
	f, err := j.create(max(g.size(), min(j.cfg.FileBytes, firstFileBytes)))
	if err != nil {
		return nil, err
	}
	j.use(f)
	return f, nil
}

// writeNow makes g durable, blocking.
func (j *Journal) writeNow(g *group) error {
	f, err := j.placeNow(g)
	if err != nil {
		j.err = err
		return err
	}
	var b []byte
	for _, piece := range g.seal(header{
		id: j.id, generation: f.generation, syncedBelow: j.durable, checkpointBelow: j.checkpoint,
	}) {
		b = append(b, piece...)
	}
	err = f.file.Pwrite(b, f.end)
	if err == nil {
		err = f.file.Fsync()
	}
	if err != nil {
		j.err = fmt.Errorf("journal: write %s: %w", fileName(f.number), err)
		return j.err
	}
	f.end += g.size()
	f.last = g.seq
	j.durable, j.carried = g.seq+1, max(j.carried, j.checkpoint)
	g.release()
	j.spare = append(j.spare, g)
	j.recycle()
	return nil
}
