package trace

import (
	"math/bits"
	"strconv"
)

// Kind is a registered event kind; its name and field names are part of the grammar.
type Kind uint16

type kindInfo struct {
	name   string
	fields []string
}

var (
	kinds  = []kindInfo{{name: "none"}}
	byName = map[string]Kind{"none": 0}
)

// Define registers an event kind at package initialisation. At most four fields, which
// name Event.N in order. Names are words of a-z, 0-9, '-' and '.', starting with a letter.
func Define(name string, fields ...string) Kind {
	if len(fields) > 4 {
		panic("trace: " + name + ": at most four fields")
	}
	if _, ok := byName[name]; ok {
		panic("trace: " + name + " defined twice")
	}
	for _, w := range append([]string{name}, fields...) {
		if !isWord(w) {
			panic("trace: " + name + ": " + strconv.Quote(w) + " is not a word of the grammar")
		}
	}
	kinds = append(kinds, kindInfo{name, fields})
	byName[name] = Kind(len(kinds) - 1)
	return byName[name]
}

func isWord(s string) bool {
	for i := range len(s) {
		letter := s[i] >= 'a' && s[i] <= 'z'
		if !letter && (i == 0 || !(s[i] >= '0' && s[i] <= '9' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	return s != ""
}

// Name is the kind's word in a trace line.
func (k Kind) Name() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return "kind" + strconv.Itoa(int(k))
}

// Event is one decision of one node.
type Event struct {
	At        int64  // nanoseconds: node time in production, world time in simulation
	Node      int32  // broker id; -1 for clients and the world itself
	Kind      Kind   //
	Topic     string // object: topic and partition, or another name with Partition -1
	Partition int32
	N         [4]int64 // numbers, named by the kind
	Text      string   // cause or detail; plain ASCII, or it is shown quoted
}

// Append renders the event as its line, without newline. docs/trace.md is its grammar.
func (e Event) Append(b []byte) []byte {
	b = appendSeconds(b, e.At)
	b = append(b, ' ')
	if e.Node >= 0 {
		b = append(b, 'b')
		b = strconv.AppendInt(b, int64(e.Node), 10)
	} else {
		b = append(b, "world"...)
	}
	if e.Topic != "" {
		b = append(b, ' ')
		b = appendPlain(b, e.Topic, '!')
		if e.Partition >= 0 {
			b = append(b, '-')
			b = strconv.AppendInt(b, int64(e.Partition), 10)
		}
	}
	b = append(b, ' ')
	b = append(b, e.Kind.Name()...)
	if int(e.Kind) < len(kinds) {
		for i, f := range kinds[e.Kind].fields {
			b = append(b, ' ')
			b = append(b, f...)
			b = append(b, '=')
			b = strconv.AppendInt(b, e.N[i], 10)
		}
	}
	if e.Text != "" {
		b = append(b, ' ')
		b = appendPlain(b, e.Text, ' ')
	}
	return b
}

// appendSeconds renders nanoseconds as seconds with microseconds, cut off and not rounded,
// so that a line never shows a time that has not come. In integers: a float would show
// different microseconds once a simulated world gets old.
func appendSeconds(b []byte, nanos int64) []byte {
	if nanos < 0 {
		b = append(b, '-')
	}
	micros := max(nanos/1000, -(nanos / 1000))
	b = strconv.AppendInt(b, micros/1e6, 10)
	b = append(b, '.')
	for digit := int64(1e5); digit > 0; digit /= 10 {
		b = append(b, '0'+byte(micros/digit%10))
	}
	return append(b, 's')
}

// appendPlain appends s as it is if all its bytes are ASCII from least to '~', else quoted:
// no name or message can break a line or reach a terminal as control codes.
func appendPlain(b []byte, s string, least byte) []byte {
	for i := range len(s) {
		if s[i] < least || s[i] > '~' {
			return strconv.AppendQuoteToASCII(b, s)
		}
	}
	return append(b, s...)
}

// String is the event's line.
func (e Event) String() string { return string(e.Append(nil)) }

// Hash is a running hash over events. The zero value is ready.
type Hash struct{ h, n uint64 }

// Add mixes an event in, in order.
func (h *Hash) Add(e *Event) {
	x := h.h ^ h.n
	h.n++
	x = mix(x ^ uint64(e.At))
	x = mix(x ^ uint64(uint32(e.Node))<<32 ^ uint64(e.Kind)<<16 ^ uint64(uint32(e.Partition)))
	x = mixString(x, e.Topic)
	for _, v := range e.N {
		x = mix(x ^ uint64(v))
	}
	h.h = mixString(x, e.Text)
}

// AddUint mixes a plain number in, for what is not an event (a scheduling decision).
func (h *Hash) AddUint(v uint64) { h.h = mix(h.h ^ v) }

// Sum is the hash so far.
func (h *Hash) Sum() uint64 { return mix(h.h ^ h.n) }

// Count is the number of events added.
func (h *Hash) Count() uint64 { return h.n }

func mixString(x uint64, s string) uint64 {
	x = mix(x ^ uint64(len(s)))
	for len(s) >= 8 {
		x = mix(x ^ (uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56))
		s = s[8:]
	}
	var tail uint64
	for i := 0; i < len(s); i++ {
		tail = tail<<8 | uint64(s[i])
	}
	return mix(x ^ tail)
}

// mix is the finaliser of wyhash: one multiplication, both halves folded.
func mix(x uint64) uint64 {
	hi, lo := bits.Mul64(x^0xa0761d6478bd642f, x^0xe7037ed1a0b428db)
	return hi ^ lo
}
