package codec

import (
	"bytes"
	"fmt"
	"math"
)

// The first byte of a value in MessagePack.
const (
	mapFixed   = 0x80 // 0x80–0x8f
	arrayFixed = 0x90 // 0x90–0x9f
	strFixed   = 0xa0 // 0xa0–0xbf
	nilByte    = 0xc0
	falseByte  = 0xc2
	trueByte   = 0xc3
	bin8       = 0xc4
	bin16      = 0xc5
	bin32      = 0xc6
	float64Tag = 0xcb
	uint8Tag   = 0xcc
	uint64Tag  = 0xcf
	int8Tag    = 0xd0
	int64Tag   = 0xd3
	str8       = 0xd9
	str16      = 0xda
	str32      = 0xdb
	array16    = 0xdc
	array32    = 0xdd
	map16      = 0xde
	map32      = 0xdf
	intNeg     = 0xe0 // 0xe0–0xff
)

// checker walks over encoded values without building them. Everything the library will
// allocate by is known to be true before the library runs.
type checker struct {
	b  []byte
	at int
}

// check tells whether b is exactly one value in canonical form, within the limits.
func check(b []byte) error {
	if len(b) > SizeMax {
		return fmt.Errorf("%w: %d bytes, more than %d", ErrMalformed, len(b), SizeMax)
	}
	c := checker{b: b}
	if why := c.value(DepthMax); why != "" {
		return fmt.Errorf("%w: byte %d of %d: %s", ErrMalformed, c.at, len(b), why)
	}
	if c.at != len(b) {
		return fmt.Errorf("%w: %d bytes after the value", ErrMalformed, len(b)-c.at)
	}
	return nil
}

const (
	whyShort   = "the value is cut off"
	whyLonger  = "a number or length is written longer than needed"
	whyDeep    = "nested too deeply"
	whyUnknown = "an encoding that is not used here"
	whyKey     = "a map key is neither string nor integer"
	whyOrder   = "map keys are not in ascending order"
)

// value steps over one value and says what is wrong with it, or "".
func (c *checker) value(depth int) string {
	if c.at >= len(c.b) {
		return whyShort
	}
	tag := c.b[c.at]
	switch {
	case tag < mapFixed || tag >= intNeg || uint8Tag <= tag && tag <= int64Tag:
		_, why := c.integer()
		return why
	case tag == nilByte || tag == falseByte || tag == trueByte:
		return c.skip(1)
	case tag == float64Tag:
		return c.skip(9)
	case tag&0xe0 == strFixed || tag >= str8 && tag <= str32:
		_, why := c.text()
		return why
	case tag >= bin8 && tag <= bin32:
		n, why := c.length(tag-bin8, &binLeast)
		if why != "" {
			return why
		}
		return c.skip(n)
	case tag&0xf0 == arrayFixed || tag == array16 || tag == array32:
		return c.array(tag, depth)
	case tag&0xf0 == mapFixed || tag == map16 || tag == map32:
		return c.mapping(tag, depth)
	}
	return whyUnknown
}

func (c *checker) skip(n int) string {
	if n > len(c.b)-c.at {
		return whyShort
	}
	c.at += n
	return ""
}

// uint reads the 1<<width bytes after the tag as a big-endian number, and steps over.
func (c *checker) uint(width byte) (uint64, string) {
	n := 1 << width
	if n >= len(c.b)-c.at {
		return 0, whyShort
	}
	var u uint64
	for _, x := range c.b[c.at+1 : c.at+1+n] {
		u = u<<8 | uint64(x)
	}
	c.at += 1 + n
	return u, ""
}

// The least length that each width is for, in one, two and four bytes: what is less has a
// shorter form. Arrays and maps have no form with a length of one byte.
var (
	binLeast  = [3]uint64{0, 1 << 8, 1 << 16}
	strLeast  = [3]uint64{1 << 5, 1 << 8, 1 << 16}
	listLeast = [3]uint64{0, 1 << 4, 1 << 16}
)

