package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/sim/simdisk"
)

// block is one group of one block, as it lies in a file. The zero value is a hole.
type block struct {
	seq, synced, checkpoint Seq
	generation              uint64
	broken                  string // "body" or "header": what has one bit flipped
	id                      uint64 // of another journal; 0: ours
}

// g is the common case: group n, written after all before it.
func g(n Seq) block { return block{seq: n, synced: n, generation: 1} }

func (b block) torn() block               { b.broken = "body"; return b }
func (b block) headless() block           { b.broken = "header"; return b }
func (b block) gen(n uint64) block        { b.generation = n; return b }
func (b block) without(below Seq) block   { b.checkpoint = below; return b }
func (b block) ofJournal(id uint64) block { b.id = id; return b }

func (b block) bytes() []byte {
	if b.seq == 0 {
		return make([]byte, Block)
	}
	var gr group
	gr.reset(b.seq)
	// Says which writing of the sequence it is.
	gr.add(&Entry{Kind: KindStart, A: int64(b.seq), B: int64(b.generation)}, nil)
	id := uint64(7)
	if b.id != 0 {
		id = b.id
	}
	h := header{id: id, generation: b.generation, syncedBelow: b.synced, checkpointBelow: b.checkpoint}
	out := bytes.Join(gr.seal(h), nil)
	switch b.broken {
	case "body":
		out[headerSize+33] ^= 1
	case "header":
		out[30] ^= 1
	}
	return out
}

// scanFiles has boot look at files of these blocks. Replayed are sequence.generation.
func scanFiles(t testing.TB, files ...[]block) (replayed []string, r Report, err error) {
	t.Helper()
	steps := simdisk.NewStepper()
	view := simdisk.New(simdisk.Config{Schedule: steps.Schedule, Now: steps.Now}).Mount(func(env.Completion) {})
	require.NoError(t, view.MkdirAll("/j"))
	for i, blocks := range files {
		f, err := view.Open("/j/"+fileName(i), env.CreateTruncated)
		require.NoError(t, err)
		for at, b := range blocks {
			require.NoError(t, f.Pwrite(b.bytes(), int64(at)*Block))
		}
		require.NoError(t, f.Close())
	}
	cfg := Config{Path: "/j", Env: &env.Env{Disk: view}}
	s, err := NewScan(cfg)
	full, fullErr := NewFullScan(cfg)
	require.Equal(t, fullErr, err, "a scan that passes files over judges otherwise")
	if err == nil {
		require.Equal(t, full.Outcome(), s.Outcome())
	}
	if err != nil {
		return nil, s.Report(), err
	}
	err = s.Replay(func(seq Seq, e Entry) error {
		require.EqualValues(t, seq, e.A)
		replayed = append(replayed, fmt.Sprintf("%d.%d", e.A, e.B))
		return nil
	})
	return replayed, s.Report(), err
}

