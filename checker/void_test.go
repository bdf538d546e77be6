package checker

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What a permitted loss explains is allowed in that partition alone; nothing else is.
func TestVoidExcusesALostTailAndNothingElse(t *testing.T) {
	c := &check{counts: map[string]int{}, voided: map[string]bool{"t-0@abc": true}}
	c.report("H1", "t-0@abc", "lost")
	c.report("H1", "t-1@abc", "lost")
	c.report("H4", "t-0@abc", "alien bytes")
	c.report("H3", "t-0@abc", "twice")
	c.report("H26", "t", "gone")
	var allowed []bool
	for _, a := range c.anomalies {
		allowed = append(allowed, a.Allowed)
	}
	require.Equal(t, []bool{true, false, false, false, false}, allowed)
	require.Equal(t, Violated, c.verdict().Outcome)
}
