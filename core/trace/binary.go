package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// # The binary form
//
// An event is a length and, in it: time, node, kind's name, object, partition, the
// numbers up to the last that is not zero, text. Numbers are variable-length, strings
// carry their length. The kind goes by name, not number, because numbers depend on
// which rooms a binary has; so a trace outlives the build that wrote it. An event has one
// encoding.

// Errors of ReadBinary. Test with errors.Is.
var (
	// ErrShort: the event goes on past the bytes there are.
	ErrShort = errors.New("trace: event is longer than the bytes there are")
	// ErrMalformed: these bytes are no event.
	ErrMalformed = errors.New("trace: malformed event")
	// ErrKind: this build has no such kind.
	ErrKind = errors.New("trace: unknown kind of event")
)

// AppendBinary appends the event's binary form.
func (e Event) AppendBinary(b []byte) []byte {
	var scratch [128]byte
	body := binary.AppendVarint(scratch[:0], e.At)
	body = binary.AppendVarint(body, int64(e.Node))
	body = appendText(body, e.Kind.Name())
	body = appendText(body, e.Topic)
	body = binary.AppendVarint(body, int64(e.Partition))
	n := len(e.N)
	for n > 0 && e.N[n-1] == 0 {
		n--
	}
	body = append(body, byte(n))
	for _, v := range e.N[:n] {
		body = binary.AppendVarint(body, v)
	}
	body = appendText(body, e.Text)
	b = binary.AppendUvarint(b, uint64(len(body)))
	return append(b, body...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// ReadBinary reads the first event of b and gives what follows it. It keeps nothing of b.
// After ErrKind rest is behind the event, so that a reader can go on without it.
func ReadBinary(b []byte) (e Event, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	switch {
	case n == 0:
		return Event{}, b, ErrShort
	case n < 0 || size > EventBytesMax || n > 1 && b[n-1] == 0:
		return Event{}, b, ErrMalformed
	case size > uint64(len(b)-n):
		return Event{}, b, ErrShort
	}
	end := n + int(size)
	name, e, ok := readBody(b[n:end])
	if !ok {
		return Event{}, b, ErrMalformed
	}
	kind, known := byName[name]
	if !known {
		return Event{}, b[end:], fmt.Errorf("%w: %q", ErrKind, name)
	}
	e.Kind = kind
	return e, b[end:], nil
}

func readBody(b []byte) (kind string, e Event, ok bool) {
	r := reader{b: b}
	e.At = r.number()
	e.Node = r.number32()
	kind = r.text()
	e.Topic = r.text()
	e.Partition = r.number32()
	n := int(r.byte())
	if n > len(e.N) {
		return "", e, false
	}
	for i := range n {
		e.N[i] = r.number()
	}
	e.Text = r.text()
	trimmed := n == 0 || e.N[n-1] != 0
	return kind, e, !r.bad && len(r.b) == 0 && trimmed
}

// reader takes fields off the front of b. After a bad one all is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() int64 {
	v, n := binary.Varint(r.b)
	if !r.took(n) {
		return 0
	}
	return v
}

func (r *reader) number32() int32 {
	v := r.number()
	if int64(int32(v)) != v {
		r.bad = true
	}
	return int32(v)
}

func (r *reader) byte() byte {
	if r.bad || len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) text() string {
	size, n := binary.Uvarint(r.b)
	if !r.took(n) {
		return ""
	}
	if size > uint64(len(r.b)) {
		r.bad = true
		return ""
	}
	s := string(r.b[:size])
	r.b = r.b[size:]
	return s
}

// took moves behind a variable-length number of n bytes, which must be in its shortest
// form.
func (r *reader) took(n int) bool {
	if r.bad || n <= 0 || n > 1 && r.b[n-1] == 0 {
		r.bad = true
		return false
	}
	r.b = r.b[n:]
	return true
}
