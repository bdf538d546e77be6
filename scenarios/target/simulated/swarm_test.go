package simulated

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// A link is as it was drawn for good, also when all is healed: replies must not take longer
// than clients wait for them, or these ask again for ever.
func TestDrawnLinksLetRepliesThroughInTime(t *testing.T) {
	for name, faults := range map[string]scenarios.Faults{
		"the whole network": {Network: scenarios.Drawn},
		"a swarm's class":   {Swarm: []scenarios.Class{scenarios.ClassNet}},
	} {
		s := &scenarios.Scenario{Faults: faults}
		narrow := 0
		for seed := range uint64(3000) {
			if rate := drawConditions(s, engine.NewChoice(seed)).net.BytesPerSecond; rate > 0 {
				require.GreaterOrEqual(t, rate, int64(linkLeast), "%s, seed %d", name, seed)
				narrow++
			}
		}
		require.Positive(t, narrow, "%s: no link of 3000 had a bound", name)
	}
}
