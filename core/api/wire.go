package api

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// errWire is any violation of the protocol's grammar; the connection is closed.
var (
	errShort    = errors.New("api: request ends in the middle of a field")
	errTrailing = errors.New("api: bytes after the end of a tagged field")
	errNull     = errors.New("api: null where the protocol allows none")
	errLength   = errors.New("api: negative or oversized length")
	errElements = errors.New("api: too many array elements")
	errTags     = errors.New("api: too many tagged fields")
)

// reader walks over bytes from outside. After the first error it stands still.
type reader struct {
	src []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.src = nil
}

func (r *reader) skip(n int) {
	if n < 0 || n > len(r.src) {
		r.fail(errShort)
		return
	}
	r.src = r.src[n:]
}

func (r *reader) span(n int) []byte {
	if n < 0 || n > len(r.src) {
		r.fail(errShort)
		return nil
	}
	b := r.src[:n:n]
	r.src = r.src[n:]
	return b
}

func (r *reader) int16() int16 {
	if b := r.span(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.span(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// uvarint reads at most five bytes, as much as 32 bits need.
func (r *reader) uvarint() uint32 {
	var v uint64
	for i := 0; i < 5 && i < len(r.src); i++ {
		c := r.src[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if v > 1<<32-1 {
				break
			}
			r.src = r.src[i+1:]
			return uint32(v)
		}
	}
	r.fail(errShort)
	return 0
}

// compactLen reads a length of the flexible versions: 0 is null (-1).
func (r *reader) compactLen() int {
	n := r.uvarint()
	if n > 1<<31-1 {
		r.fail(errLength)
		return 0
	}
	return int(n) - 1
}

// A kind is how a field is written.
type kind uint8

const (
	kBool kind = iota
	kInt8
	kInt16
	kInt32
	kInt64
	kUUID
	kString
	kBytes
	kArray // of structs with fields, or of one primitive if fields has one unnamed field
	kStruct
)

var fixedSize = [...]int{kBool: 1, kInt8: 1, kInt16: 2, kInt32: 4, kInt64: 8, kUUID: 16}

// A field of a request. The walk over fields only bounds and checks; kmsg reads values
// afterwards, and may rely on every length, count and tag being sane. kmsg alone would
// take null for empty, and loop for ever over a tag count.
type field struct {
	kind   kind
	from   int16   // first version
	to     int16   // last version; 0 means the newest
	null   int16   // first version in which null is allowed, plus one; 0 means never
	tag    int16   // tag plus one for tagged fields
	fields []field // of a struct or of an array's elements
}

// nullFrom marks the first version that allows null.
func nullFrom(v int16) int16 { return v + 1 }

// walker checks one message against its fields.
type walker struct {
	reader
	version  int16
	flexible bool
	elements int
	tags     int
}

// message leaves bytes after the end alone, as Apache Kafka does: librdkafka 2.16 asks for
// all topics with three bytes too many, and a broker that closed on them would be no broker
// to it. The frame's length bounds them, and the next frame begins behind them.
func (w *walker) message(fields []field) error {
	w.structure(fields)
	return w.err
}

func (w *walker) structure(fields []field) {
	for i := range fields {
		f := &fields[i]
		if f.tag == 0 && w.version >= f.from && (f.to == 0 || w.version <= f.to) {
			w.field(f)
		}
		if w.err != nil {
			return
		}
	}
	if w.flexible {
		w.tagged(fields)
	}
}

func (w *walker) field(f *field) {
	switch f.kind {
	case kString:
		n := w.length(f, w.flexible, true)
		if n > StringMax {
			w.fail(errLength)
		}
		w.skip(n)
	case kBytes:
		w.skip(w.length(f, w.flexible, false))
	case kArray:
		w.array(f)
	case kStruct:
		if f.null == 0 || w.present(f) {
			w.structure(f.fields)
		}
	default:
		w.skip(fixedSize[f.kind])
	}
}

// present reads the mark in front of a struct that may be null.
func (w *walker) present(f *field) bool {
	b := w.span(1)
	if b == nil || int8(b[0]) >= 0 {
		return b != nil
	}
	if int8(b[0]) != -1 || w.version < f.null-1 {
		w.fail(errNull)
	}
	return false
}

// length reads the length of a string, bytes or array; null counts as 0 where allowed.
func (w *walker) length(f *field, compact, short bool) int {
	var n int
	switch {
	case compact:
		n = w.compactLen()
	case short:
		n = int(w.int16())
	default:
		n = int(w.int32())
	}
	if n >= 0 || w.err != nil {
		return n
	}
	if n < -1 {
		w.fail(errLength)
	} else if f.null == 0 || w.version < f.null-1 {
		w.fail(errNull)
	}
	return 0
}

func (w *walker) array(f *field) {
	n := w.length(f, w.flexible, false)
	w.elements += n
	if w.elements > RequestElementsMax {
		w.fail(errElements)
		return
	}
	if len(f.fields) == 1 && f.fields[0].from < 0 {
		if e := &f.fields[0]; e.kind <= kUUID {
			w.skip(n * fixedSize[e.kind])
		} else {
			for i := 0; i < n && w.err == nil; i++ {
				w.field(e)
			}
		}
		return
	}
	for i := 0; i < n && w.err == nil; i++ {
		w.structure(f.fields)
	}
}

// of makes the element of an array of primitives.
func of(k kind) []field { return []field{{kind: k, from: -1}} }

func (w *walker) tagged(fields []field) {
	n := int(w.uvarint())
	w.tags += n
	if n > RequestTagsMax || w.tags > RequestTagsMax {
		w.fail(errTags)
		return
	}
	for i := 0; i < n && w.err == nil; i++ {
		tag, size := w.uvarint(), w.uvarint()
		if size > 1<<31-1 {
			w.fail(errLength)
			return
		}
		body := w.span(int(size))
		if f := taggedField(fields, tag, w.version); f != nil && w.err == nil {
			w.taggedBody(f, body)
		}
	}
}

func (w *walker) taggedBody(f *field, body []byte) {
	inner := *w
	inner.src = body
	inner.field(f)
	if inner.err == nil && len(inner.src) != 0 {
		inner.fail(errTrailing)
	}
	w.elements, w.tags = inner.elements, inner.tags
	if inner.err != nil {
		w.fail(inner.err)
	}
}

func taggedField(fields []field, tag uint32, version int16) *field {
	for i := range fields {
		f := &fields[i]
		if f.tag > 0 && uint32(f.tag-1) == tag && version >= f.from {
			return f
		}
	}
	return nil
}

// tagged makes the value of field.tag.
func tagged(tag int16) int16 { return tag + 1 }

// alias is a string that shares b's bytes: it lives as long as they keep their value.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
