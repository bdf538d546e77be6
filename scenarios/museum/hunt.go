package museum

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Catch is how a mutant was caught.
type Catch struct {
	Scenario string
	Seed     uint64
	Tried    int    // seeds of that scenario until then
	Verdict  string // what the checker said
}

// Hunt runs the mutant's binary until a scenario catches it, or returns nil when all
// seeds passed.
func (m Mutant) Hunt(ctx context.Context, binary string) (*Catch, error) {
	for _, scenario := range m.Scenarios {
		catch, err := m.hunt(ctx, binary, scenario)
		if catch != nil || err != nil {
			return catch, err
		}
	}
	return nil, nil
}

// sweepLine is what the hunt reads of a line of sim sweep --jsonl.
type sweepLine struct {
	Seed    uint64 `json:"seed"`
	Status  string `json:"status"`
	Verdict string `json:"verdict"`
}

func (m Mutant) hunt(ctx context.Context, binary, scenario string) (*Catch, error) {
	var out, diag bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, "sim", "sweep", scenario,
		"--seeds", fmt.Sprintf("1..%d", m.Seeds), "--stop-at-failure", "--jsonl", "-")
	cmd.Stdout, cmd.Stderr = &out, &diag
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	tried := 0
	for line := range strings.Lines(out.String()) {
		var l sweepLine
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Status == "" {
			continue // the summary, not a seed
		}
		tried++
		if l.Status == "green" {
			continue
		}
		return &Catch{Scenario: scenario, Seed: l.Seed, Tried: tried, Verdict: l.Verdict}, nil
	}
	if tried == 0 {
		return nil, fmt.Errorf("museum: %s: the sweep of %s ran no seed:\n%s", m.Name, scenario, diag.String())
	}
	return nil, nil
}
