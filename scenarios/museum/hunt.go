package museum

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// hunts is how often each mutant is hunted, each time from other seeds on: what one range
// of seeds catches at once another may need long for.
const hunts = 3

// huntsApart is the distance between the first seeds of two hunts.
const huntsApart = 100_000

// Catch is how a mutant was caught.
type Catch struct {
	Scenario string
	Seed     uint64
	Tried    int    // seeds of that scenario until then; the median of all hunts
	Verdict  string // what the checker said in the first hunt
}

// Expected tells whether the check that fired is the one that should.
func (m Mutant) Expected(c *Catch) bool { return m.Catcher.in(c.Verdict) }

// Hunt runs the mutant's binary until a scenario catches it, or returns nil when all
// seeds passed. The scenario that caught it goes on with other seeds, for the median.
func (m Mutant) Hunt(ctx context.Context, binary string) (*Catch, error) {
	for _, scenario := range m.Scenarios {
		catch, err := m.hunt(ctx, binary, scenario, 1)
		if err != nil {
			return nil, err
		}
		if catch == nil {
			continue
		}
		tried := []int{catch.Tried}
		for i := 1; i < hunts; i++ {
			again, err := m.hunt(ctx, binary, scenario, 1+i*huntsApart)
			if err != nil {
				return nil, err
			}
			n := m.Seeds + 1 // alive in that range
			if again != nil {
				n = again.Tried
			}
			tried = append(tried, n)
		}
		slices.Sort(tried)
		catch.Tried = tried[len(tried)/2]
		return catch, nil
	}
	return nil, nil
}

// sweepLine is what the hunt reads of a line of sim sweep --jsonl.
type sweepLine struct {
	Seed    uint64 `json:"seed"`
	Status  string `json:"status"`
	Verdict string `json:"verdict"`
}

func (m Mutant) hunt(ctx context.Context, binary, scenario string, from int) (*Catch, error) {
	var out, diag bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, "sim", "sweep", scenario,
		"--seeds", fmt.Sprintf("%d..%d", from, from+m.Seeds-1), "--stop-at-failure", "--jsonl", "-")
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
