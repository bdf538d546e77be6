package claims

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidemark-log/tidemark/scenarios"
)

//go:embed R*.yaml
var files embed.FS

// Row is a row of the table: a configuration, and what it claims under each fault.
type Row struct {
	Name       string     `yaml:"row"`
	Title      string     `yaml:"title"`
	Says       string     `yaml:"says"`
	Seeds      int        `yaml:"seeds"` // per cell, by default
	Properties []Property `yaml:"properties"`
	Faults     []Fault    `yaml:"cells"`
	Witnesses  []Witness  `yaml:"witnesses"`
	Story      yaml.Node  `yaml:"story"` // the scenario without its faults
}

// Property is what can be lost.
type Property struct {
	Name string `yaml:"name"`
	Says string `yaml:"says"`
	// Loss is the check of the checker that complains of its loss.
	Loss string `yaml:"loss"`
}

// Fault is a column: what happens, and what is claimed then under each flush policy.
type Fault struct {
	Name   string           `yaml:"fault"`
	Says   string           `yaml:"says"`
	Faults scenarios.Faults `yaml:"faults"`
	// Seen are counts of which one at least must not be zero in a run that counts.
	Seen  []string `yaml:"seen"`
	Group Claim    `yaml:"group"`
	OS    Claim    `yaml:"os"`
}

// Claim is holds, or may lose with the witness that shows it.
type Claim struct{ Witness string }

// Holds: nothing is lost.
func (c Claim) Holds() bool { return c.Witness == "" }

// Witness is a story in fixed steps that loses.
type Witness struct {
	Name   string           `yaml:"name"`
	Says   string           `yaml:"says"`
	Script []scenarios.Step `yaml:"script"`
}

// Cell is a fault under a flush policy.
type Cell struct {
	Row   *Row
	Fault *Fault
	Flush string // group or os
	Claim Claim
}

// UnmarshalYAML reads "holds" or "may lose, W2".
func (c *Claim) UnmarshalYAML(n *yaml.Node) error {
	if n.Value == "holds" {
		return nil
	}
	witness, ok := strings.CutPrefix(n.Value, "may lose, ")
	if c.Witness = witness; !ok || witness == "" {
		return fmt.Errorf("line %d: %q: want holds, or: may lose, and a witness", n.Line, n.Value)
	}
	return nil
}

// Names lists the rows there are.
func Names() []string {
	entries, _ := files.ReadDir(".")
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// Load reads a row.
func Load(name string) (*Row, error) {
	b, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("claims: no row %q; there are %s", name, strings.Join(Names(), ", "))
	}
	var r Row
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("claims: %s: %w", name, err)
	}
	return &r, r.validate()
}

func (r *Row) validate() error {
	var errs []error
	if len(r.Properties) == 0 || len(r.Faults) == 0 || r.Seeds < 1 {
		errs = append(errs, errors.New("want properties, cells and a number of seeds"))
	}
	for _, c := range r.Cells() {
		if len(c.Fault.Seen) == 0 {
			errs = append(errs, fmt.Errorf("%s: seen: want what shows that the fault happened", c))
		}
		if _, err := c.Scenario(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c, err))
		}
		if !c.Claim.Holds() && r.witness(c.Claim.Witness) == nil {
			errs = append(errs, fmt.Errorf("%s: there is no witness %s", c, c.Claim.Witness))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("claims: %s: %w", r.Name, err)
	}
	return nil
}

// Cells lists the cells, fault by fault.
func (r *Row) Cells() []Cell {
	var cells []Cell
	for i := range r.Faults {
		f := &r.Faults[i]
		cells = append(cells, Cell{r, f, "group", f.Group}, Cell{r, f, "os", f.OS})
	}
	return cells
}

func (r *Row) witness(name string) *Witness {
	i := slices.IndexFunc(r.Witnesses, func(w Witness) bool { return w.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Witnesses[i]
}

// String is fault/flush.
func (c Cell) String() string { return c.Fault.Name + "/" + c.Flush }

// Scenario is the story of the cell: its fault, drawn by seed.
func (c Cell) Scenario() (*scenarios.Scenario, error) {
	s, err := c.story()
	if err != nil {
		return nil, err
	}
	base := s.Faults
	s.Faults = c.Fault.Faults
	s.Faults.DownMax, s.Faults.WriteBack = base.DownMax, base.WriteBack
	return c.ready(s, "")
}

// Witness is the story that must lose, nil where nothing may.
func (c Cell) Witness() (*scenarios.Scenario, error) {
	if c.Claim.Holds() {
		return nil, nil
	}
	s, err := c.story()
	if err != nil {
		return nil, err
	}
	s.Faults.Script = c.Row.witness(c.Claim.Witness).Script
	return c.ready(s, "/"+c.Claim.Witness)
}

func (c Cell) story() (*scenarios.Scenario, error) {
	b, err := yaml.Marshal(&c.Row.Story)
	if err != nil {
		return nil, err
	}
	return scenarios.Parse(c.Row.Name+".yaml: story", b)
}

// ready puts the cell's policy in force. Whatever the claim, faults may spend: a ledger that
// refused the fault would prove nothing.
func (c Cell) ready(s *scenarios.Scenario, suffix string) (*scenarios.Scenario, error) {
	s.Name, s.Claim = "claims/"+c.Row.Name+"/"+c.String()+suffix, c.Fault.Says
	s.Faults.Budget = scenarios.Spend
	for i := range s.Topics {
		if s.Topics[i].Config == nil {
			s.Topics[i].Config = map[string]scenarios.Values{}
		}
		s.Topics[i].Config["flush.policy"] = scenarios.Values{c.Flush}
	}
	s.Defaults()
	return s, s.Validate()
}