// verdicts: want has the replayed groups as sequence.generation; damage is in the error.
var verdicts = []struct {
	name   string
	files  [][]block
	want   string
	torn   int
	damage string
}{
	{name: "nothing was ever written", files: [][]block{{{}, {}}}},
	{name: "whole", files: [][]block{{g(1), g(2)}, {g(3).gen(2), {}}}, want: "1.1 2.1 3.2"},
	{name: "files in any order", files: [][]block{{g(3).gen(2)}, {g(1), g(2)}}, want: "1.1 2.1 3.2"},

	{name: "the newest is torn", files: [][]block{{g(1), g(2).torn()}}, want: "1.1", torn: 1},
	{name: "the newest has no header", files: [][]block{{g(1), g(2).headless()}}, want: "1.1"},
	{name: "torn below a whole one", files: [][]block{{g(1), g(2).torn(), g(3)}}, damage: "2 is not whole"},
	{
		name:  "torn below a torn one",
		files: [][]block{{g(1), g(2).torn(), g(3).torn()}}, damage: "2 is not whole",
	},
	{
		name:  "headless below a whole one",
		files: [][]block{{g(1), g(2).headless(), g(3)}}, damage: "3 follows group 1",
	},
	{
		name:  "headless below a torn one",
		files: [][]block{{g(1), g(2).headless(), g(3).torn()}}, damage: "2 is missing",
	},
	{
		name:  "no file begins with a group",
		files: [][]block{{g(1).headless(), g(2)}}, damage: "first group is missing",
	},
	{name: "a file is missing", files: [][]block{{g(1), g(2)}, {g(4).gen(3)}}, damage: "4 follows group 2"},

	{name: "below the checkpoint", files: [][]block{{g(1), g(2).torn()}, {g(4).gen(2).without(4)}}, want: "4.2"},
	{name: "a torn one frees nothing", files: [][]block{{g(1), g(2).without(2).torn()}}, want: "1.1", torn: 1},
	{
		name:  "a hole at the checkpoint",
		files: [][]block{{g(1), {}}, {g(3).gen(2).without(2)}}, damage: "3 follows group 1",
	},
	{name: "old ones behind new", files: [][]block{{g(4).gen(3).without(4), g(2)}, {g(3).gen(2)}}, want: "4.3"},

	{name: "written again", files: [][]block{{g(1), g(2)}, {g(2).gen(2), g(3).gen(2)}}, want: "1.1 2.2 3.2"},
	{
		name: "files that are passed over", want: "5.3 6.4",
		files: [][]block{{g(1), g(2)}, {g(3).gen(2), g(4).gen(2)}, {g(5).gen(3).without(5)},
			{g(6).gen(4).without(5)}},
	},
	{ // a boot that died wrote 2 and 3 again: the first file has what lies above the second's first
		name: "written again at the checkpoint", want: "3.3 4.4",
		files: [][]block{{g(2), g(3).without(3)}, {g(2).gen(2)}, {g(3).gen(3).without(3), g(4).gen(3).without(3)},
			{g(4).gen(4).without(3)}},
	},
	{
		name: "the checkpoint that passes files over is torn", want: "3.2 4.2", torn: 1,
		files: [][]block{{g(1), g(2)}, {g(3).gen(2).without(1), g(4).gen(2).without(3)},
			{g(5).gen(3).without(5).torn()}, {g(5).gen(4).without(5).torn()}},
	},
	{name: "a torn one's sequence again", files: [][]block{{g(1), g(2).torn()}, {g(2).gen(2)}}, want: "1.1 2.2"},
	{
		name:  "torn when written again",
		files: [][]block{{g(1), g(2)}, {g(2).gen(2).torn()}}, want: "1.1 2.1", torn: 1,
	},

	{name: "another journal's behind ours", files: [][]block{{g(1), g(2).ofJournal(9)}}, want: "1.1"},
	{name: "two journals", files: [][]block{{g(1)}, {g(2).ofJournal(9)}}, damage: "another journal"},
}

func TestTornTailIsDroppedAndDamageRefused(t *testing.T) {
	for _, c := range verdicts {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			got, report, err := scanFiles(t, c.files...)
			if c.damage != "" {
				require.ErrorIs(t, err, ErrDamaged)
				require.ErrorContains(t, err, c.damage)
				require.Len(t, report.Damages, 1)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(got, " "))
			require.Equal(t, c.torn, report.TornGroups)
			require.Equal(t, len(got), report.Groups)
		})
	}
}

// TestAnOlderGenerationIsNeverReplayed: however far a reused file has come, what its
// earlier use left behind is not taken for new.
func TestAnOlderGenerationIsNeverReplayed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(rt, "blocks of a file")
		uses := rapid.IntRange(1, 5).Draw(rt, "uses")
		last := rapid.IntRange(1, n).Draw(rt, "blocks of the last use")
		file := make([]block, n)
		seq := Seq(0)
		for use := range uses {
			first := seq + 1
			for at := range n {
				if use == uses-1 && at == last {
					break
				}
				seq++
				file[at] = g(seq).gen(uint64(use + 1)).without(first)
			}
		}
		got, _, err := scanFiles(t, file)
		require.NoError(rt, err)
		require.Len(rt, got, last)
		for i, r := range got {
			require.Equal(rt, fmt.Sprintf("%d.%d", int(seq)-(last-1-i), uses), r)
		}
	})
}

