package workload

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
)

// GaveUp is the error of an attempt whose producer did not wait any longer.
const GaveUp = "no reply in time"

// Why a request got no reply.
var (
	errClosedByPeer = errors.New("connection closed")
	errTimeout      = errors.New(GaveUp)
	errMalformed    = errors.New("malformed reply")
)

// Conn is a connection of one fiber. Replies come in the order of the requests.
type Conn struct {
	fiber *Fiber
	id    env.ConnID
	open  bool
	err   error // why it is dead
	calls []*Call
	corr  int32
}

// Call is a request under way.
type Call struct {
	req  kmsg.Request
	resp kmsg.Response
	corr int32
	sent env.Instant
	done bool
	err  error
}

const clientID = "tidemark-workload"

var formatter = kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID))

// lengthPrefix is the frame's length, which the formatter writes and env.Net adds itself.
const lengthPrefix = 4

// Dial opens a connection and waits for it.
func (f *Fiber) Dial(addr string) (*Conn, error) {
	c := &Conn{fiber: f}
	c.id = f.host.env.Net.Dial(env.ClassClient, addr)
	f.host.conns[c.id] = c
	for end := f.Now().Add(dialTimeout); !c.open && c.err == nil; {
		if f.Now() >= end {
			c.Close(errTimeout)
			break
		}
		if !f.park(end) {
			return nil, errStopped
		}
	}
	if c.err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, c.err)
	}
	return c, nil
}

// Dead reports why the connection can no longer be used, or nil.
func (c *Conn) Dead() error { return c.err }

// Close ends the connection; calls under way end with err.
func (c *Conn) Close(err error) {
	if c.err == nil {
		c.fiber.host.env.Net.Close(c.id)
		c.fail(err)
	}
}

func (c *Conn) fail(err error) {
	delete(c.fiber.host.conns, c.id)
	if c.err == nil {
		c.err = err
	}
	for _, call := range c.calls {
		call.done, call.err = true, err
	}
	c.calls = nil
}

// Send sends a request without waiting. On a dead connection the call is over at once.
func (c *Conn) Send(req kmsg.Request) *Call {
	call := c.write(req)
	if c.err != nil {
		call.done, call.err = true, c.err
		return call
	}
	call.resp = req.ResponseKind()
	c.calls = append(c.calls, call)
	return call
}

// Tell sends a request that has no reply.
func (c *Conn) Tell(req kmsg.Request) error {
	c.write(req)
	return c.err
}

func (c *Conn) write(req kmsg.Request) *Call {
	c.corr++
	call := &Call{req: req, corr: c.corr, sent: c.fiber.Now()}
	if c.err == nil {
		buffer := c.fiber.host.env.Buffers.Get(requestSize(req))
		b := formatter.AppendRequest(buffer.Bytes()[:0], req, c.corr)
		c.fiber.host.env.Net.Send(c.id, env.Frame{Chunks: []env.Chunk{{Bytes: b[lengthPrefix:], Owner: buffer}}})
	}
	return call
}

// requestSize is about what a request takes on the wire, so that it is not copied as it grows.
func requestSize(req kmsg.Request) int {
	size := 160
	if p, ok := req.(*kmsg.ProduceRequest); ok {
		for i := range p.Topics {
			for j := range p.Topics[i].Partitions {
				size += len(p.Topics[i].Partitions[j].Records)
			}
		}
	}
	return size
}

// Await waits until the call is over. If that takes too long the connection is closed, for a
// late reply could not be told from the next.
func (c *Conn) Await(call *Call, limit time.Duration) error {
	for end := call.sent.Add(limit); !call.done; {
		if c.fiber.Now() >= end {
			c.Close(errTimeout)
			break
		}
		if !c.fiber.park(end) {
			return errStopped
		}
	}
	return call.err
}

// Ask sends a request and waits for the reply, which is valid until the next blocking call.
func (c *Conn) Ask(req kmsg.Request) (kmsg.Response, error) {
	call := c.Send(req)
	err := c.Await(call, requestTimeout)
	return call.resp, err
}

// received takes a frame: the reply to the oldest request.
func (c *Conn) received(frame []byte) error {
	if len(c.calls) == 0 || len(frame) < 4 {
		return errMalformed
	}
	call := c.calls[0]
	if corr := int32(binary.BigEndian.Uint32(frame)); corr != call.corr {
		return fmt.Errorf("%w: correlation id %d, want %d", errMalformed, corr, call.corr)
	}
	body := frame[4:]
	if call.resp.IsFlexible() && call.resp.Key() != int16(kmsg.ApiVersions) {
		var err error
		if body, err = skipTags(body); err != nil {
			return err
		}
	}
	if err := call.resp.ReadFrom(body); err != nil {
		return fmt.Errorf("%w: %s: %w", errMalformed, kmsg.NameForKey(call.resp.Key()), err)
	}
	call.done = true
	c.calls = c.calls[1:]
	return nil
}

// skipTags skips the tagged fields of a flexible response header.
func skipTags(b []byte) ([]byte, error) {
	n, size := binary.Uvarint(b)
	if size <= 0 {
		return nil, errMalformed
	}
	b = b[size:]
	for range n {
		_, tag := binary.Uvarint(b)
		if tag <= 0 {
			return nil, errMalformed
		}
		length, size := binary.Uvarint(b[tag:])
		if size <= 0 || length > uint64(len(b)-tag-size) {
			return nil, errMalformed
		}
		b = b[tag+size+int(length):]
	}
	return b, nil
}
