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
	held := share{of: &c.net.reading}
	defer func() { held.shrink(held.held) }()
	buffer, err := c.readBody(in, int(size), &held, deadline)
	if err != nil {
		return err
	}
	received := env.Received{Buffer: buffer}
	if c.net.cfg.Decode != nil {
		received.Decoded = c.net.cfg.Decode(c.info.Class, buffer.Bytes())
	}
	c.inInbox.Add(int64(size))
	c.net.inInbox.Add(int64(size))
	held.shrink(held.held) // it counts there from now on
	c.net.cfg.Loop.post(event{kind: eventFrame, conn: c, frame: received})
	return nil
}

// readBody reads size bytes into a pooled buffer that grows with what has arrived: a
// length that is never followed by its bytes costs at most readStep.
func (c *conn) readBody(in *bufio.Reader, size int, held *share, deadline *deadline) (env.Buffer, error) {
	first := min(size, readStep)
	if size > smallFrame && !held.grow(first) {
		return nil, env.ErrClosed
	}
	buffer := c.net.cfg.Buffers.Get(first)
	for have := 0; ; {
		n, err := c.fill(in, buffer.Bytes()[have:], held, deadline)
		if have += n; err != nil {
			buffer.Release()
			return nil, err
		}
		if have == size {
			return buffer, nil
		}
		deadline.extend()
		next := min(size, 4*have)
		if !held.grow(next) {
			buffer.Release()
			return nil, env.ErrClosed
		}
		larger := c.net.cfg.Buffers.Get(next)
		copy(larger.Bytes(), buffer.Bytes())
		buffer.Release()
		held.shrink(have)
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
	d.at(now.Add(idle))
}

// set puts the deadline so far ahead, for a part of a frame.
func (d *deadline) set(ahead time.Duration) { d.at(time.Now().Add(ahead)) }

// reset ends what set began.
func (d *deadline) reset() {
	d.last = time.Time{}
	d.at(time.Time{})
	d.extend()
}

func (d *deadline) at(when time.Time) {
	d.conn.mu.Lock() // not past the linger deadline of a connection that closes
	defer d.conn.mu.Unlock()
	if d.conn.ending == endNot {
		_ = d.conn.socket.SetReadDeadline(when) // fails only on a closed socket
	}
}
