package sim_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// Goal: whatever faults do, what arrives on a connection is a prefix of what was sent on
// it, byte for byte, and the events of a connection come in their order.
// Method: hosts that dial each other, send numbered frames, pause, resume and close by
// chance, in networks drawn by seed, under kills and power losses.
func TestStreamsArePrefixesUnderEveryFault(t *testing.T) {
	var sum simnet.Stats
	frames, closes := 0, 0
	for seed := range uint64(20) {
		c := engine.NewChoice(seed)
		w := sim.NewWorld(sim.Config{Seed: seed, Net: simnet.Drawn(c)})
		g := &gossip{choice: c.Of("gossip"), w: w}
		for i := range 4 {
			g.addHost(i)
		}
		g.crashes()
		require.NoError(t, w.Run(env.Instant(0).Add(60*time.Second)), "seed %d", seed)
		require.Empty(t, g.wrong, "seed %d", seed)
		s := w.Net().Stats()
		sum.Resets += s.Resets
		sum.HalfOpen += s.HalfOpen
		sum.FramesLost += s.FramesLost
		sum.DialsFailed += s.DialsFailed
		sum.FullQueues += s.FullQueues
		sum.Writable += s.Writable
		frames += g.frames
		closes += g.closes
	}
	t.Logf("%d frames, %d closes, %+v", frames, closes, sum)
	require.Greater(t, frames, 10_000)
	require.Greater(t, closes, 100)
	for name, n := range map[string]uint64{
		"resets": sum.Resets, "half-open": sum.HalfOpen, "lost frames": sum.FramesLost,
		"failed dials": sum.DialsFailed, "full queues": sum.FullQueues, "writable": sum.Writable,
	} {
		require.NotZero(t, n, "%s: never seen", name)
	}
}

type gossip struct {
	choice engine.Choice
	w      *sim.World
	wrong  []string
	frames int
	closes int
	asked  uint64
}

func (g *gossip) below(n uint64) uint64 {
	g.asked++
	return g.choice.Below(g.asked, n)
}

func (g *gossip) crashes() {
	for i := range 12 {
		h := g.w.Hosts()[i%4]
		g.w.After(time.Duration(i+1)*4*time.Second, "crash", func() {
			if g.below(2) == 0 {
				h.PowerLoss()
			} else {
				h.Kill()
			}
			h.Start(time.Duration(g.below(3000)) * time.Millisecond)
		})
	}
}

func (g *gossip) addHost(i int) {
	h := g.w.AddHost(sim.HostConfig{
		Name: fmt.Sprint("h", i), ID: int32(i),
		Listen: []sim.Listener{{Class: env.ClassPeer, Name: "PEER", Addr: fmt.Sprintf("h%d:9093", i)}},
		Boot: func(e *env.Env) (env.Handler, error) {
			m := &gossiper{g: g, env: e, conns: make(map[env.ConnID]*gossipConn), dials: make(map[env.ConnID]bool)}
			m.TimerFired(env.TimerKey{})
			return m, nil
		},
	})
	h.Start(0)
}

// gossiper is one process.
type gossiper struct {
	silent
	g     *gossip
	env   *env.Env
	conns map[env.ConnID]*gossipConn
	order []env.ConnID
	dials map[env.ConnID]bool
}

type gossipConn struct {
	tag     uint64 // of the other end's frames, once one came
	got     uint32
	sent    uint32
	blocked bool
	paused  bool
}

func (m *gossiper) complain(format string, args ...any) {
	m.g.wrong = append(m.g.wrong, fmt.Sprintf(format, args...))
}

func (m *gossiper) TimerFired(env.TimerKey) {
	next := time.Duration(1+m.g.below(50)) * time.Millisecond
	m.env.Clock.SetTimer(env.TimerKey{Kind: "act"}, m.env.Clock.Now().Add(next))
	if len(m.conns)+len(m.dials) < 6 && m.g.below(4) == 0 {
		m.dials[m.env.Net.Dial(env.ClassPeer, fmt.Sprintf("h%d:9093", m.g.below(5)))] = true
	}
	if len(m.order) == 0 {
		return
	}
	id := m.order[m.g.below(uint64(len(m.order)))]
	c := m.conns[id]
	switch m.g.below(30) {
	case 0:
		m.env.Net.Close(id)
		m.forget(id)
	case 1, 2:
		m.env.Net.Pause(id)
		c.paused = true
	case 3, 4, 5, 6:
		m.env.Net.Resume(id)
		c.paused = false
	case 7:
		m.env.Net.CloseAfterSend(id)
		c.blocked = true
	default:
		for range m.g.below(8) {
			m.send(id, c)
		}
	}
}

func (m *gossiper) send(id env.ConnID, c *gossipConn) {
	if c.blocked {
		return
	}
	n := 16 + int(m.g.below(1+1<<m.g.below(15)))
	buffer := m.env.Buffers.Get(n)
	b := buffer.Bytes()
	binary.BigEndian.PutUint64(b, uint64(id))
	binary.BigEndian.PutUint32(b[8:], c.sent)
	binary.BigEndian.PutUint32(b[12:], uint32(n))
	for i := 16; i < n; i++ {
		b[i] = byte(c.sent) + byte(i*7)
	}
	c.sent++
	half := n / 2
	buffer.Retain()
	c.blocked = !m.env.Net.Send(id, env.Frame{Chunks: []env.Chunk{
		{Bytes: b[:half], Owner: buffer}, {Bytes: b[half:], Owner: buffer}}})
}

func (m *gossiper) open(id env.ConnID) {
	if m.conns[id] != nil {
		m.complain("connection %d opened twice", id)
	}
	m.conns[id] = &gossipConn{}
	m.order = append(m.order, id)
}

func (m *gossiper) forget(id env.ConnID) {
	delete(m.conns, id)
	for i := range m.order {
		if m.order[i] == id {
			m.order = append(m.order[:i], m.order[i+1:]...)
			return
		}
	}
}

func (m *gossiper) ConnAccepted(id env.ConnID, _ env.ConnInfo) { m.open(id) }

func (m *gossiper) ConnDialed(id env.ConnID, err error) {
	if !m.dials[id] {
		m.complain("ConnDialed of %d, which was not dialed", id)
	}
	delete(m.dials, id)
	if err == nil {
		m.open(id)
	}
}

func (m *gossiper) ConnWritable(id env.ConnID) {
	if c := m.conns[id]; c == nil || !c.blocked {
		m.complain("ConnWritable of %d, which is not blocked", id)
	} else {
		c.blocked = false
	}
}

func (m *gossiper) ConnClosed(id env.ConnID, _ error) {
	m.g.closes++
	if m.conns[id] == nil {
		m.complain("ConnClosed of %d, which is not open", id)
	}
	m.forget(id)
}

func (m *gossiper) FrameReceived(id env.ConnID, f env.Received) {
	m.g.frames++
	defer f.Buffer.Release()
	c, b := m.conns[id], f.Buffer.Bytes()
	if c == nil {
		m.complain("a frame on %d, which is not open", id)
		return
	}
	tag, number := binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	if number != c.got || c.got > 0 && tag != c.tag || int(binary.BigEndian.Uint32(b[12:])) != len(b) {
		m.complain("connection %d: frame %d of %x after %d of %x", id, number, tag, c.got, c.tag)
	}
	c.tag = tag
	c.got++
	for i := 16; i < len(b); i++ {
		if b[i] != byte(number)+byte(i*7) {
			m.complain("connection %d: frame %d is damaged at byte %d", id, number, i)
			return
		}
	}
}
