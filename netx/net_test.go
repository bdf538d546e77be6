package netx_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/netx"
)

// deadAddr is an address nobody listens at.
func deadAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// echo sends back what it gets and notes what it is told.
type echo struct {
	p        *process
	accepted int
	frames   int
	closed   []error
	onFrame  func(c env.ConnID, f env.Received)
}

func (e *echo) FrameReceived(c env.ConnID, f env.Received) {
	e.frames++
	if e.onFrame != nil {
		e.onFrame(c, f)
		return
	}
	e.p.net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: f.Buffer.Bytes(), Owner: f.Buffer}}})
}
func (e *echo) ConnAccepted(env.ConnID, env.ConnInfo) { e.accepted++ }
func (e *echo) ConnClosed(_ env.ConnID, err error)    { e.closed = append(e.closed, err) }
func (e *echo) TimerFired(env.TimerKey)               {}
func (e *echo) ConnDialed(env.ConnID, error)          {}
func (e *echo) ConnWritable(env.ConnID)               {}
func (e *echo) DiskDone(env.Completion)               {}
func (e *echo) Drained()                              {}

// server is an echo on the test bench, reached by plain sockets.
type server struct {
	*echo
	bell bell
	held *atomic.Int64
	addr string
}

func serve(t *testing.T, cfg netx.Config) *server {
	t.Helper()
	s := &server{echo: &echo{}, bell: make(bell, 1), held: new(atomic.Int64)}
	cfg.Buffers = pool{s.held}
	s.p = start(t, s.bell, s.echo, cfg)
	s.addr = listen(t, s.p)
	return s
}

func (s *server) await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	check := func() (ok bool) {
		s.p.do(func() { ok = cond() })
		return ok
	}
	for !check() {
		if !s.bell.wait() && !check() {
			t.Fatal("never " + what)
		}
	}
}

func (s *server) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

func framed(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func readFrame(t *testing.T, c net.Conn) []byte {
	t.Helper()
	var prefix [4]byte
	_, err := io.ReadFull(c, prefix[:])
	require.NoError(t, err)
	body := make([]byte, binary.BigEndian.Uint32(prefix[:]))
	_, err = io.ReadFull(c, body)
	require.NoError(t, err)
	return body
}

// closedByPeer asserts that the other side ended the connection without a word.
func closedByPeer(t *testing.T, c net.Conn) {
	t.Helper()
	n, err := c.Read(make([]byte, 1))
	require.Zero(t, n, "a reply came")
	require.False(t, errors.Is(err, os.ErrDeadlineExceeded), "the connection stays open")
}

func TestFramesMayComeByteByByte(t *testing.T) {
	s := serve(t, netx.Config{})
	c := s.dial(t)
	for _, b := range append(framed([]byte("hello")), framed([]byte("again"))...) {
		_, err := c.Write([]byte{b})
		require.NoError(t, err)
	}
	require.Equal(t, "hello", string(readFrame(t, c)))
	require.Equal(t, "again", string(readFrame(t, c)))
}

func TestLengthOutOfBoundsClosesWithoutReply(t *testing.T) {
	s := serve(t, netx.Config{FrameMax: 1000})
	for i, prefix := range []uint32{0, 0xffffffff, 0x80000000, 1001, 0x7fffffff} {
		c := s.dial(t)
		_, err := c.Write(binary.BigEndian.AppendUint32(nil, prefix))
		require.NoError(t, err)
		closedByPeer(t, c)
		s.await(t, "closed", func() bool { return len(s.closed) == i+1 })
		require.ErrorIs(t, s.closed[i], netx.ErrFrameLength)
	}
	c := s.dial(t)
	_, err := c.Write(framed(make([]byte, 1000)))
	require.NoError(t, err)
	require.Len(t, readFrame(t, c), 1000)
}

// A length that promises 100 MiB and is followed by little costs what a batch of 1 MiB does.
func TestHostileLengthCostsNoMemory(t *testing.T) {
	largest := new(atomic.Int64)
	s := &server{echo: &echo{}, bell: make(bell, 1)}
	s.p = start(t, s.bell, s.echo, netx.Config{Buffers: gauge{largest}})
	s.addr = listen(t, s.p)
	c := s.dial(t)
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, 100<<20), make([]byte, 100)...))
	require.NoError(t, err)
	require.NoError(t, c.(*net.TCPConn).CloseWrite())
	closedByPeer(t, c)
	require.LessOrEqual(t, largest.Load(), int64(1<<20+64<<10))
}

