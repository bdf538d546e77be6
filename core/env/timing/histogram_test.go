package timing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env/timing"
)

// Every duration is in the first bucket that holds it, and none is lost.
func TestHistogramCountsEachDurationOnce(t *testing.T) {
	require.True(t, slices.IsSorted(timing.Bounds[:]))
	rapid.Check(t, func(t *rapid.T) {
		near := rapid.Custom(func(t *rapid.T) time.Duration {
			return rapid.SampledFrom(timing.Bounds[:]).Draw(t, "bound") +
				time.Duration(rapid.IntRange(-1, 1).Draw(t, "beside"))
		})
		all := rapid.SliceOfN(rapid.OneOf(near, rapid.Map(rapid.Int64(), func(n int64) time.Duration {
			return time.Duration(n)
		})), 0, 50).Draw(t, "durations")
		var h timing.Histogram
		var want [len(timing.Bounds) + 1]uint64
		for _, d := range all {
			h.Add(d)
			at := slices.IndexFunc(timing.Bounds[:], func(b time.Duration) bool { return d <= b })
			if at < 0 {
				at = len(timing.Bounds)
			}
			want[at]++
		}
		require.Equal(t, want, h.Counts)
		require.EqualValues(t, len(all), h.Count())
	})
}

func TestAddingAllocatesNothing(t *testing.T) {
	var h timing.Histogram
	require.Zero(t, testing.AllocsPerRun(100, func() { h.Add(3 * time.Millisecond) }))
	require.EqualValues(t, 101*3000, h.Micros)
}