// length reads a length of 1<<width bytes.
func (c *checker) length(width byte, least *[3]uint64) (int, string) {
	u, why := c.uint(width)
	if why == "" && u < least[width] {
		why = whyLonger
	}
	return int(u), why
}

// text steps over a string and gives its bytes.
func (c *checker) text() ([]byte, string) {
	tag := c.b[c.at]
	n, why := int(tag&0x1f), ""
	if tag&0xe0 == strFixed {
		c.at++
	} else {
		n, why = c.length(tag-str8, &strLeast)
	}
	if why == "" {
		why = c.skip(n)
	}
	if why != "" {
		return nil, why
	}
	return c.b[c.at-n : c.at], ""
}

// number is an integer as its sign and magnitude order it.
type number struct {
	negative bool
	bits     uint64 // two's complement
}

func (n number) less(m number) bool {
	if n.negative != m.negative {
		return n.negative
	}
	return n.bits < m.bits
}

func (c *checker) integer() (number, string) {
	tag := c.b[c.at]
	if tag < mapFixed || tag >= intNeg {
		c.at++
		return number{tag >= intNeg, uint64(int64(int8(tag)))}, ""
	}
	if tag <= uint64Tag {
		width := tag - uint8Tag
		u, why := c.uint(width)
		if least := [...]uint64{1 << 7, 1 << 8, 1 << 16, 1 << 32}[width]; why == "" && u < least {
			why = whyLonger
		}
		return number{false, u}, why
	}
	width := tag - int8Tag
	u, why := c.uint(width)
	if why != "" {
		return number{}, why
	}
	shift := 64 - 8<<width
	i := int64(u<<shift) >> shift
	// Only negative numbers that the next shorter form cannot hold.
	if most := [...]int64{-32, math.MinInt8, math.MinInt16, math.MinInt32}[width]; i >= most {
		return number{}, whyLonger
	}
	return number{true, uint64(i)}, ""
}

func (c *checker) array(tag byte, depth int) string {
	n, why := int(tag&0x0f), ""
	if tag&0xf0 == arrayFixed {
		c.at++
	} else {
		n, why = c.length(tag-array16+1, &listLeast)
	}
	switch {
	case why != "":
		return why
	case depth == 0:
		return whyDeep
	case n > len(c.b)-c.at: // an element takes at least a byte
		return whyShort
	}
	for range n {
		if why := c.value(depth - 1); why != "" {
			return why
		}
	}
	return ""
}

func (c *checker) mapping(tag byte, depth int) string {
	n, why := int(tag&0x0f), ""
	if tag&0xf0 == mapFixed {
		c.at++
	} else {
		n, why = c.length(tag-map16+1, &listLeast)
	}
	switch {
	case why != "":
		return why
	case depth == 0:
		return whyDeep
	case n > (len(c.b)-c.at)/2: // an entry takes at least two bytes
		return whyShort
	}
	var prev key
	for i := range n {
		next, why := c.key()
		if why == "" && i > 0 && !prev.less(next) {
			why = whyOrder
		}
		if why == "" {
			why = c.value(depth - 1)
		}
		if why != "" {
			return why
		}
		prev = next
	}
	return ""
}

// key is a map's key: text, or a number if text is nil.
type key struct {
	text   []byte
	number number
}

// less orders the keys of one map. Keys of two kinds have no order.
func (k key) less(l key) bool {
	switch {
	case (k.text == nil) != (l.text == nil):
		return false
	case k.text != nil:
		return bytes.Compare(k.text, l.text) < 0
	}
	return k.number.less(l.number)
}

func (c *checker) key() (key, string) {
	if c.at >= len(c.b) {
		return key{}, whyShort
	}
	switch tag := c.b[c.at]; {
	case tag < mapFixed || tag >= intNeg || uint8Tag <= tag && tag <= int64Tag:
		n, why := c.integer()
		return key{number: n}, why
	case tag&0xe0 == strFixed || tag >= str8 && tag <= str32:
		t, why := c.text()
		return key{text: t}, why
	}
	return key{}, whyKey
}
