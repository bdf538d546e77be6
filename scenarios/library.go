package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed bench/*.yaml single/*.yaml tour/*.yaml
var files embed.FS

// suffix of a scenario file.
const suffix = ".yaml"

// Names lists the scenarios that come with the program, sorted.
func Names() []string {
	var names []string
	_ = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, strings.TrimSuffix(path, suffix))
		}
		return nil
	})
	return names
}

// Load reads a scenario by name: one that comes with the program, else a file in folder (if
// that is not empty), else a file of exactly that path.
func Load(name, folder string) (*Scenario, error) {
	name = strings.TrimSuffix(filepath.ToSlash(name), suffix)
	if b, err := files.ReadFile(name + suffix); err == nil {
		return parseNamed(name, name+suffix, b)
	}
	paths := []string{name + suffix}
	if folder != "" {
		paths = []string{filepath.Join(folder, name+suffix), name + suffix}
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("scenarios: %w", err)
		}
		return parseNamed(name, path, b)
	}
	return nil, fmt.Errorf("scenarios: no scenario %q; there are %s, and files ending in %s", name,
		strings.Join(Names(), ", "), suffix)
}

func parseNamed(name, path string, b []byte) (*Scenario, error) {
	s, err := Parse(path, b)
	if err != nil {
		return nil, err
	}
	s.Name = name
	return s, nil
}
