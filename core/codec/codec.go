package codec

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/hashicorp/go-msgpack/v2/codec"
)

// ErrMalformed tells bytes that are not the canonical form of one value within the
// limits. Test with errors.Is.
var ErrMalformed = errors.New("codec: malformed")

var handle = newHandle()

func newHandle() *codec.MsgpackHandle {
	h := &codec.MsgpackHandle{
		WriteExt:            true, // strings and bytes are different things
		PositiveIntUnsigned: true, // one form of a number, whatever its Go type
	}
	h.Canonical = true
	h.ErrorIfNoField = true
	h.ErrorIfNoArrayExpand = true
	h.SliceElementReset = true
	h.MaxDepth = DepthMax
	h.MapType = reflect.TypeFor[map[string]any]()
	return h
}

// Marshal encodes v in its one canonical form. It fails for what Unmarshal would not
// read: times, 32-bit floats, maps with other keys than strings and integers, excessive
// nesting. Functions become nil and channels are drained: keep them out of records.
func Marshal(v any) ([]byte, error) { return AppendMarshal(nil, v) }

// AppendMarshal appends the encoding of v to b. After an error b is as it was.
func AppendMarshal(b []byte, v any) ([]byte, error) {
	var out []byte
	if err := codec.NewEncoderBytes(&out, handle).Encode(v); err != nil {
		return b, fmt.Errorf("codec: encode %T: %w", v, err)
	}
	if err := check(out); err != nil {
		return b, fmt.Errorf("codec: encode %T: %w", v, err)
	}
	if len(b) == 0 && cap(b) < len(out) {
		return out, nil
	}
	return append(b, out...), nil
}

// Unmarshal decodes exactly one value into the pointer v, which should point to a zero
// value: fields that the bytes lack are left alone. Nothing of b is kept. After an error v
// holds anything.
func Unmarshal(b []byte, v any) error {
	if err := check(b); err != nil {
		return fmt.Errorf("codec: decode %T: %w", v, err)
	}
	d := codec.NewDecoderBytes(b, handle)
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("codec: decode %T: %w", v, err)
	}
	if d.NumBytesRead() != len(b) {
		return fmt.Errorf("codec: decode %T: %w: read %d bytes of %d", v, ErrMalformed, d.NumBytesRead(), len(b))
	}
	return nil
}
