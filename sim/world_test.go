package sim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

const echoAddr = "b1:9092"

// stormy is a world with every fault of the network, kills and power losses, for a minute.
func stormy(t *testing.T, seed uint64) *sim.World {
	t.Helper()
	w := sim.NewWorld(sim.Config{Seed: seed, Net: simnet.Drawn(engine.NewChoice(seed))})
	server, _ := addEcho(w, "b1", echoAddr)
	server.Start(0)
	for _, name := range []string{"c1", "c2", "c3"} {
		h, _ := addPinger(w, name, echoAddr, 3*time.Millisecond)
		h.Start(0)
	}
	for i := range 20 {
		at := env.Instant(0).Add(time.Duration(i+1) * 2500 * time.Millisecond)
		w.At(at, "crash", func() {
			if w.Decide("test.power", uint64(i))%2 == 0 {
				server.PowerLoss()
			} else {
				server.Kill()
			}
			server.Start(time.Duration(w.Decide("test.down", uint64(i)) % uint64(2*time.Second)))
		})
	}
	return w
}

func TestSameSeedGivesTheSameHashAfterEveryEvent(t *testing.T) {
	for seed := range uint64(10) {
		a, b := stormy(t, seed), stormy(t, seed)
		end := env.Instant(0).Add(30 * time.Second)
		for a.Now() < end {
			more := a.Step()
			require.Equal(t, more, b.Step())
			if a.Hash() != b.Hash() {
				t.Fatalf("seed %d: hashes part at %s, event %d", seed, a.Now(), a.Events())
			}
			if !more {
				break
			}
		}
		require.NoError(t, a.Failure())
		require.Greater(t, a.Net().Stats().Frames, uint64(10), "seed %d: %+v", seed, a.Net().Stats())
	}
}

func TestDifferentSeedsGiveDifferentRuns(t *testing.T) {
	seen := make(map[uint64]uint64)
	for seed := range uint64(10) {
		w := stormy(t, seed)
		require.NoError(t, w.Run(env.Instant(0).Add(5*time.Second)))
		if other, twice := seen[w.Hash()]; twice {
			t.Fatalf("seeds %d and %d give the same run", seed, other)
		}
		seen[w.Hash()] = seed
	}
}

// A new question elsewhere, or one question more of another object, shifts no answer.
func TestDecisionsDependOnTheirKeyOnly(t *testing.T) {
	w := sim.NewWorld(sim.Config{Seed: 7})
	want := w.Decide("net.delay", 1, 2, 3)
	for i := range uint64(100) {
		w.Decide("another", i)
		w.Decide("net.delay", 1, 2, 4+i)
	}
	require.Equal(t, want, w.Decide("net.delay", 1, 2, 3))
	require.NotEqual(t, want, w.Decide("net.delay", 1, 3, 2))
	require.NotEqual(t, want, w.Decide("net.delays", 1, 2, 3))
	require.NotEqual(t, want, sim.NewWorld(sim.Config{Seed: 8}).Decide("net.delay", 1, 2, 3))
}

// The pinger c1 behaves the same whether or not an unrelated pair of hosts is there.
func TestAnUnrelatedHostShiftsNothing(t *testing.T) {
	run := func(extra bool) uint64 {
		cfg := simnet.Drawn(engine.NewChoice(3))
		cfg.BytesPerSecond = 0
		w := sim.NewWorld(sim.Config{Seed: 3, Net: cfg})
		server, _ := addEcho(w, "b1", echoAddr)
		client, p := addPinger(w, "c1", echoAddr, time.Millisecond)
		server.Start(0)
		client.Start(0)
		if extra {
			s2, _ := addEcho(w, "b2", "b2:9092")
			c2, _ := addPinger(w, "c2", "b2:9092", time.Millisecond)
			s2.Start(0)
			c2.Start(0)
		}
		require.NoError(t, w.Run(env.Instant(0).Add(10*time.Second)))
		return (*p).got
	}
	require.Equal(t, run(false), run(true))
}

func TestCalmWorldLosesNothing(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	server, e := addEcho(w, "b1", echoAddr)
	client, p := addPinger(w, "c1", echoAddr, 0)
	server.Start(0)
	client.Start(time.Millisecond)
	require.NoError(t, w.Run(env.Instant(0).Add(time.Second)))
	require.Zero(t, (*p).bad)
	require.Zero(t, (*p).ends)
	require.Greater(t, (*e).got, 4000)
	require.Zero(t, w.Net().Stats().FramesLost)
}

