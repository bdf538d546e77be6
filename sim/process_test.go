package sim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
)

func TestRackLosesPowerAtOnceAndTheLedgerMaySpareHosts(t *testing.T) {
	for _, spare := range []bool{false, true} {
		w := cluster(1)
		for _, h := range w.Hosts() {
			h.Start(0)
		}
		if spare {
			w.OnFault(func(f *sim.Fault) sim.Verdict {
				f.Hosts = f.Hosts[:1]
				return sim.Void
			})
		}
		runTo(t, w, time.Second)
		f := w.RackPowerLoss(sim.RackLoss{Racks: []string{"r0"}, DownMin: time.Second, DownMax: 2 * time.Second})
		require.Equal(t, "b0,b2,b4", f.Scope)
		runTo(t, w, 1051*time.Millisecond)
		for i, h := range w.Hosts() {
			down := i < 5 && i%2 == 0 && (!spare || i == 0)
			require.Equal(t, !down, h.Up(), h.Name())
		}
		runTo(t, w, 4*time.Second)
		for _, h := range w.Hosts() {
			require.True(t, h.Live(), h.Name())
		}
		require.Equal(t, sim.FaultObserved, f.Level)
	}
	require.Nil(t, cluster(1).RackPowerLoss(sim.RackLoss{Racks: []string{"r9"}}))
}

func TestCrashLoopKillsEachLifeOnceItIsLive(t *testing.T) {
	w := sim.NewWorld(sim.Config{})
	h, _ := addWriter(w) // its boot takes time
	h.Start(0)
	runTo(t, w, time.Second)
	f := h.CrashLoop(sim.CrashLoop{Times: 4, Run: 100 * time.Millisecond, Down: time.Second})
	require.NotNil(t, f)
	require.Nil(t, h.CrashLoop(sim.CrashLoop{}), "one at a time")
	runTo(t, w, time.Minute)
	require.True(t, h.Live())
	require.Equal(t, 5, h.Lives())
	require.True(t, f.Ended)
	require.Equal(t, sim.FaultObserved, f.Level)
}

func TestSlowHostTakesLongerForEveryEvent(t *testing.T) {
	p := newPair(t, sim.Config{})
	f := p.server.SlowDown(500*time.Millisecond, 10*time.Second)
	require.Nil(t, p.server.SlowDown(time.Second, 0), "slow already")
	p.run(time.Second)
	_, there := p.gets(9 * time.Second)
	require.LessOrEqual(t, there, 19)
	require.Greater(t, there, 15)
	p.run(time.Second)
	back, _ := p.gets(time.Second)
	require.Greater(t, back, uint64(50))
	require.Equal(t, sim.FaultFired, f.Level)
}

func TestPauseAndStallAreRecords(t *testing.T) {
	p := newPair(t, sim.Config{})
	f := p.server.Pause(10 * time.Second)
	_, there := p.gets(9 * time.Second)
	require.Zero(t, there)
	require.Equal(t, sim.FaultFired, f.Level)
	p.EndFault(f)
	back, _ := p.gets(time.Second)
	require.Greater(t, back, uint64(50), "woken early")
	f = p.server.Stall(time.Second)
	p.client.Do(func() { (*p.pinger).env.Net.Close((*p.pinger).conn) })
	p.run(2 * time.Second)
	require.Equal(t, sim.FaultObserved, f.Level, "somebody gave up")
	p.server.Kill()
	require.Nil(t, p.server.Pause(time.Second), "nothing runs")
}

func TestCrashIsARecordAndTheNextBootObservesIt(t *testing.T) {
	p := newPair(t, sim.Config{})
	f := p.server.Crash()
	require.Nil(t, p.server.Crash(), "it is down")
	require.Equal(t, sim.FaultFired, f.Level)
	p.server.Start(0)
	p.run(time.Second)
	require.Equal(t, sim.FaultObserved, f.Level)
	require.NotNil(t, p.server.Blackout())
	require.Nil(t, p.server.Blackout(), "it is dark")
}

func TestStopMayTurnIntoAKill(t *testing.T) {
	killed, clean := 0, 0
	for seed := range uint64(40) {
		w := sim.NewWorld(sim.Config{Seed: seed})
		h, p := addWriter(w)
		h.Start(0)
		runTo(t, w, time.Second)
		ended := false
		f := h.StopUncertain(sim.UncertainStop{KillChance: 0.5, Ops: 3, Stop: func() error {
			err := errors.Join((*p).file.Pwrite([]byte("goodbye"), 0), (*p).file.Fsync(), (*p).file.Close())
			ended = err == nil
			return err
		}})
		runTo(t, w, 2*time.Second)
		require.False(t, h.Up())
		if f == nil {
			require.True(t, ended)
			clean++
		} else if f.Level == sim.FaultFired {
			require.False(t, ended)
			killed++
		}
	}
	require.Greater(t, clean, 10)
	require.Greater(t, killed, 10)
}

func TestDrawnProcessFaultsHappenAndStopWhenCalm(t *testing.T) {
	cfg := sim.Config{Seed: 5}
	cfg.Process = sim.ProcessConfig{KillMean: 10 * time.Second, PowerMean: 10 * time.Second, Loop: 0.3,
		RackPowerMean: 20 * time.Second, DownMin: 10 * time.Millisecond, DownMax: time.Second,
		PauseMean: 10 * time.Second, PauseMax: time.Second, StallMean: 10 * time.Second, SlowChance: 1,
		SlowMax: time.Millisecond}
	w := sim.NewWorld(cfg)
	server := w.AddHost(sim.HostConfig{Name: "b1", ID: 1, Rack: "r1",
		Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: echoAddr}},
		Boot:   func(e *env.Env) (env.Handler, error) { return &echo{env: e}, nil }})
	client, p := addPinger(w, "c1", echoAddr, 10*time.Millisecond)
	server.Start(0)
	client.Start(0)
	runTo(t, w, 10*time.Minute)
	for _, kind := range []string{"process.kill", "process.power-loss", "process.rack-power-loss",
		"process.crash-loop", "process.pause", "process.stall", "process.slow"} {
		require.NotZero(t, level(w, kind).Fired, kind)
	}
	w.Calm()
	require.Empty(t, w.ActiveFaults())
	runTo(t, w, 11*time.Minute)
	require.Equal(t, 1, client.Lives(), "clients are spared")
	client.Restart(0) // it waits for a reply that a power loss took
	before := w.FaultCounts()
	runTo(t, w, 20*time.Minute)
	require.Equal(t, before, w.FaultCounts())
	require.Greater(t, (*p).got, uint64(10_000))
}
