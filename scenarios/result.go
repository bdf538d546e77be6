package scenarios

import (
	"time"

	"github.com/tidemark-log/tidemark/checker"
	"github.com/tidemark-log/tidemark/checker/history"
)

// Status is how a run ended.
type Status string

// The ways a run can end. Only Green supports the claim.
const (
	Green            Status = "green"
	Violated         Status = "violated"         // a promise was broken
	Stuck            Status = "stuck"            // nothing wrong, but not everything came to rest
	Crashed          Status = "crashed"          // an invariant broke, a panic, no boot
	Inconclusive     Status = "inconclusive"     // a check could not be finished
	Nondeterministic Status = "nondeterministic" // two runs of the seed differ
	Broken           Status = "broken"           // the scenario could not be run
)

// ExitCode is the exit code of a command whose worst run ended so.
func (s Status) ExitCode() int {
	switch s {
	case Green:
		return 0
	case Violated:
		return 10
	case Stuck:
		return 11
	case Crashed:
		return 12
	case Nondeterministic:
		return 13
	case Inconclusive:
		return 14
	}
	return 1
}

// Result is one run of a scenario.
type Result struct {
	Scenario string
	Seed     uint64
	Status   Status
	// Verdict says in one line what was wrong; "" if green.
	Verdict string
	// Report has the details: timelines, trace, stack.
	Report string
	// Endless: the run was given up and goes on behind; nothing else is known of it.
	Endless bool
	// Hash is equal for two runs of a seed.
	Hash uint64
	// Counts are what happened: coverage goals and figures, by name.
	Counts map[string]int
	// Simulated is the simulated time, Real the time it took.
	Simulated, Real time.Duration

	Checked *checker.Verdict
	History *history.History
	Final   *history.Final
}
