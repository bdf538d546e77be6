package simnet

import (
	"github.com/tidemark-log/tidemark/core/env"
)

// Stack is the network as one process sees it. It implements env.Net.
type Stack struct {
	node    *Node
	net     *Network
	life    uint32
	clock   Clock
	buffers env.Buffers
	handler env.Handler // nil: not served yet
	decode  func(class env.Class, frame []byte) any

	conns map[env.ConnID]*end
	last  env.ConnID
	ended bool
}

var _ env.Net = (*Stack)(nil)

// Serve makes the process answer dials and names who gets its events.
func (s *Stack) Serve(handler env.Handler, decode func(env.Class, []byte) any) {
	s.handler, s.decode = handler, decode
}

// Dial opens a connection.
func (s *Stack) Dial(class env.Class, addr string) env.ConnID {
	if s.ended {
		s.last++
		return s.last
	}
	return s.dial(class, addr).id
}

// Send queues a frame.
func (s *Stack) Send(c env.ConnID, f env.Frame) bool {
	e := s.conns[c]
	if e == nil || e.state == closing || e.closeOnOpen {
		release(f.Chunks)
		return true
	}
	return e.send(f)
}

// Pause stops reading. A drawn few of the frames under way are delivered in spite of it.
func (s *Stack) Pause(c env.ConnID) {
	e := s.conns[c]
	if e == nil || e.paused {
		return
	}
	e.paused, e.grace = true, 0
	if e.peer != nil {
		e.pauses++
		underWay := uint64(min(e.peer.out.len(), PauseGraceMax))
		e.grace = int(e.jitter.Of("net.pause").Below(e.pauses, underWay+1))
	}
}

// Resume reads on, first what was held.
func (s *Stack) Resume(c env.ConnID) {
	e := s.conns[c]
	if e == nil || !e.paused {
		return
	}
	e.paused = false
	now, arg := s.net.engine.Now(), uint64(0)
	if e.peer != nil && e.peer.link.mode >= Jam {
		arg = atHost
	}
	for ; e.held > 0; e.held-- {
		e.post(now, opArrived, arg)
	}
	if e.closeDue {
		e.closeDue = false
		e.post(now, opClosed, errClosed)
	}
}

// Close ends a connection now.
func (s *Stack) Close(c env.ConnID) {
	if e := s.conns[c]; e != nil {
		e.hangUp()
	}
}

// CloseAfterSend ends a connection when what was sent has been taken.
func (s *Stack) CloseAfterSend(c env.ConnID) {
	e := s.conns[c]
	switch {
	case e == nil || e.state == closing:
	case e.state == dialing:
		e.closeOnOpen = true
	default:
		e.closeAfterSend()
	}
}

// readFiles turns the file regions among the chunks into bytes. It happens when the frame
// is sent: later is legal as well, but the file may be gone then in both worlds.
func readFiles(chunks []env.Chunk) bool {
	for i := range chunks {
		c := &chunks[i]
		if c.File == nil {
			continue
		}
		b := make([]byte, c.Len)
		n, err := c.File.Pread(b, c.Off)
		if err != nil || n < c.Len {
			return false
		}
		c.Bytes, c.File = b, nil
	}
	return true
}
