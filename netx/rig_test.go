package netx_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/env/envtest"
	"github.com/tidemark-log/tidemark/netx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that should happen at once.
const patience = 10 * time.Second

// process is a loop with a network and a handler whose calls can be waited for.
type process struct {
	loop *netx.Loop
	net  *netx.Net
	env  *env.Env
}

// bell rings when anything has happened in one of the processes of a test.
type bell chan struct{}

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

func (b bell) wait() bool {
	select {
	case <-b:
		return true
	case <-time.After(patience):
		return false
	}
}

func start(t *testing.T, b bell, h env.Handler, cfg netx.Config) *process {
	t.Helper()
	p := &process{loop: netx.NewLoop()}
	cfg.Loop = p.loop
	if cfg.Buffers == nil {
		cfg.Buffers = pool{}
	}
	p.net = netx.New(cfg)
	p.env = &env.Env{Clock: p.loop, Net: p.net, Buffers: cfg.Buffers}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.loop.Run(ringing{h, b})
	}()
	t.Cleanup(func() {
		p.net.Shutdown()
		p.loop.Stop()
		<-ended
	})
	return p
}

// do runs fn on the test's goroutine while the loop stands still, so that fn may end the
// test.
func (p *process) do(fn func()) {
	standing, goOn := make(chan struct{}), make(chan struct{})
	if !p.loop.Call(func() { close(standing); <-goOn }) {
		panic("the loop has stopped")
	}
	<-standing
	defer close(goOn)
	fn()
}

func (p *process) rig() envtest.NetProcess { return envtest.NetProcess{Env: p.env, Do: p.do} }

// ringing rings the bell after each call.
type ringing struct {
	env.Handler
	bell bell
}

func (r ringing) TimerFired(k env.TimerKey) { r.Handler.TimerFired(k); r.bell.ring() }
func (r ringing) ConnAccepted(c env.ConnID, i env.ConnInfo) {
	r.Handler.ConnAccepted(c, i)
	r.bell.ring()
}
func (r ringing) ConnDialed(c env.ConnID, err error) { r.Handler.ConnDialed(c, err); r.bell.ring() }
func (r ringing) FrameReceived(c env.ConnID, f env.Received) {
	r.Handler.FrameReceived(c, f)
	r.bell.ring()
}
func (r ringing) ConnWritable(c env.ConnID)          { r.Handler.ConnWritable(c); r.bell.ring() }
func (r ringing) ConnClosed(c env.ConnID, err error) { r.Handler.ConnClosed(c, err); r.bell.ring() }
func (r ringing) Drained()                           { r.Handler.Drained(); r.bell.ring() }

// pool makes buffers that are poisoned when released, and counts those that are held.
type pool struct{ held *atomic.Int64 }

type buffer struct {
	b    []byte
	refs atomic.Int32
	pool pool
}

func (p pool) Get(n int) env.Buffer {
	if p.held != nil {
		p.held.Add(1)
	}
	b := &buffer{b: make([]byte, n), pool: p}
	b.refs.Store(1)
	return b
}

func (b *buffer) Bytes() []byte { return b.b }
func (b *buffer) Retain()       { b.refs.Add(1) }
func (b *buffer) Release() {
	switch left := b.refs.Add(-1); {
	case left < 0:
		panic("released twice")
	case left == 0:
		for i := range b.b {
			b.b[i] = 0xdb
		}
		if b.pool.held != nil {
			b.pool.held.Add(-1)
		}
	}
}

// countedOwner counts its releases and rings.
type countedOwner struct {
	env.Buffer
	n    atomic.Int64
	bell bell
}

func (o *countedOwner) Release() { o.n.Add(1); o.bell.ring() }

func TestTCPKeepsTheWordsOfEnv(t *testing.T) {
	envtest.TestNet(t, func(t *testing.T, server, client env.Handler) *envtest.NetRig {
		const frameMax = 4 << 20
		b := make(bell, 1)
		s := start(t, b, server, netx.Config{Decode: envtest.NetDecode, FrameMax: frameMax})
		c := start(t, b, client, netx.Config{Decode: envtest.NetDecode, FrameMax: frameMax})
		return &envtest.NetRig{
			Server: s.rig(), Client: c.rig(),
			Addr: listen(t, s), DeadAddr: deadAddr(t),
			Owner: func() (env.Buffer, func() int) {
				o := &countedOwner{bell: b}
				return o, func() int { return int(o.n.Load()) }
			},
			Step: b.wait, FrameMax: frameMax, SendBound: 256 << 20,
		}
	})
}

func listen(t *testing.T, p *process) string {
	t.Helper()
	addr, err := p.net.Listen(env.ClassClient, "PLAINTEXT", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}

func TestRealClockKeepsTheWordsOfEnv(t *testing.T) {
	envtest.TestClock(t, func(t *testing.T, h env.Handler) *envtest.ClockRig {
		b := make(bell, 1)
		return &envtest.ClockRig{NetProcess: start(t, b, h, netx.Config{}).rig(), Step: b.wait}
	})
}

// reusing is a pool that keeps what is released, for benchmarks.
type reusing struct{ free sync.Pool }

type reused struct {
	from *reusing
	mem  []byte
	b    []byte
	refs atomic.Int32
}

func (p *reusing) Get(n int) env.Buffer {
	r, _ := p.free.Get().(*reused)
	if r == nil {
		r = &reused{from: p}
	}
	if cap(r.mem) < n {
		r.mem = make([]byte, n)
	}
	r.b = r.mem[:n]
	r.refs.Store(1)
	return r
}

func (r *reused) Bytes() []byte { return r.b }
func (r *reused) Retain()       { r.refs.Add(1) }
func (r *reused) Release() {
	if r.refs.Add(-1) == 0 {
		r.from.free.Put(r)
	}
}
