package netx

import (
	"encoding/binary"
	"fmt"
	"net"

	"github.com/tidemark-log/tidemark/core/env"
)

// write sends what is queued until the connection ends. It takes all frames that wait at
// once, so that many small replies are one system call.
func (c *conn) write() {
	defer c.halfDone()
	w := writer{conn: c}
	var batch []env.Frame
	for {
		batch, w.skip = c.nextFrames(batch)
		if len(batch) == 0 {
			break
		}
		sent, err := w.writeFrames(batch)
		for _, f := range batch {
			releaseFrame(f)
		}
		if err != nil {
			c.end(endNow, err)
			return
		}
		c.wrote(sent)
	}
	if tcp, ok := c.socket.(*net.TCPConn); ok {
		_ = tcp.CloseWrite() // the other end sees the end of the stream; fails if it is gone
	}
}

// nextFrames waits for frames and swaps the queue for the emptied batch; skip is how much of
// the first is out. None means that nothing more is to be sent.
func (c *conn) nextFrames(batch []env.Frame) (frames []env.Frame, skip int) {
	clear(batch)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	for len(c.queue) == 0 && c.ending == endNot {
		c.toWrite.Wait()
	}
	if c.ending == endNow {
		return nil, 0
	}
	frames, skip = c.queue, c.sent
	c.queue, c.sent, c.writing = batch[:0], 0, true
	return frames, skip
}

// wrote accounts for bytes on the wire and tells the handler when a full queue has room.
func (c *conn) wrote(bytes int) {
	c.mu.Lock()
	c.queued -= bytes
	c.net.queued.Add(int64(-bytes))
	writable := c.full && c.queued <= sendQueueLow
	if writable {
		c.full = false
	}
	c.mu.Unlock()
	if writable {
		c.net.cfg.Loop.post(event{kind: eventWritable, conn: c})
	}
}

// writer holds the scratch of one connection's writes.
type writer struct {
	conn    *conn
	skip    int // bytes at the front that are out already
	lengths []byte
	bufs    [][]byte
	out     net.Buffers // what flush has not written; here, because WriteTo takes its address
}

// writeFrames writes the frames and returns their bytes, lengths not counted.
func (w *writer) writeFrames(frames []env.Frame) (int, error) {
	if need := 4 * len(frames); cap(w.lengths) < need {
		w.lengths = make([]byte, need)
	}
	total := 0
	for i, f := range frames {
		size := f.Len()
		total += size
		prefix := w.lengths[4*i : 4*i+4]
		binary.BigEndian.PutUint32(prefix, uint32(size))
		w.bufs = append(w.bufs, prefix)
		if err := w.gather(f); err != nil {
			return total, err
		}
	}
	return total, w.flush()
}

// gather collects the chunks of a frame for one gathered write.
func (w *writer) gather(f env.Frame) error {
	for _, chunk := range f.Chunks {
		if chunk.File != nil {
			if err := w.writeRegion(chunk); err != nil {
				return err
			}
			continue
		}
		if len(chunk.Bytes) > 0 {
			w.bufs = append(w.bufs, chunk.Bytes)
		}
		if len(w.bufs) >= writevMax {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) flush() error {
	if len(w.bufs) == 0 {
		return nil
	}
	w.out = w.bufs
	for w.skip > 0 { // only ever in the first write, and in bytes
		n := min(w.skip, len(w.out[0]))
		if w.skip -= n; n == len(w.out[0]) {
			w.out = w.out[1:]
		} else {
			w.out[0] = w.out[0][n:]
		}
	}
	_, err := w.out.WriteTo(w.conn.socket)
	clear(w.bufs)
	w.bufs = w.bufs[:0]
	return err
}

// writeRegion sends part of a file: by the kernel alone where that is possible, else
// through a pooled buffer.
func (w *writer) writeRegion(chunk env.Chunk) error {
	if err := w.flush(); err != nil {
		return err
	}
	if done, err := sendfile(w.conn.socket, chunk); done {
		return err
	}
	buffer := w.conn.net.cfg.Buffers.Get(chunk.Len)
	defer buffer.Release()
	n, err := chunk.File.Pread(buffer.Bytes(), chunk.Off)
	if err == nil && n < chunk.Len {
		err = errShortRegion(chunk, n)
	}
	if err != nil {
		return err
	}
	_, err = w.conn.socket.Write(buffer.Bytes())
	return err
}

// errShortRegion: the length was promised already, so the connection must end.
func errShortRegion(chunk env.Chunk, n int) error {
	return fmt.Errorf("netx: file region of %d bytes at %d ends after %d", chunk.Len, chunk.Off, n)
}
