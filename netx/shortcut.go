package netx

import (
	"encoding/binary"
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tidemark-log/tidemark/core/env"
)

// shortcut sends small replies from the loop, without waking the connection's writer: a
// goroutine that has to be woken takes longer than the system call. It never waits; what the
// socket does not take at once is the writer's.
type shortcut struct {
	bytes []byte // scratch: the frames as they go out
	took  int    // bytes the socket took
	once  func(fd uintptr) bool
}

func newShortcut() *shortcut {
	s := &shortcut{}
	s.once = func(fd uintptr) bool {
		n, err := unix.Write(int(fd), s.bytes)
		if err == nil {
			s.took = n
		}
		return true
	}
	return s
}

// rawOf gives the way past a socket's waiting; nil if it has none.
func rawOf(socket net.Conn) syscall.RawConn {
	sys, ok := socket.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, _ := sys.SyscallConn() // a closed socket shows in the writer's writes as well
	return raw
}

// flush sends what is queued, or sees to it that the writer does.
func (c *conn) flush() {
	c.mu.Lock()
	frames, short := c.queue, c.net.short
	if c.raw == nil || c.writing || c.ending != endNot || c.sent > 0 || !short.gather(frames) {
		c.mu.Unlock()
		c.toWrite.Signal()
		return
	}
	// Nobody else sends or takes frames meanwhile: the handler is in this goroutine, and
	// the writer sleeps or finds the lock taken. The call does not wait.
	took := short.write(c.raw)
	whole := 0
	for whole < len(frames) && took >= 4+frames[whole].Len() {
		n := frames[whole].Len()
		took -= 4 + n
		c.queued -= n
		c.net.queued.Add(int64(-n))
		whole++
	}
	for _, f := range frames[:whole] {
		releaseFrame(f)
	}
	rest := copy(frames, frames[whole:])
	clear(frames[rest:])
	c.queue, c.sent = frames[:rest], took
	c.mu.Unlock()
	if rest > 0 {
		c.toWrite.Signal()
	}
}

// gather copies the frames into the scratch; false: they are none, or too many, or not bytes.
func (s *shortcut) gather(frames []env.Frame) bool {
	s.bytes = s.bytes[:0]
	for _, f := range frames {
		n := f.Len()
		if len(s.bytes)+4+n > shortcutMax {
			return false
		}
		s.bytes = binary.BigEndian.AppendUint32(s.bytes, uint32(n))
		for _, chunk := range f.Chunks {
			if chunk.File != nil {
				return false
			}
			s.bytes = append(s.bytes, chunk.Bytes...)
		}
	}
	return len(s.bytes) > 0
}

// write gives the scratch to the socket and tells how much it took. It never waits, since
// once always says that it is done. An error is the writer's to find.
func (s *shortcut) write(raw syscall.RawConn) int {
	s.took = 0
	_ = raw.Write(s.once)
	return s.took
}
