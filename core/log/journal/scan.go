package journal

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
)

// Damage names a place where stored bytes are not what was written.
type Damage struct {
	File string
	Pos  int64
	What string
}

func (d Damage) String() string { return fmt.Sprintf("%s at byte %d: %s", d.File, d.Pos, d.What) }

// Report tells what a scan found.
type Report struct {
	Files       int
	First, Last Seq // replayed groups are First..Last; Last below First: none
	Groups      int
	Entries     int
	Bytes       int64
	TornGroups  int // of which at least the header had arrived
	TornBytes   int64
	Damages     []Damage
}

// Scan is what boot found in the journal's files. It has changed nothing.
type Scan struct {
	cfg    Config
	files  []*scanned
	groups []found // to replay, in order
	needed []bool  // by file: must not be written to before the newest group is secure
	id     uint64  // 0: there is no journal yet
	last   Seq
	maxGen uint64
	low    Seq // groups below may have been passed over unread, 0: none
	from   Seq // oldest group that a crash of this boot would need again
	report Report

	journal *Journal // from Secure on
	buf     []byte
	book    notebook
}

type scanned struct {
	number int
	path   string
	size   int64
	first  header // of the group at its front
	begins bool   // with a group
	past   bool   // all its groups are below Scan.low
}

// found is a group with a valid header.
type found struct {
	header
	file  int // index in Scan.files
	pos   int64
	whole bool
	notes *notes // of a whole one
}

// NewScan reads the journal at cfg.Path. Damage is an error that wraps ErrDamaged, with
// the places in Report.
func NewScan(cfg Config) (*Scan, error) {
	s, err := newScan(cfg, true)
	if s.low > 0 && (err != nil || s.from < s.low) { // what was passed over may matter
		return newScan(cfg, false)
	}
	return s, err
}

func newScan(cfg Config, passOver bool) (*Scan, error) {
	s := &Scan{cfg: cfg, book: notebook{left: notesMax}}
	if cfg.NotesBytes > 0 {
		s.book.left = cfg.NotesBytes
	}
	if err := s.list(); err != nil {
		return s, err
	}
	if err := s.identify(); err != nil {
		return s, err
	}
	if passOver {
		s.passOver()
	}
	all, err := s.readFiles()
	if err != nil {
		return s, err
	}
	return s, s.choose(all)
}

func (s *Scan) readFiles() (all []found, err error) {
	total := int64(0)
	for _, f := range s.files {
		total += f.size
	}
	for i, f := range s.files {
		if f.past {
			s.maxGen = max(s.maxGen, f.first.generation)
		} else {
			groups, err := s.readFile(i)
			if err != nil {
				return nil, err
			}
			all = append(all, groups...)
		}
		if s.cfg.Progress != nil {
			s.cfg.Progress(f.size, total)
		}
	}
	return all, nil
}

// Report tells what was found.
func (s *Scan) Report() Report { return s.report }

func (s *Scan) list() error {
	entries, err := s.cfg.Env.Disk.List(s.cfg.Path)
	if errors.Is(err, env.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("journal: list %s: %w", s.cfg.Path, err)
	}
	if len(entries) > filesScanMax {
		return fmt.Errorf("journal: %s holds %d files, more than %d", s.cfg.Path, len(entries), filesScanMax)
	}
	for _, e := range entries {
		if n, ok := parseFileName(e.Name); ok && !e.Dir {
			s.files = append(s.files, &scanned{number: n, path: s.cfg.Path + "/" + e.Name, size: e.Size})
		}
	}
	s.report.Files = len(s.files)
	return nil
}

// identify finds the journal's id at the front of its files, where no batch can forge it:
// what clients send lies only inside groups.
func (s *Scan) identify() error {
	buf := make([]byte, headerSize)
	for _, f := range s.files {
		n, err := s.pread(f, buf, 0)
		if err != nil {
			return err
		}
		h, err := parseHeader(buf[:n])
		if errors.Is(err, ErrVersion) {
			return fmt.Errorf("%w: %s", err, f.path)
		}
		if err != nil {
			continue
		}
		if s.id != 0 && s.id != h.id {
			return s.damaged(f, 0, "group of another journal")
		}
		s.id, f.first, f.begins = h.id, h, true
	}
	return nil
}

