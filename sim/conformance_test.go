package sim_test

import (
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/envtest"
	"github.com/tidemark-log/tidemark/sim"
)

// process gives a booted host to a conformance suite.
func process(w *sim.World, cfg sim.HostConfig, handler env.Handler) envtest.NetProcess {
	var world *env.Env
	cfg.Boot = func(e *env.Env) (env.Handler, error) {
		world = e
		return handler, nil
	}
	h := w.AddHost(cfg)
	h.Start(0)
	for !h.Live() {
		w.Step()
	}
	do := func(fn func()) {
		ran := false
		h.Do(func() { ran = true; fn() })
		for !ran && w.Step() {
		}
	}
	return envtest.NetProcess{Env: world, Do: do}
}

type countedOwner struct {
	env.Buffer
	n int
}

func (o *countedOwner) Release() { o.n++ }

// checked steps the world and fails the test when the world fails.
func checked(t *testing.T, w *sim.World) func() bool {
	return func() bool {
		more := w.Step()
		if err := w.Failure(); err != nil {
			t.Fatal(err)
		}
		return more
	}
}

func TestSimulatedNetworkKeepsTheWordsOfEnv(t *testing.T) {
	envtest.TestNet(t, func(t *testing.T, server, client env.Handler) *envtest.NetRig {
		const frameMax = 4 << 20
		cfg := sim.Config{Seed: 1}
		cfg.Net.FrameMax = frameMax
		w := sim.NewWorld(cfg)
		return &envtest.NetRig{
			Server: process(w, sim.HostConfig{
				Name: "b1", Decode: envtest.NetDecode,
				Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: echoAddr}},
			}, server),
			Client: process(w, sim.HostConfig{Name: "c1", Decode: envtest.NetDecode}, client),
			Addr:   echoAddr, DeadAddr: "b1:1",
			Owner: func() (env.Buffer, func() int) {
				o := &countedOwner{}
				return o, func() int { return o.n }
			},
			Step:     checked(t, w),
			FrameMax: frameMax, SendBound: 8 << 20,
		}
	})
}

func TestSimulatedClockKeepsTheWordsOfEnv(t *testing.T) {
	envtest.TestClock(t, func(t *testing.T, h env.Handler) *envtest.ClockRig {
		w := sim.NewWorld(sim.Config{})
		return &envtest.ClockRig{NetProcess: process(w, sim.HostConfig{Name: "b1"}, h), Step: checked(t, w)}
	})
}
