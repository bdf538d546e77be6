package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// wire is a bare connection to one broker. It has one buffer for what it reads, so that a
// megabyte received costs the generator a copy and no allocation.
type wire struct {
	socket   net.Conn
	format   *kmsg.RequestFormatter
	versions map[int16]int16 // the newest that both ends know, by API key
	buf      []byte
	stop     func() bool
}

// dial connects and learns which versions the broker speaks. The end of the context ends
// whatever the connection waits for.
func dial(ctx context.Context, addr string) (*wire, error) {
	dialer := net.Dialer{Timeout: reachMax}
	socket, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	w := &wire{socket: socket, format: kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID)),
		versions: map[int16]int16{}}
	w.stop = context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Unix(1, 0)) })
	if err := w.learnVersions(); err != nil {
		w.close()
		return nil, fmt.Errorf("ask %s for its API versions: %w", addr, err)
	}
	return w, nil
}

func (w *wire) close() {
	w.stop()
	_ = w.socket.Close() // nothing is under way that counts
}

func (w *wire) learnVersions() error {
	req := kmsg.NewPtrApiVersionsRequest()
	req.Version = 0 // answered by any broker
	if _, err := w.socket.Write(w.encode(req, 0)); err != nil {
		return err
	}
	res := kmsg.NewPtrApiVersionsResponse()
	res.Version = 0
	if err := w.read(0, res); err != nil {
		return err
	}
	if err := kerr.ErrorForCode(res.ErrorCode); err != nil {
		return err
	}
	for _, key := range res.ApiKeys {
		if known := kmsg.RequestForKey(key.ApiKey); known != nil {
			w.versions[key.ApiKey] = min(key.MaxVersion, known.MaxVersion())
		}
	}
	return nil
}

// encode makes a frame of a request at the version both ends know, which it sets.
func (w *wire) encode(req kmsg.Request, correlation int32) []byte {
	if version, ok := w.versions[req.Key()]; ok {
		req.SetVersion(version)
	}
	return w.format.AppendRequest(nil, req, correlation)
}

// read takes the next response, which must be to that request. What it refers to is valid
// until the next read.
func (w *wire) read(correlation int32, into kmsg.Response) error {
	var head [4]byte
	if _, err := io.ReadFull(w.socket, head[:]); err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint32(head[:]))
	if size < 4 || size > responseMax {
		return fmt.Errorf("a response of %d bytes", size)
	}
	if cap(w.buf) < size {
		w.buf = make([]byte, size)
	}
	body := w.buf[:size]
	if _, err := io.ReadFull(w.socket, body); err != nil {
		return err
	}
	if got := int32(binary.BigEndian.Uint32(body)); got != correlation {
		return fmt.Errorf("a response to request %d when %d was next", got, correlation)
	}
	body = body[4:]
	if into.IsFlexible() && into.Key() != kmsg.ApiVersions.Int16() {
		var err error
		if body, err = skipTags(body); err != nil {
			return err
		}
	}
	return into.ReadFrom(body)
}

// skipTags leaves out the tagged fields of a response's header.
func skipTags(b []byte) ([]byte, error) {
	count, n := binary.Uvarint(b)
	for ; n > 0 && count > 0; count-- {
		b = b[n:]
		if _, n = binary.Uvarint(b); n <= 0 {
			break
		}
		b = b[n:]
		var size uint64
		if size, n = binary.Uvarint(b); n <= 0 || size > uint64(len(b)-n) {
			return nil, io.ErrUnexpectedEOF
		}
		n += int(size)
	}
	if n <= 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return b[n:], nil
}
