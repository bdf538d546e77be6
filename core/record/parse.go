package record

import (
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Header is an application's header of a record.
type Header struct {
	Key   string
	Value []byte // nil is null
}

// Record is one record, absolute: its offset and timestamp are no deltas any more.
type Record struct {
	Offset    kafka.Offset
	Timestamp kafka.Timestamp
	Key       []byte // nil is null
	Value     []byte // nil is null, a tombstone
	Headers   []Header
}

// String is the record in one line, as dumps and failed tests show it.
func (r Record) String() string {
	var s strings.Builder
	s.WriteString(r.Offset.String() + " ts=" + strconv.FormatInt(int64(r.Timestamp), 10))
	s.WriteString(" key=" + quote(r.Key) + " value=" + quote(r.Value))
	for _, h := range r.Headers {
		s.WriteString(" " + strconv.QuoteToASCII(h.Key) + ":" + quote(h.Value))
	}
	return s.String()
}

func quote(b []byte) string {
	if b == nil {
		return "null"
	}
	return strconv.QuoteToASCII(string(b))
}

// fault is why a record cannot be read. It is a small value rather than an error, so
// that the loop over a good batch carries none.
type fault uint8

const (
	faultNone fault = iota
	faultVarint
	faultLength
	faultKey
	faultValue
	faultHeader
	faultExtra
	faultSequence
	faultShort
	faultTrailing
)

var faultTexts = [...]string{
	faultNone:     "",
	faultVarint:   "a variable-length number is cut off or too long",
	faultLength:   "the record's length runs past the batch",
	faultKey:      "the key runs past the record",
	faultValue:    "the value runs past the record",
	faultHeader:   "a header is malformed",
	faultExtra:    "the record's fields end before its length",
	faultSequence: "the offset delta is out of order",
	faultShort:    "the batch has fewer records than its count",
	faultTrailing: "bytes follow the last record",
}

func (f fault) String() string { return faultTexts[f] }

// cursor reads the variable-length fields of a record. After the first bad read, bad is
// set and all that follows is zero: a field group is checked once, at its end.
type cursor struct {
	b   []byte
	at  int
	bad bool
}

// varint reads a zig-zag number of at most 32 bits. Like the clients, it accepts one
// that is written longer than needed, and no bits beyond the 32nd.
func (c *cursor) varint() int32 {
	if c.at < len(c.b) && c.b[c.at] < 0x80 {
		u := uint32(c.b[c.at])
		c.at++
		return int32(u>>1) ^ -int32(u&1)
	}
	u := c.uvarint(32)
	return int32(uint32(u)>>1) ^ -int32(u&1)
}

// varlong reads a zig-zag number of at most 64 bits.
func (c *cursor) varlong() int64 {
	u := c.uvarint(64)
	return int64(u>>1) ^ -int64(u&1)
}

func (c *cursor) uvarint(bits uint) uint64 {
	var u uint64
	for shift := uint(0); shift < bits && c.at < len(c.b); shift += 7 {
		x := c.b[c.at]
		c.at++
		if left := bits - shift; left < 7 && x>>left != 0 {
			break
		}
		u |= uint64(x&0x7f) << shift
		if x < 0x80 {
			return u
		}
	}
	c.bad = true
	return 0
}

// bytes reads a length and that many bytes. −1 is null and gives nil.
func (c *cursor) bytes() []byte {
	n := int(c.varint())
	if c.bad || n < -1 || n > len(c.b)-c.at {
		c.bad = true
		return nil
	}
	if n < 0 {
		return nil
	}
	b := c.b[c.at : c.at+n : c.at+n]
	c.at += n
	return b
}

// raw is one record as the bytes have it: deltas, and headers not yet taken apart (but
// known to be well formed).
type raw struct {
	timestampDelta int64
	offsetDelta    int32
	headerCount    int32
	key, value     []byte
	headers        []byte
}

// next reads the record at the cursor into r and moves behind it.
func (c *cursor) next(r *raw) fault {
	length := int(c.varint())
	if c.bad {
		return faultVarint
	}
	if length < 0 || length > len(c.b)-c.at {
		return faultLength
	}
	body := cursor{b: c.b[:c.at+length], at: c.at + 1} // one byte of unused attributes
	c.at += length
	r.timestampDelta = body.varlong()
	r.offsetDelta = body.varint()
	if body.bad {
		return faultVarint
	}
	if r.key = body.bytes(); body.bad {
		return faultKey
	}
	if r.value = body.bytes(); body.bad {
		return faultValue
	}
	r.headerCount = body.varint()
	if body.bad || r.headerCount < 0 {
		return faultHeader
	}
	r.headers = body.b[body.at:]
	return body.skipHeaders(r.headerCount)
}

// skipHeaders checks n headers and that the record ends with them.
func (c *cursor) skipHeaders(n int32) fault {
	for ; n > 0; n-- {
		if c.bytes() == nil { // malformed, or null: a header's key may not be
			return faultHeader
		}
		if c.bytes(); c.bad {
			return faultHeader
		}
	}
	if c.at != len(c.b) {
		return faultExtra
	}
	return faultNone
}

// appendHeaders takes the headers of r apart. next has checked them.
func (r *raw) appendHeaders(headers []Header) []Header {
	c := cursor{b: r.headers}
	for range r.headerCount {
		headers = append(headers, Header{Key: string(c.bytes()), Value: c.bytes()})
	}
	return headers
}
