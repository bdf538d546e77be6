package simulated

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/checker"
	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/sim"
)

// seedsOfTest is enough to notice a broken build; sweeps do the rest.
const seedsOfTest = 3

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

func TestTwoRunsOfASeedAreOne(t *testing.T) {
	for _, name := range []string{"single/power", "single/rare"} {
		s := load(t, name)
		a, b := Run(s, 11, Options{}), Run(s, 11, Options{})
		require.Equal(t, a.Hash, b.Hash)
		require.Equal(t, a.Counts, b.Counts)
		require.Equal(t, a.Final, b.Final)
		first, err := history.Encode(a.History, a.Final)
		require.NoError(t, err)
		second, err := history.Encode(b.History, b.Final)
		require.NoError(t, err)
		require.Equal(t, first, second)
	}
}

// A history file is judged the same as the run it came from.
func TestHistoryOfARunIsJudgedTheSameFromItsFile(t *testing.T) {
	r := Run(load(t, "single/crash"), 5, Options{})
	b, err := history.Encode(r.History, r.Final)
	require.NoError(t, err)
	h, final, err := history.Decode(b)
	require.NoError(t, err)
	v := checker.Check(h, checker.Options{Final: final, Fresh: true, Healed: true})
	require.Equal(t, r.Checked, v)
	// Less is known without the oracle, but nothing wrong.
	require.Equal(t, checker.Holds, checker.Check(h, checker.Options{Fresh: true}).Outcome)
}

// A pause in which no producer waits happened, and shows nothing.
func TestPauseIsObservedOnlyIfAProducerWaits(t *testing.T) {
	s := load(t, "single/crash")
	s.Faults = scenarios.Faults{Pause: scenarios.Duration(500 * time.Millisecond), Aimed: 0.5,
		DownMin: s.Faults.DownMin, DownMax: s.Faults.DownMax, Budget: s.Faults.Budget}
	busy := Run(s, 1, Options{})
	require.Equal(t, scenarios.Green, busy.Status, busy.Verdict)
	require.Positive(t, busy.Counts["observed/pause"])
	s.Clients.Producers = nil
	quiet := Run(s, 1, Options{})
	require.Equal(t, scenarios.Green, quiet.Status, quiet.Verdict)
	require.Positive(t, quiet.Counts["fault/pause"])
	require.Zero(t, quiet.Counts["observed/pause"])
}

// BenchmarkSeed runs one seed after the other, as a worker of a sweep does, under all checks.
func BenchmarkSeed(b *testing.B) {
	for _, name := range []string{"single/crash", "single/power", "bench/steady", "bench/idle", "bench/dense"} {
		b.Run(name, func(b *testing.B) {
			s, opts := load(b, name), Options{Memory: new(sim.Memory)}
			seed, simulated, batches := uint64(0), time.Duration(0), 0
			b.ReportAllocs()
			for b.Loop() {
				seed++
				r := Run(s, seed, opts)
				simulated += r.Simulated
				batches += r.Counts["op/produce-ok"]
			}
			b.ReportMetric(simulated.Seconds()/b.Elapsed().Seconds(), "simulated:real")
			b.ReportMetric(float64(batches)/b.Elapsed().Seconds(), "acknowledged/s")
		})
	}
}