type gauge struct{ largest *atomic.Int64 }

func (g gauge) Get(n int) env.Buffer {
	g.largest.Store(max(g.largest.Load(), int64(n)))
	return pool{}.Get(n)
}

func TestConnectionsAreBoundedAndFreed(t *testing.T) {
	bounds := map[string]netx.Config{"total": {ConnectionsMax: 2}, "per ip": {ConnectionsPerIP: 2}}
	for name, cfg := range bounds {
		t.Run(name, func(t *testing.T) {
			s := serve(t, cfg)
			a, b := s.dial(t), s.dial(t)
			s.await(t, "two", func() bool { return s.accepted == 2 })
			closedByPeer(t, s.dial(t))
			require.NoError(t, a.Close())
			s.await(t, "one closed", func() bool { return len(s.closed) == 1 })
			c := s.dial(t)
			for _, conn := range []net.Conn{b, c} {
				_, err := conn.Write(framed([]byte("served")))
				require.NoError(t, err)
				require.Equal(t, "served", string(readFrame(t, conn)))
			}
		})
	}
}

func TestBoundsMayChangeWhileConnectionsAreOpen(t *testing.T) {
	s := serve(t, netx.Config{ConnectionsMax: 1})
	first := s.dial(t)
	s.await(t, "one", func() bool { return s.accepted == 1 })
	closedByPeer(t, s.dial(t))
	require.EqualValues(t, 1, s.p.net.Refused())

	s.p.net.SetLimits(2, 0)
	second := s.dial(t)
	s.await(t, "two", func() bool { return s.accepted == 2 })
	s.p.net.SetLimits(1, 0)
	closedByPeer(t, s.dial(t))
	for _, conn := range []net.Conn{first, second} {
		_, err := conn.Write(framed([]byte("stays")))
		require.NoError(t, err)
		require.Equal(t, "stays", string(readFrame(t, conn)))
	}
	require.EqualValues(t, 2, s.p.net.Refused())
}

func TestIdleConnectionIsClosed(t *testing.T) {
	s := serve(t, netx.Config{IdleTimeout: 30 * time.Millisecond})
	c := s.dial(t)
	closedByPeer(t, c)
	s.await(t, "closed", func() bool { return len(s.closed) == 1 })
}

// Goal: a reply before CloseAfterSend reaches a client that is still sending. A socket
// closed over unread bytes would reset it.
func TestCloseAfterSendIsNotOvertakenByAReset(t *testing.T) {
	for range 20 {
		s := serve(t, netx.Config{})
		reply := make([]byte, 300_000)
		s.p.do(func() {
			s.onFrame = func(c env.ConnID, f env.Received) {
				f.Buffer.Release()
				s.p.net.Send(c, env.Frame{Chunks: []env.Chunk{{Bytes: reply}}})
				s.p.net.CloseAfterSend(c)
			}
		})
		c := s.dial(t)
		for range 50 {
			_, err := c.Write(framed(make([]byte, 1000)))
			require.NoError(t, err)
		}
		require.Len(t, readFrame(t, c), len(reply))
		closedByPeer(t, c)
		require.NoError(t, c.Close())
		s.await(t, "closed", func() bool { return len(s.closed) == 1 })
		require.Equal(t, 1, s.frames, "no frame is handled after CloseAfterSend")
	}
}

