package netx

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// ErrFrameLength means that the other end declared a length no frame may have.
var ErrFrameLength = errors.New("netx: frame length out of bounds")

// read delivers frames until the connection ends.
func (c *conn) read() {
	defer c.halfDone()
	in := bufio.NewReaderSize(c.socket, readBufferBytes)
	deadline := deadline{conn: c}
	var err error
	for err == nil && c.waitTurn() {
		err = c.readFrame(in, &deadline)
	}
	if c.reads() {
		c.end(endNow, err)
		return
	}
	c.discard()
}

// discard reads what still comes on a connection that this side is closing, because a
// socket closed over unread bytes sends a reset, and that may overtake the last reply. It
// lasts until the other end closes as well, or the linger deadline.
func (c *conn) discard() {
	if _, err := io.Copy(io.Discard, c.socket); err != nil {
		c.end(endNow, err)
	}
}

// waitTurn waits until a further frame may be read: reading is not paused, and the inbox
// has room. False means that no frame counts any more.
func (c *conn) waitTurn() bool {
	c.mu.Lock()
	c.stalled.Store(true)
	for (c.paused || c.inInbox.Load() > connInboxBytesMax) && c.ending == endNot {
		c.toRead.Wait()
	}
	c.stalled.Store(false)
	open := c.ending == endNot
	c.mu.Unlock()
	return open && c.net.waitRoom()
}

func (c *conn) readFrame(in *bufio.Reader, deadline *deadline) error {
	deadline.extend()
	prefix, err := in.Peek(4)
	if err != nil {
		return err
	}
	size := int32(binary.BigEndian.Uint32(prefix))
	if size <= 0 || size > c.net.cfg.FrameMax {
		return fmt.Errorf("%w: %d, allowed are 1 to %d", ErrFrameLength, size, c.net.cfg.FrameMax)
	}
	_, _ = in.Discard(4) // peeked already
	buffer, err := c.readBody(in, int(size), deadline)
	if err != nil {
		return err
	}
	received := env.Received{Buffer: buffer}
	if c.net.cfg.Decode != nil {
		received.Decoded = c.net.cfg.Decode(c.info.Class, buffer.Bytes())
	}
	c.inInbox.Add(int64(size))
	c.net.inInbox.Add(int64(size))
	c.net.cfg.Loop.post(event{kind: eventFrame, conn: c, frame: received})
	return nil
}

// readBody reads size bytes into a pooled buffer that grows with what has arrived: a
// length that is never followed by its bytes costs at most readStep.
func (c *conn) readBody(in *bufio.Reader, size int, deadline *deadline) (env.Buffer, error) {
	buffer := c.net.cfg.Buffers.Get(min(size, readStep))
	for have := 0; ; {
		n, err := io.ReadFull(in, buffer.Bytes()[have:])
		if have += n; err != nil {
			buffer.Release()
			return nil, err
		}
		if have == size {
			return buffer, nil
		}
		deadline.extend()
		larger := c.net.cfg.Buffers.Get(min(size, 4*have))
		copy(larger.Bytes(), buffer.Bytes())
		buffer.Release()
		buffer = larger
	}
}

// deadline pushes the idle deadline ahead, at most a few times per idle period.
type deadline struct {
	conn *conn
	last time.Time
}

func (d *deadline) extend() {
	idle := d.conn.net.cfg.IdleTimeout
	if idle == 0 {
		return
	}
	now := time.Now()
	if now.Sub(d.last) <= idle/8 {
		return
	}
	d.last = now
	d.conn.mu.Lock() // not past the linger deadline of a connection that closes
	defer d.conn.mu.Unlock()
	if d.conn.ending == endNot {
		_ = d.conn.socket.SetReadDeadline(now.Add(idle)) // fails only on a closed socket
	}
}
