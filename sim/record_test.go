package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simdisk"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// hostile is a config with every class of faults, drawn from the seed.
func hostile(seed uint64) sim.Config {
	c := engine.NewChoice(seed)
	cfg := sim.Config{Seed: seed, Net: simnet.Drawn(c)}
	cfg.Clock, cfg.Process = sim.DrawnClocks(c), sim.DrawnProcesses(c)
	cfg.Net.DrawStreams(c)
	cfg.Net.DrawPartitions(c)
	cfg.Process.KillMean, cfg.Process.DownMax = time.Minute, 5*time.Second
	return cfg
}

func TestRecordsAreTracedFromArmedToEnded(t *testing.T) {
	p := newPair(t, sim.Config{})
	var lines []string
	p.OnTrace(func(ev *trace.Event) {
		if strings.HasPrefix(ev.Kind.Name(), "fault-") {
			lines = append(lines, ev.String())
		}
	})
	p.Net().Cut(cut("c1", "b1", simnet.Disruption{GiveUp: time.Second, For: 3 * time.Second}))
	p.run(5 * time.Second)
	require.Equal(t, []string{
		"1.000000s world c1>b1 fault-armed id=1 from-ms=1000 to-ms=4000 net.cut mode=stop give-up=1s",
		"1.000000s world c1>b1 fault-fired id=1 net.cut",
		"2.000000s world c1>b1 fault-observed id=1 net.cut",
		"4.000000s world c1>b1 fault-ended id=1 net.cut",
	}, round(lines))
	require.Equal(t, []sim.FaultCount{{Kind: "net.cut", Armed: 1, Fired: 1, Observed: 1}}, p.FaultCounts())
}

// round cuts the milliseconds that the pings have of their own.
func round(lines []string) []string {
	for i, l := range lines {
		dot := strings.IndexByte(l, '.')
		lines[i] = l[:dot] + ".000000" + l[dot+7:]
	}
	return lines
}

// A ledger that vetoes all makes a hostile world a calm one, but for its delays.
func TestVetoedFaultHasNoEffect(t *testing.T) {
	for seed := range uint64(5) {
		cfg := hostile(seed)
		cfg.Process.RackPowerMean = 10 * time.Second
		cfg.Disk.Faults = simdisk.Faults{WriteError: simdisk.Always, SyncError: simdisk.Always}
		w := sim.NewWorld(cfg)
		w.OnFault(func(*sim.Fault) sim.Verdict { return sim.Allow })
		w.OnFault(func(*sim.Fault) sim.Verdict { return sim.Veto })
		server, _ := addEcho(w, "b1", echoAddr)
		client, p := addPinger(w, "c1", echoAddr, 10*time.Millisecond)
		server.Start(0)
		client.Start(time.Millisecond)
		disk, _ := addWriterNamed(w, "b2")
		disk.Start(0)
		runTo(t, w, 5*time.Minute)
		require.Zero(t, (*p).ends)
		require.Zero(t, w.Net().Stats().FramesLost)
		require.Equal(t, []int{1, 1, 1}, []int{server.Lives(), client.Lives(), disk.Lives()})
		require.Nil(t, server.Crash())
		require.Nil(t, server.Pause(time.Second))
		vetoed := uint64(0)
		for _, c := range w.FaultCounts() {
			vetoed += c.Vetoed
			require.Zero(t, c.Armed+c.Fired, c.Kind)
		}
		require.Greater(t, vetoed, uint64(3))
	}
}

func TestFaultsOfADiskAreRecords(t *testing.T) {
	cfg := sim.Config{}
	cfg.Disk.Faults = simdisk.Faults{SyncError: simdisk.Always}
	cfg.BootFailed = func(*sim.Host, error) {}
	w := sim.NewWorld(cfg)
	h, _ := addWriterNamed(w, "b2")
	h.Start(0)
	runTo(t, w, time.Second)
	require.NotZero(t, level(w, "disk.sync-error").Observed)
}

func TestHostileWorldsAreDeterministic(t *testing.T) {
	kinds := map[string]uint64{}
	for seed := range uint64(12) {
		build := func() *sim.World {
			w := sim.NewWorld(hostile(seed))
			server, _ := addEcho(w, "b1", echoAddr)
			server.Start(0)
			for _, name := range []string{"c1", "c2", "c3"} {
				h, _ := addPinger(w, name, echoAddr, 3*time.Millisecond)
				h.Start(0)
			}
			return w
		}
		a, b := build(), build()
		for a.Now() < env.Instant(0).Add(2*time.Minute) && a.Step() {
			b.Step()
			if a.Hash() != b.Hash() {
				t.Fatalf("seed %d: hashes part at %s, event %d", seed, a.Now(), a.Events())
			}
		}
		require.NoError(t, a.Failure())
		for _, c := range a.FaultCounts() {
			kinds[c.Kind] += c.Fired
		}
	}
	t.Log(kinds)
	for _, kind := range []string{"net.partition", "net.cut", "net.swizzle", "net.reply-lost", "net.clog-conn",
		"net.reset", "clock.suspend", "process.pause", "process.kill"} {
		require.NotZero(t, kinds[kind], kind)
	}
}

// Streams are prefixes under everything at once, and the world heals.
func TestStreamsArePrefixesInHostileWorlds(t *testing.T) {
	frames, observed := 0, uint64(0)
	for seed := range uint64(15) {
		w := sim.NewWorld(hostile(seed))
		g := &gossip{choice: engine.NewChoice(seed).Of("gossip"), w: w}
		for i := range 4 {
			g.addHost(i)
		}
		g.crashes()
		require.NoError(t, w.Run(env.Instant(0).Add(60*time.Second)), "seed %d", seed)
		w.Calm()
		require.NoError(t, w.Run(env.Instant(0).Add(80*time.Second)), "seed %d", seed)
		before := g.frames
		require.NoError(t, w.Run(env.Instant(0).Add(100*time.Second)), "seed %d", seed)
		require.Greater(t, g.frames, before, "seed %d: calm, and nothing moves", seed)
		require.Empty(t, g.wrong, "seed %d", seed)
		frames += g.frames
		for _, c := range w.FaultCounts() {
			observed += c.Observed
		}
	}
	t.Logf("%d frames, %d faults observed", frames, observed)
	require.Greater(t, frames, 10_000)
	require.Greater(t, observed, uint64(100))
}
