package bench

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A ratio compares what ran in the same repetition: here the whole machine was three times
// slower in the second, which says nothing of either target.
func TestRatiosAreTakenWithinARepetition(t *testing.T) {
	targets := []Target{{Name: "a"}, {Name: "b"}}
	var all []Measurement
	for rep, speed := range []float64{100, 33, 99} {
		for i, target := range targets {
			all = append(all, Measurement{Case: "flood", Target: target.Name, Repetition: rep + 1,
				Figures: Figures{{Throughput, float64(1+i) * speed}}})
		}
	}
	all = append(all, Measurement{Case: "flood", Target: "b", Repetition: 4, Err: errors.New("gone")})
	results := Results(targets, all)
	require.Len(t, results, 1)
	b, ok := results[0].Cell(Throughput, "b")
	require.True(t, ok)
	require.Equal(t, Cell{Count: 3, Median: 198, Min: 66, Max: 200, Ratio: 2}, b)
	_, ok = results[0].Cell(Lag, "b")
	require.False(t, ok, "what was not measured is no zero")
	var out strings.Builder
	require.NoError(t, results[0].Table(&out))
	require.Contains(t, out.String(), "mb_per_s   99.0 [33.0–100]   198 [66.0–200]   2.00×\n")
}

// A curve goes no further than its records, and a rarer record never took less.
func TestCurvesRiseAndEndWithTheirRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistogram()
		for _, ms := range rapid.SliceOfN(rapid.IntRange(0, 100_000), 1, 300).Draw(t, "ms") {
			note(h, time.Duration(ms)*time.Millisecond)
		}
		r := &Result{Targets: []string{"a"}, Latency: []*hdrhistogram.Histogram{h}}
		curves := r.curves()
		require.Len(t, curves, 1)
		f, last := frameOf(curves), point{-1, 0}
		for _, p := range curves[0].points {
			require.Greater(t, p.rarity, last.rarity)
			require.GreaterOrEqual(t, p.millis, last.millis)
			x, y := f.place(p)
			require.True(t, x >= 0 && x <= 1 && y >= 0 && y <= 1, "in the frame: %v", p)
			last = p
		}
		require.LessOrEqual(t, last.millis, float64(h.Max())*millisPerNano)
	})
}

func TestPlotShowsWhoIsSlowerInTheTail(t *testing.T) {
	even, stalling := newHistogram(), newHistogram()
	for i := range 1000 {
		note(even, time.Millisecond)
		note(stalling, time.Millisecond)
		if i%50 == 0 {
			note(stalling, 100*time.Millisecond)
		}
	}
	r := &Result{Targets: []string{"even", "stalling"}, Latency: []*hdrhistogram.Histogram{even, stalling}}
	var out strings.Builder
	require.NoError(t, r.Plot(&out))
	lines := strings.Split(out.String(), "\n")
	require.Contains(t, lines[0], "○", "a hundred milliseconds, at the top")
	require.NotContains(t, lines[0], "●")
	require.Contains(t, lines[plotHeight-1], "●", "one millisecond, at the bottom")
	require.Contains(t, out.String(), "● even\n")
	require.Contains(t, string(r.SVG()), ">stalling</text>")
}

// Only what is on this machine is blamed for its CPU time.
func TestListenersAreOfThisMachine(t *testing.T) {
	require.False(t, isLocal("192.0.2.1"), "an address that nobody may have")
	require.True(t, isLocal("localhost"))
}

func TestResponseHeadersMayHaveTags(t *testing.T) {
	for _, c := range []struct {
		name, bytes, rest string
		bad               bool
	}{
		{"none", "\x00rest", "rest", false},
		{"one", "\x01\x07\x02abrest", "rest", false},
		{"two, one empty", "\x02\x01\x00\x02\x01xrest", "rest", false},
		{"longer than there is", "\x01\x07\x09ab", "", true},
		{"cut off", "\x01", "", true},
		{"nothing", "", "", true},
	} {
		rest, err := skipTags([]byte(c.bytes))
		if string(rest) != c.rest || (err != nil) != c.bad {
			t.Errorf("%s: %q, %v", c.name, rest, err)
		}
	}
}
