package netx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
)

// Config of a node's network.
type Config struct {
	Loop    *Loop
	Buffers env.Buffers
	// Decode is applied to each frame on its reader's goroutine; nil hands on raw frames.
	Decode func(class env.Class, frame []byte) any
	// FrameMax bounds a frame (socket.request.max.bytes); 0 means FrameMaxDefault.
	FrameMax int32
	// IdleTimeout closes a connection that sends nothing for so long
	// (connections.max.idle.ms); 0 means never.
	IdleTimeout time.Duration
	// ConnectionsMax bounds inbound connections (max.connections), and ConnectionsPerIP
	// those of one address (max.connections.per.ip); 0 means no bound.
	ConnectionsMax   int
	ConnectionsPerIP int
	// ReadingBytesMax bounds what half-read large frames hold together; 0 means
	// readingBytesMax. DawdleWindow is how often such a frame is looked at; 0 means
	// dawdleWindow.
	ReadingBytesMax int
	DawdleWindow    time.Duration
	// Refused, if set, is told of each connection beyond those bounds. Accepting waits for
	// it.
	Refused func(info env.ConnInfo, why string)
	// DialTimeout bounds an outbound connection's set-up; 0 means dialTimeoutDefault.
	DialTimeout time.Duration
}

// Net implements env.Net over TCP. Its env.Net methods belong to the loop's handler.
type Net struct {
	cfg    Config
	nextID atomic.Uint64

	// who has the loop's turn only
	conns     map[env.ConnID]*conn
	unflushed []*conn // they have frames their writers do not know of
	short     *shortcut

	running sync.WaitGroup // accepters, dialers, readers, writers
	dials   context.Context
	stop    context.CancelFunc // ends dials

	reading budget // what half-read frames hold

	queued  atomic.Int64 // bytes queued on all connections
	inInbox atomic.Int64 // bytes of frames delivered and not yet handled
	stalled atomic.Int32 // readers that wait for that to shrink

	mu        sync.Mutex // guards what follows
	room      sync.Cond  // the inbox has room again, or the net is closing
	closing   bool
	listeners []net.Listener
	open      map[*conn]struct{}
	perIP     map[string]int
	inbound   int
	maxConns  int // 0 means no bound
	maxPerIP  int
	refused   uint64 // connections beyond the bounds
}

// New returns a network for the loop's handler.
func New(cfg Config) *Net {
	if cfg.FrameMax == 0 {
		cfg.FrameMax = FrameMaxDefault
	}
	if cfg.ReadingBytesMax == 0 {
		cfg.ReadingBytesMax = readingBytesMax
	}
	if cfg.DawdleWindow == 0 {
		cfg.DawdleWindow = dawdleWindow
	}
	if cfg.DialTimeout == 0 {
		cfg.DialTimeout = dialTimeoutDefault
	}
	n := &Net{
		cfg:   cfg,
		conns: make(map[env.ConnID]*conn),
		open:  make(map[*conn]struct{}),
		perIP: make(map[string]int),
		short: newShortcut(),
	}
	n.room.L = &n.mu
	n.reading.max = cfg.ReadingBytesMax
	n.reading.room.L = &n.reading.mu
	n.maxConns, n.maxPerIP = cfg.ConnectionsMax, cfg.ConnectionsPerIP
	n.dials, n.stop = context.WithCancel(context.Background())
	cfg.Loop.net = n
	return n
}

// Listen accepts connections of that class at addr and returns the address in use.
func (n *Net) Listen(class env.Class, name, addr string) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("netx: listener %s: %w", name, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closing {
		_ = l.Close() // just opened
		return nil, fmt.Errorf("netx: listener %s: %w", name, env.ErrClosed)
	}
	n.listeners = append(n.listeners, l)
	n.running.Add(1)
	go n.accept(l, class, name)
	return l.Addr(), nil
}

func (n *Net) accept(l net.Listener, class env.Class, name string) {
	defer n.running.Done()
	for {
		socket, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(acceptPause)
			continue
		}
		info := env.ConnInfo{Class: class, Listener: name, Remote: socket.RemoteAddr().String()}
		c := n.newConn(info, true)
		if why := n.admit(c, socket); why != "" {
			_ = socket.Close() // over the bound: the client sees a disconnect, as with Kafka
			if n.cfg.Refused != nil {
				n.cfg.Refused(info, why)
			}
			continue
		}
		c.socket, c.raw = socket, rawOf(socket)
		n.cfg.Loop.post(event{kind: eventAccepted, conn: c})
		n.start(c)
	}
}

// admit counts an inbound connection against the bounds, or says why it may not come in.
func (n *Net) admit(c *conn, socket net.Conn) (refusal string) {
	ip, _, _ := net.SplitHostPort(socket.RemoteAddr().String())
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.closing:
		return "refused: the broker is stopping"
	case n.maxConns > 0 && n.inbound >= n.maxConns:
		n.refused++
		return "refused: max.connections are open"
	case n.maxPerIP > 0 && n.perIP[ip] >= n.maxPerIP:
		n.refused++
		return "refused: max.connections.per.ip are open"
	}
	n.inbound++
	n.perIP[ip]++
	c.ip = ip
	n.open[c] = struct{}{}
	return ""
}

