package netx

import (
	"net"
	"sync"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// ending says how far a connection is on its way out.
type ending uint8

const (
	endNot       ending = iota
	endAfterSend        // this side wants it closed once the queue is written
	endNow              // the socket is closed or about to be
)

// conn is one TCP connection: its reader, its writer and the queue between.
type conn struct {
	net     *Net
	id      env.ConnID
	info    env.ConnInfo
	inbound bool
	ip      string
	socket  net.Conn // set before the goroutines start

	dead bool // loop goroutine only: the handler must hear no more of it

	mu      sync.Mutex // guards what follows; never held over a call to another room
	changed sync.Cond  // queue, paused or ending changed
	queue   []env.Frame
	queued  int // bytes in queue and being written
	full    bool
	paused  bool
	ending  ending
}

func (n *Net) newConn(info env.ConnInfo, inbound bool) *conn {
	c := &conn{net: n, id: env.ConnID(n.nextID.Add(1)), info: info, inbound: inbound}
	c.changed.L = &c.mu
	return c
}

// send queues a frame for the writer.
func (c *conn) send(f env.Frame) bool {
	c.mu.Lock()
	if c.ending != endNot {
		c.mu.Unlock()
		releaseFrame(f)
		return true
	}
	c.queue = append(c.queue, f)
	c.queued += f.Len()
	if c.queued > sendQueueHigh {
		c.full = true
	}
	full := c.full
	c.mu.Unlock()
	c.changed.Broadcast()
	return !full
}

func (c *conn) setPaused(paused bool) {
	c.mu.Lock()
	c.paused = paused
	c.mu.Unlock()
	c.changed.Broadcast()
}

// end moves the connection towards its end, never back.
func (c *conn) end(how ending) {
	c.mu.Lock()
	c.ending = max(c.ending, how)
	socket := c.socket
	c.mu.Unlock()
	c.changed.Broadcast()
	if socket == nil {
		return // still being dialed; opened sees the mark
	}
	if how == endNow {
		_ = socket.Close() // the reader and writer report what matters
		return
	}
	_ = socket.SetWriteDeadline(time.Now().Add(lingerMax))
	if tcp, ok := socket.(*net.TCPConn); ok {
		_ = tcp.CloseRead() // reading stops now; the writer closes when it is through
	}
}

// releaseFrame gives back the buffers of a frame that will not be sent.
func releaseFrame(f env.Frame) {
	for _, chunk := range f.Chunks {
		if chunk.Owner != nil {
			chunk.Owner.Release()
		}
	}
}
