package museum

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Mutant is one broken version of the product.
type Mutant struct {
	Name  string // folder name, NNN-slug
	Dir   string
	Title string // first heading of its README
	Expect
}

// Expect is expect.yaml.
type Expect struct {
	// Scenarios are tried in this order; each gets Seeds seeds.
	Scenarios []string `yaml:"scenarios"`
	// Seeds bounds the hunt; a mutant alive after so many is a finding about the simulator.
	Seeds int `yaml:"seeds"`
	// Catcher is a word that the verdict must contain: the check that should fire first. Where
	// one bug shows in two ways and chance decides which comes first, it is a list.
	Catcher words `yaml:"catcher"`
}

// words are one or several.
type words []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (w *words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*w = words{n.Value}
		return nil
	}
	return n.Decode((*[]string)(w))
}

func (w words) String() string { return strings.Join(w, " or ") }

// in tells whether text contains one of them.
func (w words) in(text string) bool {
	return slices.ContainsFunc(w, func(word string) bool { return strings.Contains(text, word) })
}

// Load reads all mutants below dir, by name.
func Load(dir string) ([]Mutant, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("museum: %w", err)
	}
	var mutants []Mutant
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "testdata" {
			continue
		}
		m, err := loadOne(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		mutants = append(mutants, m)
	}
	return mutants, nil
}

func loadOne(dir string) (Mutant, error) {
	m := Mutant{Name: filepath.Base(dir), Dir: dir}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return m, fmt.Errorf("museum: %w", err)
	}
	first, _, _ := strings.Cut(string(readme), "\n")
	m.Title = strings.TrimSpace(strings.TrimLeft(first, "# "))
	path := filepath.Join(dir, "expect.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return m, fmt.Errorf("museum: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&m.Expect); err != nil {
		return m, fmt.Errorf("museum: %s: %w", path, err)
	}
	if len(m.Scenarios) == 0 || m.Seeds < 1 || len(m.Catcher) == 0 {
		return m, fmt.Errorf("museum: %s: scenarios, seeds and catcher must all be given", path)
	}
	return m, nil
}