// SetLimits changes the bounds of Config. Connections that are open stay.
func (n *Net) SetLimits(connections, perIP int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.maxConns, n.maxPerIP = connections, perIP
}

// Refused counts the connections that were beyond the bounds.
func (n *Net) Refused() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.refused
}

// start runs the connection's two goroutines.
func (n *Net) start(c *conn) {
	n.running.Add(2)
	go c.read()
	go c.write()
}

// ended forgets a connection whose goroutines are through.
func (n *Net) ended(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.open[c]; !ok {
		return
	}
	delete(n.open, c)
	if c.inbound {
		n.inbound--
		if n.perIP[c.ip]--; n.perIP[c.ip] == 0 {
			delete(n.perIP, c.ip)
		}
	}
}

// Dial implements env.Net.
func (n *Net) Dial(class env.Class, addr string) env.ConnID {
	c := n.newConn(env.ConnInfo{Class: class, Remote: addr}, false)
	n.conns[c.id] = c
	n.running.Add(1)
	go func() {
		defer n.running.Done()
		dialer := net.Dialer{Timeout: n.cfg.DialTimeout}
		socket, err := dialer.DialContext(n.dials, "tcp", addr)
		if err == nil && !n.opened(c, socket) {
			_ = socket.Close() // this side closed the connection meanwhile
			err = env.ErrClosed
		}
		if err != nil {
			c.end(endNow, err)
			c.giveUpQueue()
		}
		n.cfg.Loop.post(event{kind: eventDialed, conn: c, err: err})
		if err == nil {
			n.start(c)
		}
	}()
	return c.id
}

// opened takes over a dialed socket, unless the connection or the net is closed by now.
func (n *Net) opened(c *conn, socket net.Conn) bool {
	n.mu.Lock()
	closing := n.closing
	if !closing {
		n.open[c] = struct{}{} // from here on Shutdown ends it
	}
	n.mu.Unlock()
	if closing {
		return false
	}
	c.mu.Lock()
	ended := c.ending == endNow
	if !ended {
		c.socket, c.raw = socket, rawOf(socket)
	}
	if c.ending == endAfterSend {
		_ = socket.SetDeadline(time.Now().Add(lingerMax)) // cannot fail on a new socket
	}
	c.mu.Unlock()
	if ended {
		n.ended(c)
	}
	return !ended
}

// Send implements env.Net.
func (n *Net) Send(id env.ConnID, f env.Frame) bool {
	c := n.conns[id]
	if c == nil {
		releaseFrame(f)
		return true
	}
	return c.send(f)
}

// Pause implements env.Net.
func (n *Net) Pause(id env.ConnID) {
	if c := n.conns[id]; c != nil {
		c.setPaused(true)
	}
}

// Resume implements env.Net.
func (n *Net) Resume(id env.ConnID) {
	if c := n.conns[id]; c != nil {
		c.setPaused(false)
	}
}

// Close implements env.Net.
func (n *Net) Close(id env.ConnID) {
	if c := n.conns[id]; c != nil {
		n.forget(c)
		c.end(endNow, nil)
	}
}

// CloseAfterSend implements env.Net.
func (n *Net) CloseAfterSend(id env.ConnID) {
	if c := n.conns[id]; c != nil && !c.closing {
		c.closing = true
		c.end(endAfterSend, nil)
	}
}

// forget makes the connection silent towards the handler.
func (n *Net) forget(c *conn) {
	c.silent = true
	delete(n.conns, c.id)
}

// flush sends what connections were given since the last time, or wakes their writers. The
// loop calls it.
func (n *Net) flush() {
	for i, c := range n.unflushed {
		c.unflushed = false
		c.flush()
		n.unflushed[i] = nil
	}
	n.unflushed = n.unflushed[:0]
}

// waitRoom waits until the inbox has room for a further frame; false means that the net is
// closing.
func (n *Net) waitRoom() bool {
	if n.inInbox.Load() <= inboxBytesMax {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stalled.Add(1)
	defer n.stalled.Add(-1)
	for n.inInbox.Load() > inboxBytesMax && !n.closing {
		n.room.Wait()
	}
	return !n.closing
}

// left tells waiting readers that the loop has taken a frame.
func (n *Net) left(bytes int) {
	if n.inInbox.Add(int64(-bytes)) <= inboxBytesMax && n.stalled.Load() > 0 {
		n.mu.Lock() // so that the readers are in Wait, or about to look again
		n.room.Broadcast()
		n.mu.Unlock()
	}
}

// Shutdown closes listeners and connections and waits for their goroutines. The loop may
// be running or stopped. CloseListeners first gives a clean stop time to answer.
func (n *Net) Shutdown() {
	n.CloseListeners()
	n.stop()
	n.mu.Lock()
	n.closing = true
	open := slices.Collect(maps.Keys(n.open))
	n.mu.Unlock()
	for _, c := range open {
		c.end(endNow, env.ErrClosed)
	}
	n.reading.close()
	n.room.Broadcast()
	n.running.Wait()
}

// CloseListeners stops accepting.
func (n *Net) CloseListeners() {
	n.mu.Lock()
	listeners := n.listeners
	n.listeners = nil
	n.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close() // nothing is lost with a listener
	}
}
