package sweep

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/tidemark-log/tidemark/scenarios"
)

// seedLine is one seed. Only the goals' counts are kept: the rest is for a single run.
type seedLine struct {
	Seed      uint64           `json:"seed"`
	Status    scenarios.Status `json:"status"`
	Verdict   string           `json:"verdict,omitempty"`
	Hash      string           `json:"hash"`
	Simulated int64            `json:"simulated_ms"`
	Goals     map[string]int   `json:"goals,omitempty"`
}

// summaryLine is the last line. It has no status of its own, which tells it from a seed.
type summaryLine struct {
	Scenario string                   `json:"scenario"`
	Outcome  string                   `json:"outcome"`
	From     uint64                   `json:"from"`
	To       uint64                   `json:"to"`
	Runs     int                      `json:"runs"`
	ByStatus map[scenarios.Status]int `json:"by_status"`
	First    uint64                   `json:"first_failure,omitempty"`
	// What the speed figures rest on. The figures themselves are measured, so that two sweeps
	// of the same seeds would differ in them: they stand in the summary for people.
	Simulated    int64  `json:"simulated_ms"`
	Acknowledged int    `json:"acknowledged_batches"`
	Goals        []Goal `json:"goals,omitempty"`
}

func (s *Summary) line(r *scenarios.Result) seedLine {
	l := seedLine{Seed: r.Seed, Status: r.Status, Verdict: r.Verdict, Hash: fmt.Sprintf("%016x", r.Hash),
		Simulated: r.Simulated.Milliseconds()}
	for _, g := range s.Goals {
		if n := r.Counts[g.Name]; n > 0 {
			if l.Goals == nil {
				l.Goals = map[string]int{}
			}
			l.Goals[g.Name] = n
		}
	}
	return l
}

func (s *Summary) lastLine() summaryLine {
	l := summaryLine{Scenario: s.Scenario, Outcome: s.Outcome(), From: s.From, To: s.To, Runs: s.Runs,
		ByStatus: s.ByStatus, Goals: s.Goals, Simulated: s.Simulated.Milliseconds(),
		Acknowledged: s.Acknowledged}
	if s.First != nil {
		l.First = s.First.Seed
	}
	return l
}

// writeLine writes JSON with sorted keys, which encoding/json does for maps.
func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("sweep: write line: %w", err)
	}
	return nil
}
