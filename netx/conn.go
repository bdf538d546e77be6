package netx

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// ending says how far a connection is on its way out; it never goes back.
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
	raw     syscall.RawConn

	// who has the loop's turn only
	silent    bool // closed by this side: the handler hears nothing of it any more
	closing   bool // CloseAfterSend: the handler hears only of its end
	unflushed bool // in Net.unflushed

	inInbox atomic.Int64 // bytes of frames delivered and not handled
	stalled atomic.Bool  // the reader waits for that to shrink

	mu      sync.Mutex // guards what follows; never held over a call to another room
	toWrite sync.Cond  // queue or ending changed
	toRead  sync.Cond  // paused, inInbox or ending changed
	queue   []env.Frame
	queued  int // bytes in queue and being written
	sent    int // bytes of the first frame in queue that are out, its length included
	writing bool
	full    bool
	paused  bool
	ending  ending
	halves  int   // goroutines that run
	err     error // why it ended; the first reason counts
}

func (n *Net) newConn(info env.ConnInfo, inbound bool) *conn {
	c := &conn{net: n, id: env.ConnID(n.nextID.Add(1)), info: info, inbound: inbound, halves: 2}
	c.toWrite.L, c.toRead.L = &c.mu, &c.mu
	return c
}

// send queues a frame. The writer is woken by Net.flush, at the end of what the loop does
// now, so that the replies to many requests become one system call.
func (c *conn) send(f env.Frame) bool {
	c.mu.Lock()
	if c.ending != endNot {
		c.mu.Unlock()
		releaseFrame(f)
		return true
	}
	c.queue = append(c.queue, f)
	c.queued += f.Len()
	all := c.net.queued.Add(int64(f.Len()))
	if c.queued > sendQueueHigh || all > sendQueuesMax && c.queued > sendQueueCrowded {
		c.full = true
	}
	full := c.full
	c.mu.Unlock()
	if !c.unflushed {
		c.unflushed = true
		c.net.unflushed = append(c.net.unflushed, c)
	}
	return !full
}

func (c *conn) setPaused(paused bool) {
	c.mu.Lock()
	c.paused = paused
	c.mu.Unlock()
	c.toRead.Signal()
}

// end moves the connection towards its end. The error is what the handler is told, if it
// is told and this is the first.
func (c *conn) end(how ending, err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.ending = max(c.ending, how)
	socket := c.socket
	c.mu.Unlock()
	c.toWrite.Signal()
	c.toRead.Signal()
	if socket == nil {
		return // still being dialed; opened sees the mark
	}
	if how == endNow {
		_ = socket.Close() // a second Close does no harm
		return
	}
	_ = socket.SetDeadline(time.Now().Add(lingerMax)) // fails only on a closed socket
}

// reads reports whether frames still count.
func (c *conn) reads() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending == endNot
}

// halfDone ends one of the two goroutines. The last one reports the end.
func (c *conn) halfDone() {
	c.mu.Lock()
	c.halves--
	last, err := c.halves == 0, c.err
	c.mu.Unlock()
	if last {
		_ = c.socket.Close() // closed already, or all was said
		c.giveUpQueue()
		c.net.ended(c)
		c.net.cfg.Loop.post(event{kind: eventClosed, conn: c, err: err})
	}
	c.net.running.Done()
}

// giveUpQueue releases what will not be sent. The connection must be ending.
func (c *conn) giveUpQueue() {
	c.mu.Lock()
	queue := c.queue
	c.queue = nil
	c.net.queued.Add(int64(-c.queued))
	c.queued = 0
	c.mu.Unlock()
	for _, f := range queue {
		releaseFrame(f)
	}
}

// left tells the reader that the loop has taken a frame.
func (c *conn) left(bytes int) {
	if c.inInbox.Add(int64(-bytes)) <= connInboxBytesMax && c.stalled.Load() {
		c.mu.Lock() // so that the reader is in Wait, or about to look again
		c.toRead.Signal()
		c.mu.Unlock()
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
