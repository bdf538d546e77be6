package sweep

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemark-log/tidemark/scenarios"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a run that takes longer for some seeds and fails for one.
func fake(failing uint64) func() func(seed uint64) *scenarios.Result {
	return runner(func(seed uint64) *scenarios.Result {
		time.Sleep(time.Duration(seed*7919%5) * 100 * time.Microsecond)
		r := &scenarios.Result{Seed: seed, Status: scenarios.Green, Hash: seed * 3, Simulated: time.Second,
			Real:   time.Duration(time.Now().UnixNano()),
			Counts: map[string]int{"fault/kill": 2, "other": 1, "op/produce-ok": 5}}
		if seed == failing {
			r.Status, r.Verdict = scenarios.Violated, "H1 lost write"
		}
		return r
	})
}

func runner(run func(seed uint64) *scenarios.Result) func() func(seed uint64) *scenarios.Result {
	return func() func(uint64) *scenarios.Result { return run }
}

func TestLinesDependOnTheSeedsAlone(t *testing.T) {
	s := &scenarios.Scenario{Name: "single/fake", Goals: map[string]int{"fault/kill": 2000}}
	var want string
	for _, workers := range []int{1, 2, 7} {
		var lines bytes.Buffer
		sum, err := Sweep(Config{Scenario: s, Runner: fake(33), From: 1, To: 60, Workers: workers, Lines: &lines})
		require.NoError(t, err)
		require.Equal(t, 60, sum.Runs)
		require.EqualValues(t, 33, sum.First.Seed)
		require.Equal(t, 10, sum.ExitCode())
		if want == "" {
			want = lines.String()
		}
		require.Equal(t, want, lines.String())
	}
	require.Equal(t, 61, strings.Count(want, "\n"))
	require.Contains(t, want,
		`{"seed":33,"status":"violated","verdict":"H1 lost write","hash":"0000000000000063"`)
	require.Contains(t, want, `"simulated_ms":60000,"acknowledged_batches":300`)
}

// Who reads the summary learns what a second of one processor buys, whatever the machine had
// to do beside the sweep.
func TestSpeedIsToldPerSecondOfProcessorTime(t *testing.T) {
	s := &Summary{Runs: 10, Simulated: 1000 * time.Second, Acknowledged: 20_000, Elapsed: 4 * time.Second,
		CPU: 2 * time.Second}
	require.Equal(t, "16m40s simulated in 4s, 250 times real time, 2.5 seeds/s; "+
		"per CPU-second 500 simulated seconds and 10000 acknowledged batches (2s)", s.Speed())
	s.CPU = 0 // not known everywhere
	require.Equal(t, "16m40s simulated in 4s, 250 times real time, 2.5 seeds/s", s.Speed())
	require.Empty(t, (&Summary{}).Speed())
}

func TestSweepStopsAtTheFirstFailureInOrderOfSeed(t *testing.T) {
	var lines bytes.Buffer
	sum, err := Sweep(Config{Runner: fake(5), From: 1, To: 1_000_000, Workers: 4, StopAtFailure: true,
		Lines: &lines})
	require.NoError(t, err)
	require.Equal(t, 5, sum.Runs)
	require.Equal(t, 6, strings.Count(lines.String(), "\n"))
}

func TestRunThatNeverEndsIsReportedAndTheSweepEnds(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	run := fake(0)()
	var shared atomic.Int32 // runs that got what the endless one has
	sum, err := Sweep(Config{From: 1, To: 20, Workers: 2, RealMax: 100 * time.Millisecond,
		Runner: func() func(uint64) *scenarios.Result {
			var busy atomic.Bool
			return func(seed uint64) *scenarios.Result {
				if busy.Swap(true) {
					shared.Add(1)
				}
				defer busy.Store(false)
				if seed == 7 {
					<-release
				}
				return run(seed)
			}
		}})
	require.NoError(t, err)
	require.Zero(t, shared.Load())
	require.Equal(t, 19, sum.ByStatus[scenarios.Green])
	require.EqualValues(t, 7, sum.First.Seed)
	require.Contains(t, sum.First.Verdict, "endless")
	require.Equal(t, 11, sum.ExitCode())
}

func TestMissedGoalIsUnseenNotGreen(t *testing.T) {
	s := &scenarios.Scenario{Name: "x", Goals: map[string]int{"fault/kill": 2001, "other": 1000,
		"never but rare": 9}}
	sum, err := Sweep(Config{Scenario: s, Runner: fake(0), From: 1, To: 1000, Workers: 8})
	require.NoError(t, err)
	require.Equal(t, "UNSEEN", sum.Outcome())
	require.Equal(t, 14, sum.ExitCode())
	require.Len(t, sum.Unseen(), 2)
	require.Contains(t, sum.String(), "UNSEEN fault/kill")

	// A hundred seeds owe less than one of the rare kind.
	sum, err = Sweep(Config{Scenario: &scenarios.Scenario{Goals: map[string]int{"never but rare": 9}},
		Runner: fake(0),
		From:   1, To: 100, Workers: 8})
	require.NoError(t, err)
	require.Equal(t, "green", sum.Outcome())
}

func TestSeedsThatDifferBetweenRunsAreFound(t *testing.T) {
	n := uint64(0)
	sum, err := Sweep(Config{From: 1, To: 200, Workers: 1, Runner: runner(func(seed uint64) *scenarios.Result {
		n++
		return &scenarios.Result{Seed: seed, Status: scenarios.Green, Hash: n}
	})})
	require.NoError(t, err)
	require.Positive(t, sum.ByStatus[scenarios.Nondeterministic])
	require.Equal(t, 13, sum.ExitCode())
}

func TestImpossibleSweepIsRefused(t *testing.T) {
	_, err := Sweep(Config{Runner: fake(0), From: 2, To: 1})
	require.Error(t, err)
}