// A loop that is behind stops its clients instead of buffering what they send.
func TestReadersStopWhenTheInboxIsFull(t *testing.T) {
	s := serve(t, netx.Config{})
	c := s.dial(t)
	s.await(t, "accepted", func() bool { return s.accepted == 1 })
	frame, sent := framed(make([]byte, 1<<20)), 0
	s.p.do(func() {
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(300*time.Millisecond)))
		for sent < 200 {
			if _, err := c.Write(frame); err != nil {
				break
			}
			sent++
		}
		require.Less(t, sent, 100, "MiB were taken from a client while the loop stood still")
		require.LessOrEqual(t, s.held.Load(), int64(20))
	})
	s.await(t, "read on", func() bool { return s.frames >= sent })
}

// systemFile is a file as diskx has it.
type systemFile struct {
	env.File
	os *os.File
}

func (f systemFile) OSFile() *os.File { return f.os }

func TestFileRegionGoesThroughTheKernel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segment")
	content := make([]byte, 10<<20)
	for i := range content {
		content[i] = byte(i * i >> 8)
	}
	require.NoError(t, os.WriteFile(path, content, 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	s := serve(t, netx.Config{})
	s.p.do(func() {
		s.onFrame = func(c env.ConnID, got env.Received) {
			got.Buffer.Release()
			s.p.net.Send(c, env.Frame{Chunks: []env.Chunk{
				{Bytes: []byte("head")}, {File: systemFile{os: f}, Off: 777, Len: 9 << 20},
				{Bytes: []byte("tail")}}})
		}
	})
	c := s.dial(t)
	for range 3 {
		_, err = c.Write(framed([]byte("more")))
		require.NoError(t, err)
	}
	want := append(append([]byte("head"), content[777:777+9<<20]...), "tail"...)
	for range 3 {
		require.True(t, bytes.Equal(want, readFrame(t, c)))
	}
}

func TestFileRegionThatEndsEarlyEndsTheConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segment")
	require.NoError(t, os.WriteFile(path, make([]byte, 100), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	s := serve(t, netx.Config{})
	s.p.do(func() {
		s.onFrame = func(c env.ConnID, got env.Received) {
			got.Buffer.Release()
			s.p.net.Send(c, env.Frame{Chunks: []env.Chunk{{File: systemFile{os: f}, Off: 50, Len: 100}}})
		}
	})
	c := s.dial(t)
	_, err = c.Write(framed([]byte("more")))
	require.NoError(t, err)
	got, _ := io.ReadAll(c)
	require.Less(t, len(got), 104)
	s.await(t, "closed", func() bool { return len(s.closed) == 1 })
	require.ErrorContains(t, s.closed[0], "ends after 50")
}

func TestShutdownEndsAllAndKeepsNoBuffer(t *testing.T) {
	s := serve(t, netx.Config{})
	for range 10 {
		c := s.dial(t)
		go func() { // floods without reading, until the connection ends
			for {
				if _, err := c.Write(framed(make([]byte, 50_000))); err != nil {
					return
				}
			}
		}()
	}
	s.await(t, "frames", func() bool { return s.frames > 500 })
	s.p.net.Shutdown()
	require.True(t, s.p.loop.Do(func() {}), "the loop outlives its network")
	s.await(t, "all closed", func() bool { return len(s.closed) == s.accepted })
	require.Zero(t, s.held.Load(), "buffers are held after the end")
	_, err := s.p.net.Listen(env.ClassClient, "LATE", "127.0.0.1:0")
	require.ErrorIs(t, err, env.ErrClosed)
}

func TestDialIsGivenUpAtShutdown(t *testing.T) {
	s := serve(t, netx.Config{})
	s.p.do(func() {
		id := s.p.net.Dial(env.ClassPeer, "192.0.2.1:9") // documentation range: nobody answers
		s.p.net.Send(id, env.Frame{Chunks: []env.Chunk{{Bytes: []byte("x"), Owner: pool{s.held}.Get(1)}}})
	})
	s.p.net.Shutdown()
	require.Zero(t, s.held.Load())
}
