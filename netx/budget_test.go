package netx_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/netx"
)

// Clients that begin large frames and go no further hold a bounded sum, keep no small frame
// out, and large ones only until they are given up.
func TestDawdlersGiveWayToOthers(t *testing.T) {
	s := serve(t, netx.Config{ReadingBytesMax: 3 << 20, DawdleWindow: 50 * time.Millisecond})
	part := append(binary.BigEndian.AppendUint32(nil, 8<<20), make([]byte, 1<<20)...)
	for range 12 {
		conn := s.dial(t)
		go func() { _, _ = conn.Write(part) }() // the broker may stop reading, or close
	}
	small := s.dial(t)
	_, err := small.Write(framed([]byte("served")))
	require.NoError(t, err)
	require.Equal(t, "served", string(readFrame(t, small)))

	large := s.dial(t)
	body := make([]byte, 8<<20)
	go func() { _, _ = large.Write(framed(body)) }()
	require.Len(t, readFrame(t, large), len(body))
	s.await(t, "a dawdler given up", func() bool { return len(s.closed) > 0 })
	require.ErrorContains(t, s.closed[0], "too slowly")
}

// A slow client that nobody waits for takes the time it needs.
func TestSlowLargeFrameIsReadWhenNobodyWaits(t *testing.T) {
	s := serve(t, netx.Config{DawdleWindow: 5 * time.Millisecond, IdleTimeout: 5 * time.Second})
	conn := s.dial(t)
	frame := framed(make([]byte, 200<<10))
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for len(frame) > 0 {
		n := min(len(frame), 20<<10)
		_, err := conn.Write(frame[:n])
		require.NoError(t, err)
		frame = frame[n:]
		<-tick.C
	}
	require.Len(t, readFrame(t, conn), 200<<10)
}

// What clients do not read is bounded for all of them together: beyond, the queue of a
// connection counts as full long before its own bound.
func TestUnreadRepliesOfAllAreBounded(t *testing.T) {
	s := serve(t, netx.Config{})
	reply := make([]byte, 7<<20) // the bytes are one; what counts is what is queued
	var taken, refused int
	s.p.do(func() {
		s.onFrame = func(c env.ConnID, got env.Received) {
			got.Buffer.Release()
			if s.p.net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: reply}}}) {
				taken++
			} else {
				refused++
			}
		}
	})
	const clients = 60
	for range clients {
		_, err := s.dial(t).Write(framed([]byte("more")))
		require.NoError(t, err)
	}
	s.await(t, "asked by all", func() bool { return taken+refused == clients })
	require.Positive(t, taken)
	require.Positive(t, refused, "%d MiB are queued", clients*7)
}