func (s *Scan) pread(f *scanned, buf []byte, off int64) (int, error) {
	file, err := s.cfg.Env.Disk.Open(f.path, env.OpenExisting)
	if err != nil {
		return 0, fmt.Errorf("journal: open %s: %w", f.path, err)
	}
	defer func() { _ = file.Close() }()
	n, err := file.Pread(buf, off)
	if err != nil {
		return n, fmt.Errorf("journal: read %s at %d: %w", f.path, off, err)
	}
	return n, nil
}

// readFile lists the groups of a file, of every generation: a header counts wherever a
// group may start, so that damage does not hide what follows it.
func (s *Scan) readFile(i int) ([]found, error) {
	f := s.files[i]
	file, err := s.cfg.Env.Disk.Open(f.path, env.OpenExisting)
	if err != nil {
		return nil, fmt.Errorf("journal: open %s: %w", f.path, err)
	}
	defer func() { _ = file.Close() }()
	w := window{file: file, size: f.size, buf: s.buf[:0]}
	defer func() { s.buf = w.buf }() // for the next file
	var groups []found
	for pos := int64(0); pos+headerSize <= f.size; {
		b, err := w.at(pos, headerSize)
		if err != nil {
			return nil, fmt.Errorf("journal: read %s at %d: %w", f.path, pos, err)
		}
		h, err := parseHeader(b)
		if errors.Is(err, ErrVersion) && pos == 0 {
			return nil, fmt.Errorf("%w: %s at %d", err, f.path, pos)
		}
		if err != nil || (s.id != 0 && h.id != s.id) {
			pos += Block
			continue
		}
		if s.id == 0 { // no file begins with a group, and yet there is one
			return nil, s.damaged(f, 0, "first group is missing")
		}
		g := found{header: h, file: i, pos: pos}
		if g.whole, err = s.checkBody(&w, &g); err != nil {
			return nil, err
		}
		groups = append(groups, g)
		s.maxGen = max(s.maxGen, h.generation)
		if pos += Block; g.whole {
			pos = g.pos + h.size()
		}
	}
	return groups, nil
}

func (s *Scan) checkBody(w *window, g *found) (bool, error) {
	if g.pos+headerSize+int64(g.bodyLen) > w.size {
		return false, nil
	}
	b, err := w.at(g.pos, headerSize+int(g.bodyLen))
	if err != nil {
		return false, fmt.Errorf("journal: read %s at %d: %w", s.files[g.file].path, g.pos, err)
	}
	told, at, before := s.book.begin(), 0, s.book.left
	_, err = parseGroup(b, func(_ Seq, e Entry) error {
		s.book.take(told, at, e)
		at++
		return nil
	})
	if errors.Is(err, ErrVersion) {
		return false, fmt.Errorf("%w: %s at %d", err, s.files[g.file].path, g.pos)
	}
	if err != nil {
		s.book.left = before
		return false, nil
	}
	g.notes = told
	return true, nil
}

// choose picks the groups to replay and judges what is not whole.
func (s *Scan) choose(all []found) error {
	slices.SortStableFunc(all, func(a, b found) int {
		if a.seq != b.seq {
			return compare(uint64(a.seq), uint64(b.seq))
		}
		return compare(a.generation, b.generation)
	})
	// durable: some header says that everything below was synced when it was written.
	var durable, checkpoint Seq
	for _, g := range all {
		durable = max(durable, g.syncedBelow)
		if g.whole {
			s.last, checkpoint = g.seq, g.checkpointBelow
		}
	}
	want := max(checkpoint, 1)
	for i, g := range all {
		if superseded(all[i:]) {
			continue
		}
		switch {
		case g.seq < checkpoint:
		case g.whole && g.seq == want:
			s.groups = append(s.groups, g)
			want++
		case g.whole:
			return s.damaged(s.files[g.file], g.pos, fmt.Sprintf(
				"group %d follows group %d: what lies between was durable", g.seq, want-1))
		case g.seq < durable:
			return s.damaged(s.files[g.file], g.pos, fmt.Sprintf(
				"group %d is not whole; groups below %d were durable", g.seq, durable))
		default:
			s.report.TornGroups++
			s.report.TornBytes += g.size()
		}
	}
	if want < durable {
		return s.damaged(s.files[0], 0, fmt.Sprintf(
			"group %d is missing; groups below %d were durable", want, durable))
	}
	s.need(all)
	s.sum(checkpoint)
	return nil
}

