package codec_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/codec"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// sample has a field of every kind that our records use.
type sample struct {
	Name    string
	ID      kafka.TopicID
	Offset  kafka.Offset
	Small   int8
	Count   uint64
	Ratio   float64
	Done    bool
	Bytes   []byte
	List    []int32
	Inner   []inner
	Configs map[string]string
	ByID    map[int32]*inner
}

type inner struct {
	_struct bool `codec:",toarray"` //nolint:unused // read by the library
	A       int64
	B       string
}

func drawSample(t *rapid.T) sample {
	s := sample{
		Name:    rapid.String().Draw(t, "name"),
		Offset:  kafka.Offset(rapid.Int64().Draw(t, "offset")),
		Small:   rapid.Int8().Draw(t, "small"),
		Count:   rapid.Uint64().Draw(t, "count"),
		Ratio:   rapid.Float64().Draw(t, "ratio"),
		Done:    rapid.Bool().Draw(t, "done"),
		Bytes:   rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "bytes"),
		List:    rapid.SliceOfN(rapid.Int32(), 0, 40).Draw(t, "list"),
		Configs: rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "configs"),
		ByID:    map[int32]*inner{},
	}
	copy(s.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	for _, k := range rapid.SliceOf(rapid.Int32()).Draw(t, "keys") {
		s.ByID[k] = &inner{A: int64(k)}
		s.Inner = append(s.Inner, inner{A: int64(k), B: s.Name})
	}
	return s
}

// What Marshal writes, Unmarshal reads, and writing that again gives the same bytes.
func TestEveryValueHasOneEncodingAndReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first, err := codec.Marshal(drawSample(t))
		if err != nil {
			t.Fatal(err)
		}
		var back sample
		if err := codec.Unmarshal(first, &back); err != nil {
			t.Fatalf("%v\n%s", err, hex.Dump(first))
		}
		second, err := codec.Marshal(back)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Fatalf("encoded differently:\n%s\n%s", hex.Dump(first), hex.Dump(second))
		}
	})
}

// The order of insertion, and Go's random order, must not show.
func TestMapsAreWrittenInKeyOrder(t *testing.T) {
	want, err := codec.Marshal(map[string]int{"a": 1, "aa": 2, "b": 3, "c": 4, "d": 5})
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(want); got != "85a16101a2616102a16203a16304a16405" {
		t.Fatalf("got %s", got)
	}
	for range 50 {
		m := map[string]int{"d": 5, "c": 4, "b": 3, "aa": 2}
		m["a"] = 1
		if got, _ := codec.Marshal(m); !bytes.Equal(got, want) {
			t.Fatalf("got %x, want %x", got, want)
		}
	}
}

// Golden bytes: an encoding on disk must stay what it is.
func TestEncodingStaysWhatItIs(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"nil", nil, "c0"},
		{"small number", 127, "7f"},
		{"number of any type", int64(200), "ccc8"},
		{"unsigned", uint16(200), "ccc8"},
		{"negative", -33, "d0df"},
		{"small negative", -32, "e0"},
		{"least", int64(math.MinInt64), "d38000000000000000"},
		{"typed offset", kafka.Offset(1 << 40), "cf0000010000000000"},
		{"string", "log", "a36c6f67"},
		{"bytes", []byte("log"), "c4036c6f67"},
		{"topic id", kafka.TopicID{15: 1}, "c41000000000000000000000000000000001"},
		{"float", 0.5, "cb3fe0000000000000"},
		{"struct by name", struct{ B, A int }{2, 1}, "82a14101a14202"},
		{"struct as array", inner{A: 7, B: "x"}, "9207a178"},
		{"long string", strings.Repeat("x", 40), "d928" + strings.Repeat("78", 40)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := codec.Marshal(c.v)
			if err != nil {
				t.Fatal(err)
			}
			if hex.EncodeToString(got) != c.want {
				t.Fatalf("got %x, want %s", got, c.want)
			}
		})
	}
}

func TestLengthsTakeTheirShortestForm(t *testing.T) {
	for _, n := range []int{0, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		for _, v := range []any{make([]byte, n), strings.Repeat("s", n), make([]bool, n), wideMap(n)} {
			b, err := codec.Marshal(v)
			if err != nil {
				t.Fatalf("%T of %d: %v", v, n, err)
			}
			var back any
			if err := codec.Unmarshal(b, &back); err != nil {
				if _, numbered := v.(map[int]bool); !numbered { // any is keyed by strings
					t.Fatalf("%T of %d: %v", v, n, err)
				}
			}
		}
	}
}

func wideMap(n int) map[int]bool {
	m := map[int]bool{}
	for i := range n {
		m[i-n/2] = true
	}
	return m
}

