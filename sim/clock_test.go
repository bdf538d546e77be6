package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
)

// watch is a process that sets timers and reads clocks.
type watch struct {
	silent
	t      require.TestingT
	w      *sim.World
	env    *env.Env
	every  time.Duration
	due    env.Instant
	last   env.Instant
	fired  []env.Instant // by its own clock
	worlds []env.Instant
}

func (k *watch) TimerFired(env.TimerKey) {
	now := k.env.Clock.Now()
	require.GreaterOrEqual(k.t, now, k.due, "a timer is early")
	require.GreaterOrEqual(k.t, now, k.last, "the monotonic clock steps back")
	k.last = now
	k.fired, k.worlds = append(k.fired, now), append(k.worlds, k.w.Now())
	k.arm()
}

func (k *watch) arm() {
	k.due = k.env.Clock.Now().Add(k.every)
	k.env.Clock.SetTimer(env.TimerKey{Kind: "tick"}, k.due)
}

func newWatch(t require.TestingT, cfg sim.Config, every time.Duration) (*sim.World, *sim.Host, *watch) {
	w := sim.NewWorld(cfg)
	k := &watch{t: t, w: w, every: every}
	h := w.AddHost(sim.HostConfig{Name: "b1", ID: 1, Boot: func(e *env.Env) (env.Handler, error) {
		k.env = e
		k.arm()
		return k, nil
	}})
	h.Start(0)
	return w, h, k
}

func runTo(t require.TestingT, w *sim.World, at time.Duration) {
	require.NoError(t, w.Run(env.Instant(0).Add(at)))
}

func level(w *sim.World, kind string) sim.FaultCount {
	for _, c := range w.FaultCounts() {
		if c.Kind == kind {
			return c
		}
	}
	return sim.FaultCount{}
}

func TestTrueClockIsTheWorldsTime(t *testing.T) {
	w, _, k := newWatch(t, sim.Config{}, time.Second)
	runTo(t, w, time.Minute)
	require.Len(t, k.fired, 60)
	require.Equal(t, k.worlds, k.fired)
	require.Empty(t, w.FaultCounts())
	require.Equal(t, int64(1767225600000+60_000), k.env.Clock.WallMillis())
}

func TestDriftMovesBothClocksAndTheTimers(t *testing.T) {
	for ppm, want := range map[int64]int{100_000: 66, -100_000: 54, 500: 60} {
		w, h, k := newWatch(t, sim.Config{}, time.Second)
		runTo(t, w, time.Millisecond)
		wall := k.env.Clock.WallMillis()
		require.NotNil(t, h.DriftClock(ppm))
		require.Nil(t, h.DriftClock(ppm), "as it is")
		runTo(t, w, time.Minute+time.Millisecond)
		require.InDelta(t, want, len(k.fired), 1)
		require.InDelta(t, 60_000*(1_000_000+ppm)/1_000_000, k.env.Clock.WallMillis()-wall, 2)
		require.Equal(t, uint64(1), level(w, "clock.drift").Observed)
	}
}

func TestOffsetAndStepMoveTheWallClockAlone(t *testing.T) {
	w, h, k := newWatch(t, sim.Config{}, time.Second)
	runTo(t, w, time.Second)
	wall := k.env.Clock.WallMillis()
	require.NotNil(t, h.OffsetClock(-time.Hour))
	require.Zero(t, level(w, "clock.offset").Fired, "nobody has looked")
	require.Equal(t, wall-3_600_000, k.env.Clock.WallMillis())
	require.Equal(t, uint64(1), level(w, "clock.offset").Observed)
	require.NotNil(t, h.StepClock(3*time.Hour))
	require.NotNil(t, h.StepClock(-time.Hour))
	require.Equal(t, wall+3_600_000, k.env.Clock.WallMillis())
	require.Equal(t, uint64(2), level(w, "clock.step").Observed)
	require.Equal(t, env.Instant(1e9), k.env.Clock.Now())
}

