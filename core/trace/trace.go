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

var kinds = []kindInfo{{name: "none"}}

// Define registers an event kind at package initialisation. At most four fields, which
// name Event.N in order.
func Define(name string, fields ...string) Kind {
	if len(fields) > 4 {
		panic("trace: " + name + ": at most four fields")
	}
	for _, k := range kinds {
		if k.name == name {
			panic("trace: " + name + " defined twice")
		}
	}
	kinds = append(kinds, kindInfo{name, fields})
	return Kind(len(kinds) - 1)
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
	Text      string   // cause or detail; one word or quoted
}

// Append renders the event as its line, without newline.
func (e Event) Append(b []byte) []byte {
	b = strconv.AppendFloat(b, float64(e.At)/1e9, 'f', 6, 64)
	b = append(b, 's', ' ')
	if e.Node >= 0 {
		b = append(b, 'b')
		b = strconv.AppendInt(b, int64(e.Node), 10)
	} else {
		b = append(b, "world"...)
	}
	if e.Topic != "" {
		b = append(b, ' ')
		b = append(b, e.Topic...)
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
		b = append(b, e.Text...)
	}
	return b
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
