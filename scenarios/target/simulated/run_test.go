package simulated

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/scenarios"
)

// seedsOfTest is enough to notice a broken build; sweeps do the rest.
const seedsOfTest = 6

func load(t testing.TB, name string) *scenarios.Scenario {
	s, err := scenarios.Load(name, "")
	require.NoError(t, err)
	return s
}

func TestEveryScenarioIsGreenForItsFirstSeeds(t *testing.T) {
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			for seed := range uint64(seedsOfTest) {
				r := Run(s, seed+1, Options{})
				if r.Status != scenarios.Green {
					t.Fatalf("seed %d %s: %s\n%s", seed+1, r.Status, r.Verdict, r.Report)
				}
			}
		})
	}
}
