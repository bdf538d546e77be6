package envtest

import (
	"slices"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
)

// NetRig is two processes on the test bench, joined by a network without faults.
type NetRig struct {
	Server, Client NetProcess
	// Addr is where the server listens, class client, listener name PLAINTEXT; nobody
	// listens at DeadAddr.
	Addr, DeadAddr string
	// Owner makes a buffer for Chunk.Owner, and a way to ask how often it was released.
	Owner func() (owner env.Buffer, released func() int)
	// Step waits until something has happened in one of the processes. It reports false
	// when nothing will any more, or the patience of the bench is at its end.
	Step func() bool
	// FrameMax is the longest frame the server takes.
	FrameMax int
	// SendBound is a number of bytes that surely fills the send queue of a connection
	// whose other end does not read, with all that lies between.
	SendBound int
}

// NetProcess is one of them. Do runs fn on the caller's goroutine, as if it were a Handler
// call: the process does nothing else meanwhile.
type NetProcess struct {
	Env *env.Env
	Do  func(fn func())
}

// TestNet holds a network to the words of env.Net and of the Handler methods of
// connections. The factory starts two processes with the given handlers.
func TestNet(t *testing.T, factory func(t *testing.T, server, client env.Handler) *NetRig) {
	for _, c := range slices.Concat(netOrderCases, netEndCases, netFlowCases) {
		t.Run(c.promise, func(t *testing.T) {
			s, k := newPeer("server"), newPeer("client")
			b := &netBench{T: t, server: s, client: k, NetRig: factory(t, s, k)}
			s.process, k.process = &b.Server, &b.Client
			c.check(b)
		})
	}
}

type netCase struct {
	promise string
	check   func(b *netBench)
}

// netBench is one test's state.
type netBench struct {
	*testing.T
	*NetRig
	server, client *peer
}

// peer is a Handler that writes down what it is told. Its fields belong to its process:
// read them in Do, or in a condition given to await.
type peer struct {
	name    string
	process *NetProcess
	conns   []env.ConnID // accepted or dialed, in order
	byID    map[env.ConnID]*peerConn
	drained int
	// onFrame, if set, takes frames instead of the notes.
	onFrame func(c env.ConnID, f env.Received)
	wrong   []string
}

type peerConn struct {
	info     env.ConnInfo
	opened   bool
	dialErr  error
	frames   [][]byte
	writable int
	closed   int
	closeErr error
}

func newPeer(name string) *peer {
	return &peer{name: name, byID: make(map[env.ConnID]*peerConn)}
}

func (p *peer) conn(c env.ConnID) *peerConn {
	pc := p.byID[c]
	if pc == nil {
		pc = &peerConn{}
		p.byID[c] = pc
	}
	return pc
}

// live notes an event that may come only while the connection is open.
func (p *peer) live(c env.ConnID, event string) *peerConn {
	pc := p.conn(c)
	if !pc.opened {
		p.wrong = append(p.wrong, event+" before the connection was open")
	}
	if pc.closed > 0 {
		p.wrong = append(p.wrong, event+" after ConnClosed")
	}
	return pc
}

func (p *peer) ConnAccepted(c env.ConnID, info env.ConnInfo) {
	if p.byID[c] != nil {
		p.wrong = append(p.wrong, "a ConnID came twice")
	}
	pc := p.conn(c)
	pc.opened, pc.info = true, info
	p.conns = append(p.conns, c)
}

func (p *peer) ConnDialed(c env.ConnID, err error) {
	pc := p.conn(c)
	if pc.opened || pc.dialErr != nil {
		p.wrong = append(p.wrong, "ConnDialed came twice")
	}
	pc.opened, pc.dialErr = err == nil, err
	p.conns = append(p.conns, c)
}

func (p *peer) FrameReceived(c env.ConnID, f env.Received) {
	pc := p.live(c, "FrameReceived")
	if p.onFrame != nil {
		p.onFrame(c, f)
		return
	}
	pc.frames = append(pc.frames, slices.Clone(f.Buffer.Bytes()))
	f.Buffer.Release()
}

func (p *peer) ConnWritable(c env.ConnID) { p.live(c, "ConnWritable").writable++ }

func (p *peer) ConnClosed(c env.ConnID, err error) {
	pc := p.live(c, "ConnClosed")
	pc.closed++
	pc.closeErr = err
}

func (p *peer) TimerFired(env.TimerKey) {}
func (p *peer) DiskDone(env.Completion) {}
func (p *peer) Drained()                { p.drained++ }

// do runs fn in the peer's process.
func (p *peer) do(fn func()) { p.process.Do(fn) }

// check evaluates cond in the peer's process.
func (p *peer) check(cond func() bool) (ok bool) {
	p.do(func() { ok = cond() })
	return ok
}

// await lets the world go on until cond holds in the process of p.
func (b *netBench) await(p *peer, what string, cond func() bool) {
	b.Helper()
	for !p.check(cond) {
		if !b.Step() && !p.check(cond) {
			b.Fatalf("%s: never %s", p.name, what)
		}
	}
	b.noWrongs()
}

// settle lets the world go on for a while, so that what should not come had its chance:
// a round trip on a fresh connection, and what else happens meanwhile.
func (b *netBench) settle() {
	b.Helper()
	for range 3 {
		b.connect()
	}
	b.noWrongs()
}

func (b *netBench) noWrongs() {
	b.Helper()
	for _, p := range []*peer{b.server, b.client} {
		p.do(func() {
			if len(p.wrong) > 0 {
				b.Fatalf("%s: %v", p.name, p.wrong)
			}
		})
	}
}

// connect opens a connection and returns both ends' ids.
func (b *netBench) connect() (client, server env.ConnID) {
	b.Helper()
	accepted := 0
	b.server.do(func() { accepted = len(b.server.conns) })
	b.client.do(func() { client = b.Client.Env.Net.Dial(env.ClassClient, b.Addr) })
	b.await(b.client, "dialed", func() bool { return b.client.conn(client).opened })
	b.await(b.server, "accepted", func() bool { return len(b.server.conns) > accepted })
	b.server.do(func() { server = b.server.conns[accepted] })
	return client, server
}

// send sends the bytes as one frame from within p's process.
func (b *netBench) send(p *peer, c env.ConnID, body []byte) (room bool) {
	p.do(func() { room = p.process.Env.Net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: body}}}) })
	return room
}

// body is n bytes that tell their number apart.
func body(number, n int) []byte {
	out := make([]byte, n)
	x := uint32(number)*2654435761 + 1
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}
