package journal

import (
	"errors"
	"slices"
)

// notes is what a group says besides batches, kept from the scan so that a survey need not
// read and check the journal once more.
type notes struct {
	entries []noted
	kept    bool // all of them; false: the group is to be read again
}

// noted is an entry and its place in its group.
type noted struct {
	at    int
	entry Entry
}

// notebook writes the notes of one group after another.
type notebook struct {
	left  int64       // bytes that may still be kept
	group int         // the one being noted, from 1
	seen  map[Key]int // group in which a log's batches were met last
}

// begin starts with the next group. What was noted of one that is not whole is forgotten.
func (n *notebook) begin() *notes {
	if n.seen == nil {
		n.seen = make(map[Key]int)
	}
	n.group++
	return &notes{kept: n.left > 0}
}

// take notes an entry: all that are no batches, and of each log the first batch, without its
// bytes.
func (n *notebook) take(g *notes, at int, e Entry) {
	if !g.kept {
		return
	}
	if e.Kind == KindBatch {
		if n.seen[e.Key] == n.group {
			return
		}
		n.seen[e.Key] = n.group
		e.Payload = nil
	}
	if n.left -= notedSize + int64(len(e.Payload)); n.left < 0 {
		*g = notes{}
		return
	}
	e.Payload = slices.Clone(e.Payload)
	g.entries = append(g.entries, noted{at, e})
}

// Survey hands to fn what Replay will, with the place of each entry in all of that, from 1;
// but of a group's batches only the first of each log, and those without payload.
func (s *Scan) Survey(fn func(at int, e Entry) error) error {
	first := 1
	for _, g := range s.groups {
		told := g.notes
		if !told.kept {
			var err error
			if told, err = s.noteAgain(g); err != nil {
				return err
			}
		}
		for _, n := range told.entries {
			if err := fn(first+n.at, n.entry); err != nil {
				return err
			}
		}
		first += int(g.entries)
	}
	return nil
}

// noteAgain reads a group that there was no memory for.
func (s *Scan) noteAgain(g found) (*notes, error) {
	book := notebook{left: groupNotesMax}
	told, at := book.begin(), 0
	err := s.replayGroup(g, func(_ Seq, e Entry) error {
		book.take(told, at, e)
		at++
		return nil
	})
	if err == nil && !told.kept {
		err = errors.New("journal: a group says more than a group can hold")
	}
	return told, err
}