func TestKilledHostComesBackWithNothingButItsDisk(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	server, e := addEcho(w, "b1", echoAddr)
	client, p := addPinger(w, "c1", echoAddr, time.Millisecond)
	server.Start(0)
	client.Start(0)
	require.NoError(t, w.Run(env.Instant(0).Add(time.Second)))
	before := *e
	bootID := before.env.Host.BootID()
	server.Restart(200 * time.Millisecond)
	require.False(t, server.Up())
	require.NoError(t, w.Run(w.Now().Add(time.Second)))
	require.True(t, server.Live())
	require.NotSame(t, before, *e)
	require.Greater(t, (*e).got, 0, "the client found it again")
	require.Equal(t, 1, (*p).ends, "the kernel told the client")
	require.Equal(t, bootID, (*e).env.Host.BootID())
	server.PowerLoss()
	server.Start(time.Second)
	require.NoError(t, w.Run(w.Now().Add(5*time.Second)))
	require.NotEqual(t, bootID, (*e).env.Host.BootID())
}

func TestPowerLossTellsPeersOnlyAfterTheMachineIsBack(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	server, _ := addEcho(w, "b1", echoAddr)
	client, p := addPinger(w, "c1", echoAddr, time.Millisecond)
	server.Start(0)
	client.Start(0)
	require.NoError(t, w.Run(env.Instant(0).Add(time.Second)))
	server.PowerLoss()
	require.NoError(t, w.Run(w.Now().Add(60*time.Second)))
	require.Zero(t, (*p).ends, "nobody is there to tell it")
	server.Start(0)
	require.NoError(t, w.Run(w.Now().Add(3*time.Second)))
	require.Equal(t, 1, (*p).ends)
	require.Greater(t, (*p).got, uint64(10))
}

type failing struct {
	silent
	env  *env.Env
	fail func()
}

func (f *failing) TimerFired(env.TimerKey) { f.fail() }

func worldThatFails(t *testing.T, fail func(e *env.Env)) *sim.Failure {
	t.Helper()
	w := sim.NewWorld(sim.Config{})
	h := w.AddHost(sim.HostConfig{Name: "b7", ID: 7, Boot: func(e *env.Env) (env.Handler, error) {
		e.Clock.SetTimer(env.TimerKey{Kind: "bang"}, e.Clock.Now().Add(5*time.Second))
		return &failing{env: e, fail: func() { fail(e) }}, nil
	}})
	h.Start(0)
	err := w.Run(env.Instant(0).Add(time.Minute))
	var f *sim.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, err, w.Failure())
	require.False(t, w.Step(), "a failed world stands still")
	require.Equal(t, "b7", f.Host)
	require.Equal(t, env.Instant(5e9), f.At)
	return f
}

func TestBrokenInvariantIsTheFailureOfTheWorld(t *testing.T) {
	f := worldThatFails(t, func(*env.Env) { invariant.Violated("toy.rule", "n=%d", 3) })
	require.Equal(t, "toy.rule", f.Name)
	require.Equal(t, "n=3", f.Detail)
	require.Contains(t, f.Report(), "world_test.go")
	require.Contains(t, strings.Join(f.Trace, "\n"), "host-live life=1")
}

func TestPanicIsTheFailureOfTheWorld(t *testing.T) {
	f := worldThatFails(t, func(*env.Env) { panic("lost my way") })
	require.Equal(t, "panic", f.Name)
	require.Equal(t, "lost my way", f.Detail)
}

// Two hosts that wait for each other for ever would keep a sweep from ending.
func TestWorldThatSpinsEndsAndSaysWhoSpins(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	var spinning *spinner
	h := w.AddHost(sim.HostConfig{Name: "b1", ID: 1, Boot: func(e *env.Env) (env.Handler, error) {
		spinning = &spinner{env: e}
		spinning.TimerFired(env.TimerKey{})
		return spinning, nil
	}})
	h.Start(0)
	var f *sim.Failure
	require.ErrorAs(t, w.Run(env.Instant(time.Hour)), &f)
	require.Equal(t, sim.FailureSpin, f.Name)
	require.Equal(t, "b1", f.Host)
	require.Contains(t, f.Detail, "of b1 (timer)")
	require.LessOrEqual(t, w.Events(), uint64(2*sim.SpinEventsMax))
}

// spinner asks for a timer that is due at once, or a nanosecond later.
type spinner struct {
	silent
	env *env.Env
}

func (s *spinner) TimerFired(key env.TimerKey) {
	s.env.Clock.SetTimer(key, s.env.Clock.Now()+env.Instant(s.env.Rand.Uint64("spin")%2))
}

