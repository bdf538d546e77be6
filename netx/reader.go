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

// read delivers frames until the connection ends, and then its end.
func (c *conn) read() {
	defer c.net.running.Done()
	in := bufio.NewReaderSize(c.socket, readBufferBytes)
	deadline := deadline{conn: c}
	var err error
	for err == nil {
		c.waitWhilePaused()
		err = c.readFrame(in, &deadline)
	}
	c.readEnded()
	c.net.cfg.Loop.post(event{kind: eventClosed, conn: c, err: err})
}

// readEnded ends the connection, unless what is queued is still to be sent.
func (c *conn) readEnded() {
	c.mu.Lock()
	sending := c.ending == endAfterSend
	c.mu.Unlock()
	if !sending {
		c.end(endNow)
	}
}

func (c *conn) waitWhilePaused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.paused && c.ending == endNot {
		c.changed.Wait()
	}
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
	if !c.net.enterInbox(int(size)) {
		buffer.Release()
		return env.ErrClosed
	}
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
	if now := time.Now(); now.Sub(d.last) > idle/8 {
		_ = d.conn.socket.SetReadDeadline(now.Add(idle)) // fails only on a closed socket
		d.last = now
	}
}
