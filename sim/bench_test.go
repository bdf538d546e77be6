package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// BenchmarkTimerEvents is a world of one host with many timers that re-arm themselves.
func BenchmarkTimerEvents(b *testing.B) {
	for _, n := range []int{1, 100, 10000} {
		b.Run(fmt.Sprintf("timers=%d", n), func(b *testing.B) {
			w := sim.NewWorld(sim.Config{})
			h := w.AddHost(sim.HostConfig{Name: "b1", Boot: func(e *env.Env) (env.Handler, error) {
				r := &rearming{env: e}
				for i := range n {
					r.TimerFired(env.TimerKey{Kind: "t", ID: int64(i)})
				}
				return r, nil
			}})
			h.Start(0)
			w.Step()
			for b.Loop() {
				w.Step()
			}
			b.ReportMetric(float64(w.Events())/b.Elapsed().Seconds(), "events/s")
		})
	}
}

type rearming struct {
	silent
	env *env.Env
	n   uint64
}

func (r *rearming) TimerFired(key env.TimerKey) {
	r.n = r.n*6364136223846793005 + 1442695040888963407
	r.env.Clock.SetTimer(key, r.env.Clock.Now().Add(time.Millisecond+time.Duration(r.n>>44)))
}

// BenchmarkFrames is ping-pong between pairs of hosts: each frame is sent, delayed,
// checked, copied and released.
func BenchmarkFrames(b *testing.B) {
	for _, size := range []int{100, 1000, 16 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			w := sim.NewWorld(sim.Config{Net: simnet.Config{Jitter: 100 * time.Microsecond}})
			for i := range 10 {
				addr := fmt.Sprintf("b%d:9092", i)
				server, _ := addEcho(w, fmt.Sprintf("b%d", i), addr)
				server.Start(0)
				client, p := addPinger(w, fmt.Sprintf("c%d", i), addr, 0)
				client.Start(0)
				w.After(0, "size", func() { (*p).size = size })
			}
			for range 1000 {
				w.Step()
			}
			start := w.Net().Stats().Frames
			for b.Loop() {
				for done := w.Net().Stats().Frames + 1; w.Net().Stats().Frames < done; {
					w.Step()
				}
			}
			b.ReportAllocs()
			b.ReportMetric(float64(w.Net().Stats().Frames-start)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}

// BenchmarkIdle is a minute of a world of ten hosts that only keep one heartbeat a second.
func BenchmarkIdle(b *testing.B) {
	w := sim.NewWorld(sim.Config{})
	for i := range 5 {
		addr := fmt.Sprintf("b%d:9092", i)
		server, _ := addEcho(w, fmt.Sprintf("b%d", i), addr)
		server.Start(0)
		client, _ := addPinger(w, fmt.Sprintf("c%d", i), addr, time.Second)
		client.Start(0)
	}
	for b.Loop() {
		if err := w.Run(w.Now().Add(time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(w.Now())/float64(b.Elapsed()), "simulated/real")
}
