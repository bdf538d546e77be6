package simtest_test

import (
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/simtest"
)

// greeter answers every frame with "hello, " and the frame.
type greeter struct{ env *env.Env }

func (g *greeter) FrameReceived(c env.ConnID, f env.Received) {
	reply := append([]byte("hello, "), f.Buffer.Bytes()...)
	f.Buffer.Release()
	g.env.Net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: reply}}})
}

func (*greeter) TimerFired(env.TimerKey)               {}
func (*greeter) ConnAccepted(env.ConnID, env.ConnInfo) {}
func (*greeter) ConnDialed(env.ConnID, error)          {}
func (*greeter) ConnWritable(env.ConnID)               {}
func (*greeter) ConnClosed(env.ConnID, error)          {}
func (*greeter) DiskDone(env.Completion)               {}
func (*greeter) Drained()                              {}

// guest asks until it gets an answer, over as many connections as that takes.
type guest struct {
	greeter
	answer string
}

func (g *guest) dial() {
	g.env.Net.Dial(env.ClassClient, "greeter:9092")
	g.env.Clock.SetTimer(env.TimerKey{Kind: "again"}, g.env.Clock.Now().Add(time.Second))
}

func (g *guest) TimerFired(env.TimerKey) {
	if g.answer == "" {
		g.dial()
	}
}

func (g *guest) ConnDialed(c env.ConnID, err error) {
	if err == nil {
		g.env.Net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: []byte("world")}}})
	}
}

func (g *guest) FrameReceived(_ env.ConnID, f env.Received) {
	g.answer = string(f.Buffer.Bytes())
	f.Buffer.Release()
}

// The example: a guest is greeted although the network is bad and the greeter crashes.
func TestGuestIsGreetedThroughStormAndCrash(t *testing.T) {
	simtest.Run(t, func(w *simtest.World) {
		host := w.AddHost(sim.HostConfig{
			Name: "greeter", ID: 1,
			Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: "greeter:9092"}},
			Boot:   func(e *env.Env) (env.Handler, error) { return &greeter{env: e}, nil },
		})
		var visitor *guest
		client := w.AddHost(sim.HostConfig{Name: "guest", ID: -1,
			Boot: func(e *env.Env) (env.Handler, error) {
				visitor = &guest{greeter: greeter{env: e}}
				visitor.dial()
				return visitor, nil
			}})
		host.Start(0)
		client.Start(0)
		w.After(time.Millisecond, "crash", func() { host.PowerLoss(); host.Start(3 * time.Second) })
		w.Await(5*time.Minute, "the guest is greeted", func() bool {
			return visitor != nil && visitor.answer == "hello, world"
		})
	}, simtest.Seeds(50), simtest.Storm())
}
