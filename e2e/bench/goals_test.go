package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/cmd/tidemark/bench"
)

// A verdict is worth nothing if a worse ratio passes: here each bound is met, just missed,
// and met from the wrong side.
func TestGoalsAreHeldFromTheirSide(t *testing.T) {
	more, less := goal{gate: 1, aim: 1.4, more: true}, goal{gate: 1.1, aim: 0.7}
	for _, c := range []struct {
		g     goal
		ratio float64
		want  string
	}{
		{more, 1.4, "aim reached"}, {more, 1.39, "gate held"}, {more, 1, "gate held"}, {more, 0.99, "**missed**"},
		{less, 0.7, "aim reached"}, {less, 0.71, "gate held"}, {less, 1.1, "gate held"}, {less, 1.11, "**missed**"},
		{less, 0, "aim reached"}, {more, 0, "**missed**"},
	} {
		require.Equal(t, c.want, c.g.held(c.ratio), "%+v at %v", c.g, c.ratio)
	}
}

// Each goal is about a figure that some stage measures on both; a typing error would leave
// its row out in silence.
func TestEveryGoalHasItsStage(t *testing.T) {
	for _, g := range goals {
		i := -1
		for k, s := range append([]stage{starts}, stages...) {
			if s.name == g.stage {
				i = k
				require.Contains(t, s.targets, g.against, g.what)
				require.Contains(t, s.targets, ours, g.what)
			}
		}
		require.GreaterOrEqual(t, i, 0, "%s: no stage %s", g.what, g.stage)
		require.True(t, g.more == (g.aim > g.gate), "%s: the aim is no stricter than the gate", g.what)
	}
}

// Against Kafka with fsync the ratio is to that, although the tables have Kafka as base.
func TestGoalsCompareWithThePeerTheyName(t *testing.T) {
	targets := []bench.Target{{Name: pageCache}, {Name: synced}, {Name: ours}}
	var seen []bench.Measurement
	for i, mb := range []float64{100, 20, 150} {
		seen = append(seen, bench.Measurement{Case: "flood", Target: targets[i].Name, Repetition: 1,
			Figures: bench.Figures{{Name: bench.Throughput, Value: mb}}})
	}
	var out strings.Builder
	printGoals(&out, bench.Results(targets, seen))
	require.Contains(t, out.String(),
		"| flood, throughput | 150 | 100 | 1.5× | ≥ 0.9× | ≥ 1.2× | aim reached |\n")
	require.Contains(t, out.String(),
		"| flood, throughput (Kafka with fsync) | 150 | 20.0 | 7.5× | ≥ 3× | ≥ 5× | aim reached |\n")
	require.NotContains(t, out.String(), "consume", "what was not measured has no row")
}
