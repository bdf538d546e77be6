package museum

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// Patched returns the mutated text of each file the patch changes, by path within root.
func (m Mutant) Patched(root string) (map[string]string, error) {
	patch, err := os.ReadFile(filepath.Join(m.Dir, "mutant.patch"))
	if err != nil {
		return nil, fmt.Errorf("museum: %w", err)
	}
	files, _, err := gitdiff.Parse(bytes.NewReader(patch))
	if err != nil {
		return nil, fmt.Errorf("museum: %s: %w", m.Name, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("museum: %s: the patch changes nothing", m.Name)
	}
	patched := make(map[string]string, len(files))
	for _, f := range files {
		source, err := os.ReadFile(filepath.Join(root, f.NewName))
		if err != nil {
			return nil, fmt.Errorf("museum: %s: %w", m.Name, err)
		}
		text := string(source)
		for _, fragment := range f.TextFragments {
			if text, err = replaceFragment(text, fragment); err != nil {
				return nil, fmt.Errorf("museum: %s: %s line %d: %w", m.Name, f.NewName, fragment.OldPosition, err)
			}
		}
		patched[f.NewName] = text
	}
	return patched, nil
}

// replaceFragment finds the fragment's old lines in text, wherever they stand, and puts
// the new ones there.
func replaceFragment(text string, fragment *gitdiff.TextFragment) (string, error) {
	var before, after strings.Builder
	for _, line := range fragment.Lines {
		if line.Op != gitdiff.OpAdd {
			before.WriteString(line.Line)
		}
		if line.Op != gitdiff.OpDelete {
			after.WriteString(line.Line)
		}
	}
	switch strings.Count(text, before.String()) {
	case 0:
		return "", errors.New("no longer applies: its lines are not in the file")
	case 1:
		return strings.Replace(text, before.String(), after.String(), 1), nil
	default:
		return "", errors.New("applies at more than one place: give it more context")
	}
}

// Build makes the mutant's tidemark binary at out, from the module at root.
func (m Mutant) Build(root, out string) error {
	patched, err := m.Patched(root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tidemark-mutant-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(root, dir, patched)
	if err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-overlay", overlay, "-o", out, "./cmd/tidemark")
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("museum: %s does not build: %w\n%s", m.Name, err, text)
	}
	return nil
}

// writeOverlay puts the mutated files in dir and returns the path of the overlay file.
func writeOverlay(root, dir string, patched map[string]string) (string, error) {
	replace := make(map[string]string, len(patched))
	for name, text := range patched {
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "__"))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
		original, err := filepath.Abs(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		replace[original] = path
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o644)
}