func TestProcessThatTriesABlockingOperationForEverEnds(t *testing.T) {
	f := worldThatFails(t, func(e *env.Env) {
		for e.Disk.Remove("/disk0/none") != nil {
		}
	})
	require.Equal(t, "simdisk.event-ends", f.Name)
	require.Contains(t, f.Detail, "blocking operations at 5")
}

func TestBuffersShowMisuse(t *testing.T) {
	misuse := map[string]func(e *env.Env){
		"sim.buffer-released-twice":         func(e *env.Env) { b := e.Buffers.Get(9); b.Release(); b.Release() },
		"sim.buffer-used-after-release":     func(e *env.Env) { b := e.Buffers.Get(9); b.Release(); b.Bytes() },
		"sim.buffer-retained-after-release": func(e *env.Env) { b := e.Buffers.Get(9); b.Release(); b.Retain() },
		"sim.buffer-written-after-release": func(e *env.Env) {
			b := e.Buffers.Get(9)
			late := b.Bytes()
			b.Release()
			late[0] = 1
			for range 2 * sim.BufferQuarantine {
				e.Buffers.Get(9).Release()
			}
		},
	}
	for name, fn := range misuse {
		t.Run(name, func(t *testing.T) { require.Equal(t, name, worldThatFails(t, fn).Name) })
	}
}

func TestReleasedBytesAreGone(t *testing.T) {
	worldThatFails(t, func(e *env.Env) {
		b := e.Buffers.Get(100)
		late := b.Bytes()
		copy(late, "precious")
		b.Release()
		if strings.HasPrefix(string(late), "precious") {
			return // no failure, and worldThatFails complains
		}
		panic("gone")
	})
}

func TestBootErrorIsTheFailureOrGoesToThePolicy(t *testing.T) {
	wrong := errors.New("meta.properties: unknown version")
	var told error
	for _, policy := range []bool{false, true} {
		cfg := sim.Config{}
		if policy {
			cfg.BootFailed = func(h *sim.Host, err error) { told = err }
		}
		w := sim.NewWorld(cfg)
		h := w.AddHost(sim.HostConfig{Name: "b1", Boot: func(*env.Env) (env.Handler, error) { return nil, wrong }})
		h.Start(0)
		err := w.Run(env.Instant(0).Add(time.Second))
		require.Equal(t, !policy, errors.Is(err, wrong))
		require.Equal(t, policy, told == wrong)
		require.False(t, h.Up())
	}
}

func TestPausedHostGetsAllAtOnceAndInOrder(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	server, e := addEcho(w, "b1", echoAddr)
	client, p := addPinger(w, "c1", echoAddr, time.Millisecond)
	server.Start(0)
	client.Start(0)
	require.NoError(t, w.Run(env.Instant(0).Add(time.Second)))
	got := (*e).got
	server.Pause(10 * time.Second)
	require.NoError(t, w.Run(w.Now().Add(9*time.Second)))
	require.Equal(t, got, (*e).got)
	require.NoError(t, w.Run(w.Now().Add(2*time.Second)))
	require.Greater(t, (*e).got, got+100)
	require.Zero(t, (*p).bad)
}

func TestRareIsEnabledByRunAndCounted(t *testing.T) {
	enabled, reached := 0, uint64(0)
	for seed := range uint64(400) {
		w := sim.NewWorld(sim.Config{Seed: seed})
		h := w.AddHost(sim.HostConfig{Name: "b1", Boot: func(e *env.Env) (env.Handler, error) {
			for range 200 {
				e.Rare.Rare("toy.branch")
			}
			return silent{}, nil
		}})
		h.Start(0)
		require.NoError(t, w.Run(1))
		c := w.RareCounts()
		require.Len(t, c, 1)
		reached += c[0].Reached
		if c[0].Fired > 0 {
			enabled++
		}
	}
	require.Equal(t, uint64(400*200), reached)
	require.InDelta(t, 100, enabled, 30, "a quarter of the runs")
}

func TestRareOffForcesNothing(t *testing.T) {
	for seed := range uint64(20) {
		w := sim.NewWorld(sim.Config{Seed: seed, RareOff: true})
		h := w.AddHost(sim.HostConfig{Name: "b1", Boot: func(e *env.Env) (env.Handler, error) {
			for range 100 {
				require.False(t, e.Rare.Rare("toy.branch"))
			}
			return silent{}, nil
		}})
		h.Start(0)
		require.NoError(t, w.Run(1))
		require.Equal(t, uint64(100), w.RareCounts()[0].Reached)
	}
}