// need notes which files a crash of this boot would need again. The newest group may not be
// durable, so its checkpoint frees nothing yet: that of the group before counts. If that
// one is gone, its file was used again, and so the newest one was durable.
func (s *Scan) need(all []found) {
	s.needed = make([]bool, len(s.files))
	from := s.last
	for _, g := range all {
		if g.whole && (g.seq == s.last || g.seq+1 == s.last) {
			from = min(from, g.checkpointBelow)
		}
	}
	s.from = from
	for _, g := range all {
		if g.whole && g.seq >= from {
			s.needed[g.file] = true
		}
	}
}

// superseded tells that a later boot used the first group's sequence again, after it had
// dropped that group as torn.
func superseded(all []found) bool {
	for _, g := range all[1:] {
		if g.seq != all[0].seq {
			return false
		}
		if g.whole || !all[0].whole {
			return true
		}
	}
	return false
}

func (s *Scan) sum(checkpoint Seq) {
	s.report.First, s.report.Last = max(checkpoint, 1), s.last
	for _, g := range s.groups {
		s.report.Groups++
		s.report.Entries += int(g.entries)
		s.report.Bytes += g.size()
	}
}

func (s *Scan) damaged(f *scanned, pos int64, what string) error {
	d := Damage{File: f.path, Pos: pos, What: what}
	s.report.Damages = append(s.report.Damages, d)
	return fmt.Errorf("%w: %s", ErrDamaged, d)
}

// Replay hands the entries of the groups at and above the checkpoint to fn, in order. A
// payload is valid during the call.
func (s *Scan) Replay(fn func(Seq, Entry) error) error {
	for _, g := range s.groups {
		if err := s.replayGroup(g, fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scan) replayGroup(g found, fn func(Seq, Entry) error) error {
	f := s.files[g.file]
	n := headerSize + int(g.bodyLen)
	s.buf = slices.Grow(s.buf[:0], n)[:n]
	read, err := s.pread(f, s.buf, g.pos)
	if err != nil {
		return err
	}
	h, err := parseGroup(s.buf[:read], fn)
	if h.seq != g.seq || errors.Is(err, errTorn) || errors.Is(err, errNoHeader) {
		return s.damaged(f, g.pos, fmt.Sprintf("group %d was whole a moment ago", g.seq))
	}
	return err
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// window reads a file forward through one buffer.
type window struct {
	file env.File
	size int64
	buf  []byte
	pos  int64 // of buf[0]
}

// at gives n bytes at pos, fewer at the end of the file; valid until the next call.
func (w *window) at(pos int64, n int) ([]byte, error) {
	if pos >= w.pos && pos+int64(n) <= w.pos+int64(len(w.buf)) {
		return w.buf[pos-w.pos:][:n], nil
	}
	want := max(n, int(min(scanChunk, w.size-pos)))
	if next := pos + int64(want); next < w.size { // the disk goes on while this is checked
		w.file.Ahead(next, min(scanAhead, w.size-next))
	}
	w.buf = slices.Grow(w.buf[:0], want)[:want]
	read, err := w.file.Pread(w.buf, pos)
	w.buf, w.pos = w.buf[:read], pos
	if err != nil {
		return nil, err
	}
	return w.buf[:min(n, read)], nil
}