func TestSuspendedMachineWakesWithEitherMonotonicClock(t *testing.T) {
	for kind, own := range map[sim.Suspension]time.Duration{
		sim.MonoStops: 70 * time.Second, sim.MonoJumps: 100 * time.Second,
	} {
		w, h, k := newWatch(t, sim.Config{}, time.Second)
		w.After(10500*time.Millisecond, "suspend", func() {
			require.NotNil(t, h.Suspend(30*time.Second, kind))
			require.Nil(t, h.Suspend(time.Second, kind), "it sleeps")
		})
		runTo(t, w, 40*time.Second)
		require.Len(t, k.fired, 10, "nothing runs")
		runTo(t, w, 100*time.Second)
		require.InDelta(t, int64(own), int64(k.env.Clock.Now()), 1)
		require.Equal(t, int64(1767225600000+100_000), k.env.Clock.WallMillis(), "the wall clock has gone on")
		if kind == sim.MonoStops {
			require.Equal(t, env.Instant(41e9), k.worlds[10], "half a second was left")
			require.Len(t, k.fired, 70)
		} else {
			require.Equal(t, env.Instant(40.5e9), k.worlds[10], "overdue at the wake")
		}
		require.Equal(t, uint64(1), level(w, "clock.suspend").Fired)
	}
}

func TestSuspendedMachineAnswersNoDial(t *testing.T) {
	a, o := &acceptor{}, &observer{}
	w := sim.NewWorld(sim.Config{})
	observed(w, a, o)
	w.After(time.Microsecond, "suspend", func() { w.Host("b1").Suspend(time.Minute, sim.MonoJumps) })
	runTo(t, w, 30*time.Second)
	require.Error(t, o.dialErr)
	require.Equal(t, uint64(1), level(w, "clock.suspend").Observed)
}

func TestCoarseTimersAreLateAndNeverEarly(t *testing.T) {
	w, h, k := newWatch(t, sim.Config{Seed: 1}, time.Second)
	h.CoarseTimers(20 * time.Millisecond)
	runTo(t, w, time.Minute)
	late := map[time.Duration]bool{}
	for i := 1; i < len(k.worlds); i++ {
		d := k.worlds[i].Sub(k.worlds[i-1]) - time.Second
		require.LessOrEqual(t, d, 20*time.Millisecond)
		late[d] = true
	}
	require.Greater(t, len(late), 40)
	require.Equal(t, uint64(1), level(w, "clock.coarse-timers").Fired)
}

// Whatever happens to a clock, the monotonic one never steps back, a timer is never early
// by it, and the wall clock is what its parts say.
func TestCrookedClocksKeepTheWordsOfEnv(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h, k := newWatch(t, sim.Config{Seed: rapid.Uint64().Draw(t, "seed")}, 7*time.Millisecond)
		end := time.Duration(0)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			end += time.Duration(rapid.Int64Range(1, 3e8).Draw(t, "wait"))
			runTo(t, w, end)
			d := time.Duration(rapid.Int64Range(1, 2e8).Draw(t, "d"))
			switch rapid.IntRange(0, 6).Draw(t, "verb") {
			case 0, 1:
				h.DriftClock(rapid.Int64Range(-400_000, 900_000).Draw(t, "ppm"))
			case 2:
				h.Suspend(d, sim.Suspension(rapid.IntRange(0, 1).Draw(t, "kind")))
			case 3:
				h.CoarseTimers(d / 10)
			case 4:
				h.Pause(d)
			case 5:
				h.Do(func() { _ = k.env.Disk.MkdirAll("/disk0/x"); _ = k.env.Disk.SyncDir("/disk0") })
			case 6:
				for _, f := range w.ActiveFaults() {
					w.EndFault(f)
				}
			}
		}
		n := len(k.fired)
		runTo(t, w, end+time.Second)
		if len(k.fired) <= n {
			t.Fatal("timers stand still")
		}
	})
}

func TestDrawnClocksDiffer(t *testing.T) {
	walls := map[int64]bool{}
	for seed := range uint64(20) {
		w, _, k := newWatch(t, sim.Config{Seed: seed, Clock: sim.ClockConfig{
			OffsetMax: 300 * time.Second, YearChance: 0.1, DriftMax: 500, StepMean: 10 * time.Second,
			SuspendMean: 10 * time.Second, SuspendMax: 5 * time.Second, CoarseMax: 10 * time.Millisecond,
		}}, time.Second)
		runTo(t, w, 2*time.Minute)
		walls[k.env.Clock.WallMillis()] = true
		for _, kind := range []string{
			"clock.offset", "clock.drift", "clock.coarse-timers", "clock.suspend", "clock.step",
		} {
			require.NotZero(t, level(w, kind).Fired, kind)
		}
	}
	require.Len(t, walls, 20)
}
