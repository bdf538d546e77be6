package peer

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/codec"
)

// ErrMalformed tells a first frame that no peer sends. Test with errors.Is.
var ErrMalformed = errors.New("peer: malformed handshake")

// Each first frame begins with these: whose protocol it is, and which of the two.
const (
	helloHead  = "TIDEPEER\x01"
	answerHead = "TIDEPEER\x02"
)

// EncodeHello gives the frame of h. It fails for what DecodeHello would not read.
func EncodeHello(h Hello) ([]byte, error) { return encode(helloHead, h, h.flaw()) }

// EncodeAnswer gives the frame of a. It fails for what DecodeAnswer would not read.
func EncodeAnswer(a Answer) ([]byte, error) { return encode(answerHead, a, a.flaw()) }

// DecodeHello reads a frame. Every error is ErrMalformed.
func DecodeHello(b []byte) (h Hello, err error) {
	if err = decode(helloHead, b, &h); err == nil {
		err = exactly(b, EncodeHello, h)
	}
	return h, err
}

// DecodeAnswer reads a frame. Every error is ErrMalformed.
func DecodeAnswer(b []byte) (a Answer, err error) {
	if err = decode(answerHead, b, &a); err == nil {
		err = exactly(b, EncodeAnswer, a)
	}
	return a, err
}

func encode(head string, v any, flaw string) ([]byte, error) {
	if flaw != "" {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, flaw)
	}
	return codec.AppendMarshal([]byte(head), v)
}

func decode(head string, b []byte, v any) error {
	if len(b) > HandshakeBytesMax {
		return fmt.Errorf("%w: %d bytes, more than %d", ErrMalformed, len(b), HandshakeBytesMax)
	}
	body, ok := bytes.CutPrefix(b, []byte(head))
	if !ok {
		return fmt.Errorf("%w: it does not begin as one", ErrMalformed)
	}
	if err := codec.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// exactly refuses what the library reads leniently: arrays and ids that are too short.
func exactly[T any](b []byte, encode func(T) ([]byte, error), v T) error {
	again, err := encode(v)
	if err == nil && !bytes.Equal(again, b) {
		err = fmt.Errorf("%w: fields are missing or of another length", ErrMalformed)
	}
	return err
}

func (h Hello) flaw() string {
	switch {
	case h.Oldest == 0 || h.Oldest > h.Newest:
		return fmt.Sprintf("versions %d to %d", h.Oldest, h.Newest)
	case h.Cluster == "" || len(h.Cluster) > ClusterIDBytesMax:
		return fmt.Sprintf("a cluster id of %d bytes", len(h.Cluster))
	case h.Node < 0 || h.To < AnyNode:
		return fmt.Sprintf("node %d calls node %d", h.Node, h.To)
	case h.Epoch < Unregistered:
		return fmt.Sprintf("broker epoch %d", h.Epoch)
	case h.Role == 0 || h.Role&^rolesAll != 0:
		return fmt.Sprintf("role %d", h.Role)
	}
	return ""
}

func (a Answer) flaw() string {
	switch {
	case a.Refusal > refusalLast:
		return fmt.Sprintf("refusal %d", a.Refusal)
	case (a.Refusal == Accepted) != (a.Version != 0), (a.Refusal == Accepted) != (a.Reason == ""):
		return "it is neither accepted nor refused"
	case a.Node < 0:
		return fmt.Sprintf("node %d", a.Node)
	case len(a.Reason) > ReasonBytesMax:
		return fmt.Sprintf("a reason of %d bytes", len(a.Reason))
	}
	return ""
}