func TestUnmarshalRefusesWhatMarshalWouldNotWrite(t *testing.T) {
	for _, c := range []struct{ name, bytes string }{
		{"nothing", ""},
		{"trailing byte", "c0c0"},
		{"cut off number", "cd01"},
		{"cut off string", "a56162"},
		{"number too long", "cc7f"},
		{"number as signed", "d07f"},
		{"negative too long", "d1ff80"},
		{"string length too long", "d90161"},
		{"string length far too long", "da000161"},
		{"bytes length too long", "c50001ff"},
		{"array length too long", "dc0001c0"},
		{"map length too long", "de0001a161c0"},
		{"array that claims four billion", "ddffffffff"},
		{"map that claims four billion", "dfffffffff"},
		{"bytes that claim four billion", "c6ffffffff"},
		{"keys out of order", "82a16201a16101"},
		{"key twice", "82a16101a16102"},
		{"keys of two kinds", "82a1610101a0"},
		{"key that is no name", "81c001"},
		{"numbers out of order", "8202c001c0"},
		{"negative after positive", "8201c0ffc0"},
		{"32-bit float", "ca00000000"},
		{"extension", "d40100"},
		{"reserved byte", "c1"},
		{"bottomless", strings.Repeat("91", 40) + "c0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := hex.DecodeString(c.bytes)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := codec.Unmarshal(b, &v); !errors.Is(err, codec.ErrMalformed) {
				t.Fatalf("got %v with value %v, want ErrMalformed", err, v)
			}
		})
	}
}

// A newer node's field must not be dropped in silence; an older record must be readable.
func TestUnknownFieldsAreErrorsAndMissingOnesZero(t *testing.T) {
	type older struct{ A int }
	type newer struct{ A, B int }
	b, _ := codec.Marshal(newer{1, 2})
	if err := codec.Unmarshal(b, &older{}); err == nil || !strings.Contains(err.Error(), "B") {
		t.Fatalf("got %v, want an error that names the field", err)
	}
	b, _ = codec.Marshal(older{1})
	var n newer
	if err := codec.Unmarshal(b, &n); err != nil || n != (newer{A: 1}) {
		t.Fatalf("got %+v, %v", n, err)
	}
}

func TestNumbersThatDoNotFitAreErrors(t *testing.T) {
	b, _ := codec.Marshal(300)
	var small int8
	if err := codec.Unmarshal(b, &small); err == nil {
		t.Fatalf("300 became %d", small)
	}
	b, _ = codec.Marshal(-1)
	var unsigned uint32
	if err := codec.Unmarshal(b, &unsigned); err == nil {
		t.Fatalf("-1 became %d", unsigned)
	}
}

func TestMarshalRefusesWhatUnmarshalWouldNotRead(t *testing.T) {
	var deep any
	for range 40 {
		deep = []any{deep}
	}
	for name, v := range map[string]any{
		"float32":  float32(1),
		"bool key": map[bool]int{true: 1},
		"depth":    deep,
		"time":     time.Unix(1, 0),
	} {
		prefix := []byte("before")
		b, err := codec.AppendMarshal(prefix, v)
		if err == nil || string(b) != "before" {
			t.Errorf("%s: got %q, %v", name, b, err)
		}
	}
}

func TestAppendMarshalAppends(t *testing.T) {
	b, err := codec.AppendMarshal([]byte("x"), "y")
	if err != nil || string(b) != "x\xa1y" {
		t.Fatalf("got %q, %v", b, err)
	}
}

// A few bytes must not make the reader allocate by what they claim.
func TestHostileLengthsAllocateNothingLarge(t *testing.T) {
	claims := [][]byte{
		{0xdd, 0x7f, 0xff, 0xff, 0xff, 0xc0},
		{0xdf, 0x7f, 0xff, 0xff, 0xff, 0xa1, 'a', 0xc0},
		{0x91, 0xc6, 0x7f, 0xff, 0xff, 0xff},
	}
	for _, b := range claims {
		const runs = 100
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			var v any
			if codec.Unmarshal(b, &v) == nil {
				t.Fatalf("% x was read", b)
			}
		}
		runtime.ReadMemStats(&after)
		if per := (after.TotalAlloc - before.TotalAlloc) / runs; per > 2048 {
			t.Errorf("% x: %d bytes allocated", b, per)
		}
	}
}

// FuzzUnmarshal: no input panics, and what is read is written back as it was.
func FuzzUnmarshal(f *testing.F) {
	for _, v := range []any{nil, 1, -200, "x", []byte{1}, []any{1, "a", nil}, map[string]any{"k": []int{1}}, 1.5,
		sample{Name: "s", Configs: map[string]string{"a": "b"}}} {
		b, err := codec.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		var v any
		if err := codec.Unmarshal(b, &v); err == nil {
			again, err := codec.Marshal(v)
			if err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%x became %x, %v", b, again, err)
			}
		}
		var s sample
		if err := codec.Unmarshal(b, &s); err == nil {
			if _, err := codec.Marshal(s); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkMarshal(b *testing.B) {
	v := sample{Name: "orders", List: []int32{1, 2, 3}, Inner: []inner{{A: 1, B: "x"}}}
	var out []byte
	for b.Loop() {
		out, _ = codec.AppendMarshal(out[:0], v)
	}
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
}

func BenchmarkUnmarshal(b *testing.B) {
	in, _ := codec.Marshal(sample{Name: "orders", List: []int32{1, 2, 3}, Inner: []inner{{A: 1, B: "x"}}})
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		var v sample
		if err := codec.Unmarshal(in, &v); err != nil {
			b.Fatal(err)
		}
	}
}
