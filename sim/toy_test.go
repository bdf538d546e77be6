package sim_test

import (
	"encoding/binary"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/sim"
)

var kindToy = trace.Define("toy", "n")

// silent is a Handler that does nothing; toys embed it.
type silent struct{}

func (silent) TimerFired(env.TimerKey)                    {}
func (silent) ConnAccepted(env.ConnID, env.ConnInfo)      {}
func (silent) ConnDialed(env.ConnID, error)               {}
func (silent) FrameReceived(_ env.ConnID, f env.Received) { f.Buffer.Release() }
func (silent) ConnWritable(env.ConnID)                    {}
func (silent) ConnClosed(env.ConnID, error)               {}
func (silent) DiskDone(env.Completion)                    {}
func (silent) Drained()                                   {}

// echo sends back what it gets.
type echo struct {
	silent
	env *env.Env
	got int
}

func (e *echo) FrameReceived(c env.ConnID, f env.Received) {
	e.got++
	e.env.Net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: f.Buffer.Bytes(), Owner: f.Buffer}}})
}

// pinger keeps one connection to addr and one ping under way; it redials after each end.
type pinger struct {
	silent
	env   *env.Env
	addr  string
	size  int
	every time.Duration
	conn  env.ConnID
	sent  uint64
	got   uint64
	ends  int
	bad   int
}

func (p *pinger) dial() { p.conn = p.env.Net.Dial(env.ClassClient, p.addr) }

func (p *pinger) ConnDialed(_ env.ConnID, err error) {
	if err != nil {
		p.env.Clock.SetTimer(env.TimerKey{Kind: "redial"}, p.env.Clock.Now().Add(50*time.Millisecond))
		return
	}
	p.ping()
}

func (p *pinger) ConnClosed(env.ConnID, error) {
	p.ends++
	p.env.Clock.SetTimer(env.TimerKey{Kind: "redial"}, p.env.Clock.Now().Add(50*time.Millisecond))
}

func (p *pinger) TimerFired(key env.TimerKey) {
	if key.Kind == "redial" {
		p.dial()
		return
	}
	p.ping()
}

func (p *pinger) ping() {
	p.sent++
	buf := p.env.Buffers.Get(max(8, p.size))
	binary.BigEndian.PutUint64(buf.Bytes(), p.sent)
	p.env.Net.Send(p.conn, env.Frame{Chunks: []env.Chunk{{Bytes: buf.Bytes(), Owner: buf}}})
}

func (p *pinger) FrameReceived(_ env.ConnID, f env.Received) {
	if binary.BigEndian.Uint64(f.Buffer.Bytes()) != p.sent {
		p.bad++
	}
	f.Buffer.Release()
	p.got++
	p.env.Tracer.Trace(trace.Event{Kind: kindToy, Partition: -1, N: [4]int64{int64(p.got)}})
	if p.every == 0 {
		p.ping()
		return
	}
	p.env.Clock.SetTimer(env.TimerKey{Kind: "ping"}, p.env.Clock.Now().Add(p.every))
}

// addEcho adds a host that echoes at addr.
func addEcho(w *sim.World, name, addr string) (*sim.Host, **echo) {
	current := new(*echo)
	h := w.AddHost(sim.HostConfig{
		Name: name, ID: 1,
		Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: addr}},
		Boot: func(e *env.Env) (env.Handler, error) {
			*current = &echo{env: e}
			return *current, nil
		},
	})
	return h, current
}

// addPinger adds a host that pings addr.
func addPinger(w *sim.World, name, addr string, every time.Duration) (*sim.Host, **pinger) {
	current := new(*pinger)
	h := w.AddHost(sim.HostConfig{
		Name: name, ID: -1,
		Boot: func(e *env.Env) (env.Handler, error) {
			p := &pinger{env: e, addr: addr, every: every}
			p.dial()
			*current = p
			return p, nil
		},
	})
	return h, current
}