func drawEntry(t *rapid.T) Entry {
	e := Entry{
		Kind: Kind(rapid.IntRange(1, int(kindLast)).Draw(t, "kind")),
		Key:  Key{Partition: rapid.Int32().Draw(t, "partition")},
		A:    rapid.Int64().Draw(t, "a"), B: rapid.Int64().Draw(t, "b"),
	}
	copy(e.Key.Topic[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "topic"))
	e.Payload = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
	if e.Kind == KindBatch {
		b := record.NewBuilder(record.Options{BaseOffset: kafka.Offset(rapid.Int32().Draw(t, "base"))})
		b.Append(1, nil, e.Payload, nil)
		e.Payload = b.Build()
	}
	return e
}

func TestAGroupReadsBackAsItWasCollected(t *testing.T) {
	var reused group // groups are reused: nothing of one may leak into the next
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawEntry), 0, 40).Draw(t, "entries")
		seq := Seq(rapid.Uint64Min(1).Draw(t, "seq"))
		h := header{
			id: rapid.Uint64().Draw(t, "id"), generation: rapid.Uint64().Draw(t, "generation"),
			syncedBelow:     Seq(rapid.Uint64Max(uint64(seq)).Draw(t, "synced")),
			checkpointBelow: Seq(rapid.Uint64Max(uint64(seq)).Draw(t, "checkpoint")),
		}
		reused.reset(seq)
		for i := range want {
			reused.add(&want[i], nil)
		}
		b := bytes.Join(reused.seal(h), nil)
		if int64(len(b)) != reused.size() || len(b)%Block != 0 {
			t.Fatalf("%d bytes were sealed, the size is %d", len(b), reused.size())
		}
		i := 0
		got, err := parseGroup(b, func(s Seq, e Entry) error {
			w := want[i]
			i++
			if s != seq || e.Kind != w.Kind || e.Key != w.Key || e.A != w.A || e.B != w.B ||
				!bytes.Equal(e.Payload, w.Payload) {
				t.Fatalf("entry %d is %+v, was %+v", i-1, e, w)
			}
			return nil
		})
		h.seq, h.entries = seq, uint32(len(want))
		h.bodyLen, h.entriesCRC = got.bodyLen, got.entriesCRC
		if err != nil || i != len(want) || got != h {
			t.Fatalf("%d of %d entries, header %+v, was %+v: %v", i, len(want), got, h, err)
		}
		for _, n := range []int{0, headerSize - 1, headerSize + int(h.bodyLen) - 1} {
			if _, err := parseGroup(b[:n], nil); err == nil && n < headerSize+int(h.bodyLen) {
				t.Fatalf("whole in %d bytes", n)
			}
		}
	})
}

// FuzzParseGroup: no bytes panic, entries lie within the body, and checksums that were made
// right do not let through what the fields deny.
func FuzzParseGroup(f *testing.F) {
	f.Add(g(3).bytes()[:headerSize+headSize], false)
	f.Add(g(3).torn().bytes()[:headerSize+headSize], true)
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend && len(b) >= headerSize+headSize {
			b = bytes.Clone(b)
			h := header{
				id: 1, generation: 1, seq: 3, syncedBelow: 3, entries: 1,
				bodyLen: uint32(len(b) - headerSize),
			}
			e := Entry{Kind: Kind(b[headerSize+4]), Payload: b[headerSize+headSize:]}
			crc := putHead(b[headerSize:], &e)
			h.entriesCRC = crc32.Checksum(binary.BigEndian.AppendUint32(nil, crc), castagnoli)
			h.put(b)
		}
		seen := 0
		h, err := parseGroup(b, func(_ Seq, e Entry) error {
			if seen += headSize + len(e.Payload); e.Kind == 0 || e.Kind > kindLast {
				t.Fatalf("entry of kind %d", e.Kind)
			}
			if e.Kind == KindBatch && !record.Batch(e.Payload).CRCValid() {
				t.Fatal("batch whose checksum is wrong")
			}
			return nil
		})
		if err == nil && (seen != int(h.bodyLen) || headerSize+seen > len(b) || h.size()%Block != 0) {
			t.Fatalf("%d bytes of entries in a body of %d, %d given", seen, h.bodyLen, len(b))
		}
		if err != nil && !errors.Is(err, errTorn) && !errors.Is(err, errNoHeader) && !errors.Is(err, ErrVersion) {
			t.Fatalf("neither torn nor newer: %v", err)
		}
	})
}
