package history

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/kafka"
)

func sample() (*History, *Final) {
	now := int64(0)
	r := NewRecorder("sample", 7, func() int64 { now += 10; return now })
	p := r.Process(RoleProducer, "producer 0")
	a := r.Begin(Op{Process: p, Kind: Produce, Topic: "t", TopicID: "x", Acks: -1, Records: []Record{{-1,
		NewValue(p, 1), 5}}})
	b := r.Begin(Op{Process: p, Kind: Fetch, Topic: "t", TopicID: "x", Position: 3, Seek: true})
	o := r.End(a, Ok)
	o.Records[0].Offset = 0
	o.Attempts = []Attempt{{Invoke: o.Invoke, Return: o.Return, Result: Ok, ProducerID: -1}}
	r.Begin(Op{Process: p, Kind: ListOffsets, Topic: "t", Timestamp: -1})
	r.End(b, Fail).Code = int16(kafka.OffsetOutOfRange)
	final := &Final{Partitions: []FinalPartition{{Topic: "t", TopicID: "x", End: 1, Records: []Record{{0,
		NewValue(p, 1), 5}}}}}
	return r.Finish(), final
}

func TestHistoryComesBackFromBothForms(t *testing.T) {
	h, final := sample()
	b, err := Encode(h, final)
	require.NoError(t, err)
	h2, final2, err := Decode(b)
	require.NoError(t, err)
	require.Equal(t, h, h2)
	require.Equal(t, final, final2)
	b2, err := Encode(h2, final2)
	require.NoError(t, err)
	require.Equal(t, b, b2, "the msgpack form is canonical")

	var text bytes.Buffer
	require.NoError(t, WriteJSONL(&text, h, final))
	h3, final3, err := ReadJSONL(&text)
	require.NoError(t, err)
	require.Equal(t, h, h3)
	require.Equal(t, final, final3)
}

func TestOpenOperationsAreOfUnknownEffect(t *testing.T) {
	h, _ := sample()
	last := h.Ops[2]
	require.Equal(t, Info, last.Result)
	require.Equal(t, h.End, last.Return)
	require.NoError(t, h.Validate())
}

func TestUnfitHistoriesAreRefusedWithTheReason(t *testing.T) {
	for want, spoil := range map[string]func(*History){
		"stamps must be unique": func(h *History) { h.Ops[1].Return.Seq = h.Ops[0].Invoke.Seq },
		"returns before it": func(h *History) {
			h.Ops[0].Return, h.Ops[0].Invoke = h.Ops[0].Invoke,
				h.Ops[0].Return
		},
		"want the order": func(h *History) {
			h.Ops[0].Invoke.Seq, h.Ops[0].Return.Seq = 7, 8
			h.End.Seq = 9
			h.Ops[2].Return = h.End
		},
		"has id 9":                   func(h *History) { h.Ops[0].ID = 9 },
		"is open":                    func(h *History) { h.Ops[2].Result = Ok },
		"unknown kind":               func(h *History) { h.Ops[0].Kind = 77 },
		"at most 40000000 are judge": func(h *History) { h.End.Seq = 1 << 60 },
	} {
		h, _ := sample()
		spoil(h)
		require.ErrorContains(t, h.Validate(), want)
	}
	_, final := sample()
	final.Partitions = append(final.Partitions, final.Partitions[0])
	require.ErrorContains(t, final.Validate(), "twice")
}

func TestAttemptIsNotUndoneByALaterRefusal(t *testing.T) {
	refused := Attempt{Result: ClassifyProduce(kafka.OutOfOrderSequenceNumber)}
	lost := Attempt{Result: Info}
	acked := Attempt{Result: ClassifyProduce(kafka.None)}
	require.Equal(t, Fail, ResultOfAttempts([]Attempt{refused, refused}))
	require.Equal(t, Info, ResultOfAttempts([]Attempt{lost, refused}))
	require.Equal(t, Ok, ResultOfAttempts([]Attempt{lost, acked}))
	require.Equal(t, Info, ClassifyProduce(kafka.NotLeaderOrFollower))
	require.Equal(t, Info, ClassifyProduce(kafka.ErrorCode(31999)), "what is not listed proves nothing")
}

func TestValuesAreReadable(t *testing.T) {
	v := NewValue(12, 345)
	require.Equal(t, "12/345", v.String())
	back, err := ParseValue(v.String())
	require.NoError(t, err)
	require.Equal(t, v, back)
	for _, bad := range []string{"", "1", "1/", "/1", "1/0", "x/1", "-1/1", "99999999/1"} {
		_, err := ParseValue(bad)
		require.Error(t, err, bad)
	}
}

// A history file comes from outside: it is refused or read, never a crash, and what was read
// can be written and read again.
func FuzzDecode(f *testing.F) {
	h, final := sample()
	b, _ := Encode(h, final)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, final, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(h, final)
		require.NoError(t, err)
		_, _, err = Decode(again)
		require.NoError(t, err)
	})
}

func FuzzReadJSONL(f *testing.F) {
	h, final := sample()
	var text strings.Builder
	_ = WriteJSONL(&text, h, final)
	f.Add(text.String())
	f.Fuzz(func(t *testing.T, s string) { _, _, _ = ReadJSONL(strings.NewReader(s)) })
}
