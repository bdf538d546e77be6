package trace_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/trace"
)

var (
	kindHW    = trace.Define("test-hw", "from", "to")
	kindPlain = trace.Define("test.plain")
	kindFull  = trace.Define("test-full", "a", "b", "c", "d")
)

// A line is an API; these are the examples of docs/trace.md.
func TestLinesFollowTheGrammar(t *testing.T) {
	for _, c := range []struct {
		e    trace.Event
		want string
	}{
		{trace.Event{At: 12_034_567_890, Node: 2, Kind: kindHW, Topic: "orders", Partition: 3, N: [4]int64{41, 57}},
			"12.034567s b2 orders-3 test-hw from=41 to=57"},
		{trace.Event{At: 0, Node: 0, Kind: kindPlain}, "0.000000s b0 test.plain"},
		{trace.Event{At: 999, Node: -1, Kind: kindPlain, Topic: "b3", Partition: -1, Text: "killed"},
			"0.000000s world b3 test.plain killed"},
		{trace.Event{At: 1e9, Node: 1, Kind: kindHW, Topic: "a-b", N: [4]int64{-1, 0}, Text: "cause=fetch b3"},
			"1.000000s b1 a-b-0 test-hw from=-1 to=0 cause=fetch b3"},
		{trace.Event{At: -1_500_000_000, Node: 1, Kind: kindPlain}, "-1.500000s b1 test.plain"},
		{trace.Event{At: math.MaxInt64, Node: 1, Kind: kindPlain}, "9223372036.854775s b1 test.plain"},
		{trace.Event{Node: 1, Kind: kindPlain, Text: "two\nlines"}, `0.000000s b1 test.plain "two\nlines"`},
		{trace.Event{Node: 1, Kind: kindPlain, Text: "naïve"}, `0.000000s b1 test.plain "na\u00efve"`},
		{trace.Event{Node: 1, Kind: kindPlain, Topic: "a b", Partition: -1}, `0.000000s b1 "a b" test.plain`},
	} {
		if got := c.e.String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// The grammar of docs/trace.md as an expression. It cannot tell an object from a kind; a
// reader that must has the table of kinds.
var grammar = regexp.MustCompile(`^-?\d+\.\d{6}s (b\d+|world)( [!-~]+| ".*"(-\d+)?)? [a-z][a-z0-9.-]*` +
	`( [a-z][a-z0-9.-]*=-?\d+){0,4}( [ -~]+)?$`)

func TestExamplesOfTheDocumentAreLines(t *testing.T) {
	doc, err := os.ReadFile("../../docs/trace.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for i, fence := range strings.Split(string(doc), "```") {
		if i%2 == 1 && strings.HasPrefix(fence, "trace\n") {
			for line := range strings.Lines(strings.TrimPrefix(fence, "trace\n")) {
				if examples++; !grammar.MatchString(strings.TrimSuffix(line, "\n")) {
					t.Errorf("not a line: %s", line)
				}
			}
		}
	}
	if examples < 5 {
		t.Fatalf("%d examples found", examples)
	}
}

func drawEvent(t *rapid.T) trace.Event {
	e := trace.Event{
		At:        rapid.Int64().Draw(t, "at"),
		Node:      rapid.Int32().Draw(t, "node"),
		Kind:      rapid.SampledFrom([]trace.Kind{0, kindHW, kindPlain, kindFull}).Draw(t, "kind"),
		Topic:     rapid.String().Draw(t, "topic"),
		Partition: rapid.Int32().Draw(t, "partition"),
		Text:      rapid.String().Draw(t, "text"),
	}
	for i := range e.N {
		e.N[i] = rapid.SampledFrom([]int64{0, 0, 1, -1, math.MaxInt64, math.MinInt64}).Draw(t, "n")
	}
	return e
}

func TestEveryEventIsOneLineOfTheGrammar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		if line := e.String(); !grammar.MatchString(line) {
			t.Fatalf("%+v: %q", e, line)
		}
	})
}

func TestBinaryReadsBackAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(drawEvent), 1, 5).Draw(t, "events")
		var b []byte
		for _, e := range events {
			b = e.AppendBinary(b)
		}
		for _, want := range events {
			got, rest, err := trace.ReadBinary(b)
			if err != nil || got != want {
				t.Fatalf("got %+v, %v\nwant %+v", got, err, want)
			}
			b = rest
		}
		if len(b) != 0 {
			t.Fatalf("%d bytes left", len(b))
		}
	})
}

// Golden bytes: traces are kept.
func TestBinaryFormStaysWhatItIs(t *testing.T) {
	e := trace.Event{At: 1_000_000, Node: 2, Kind: kindHW, Topic: "orders", Partition: 3, N: [4]int64{41, -1},
		Text: "x"}
	want := "19" + "80897a" + "04" + "07" + hex.EncodeToString([]byte("test-hw")) + "06" +
		hex.EncodeToString([]byte("orders")) + "06" + "02" + "5201" + "0178"
	if got := hex.EncodeToString(e.AppendBinary(nil)); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

func TestBinaryTellsShortFromMalformedFromUnknown(t *testing.T) {
	whole := trace.Event{At: 5, Node: 1, Kind: kindPlain, Text: "x"}.AppendBinary(nil)
	for n := range len(whole) {
		if _, rest, err := trace.ReadBinary(whole[:n]); !errors.Is(err, trace.ErrShort) || len(rest) != n {
			t.Fatalf("%d bytes: %v, rest %d", n, err, len(rest))
		}
	}
	for name, b := range map[string][]byte{
		"empty event":     {0},
		"too large":       {0xff, 0xff, 0x7f},
		"length too long": {0x81, 0x00, 0},
		"extra byte":      append([]byte{whole[0] + 1}, append(bytes.Clone(whole[1:]), 0)...),
	} {
		if _, _, err := trace.ReadBinary(b); !errors.Is(err, trace.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unknown := bytes.Replace(whole, []byte("test.plain"), []byte("test.later"), 1)
	if _, rest, err := trace.ReadBinary(append(unknown, whole...)); !errors.Is(err, trace.ErrKind) ||
		!bytes.Equal(rest, whole) || !strings.Contains(err.Error(), "test.later") {
		t.Errorf("unknown kind: %v, rest %d", err, len(rest))
	}
}

func TestHashTellsOrderAndEveryField(t *testing.T) {
	base := trace.Event{At: 1, Node: 2, Kind: kindHW, Topic: "orders", Partition: 3, N: [4]int64{4, 5, 6, 7},
		Text: "eight"}
	sum := func(events ...trace.Event) uint64 {
		var h trace.Hash
		for i := range events {
			h.Add(&events[i])
		}
		if h.Count() != uint64(len(events)) {
			t.Fatalf("counted %d of %d", h.Count(), len(events))
		}
		return h.Sum()
	}
	seen := map[uint64]string{sum(): "nothing", sum(base): "base", sum(base, base): "twice"}
	for name, change := range map[string]func(*trace.Event){
		"at": func(e *trace.Event) { e.At++ }, "node": func(e *trace.Event) { e.Node++ },
		"kind": func(e *trace.Event) { e.Kind = kindPlain }, "topic": func(e *trace.Event) { e.Topic = "order" },
		"partition": func(e *trace.Event) { e.Partition = -1 }, "n0": func(e *trace.Event) { e.N[0]++ },
		"n3": func(e *trace.Event) { e.N[3]++ }, "text": func(e *trace.Event) { e.Text = "a longer text" },
		"text moved to topic": func(e *trace.Event) { e.Topic, e.Text = "orderse", "ight" },
	} {
		changed := base
		change(&changed)
		for label, s := range map[string]uint64{
			name: sum(changed), name + " first": sum(changed, base), name + " last": sum(base, changed),
		} {
			if other, ok := seen[s]; ok {
				t.Errorf("%s has the hash of %s", label, other)
			}
			seen[s] = label
		}
	}
	if sum(base) != sum(base) {
		t.Error("two runs differ")
	}
}

func TestHashTakesPlainNumbersInOrder(t *testing.T) {
	var a, b trace.Hash
	a.AddUint(1)
	a.AddUint(2)
	b.AddUint(2)
	b.AddUint(1)
	if a.Sum() == b.Sum() {
		t.Error("order does not show")
	}
}

func TestDefineRefusesWhatTheGrammarCannotHold(t *testing.T) {
	for name, define := range map[string]func(){
		"twice":       func() { trace.Define("test-hw") },
		"five fields": func() { trace.Define("test-five", "a", "b", "c", "d", "e") },
		"space":       func() { trace.Define("test five") },
		"capital":     func() { trace.Define("Test") },
		"number":      func() { trace.Define("5") },
		"empty":       func() { trace.Define("") },
		"bad field":   func() { trace.Define("test-field", "a=b") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was defined", name)
				}
			}()
			define()
		}()
	}
	if got := trace.Kind(60000).Name(); got != "kind60000" {
		t.Errorf("an unknown kind is called %s", got)
	}
}

// Tracing is on in every simulated run, so a hashed event may cost no memory.
func TestHashingAnEventAllocatesNothing(t *testing.T) {
	e := trace.Event{At: 1, Kind: kindHW, Topic: "orders", Text: "cause"}
	var h trace.Hash
	line := make([]byte, 0, 200)
	if n := testing.AllocsPerRun(100, func() {
		h.Add(&e)
		line = e.Append(line[:0])
		line = e.AppendBinary(line[:0])
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// FuzzReadBinary: no bytes panic, and what is read is written back as it was.
func FuzzReadBinary(f *testing.F) {
	full := trace.Event{At: 5, Node: 1, Kind: kindFull, Topic: "t", N: [4]int64{1, 2, 3, 4}, Text: "x"}
	f.Add(full.AppendBinary(nil))
	f.Add(trace.Event{Kind: kindPlain}.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, rest, err := trace.ReadBinary(b)
		if err != nil {
			return
		}
		if again := append(e.AppendBinary(nil), rest...); !bytes.Equal(again, b) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	e := trace.Event{At: 1, Kind: kindHW, Topic: "orders", N: [4]int64{41, 57}}
	var h trace.Hash
	for b.Loop() {
		h.Add(&e)
	}
}

func BenchmarkAppendBinary(b *testing.B) {
	e := trace.Event{At: 12_034_567_890, Node: 2, Kind: kindHW, Topic: "orders", N: [4]int64{41, 57}}
	var out []byte
	for b.Loop() {
		out = e.AppendBinary(out[:0])
	}
	b.SetBytes(int64(len(out)))
}
