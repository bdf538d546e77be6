package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

// observer dials once, sends a frame every millisecond, and notes what it is told.
type observer struct {
	silent
	env     *env.Env
	conn    env.ConnID
	dialErr error
	dialed  env.Instant
	err     error
	closed  env.Instant
	full    bool
}

func (o *observer) ConnDialed(_ env.ConnID, err error) {
	o.dialErr, o.dialed = err, o.env.Clock.Now()
	if err == nil {
		o.TimerFired(env.TimerKey{})
	}
}

func (o *observer) TimerFired(env.TimerKey) {
	if o.closed == 0 && !o.full {
		o.full = !o.env.Net.Send(o.conn, env.Frame{Chunks: []env.Chunk{{Bytes: make([]byte, 1000)}}})
		o.env.Clock.SetTimer(env.TimerKey{}, o.env.Clock.Now().Add(time.Millisecond))
	}
}

func (o *observer) ConnClosed(_ env.ConnID, err error) { o.err, o.closed = err, o.env.Clock.Now() }

// acceptor swallows frames and notes the end.
type acceptor struct {
	silent
	accepted int
	closed   int
}

func (a *acceptor) ConnAccepted(env.ConnID, env.ConnInfo) { a.accepted++ }
func (a *acceptor) ConnClosed(env.ConnID, error)          { a.closed++ }

// observe lets one connection live for two minutes in a network with that character.
func observe(t *testing.T, seed uint64, cfg simnet.Config) (*observer, *acceptor, simnet.Stats) {
	t.Helper()
	w := sim.NewWorld(sim.Config{Seed: seed, Net: cfg})
	a, o := &acceptor{}, &observer{}
	server := w.AddHost(sim.HostConfig{Name: "b1",
		Listen: []sim.Listener{{Class: env.ClassClient, Name: "PLAINTEXT", Addr: echoAddr}},
		Boot:   func(*env.Env) (env.Handler, error) { return a, nil }})
	client := w.AddHost(sim.HostConfig{Name: "c1", Boot: func(e *env.Env) (env.Handler, error) {
		o.env = e
		o.conn = e.Net.Dial(env.ClassClient, echoAddr)
		return o, nil
	}})
	server.Start(0)
	client.Start(time.Millisecond)
	require.NoError(t, w.Run(env.Instant(0).Add(2*time.Minute)))
	return o, a, w.Net().Stats()
}

// Each fault of the network, unarmed and sure.

func TestWithoutFaultsAConnectionLives(t *testing.T) {
	o, a, stats := observe(t, 1, simnet.Config{})
	require.NoError(t, o.dialErr)
	require.Zero(t, o.closed)
	require.Equal(t, 1, a.accepted)
	require.Zero(t, stats.FramesLost+stats.Resets+stats.DialsFailed)
	require.Greater(t, stats.Frames, uint64(100_000))
}

func TestResetTellsBothEnds(t *testing.T) {
	lost := uint64(0)
	for seed := range uint64(10) {
		o, a, stats := observe(t, seed, simnet.Config{
			ResetMean: time.Second, ResetTellMax: time.Second,
			DelayMin: 5 * time.Millisecond, DelayMax: 10 * time.Millisecond})
		require.ErrorIs(t, o.err, simnet.ErrReset)
		require.Equal(t, 1, a.closed)
		require.Equal(t, uint64(1), stats.Resets)
		lost += stats.FramesLost
	}
	require.NotZero(t, lost, "bytes in flight never got lost")
}

func TestHalfOpenTellsOneEnd(t *testing.T) {
	clientTold, serverTold := 0, 0
	for seed := range uint64(20) {
		o, a, stats := observe(t, seed, simnet.Config{
			ResetMean: time.Second, HalfOpen: 1, SendBuffer: 1 << 20})
		require.Equal(t, uint64(1), stats.HalfOpen)
		if o.closed > 0 {
			clientTold++
			require.Zero(t, a.closed)
		} else {
			serverTold++
			require.Equal(t, 1, a.closed)
			require.True(t, o.full, "what is sent is taken until the buffer is full")
		}
	}
	require.NotZero(t, clientTold)
	require.NotZero(t, serverTold)
}

func TestDialFaults(t *testing.T) {
	o, a, _ := observe(t, 1, simnet.Config{DialRefused: 1})
	require.ErrorIs(t, o.dialErr, simnet.ErrRefused)
	require.Zero(t, a.accepted)

	o, a, _ = observe(t, 1, simnet.Config{DialSilent: 1, DialTimeout: 7 * time.Second})
	require.ErrorIs(t, o.dialErr, simnet.ErrTimeout)
	require.Equal(t, env.Instant(0).Add(7*time.Second+time.Millisecond), o.dialed)
	require.Zero(t, a.accepted)

	o, a, stats := observe(t, 1, simnet.Config{DialReset: 1})
	require.NoError(t, o.dialErr)
	require.ErrorIs(t, o.err, simnet.ErrReset)
	require.Equal(t, 1, a.closed)
	require.Zero(t, stats.Frames, "reset before the first byte")
}

func TestLongTailDelaysSomeFrames(t *testing.T) {
	cfg := simnet.Config{TailChance: 0.01, TailMin: time.Second, TailMax: 2 * time.Second,
		SendBuffer: 64 << 20}
	o, _, stats := observe(t, 1, cfg)
	require.Zero(t, o.closed)
	require.Zero(t, stats.FramesLost, "late is not lost")
	require.Greater(t, stats.Frames, uint64(100_000))
}

func TestNarrowLinkFillsTheQueue(t *testing.T) {
	o, _, stats := observe(t, 1, simnet.Config{BytesPerSecond: 50_000, SendBuffer: 64 << 10})
	require.True(t, o.full)
	require.NotZero(t, stats.FullQueues)
	require.NotZero(t, stats.Writable)
	require.Less(t, stats.Bytes, uint64(120*50_000))
}
