package sweep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/scenarios"
)

// Summary is what a sweep showed.
type Summary struct {
	Scenario string
	From, To uint64 // seeds asked for
	Runs     int
	ByStatus map[scenarios.Status]int
	// First is the first seed that was not green, nil if all were.
	First *scenarios.Result
	Goals []Goal
	// Counts are the sums over all runs.
	Counts    map[string]int
	Simulated time.Duration
	// Acknowledged is the number of batches that producers saw acknowledged.
	Acknowledged int
	// Elapsed is the real time, and CPU the processor time of the whole process, seeds that
	// were run twice included; 0 where it is not known. They stand in no JSON line.
	Elapsed, CPU time.Duration
}

// acknowledged is the count of a run that Summary.Acknowledged adds up.
const acknowledged = "op/produce-ok"

// Goal is something that must have happened often enough.
type Goal struct {
	Name string `json:"name"`
	Seen int    `json:"seen"`
	// Want is the quota for the number of seeds that were run.
	Want int `json:"want"`
}

// Missed reports that the quota was not reached.
func (g Goal) Missed() bool { return g.Seen < g.Want }

// goals are the quotas of the scenario.
func (s *Summary) scenarioGoals(of *scenarios.Scenario) {
	if of == nil {
		return
	}
	s.Scenario = of.Name
	for _, name := range slices.Sorted(maps.Keys(of.Goals)) {
		s.Goals = append(s.Goals, Goal{Name: name, Want: of.Goals[name]})
	}
}

func newSummary(cfg *Config) *Summary {
	s := &Summary{From: cfg.From, To: cfg.To, ByStatus: map[scenarios.Status]int{}, Counts: map[string]int{}}
	s.scenarioGoals(cfg.Scenario)
	return s
}

func (s *Summary) add(r *scenarios.Result) {
	s.Runs++
	s.ByStatus[r.Status]++
	s.Simulated += r.Simulated
	s.Acknowledged += r.Counts[acknowledged]
	for name, n := range r.Counts {
		s.Counts[name] += n
	}
	if r.Status != scenarios.Green && s.First == nil {
		s.First = r
	}
}

// finish scales the quotas, which are per 1000 seeds. What less than one would be expected of
// is not demanded.
func (s *Summary) finish(elapsed, cpu time.Duration) {
	s.Elapsed, s.CPU = elapsed, cpu
	for i := range s.Goals {
		g := &s.Goals[i]
		g.Seen, g.Want = s.Counts[g.Name], g.Want*s.Runs/1000
	}
}

// Unseen are the goals that were missed.
func (s *Summary) Unseen() []Goal {
	var missed []Goal
	for _, g := range s.Goals {
		if g.Missed() {
			missed = append(missed, g)
		}
	}
	return missed
}

// worst orders the ways to fail: what a sweep is called if it has several.
var worst = []scenarios.Status{scenarios.Broken, scenarios.Nondeterministic, scenarios.Violated,
	scenarios.Crashed,
	scenarios.Stuck, scenarios.Inconclusive}

// Outcome is the sweep in one word: green, UNSEEN, or the worst that happened.
func (s *Summary) Outcome() string {
	for _, status := range worst {
		if s.ByStatus[status] > 0 {
			return string(status)
		}
	}
	if len(s.Unseen()) > 0 {
		return "UNSEEN"
	}
	return string(scenarios.Green)
}

// ExitCode is the exit code of a command that did this sweep.
func (s *Summary) ExitCode() int {
	if o := s.Outcome(); o != "UNSEEN" {
		return scenarios.Status(o).ExitCode()
	}
	return scenarios.Inconclusive.ExitCode()
}

// Speed says how fast it was: by the clock, which tells how long one waits, and by processor
// time, which does not depend on how many processors there were and who else used them.
func (s *Summary) Speed() string {
	sec, cpu := s.Elapsed.Seconds(), s.CPU.Seconds()
	if sec <= 0 {
		return ""
	}
	text := fmt.Sprintf("%s simulated in %s, %.0f times real time, %.1f seeds/s", s.Simulated.Round(time.Second),
		s.Elapsed.Round(time.Millisecond), s.Simulated.Seconds()/sec, float64(s.Runs)/sec)
	if cpu > 0 {
		text += fmt.Sprintf("; per CPU-second %.0f simulated seconds and %.0f acknowledged batches (%s)",
			s.Simulated.Seconds()/cpu, float64(s.Acknowledged)/cpu, s.CPU.Round(time.Millisecond))
	}
	return text
}

// String is the summary for people.
func (s *Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %d seeds", s.Outcome(), s.Scenario, s.Runs)
	for _, status := range slices.Sorted(maps.Keys(s.ByStatus)) {
		fmt.Fprintf(&b, ", %d %s", s.ByStatus[status], status)
	}
	if speed := s.Speed(); speed != "" {
		b.WriteString("; " + speed)
	}
	b.WriteByte('\n')
	for _, g := range s.Goals {
		mark := "seen  "
		if g.Missed() {
			mark = "UNSEEN"
		}
		fmt.Fprintf(&b, "  %s %-40s %8d of %d\n", mark, g.Name, g.Seen, g.Want)
	}
	if s.First != nil {
		fmt.Fprintf(&b, "first: seed %d %s: %s\n", s.First.Seed, s.First.Status, s.First.Verdict)
	}
	return b.String()
}
