package netx_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/netx"
)

// A reader that lags makes the socket take parts of frames: the loop's own writes stop in
// the midst of one, and the writer goes on from there.
func TestSmallRepliesStayWholeAndInOrderWhenTheReaderLags(t *testing.T) {
	s := serve(t, netx.Config{})
	c := s.dial(t)
	s.await(t, "accepted", func() bool { return s.echo.accepted == 1 })

	const frames = 10_000
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i := range frames { // one at a time: more would not go the short way
			s.p.loop.Do(func() { s.p.net.Send(1, env.Frame{Chunks: numbered(i)}) })
		}
	}()
	for i := range frames {
		if i%1000 == 0 {
			time.Sleep(20 * time.Millisecond) // let the socket fill up
		}
		body := readFrame(t, c)
		require.Len(t, body, 8+i%7000)
		require.Equal(t, uint64(i), binary.BigEndian.Uint64(body))
	}
	<-sent
	require.Zero(t, s.held.Load(), "every owner was released")
}

// numbered is a body of two chunks that begins with n.
func numbered(n int) []env.Chunk {
	return []env.Chunk{
		{Bytes: binary.BigEndian.AppendUint64(nil, uint64(n))},
		{Bytes: make([]byte, n%7000)},
	}
}
