package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// siblingsFile lists in each log directory all directories of its node, that with the
// metadata log first: a line of directory.id=path each. A volume that is not mounted leaves
// an empty directory behind, which looks like a new one; a node that took it for one would
// begin its partitions anew, without a record. And log.dirs in another order must not move
// the metadata log.
const siblingsFile = "directories.properties"

const siblingsHead = `# The log directories of this node, the one with its metadata log first.
# A node does not start without one of them. One that is gone for good, with all that
# was in it, may be taken out here, in each of the others.
`

// siblings is what the files of all directories say together.
type siblings struct{ entries []sibling }

type sibling struct{ id, path, says string }

func (s *siblings) first() string {
	if len(s.entries) == 0 {
		return ""
	}
	return s.entries[0].id
}

// readSiblings reads what the directories know of each other.
func readSiblings(dirs []string) (*siblings, error) {
	all := &siblings{}
	for _, dir := range dirs {
		path := filepath.Join(dir, siblingsFile)
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("node: %w", err)
		}
		first := true
		for line := range strings.Lines(string(text)) {
			id, at, ok := strings.Cut(strings.TrimSpace(line), "=")
			if !ok || strings.HasPrefix(id, "#") {
				continue
			}
			if first && all.first() != "" && all.first() != id {
				return nil, fmt.Errorf("node: %s: the metadata log is in directory %s, and %s says it is in %s",
					path, id, all.entries[0].says, all.first())
			}
			first = false
			known := slices.ContainsFunc(all.entries, func(s sibling) bool { return s.id == id })
			if !known {
				all.entries = append(all.entries, sibling{id, at, path})
			}
		}
	}
	return all, nil
}

// missing refuses a start without a directory that there was, or with one of them twice.
func (s *siblings) missing(dirs []string, found []*identity) error {
	for i, id := range found {
		for j, other := range found[:i] {
			if id != nil && other != nil && id.directoryID != "" && id.directoryID == other.directoryID {
				return fmt.Errorf("node: %s and %s are both directory %s: one is a copy of the other",
					dirs[j], dirs[i], id.directoryID)
			}
		}
	}
	for _, known := range s.entries {
		here := slices.ContainsFunc(found, func(id *identity) bool {
			return id != nil && id.directoryID == known.id
		})
		if !here {
			return fmt.Errorf("node: log directory %s, last at %s, is in none of log.dirs: is its volume mounted, "+
				"and is it listed? If it is gone for good, with all that was in it, take it out of %s in each of "+
				"the others", known.id, known.path, siblingsFile)
		}
	}
	return nil
}

// update puts the directory with the metadata log first, and has every directory know all.
func (s *siblings) update(dirs []string, found []*identity) error {
	for i, id := range found {
		if id.directoryID == s.first() {
			moved, its := dirs[i], found[i]
			copy(dirs[1:], dirs[:i])
			copy(found[1:], found[:i])
			dirs[0], found[0] = moved, its
			break
		}
	}
	var text strings.Builder
	text.WriteString(siblingsHead)
	for i, id := range found {
		fmt.Fprintf(&text, "%s=%s\n", id.directoryID, dirs[i])
	}
	for _, dir := range dirs {
		old, err := os.ReadFile(filepath.Join(dir, siblingsFile))
		if err == nil && string(old) == text.String() {
			continue
		}
		if err := writeWhole(dir, siblingsFile, text.String()); err != nil {
			return err
		}
	}
	return nil
}
