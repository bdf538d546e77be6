package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/trace"
)

// goldenGroup has one entry of every kind.
func goldenGroup() []byte {
	id := kafka.TopicID{0xa1, 0xa2, 15: 0xaf}
	b := record.NewBuilder(record.Options{BaseOffset: 5, LeaderEpoch: 2})
	b.Append(1700000000000, []byte("key"), []byte("value"), nil)
	k := Key{Topic: id, Partition: 3}
	var g group
	g.reset(258)
	for _, e := range []Entry{
		{Kind: KindCreated, Key: k, A: 0, B: 1, Payload: []byte("orders")},
		{Kind: KindEpoch, Key: k, A: 5, B: 2},
		{Kind: KindBatch, Key: k, A: 0, B: 355, Payload: b.Build()},
		{Kind: KindTruncate, Key: k, A: 5, B: 355, Payload: make([]byte, 8)},
		{Kind: KindStart, Key: k, A: 4},
		{Kind: KindPolicy, Key: k, A: 5, B: 0, Payload: []byte{1}},
		{Kind: KindDeleted, Key: k, Payload: []byte("orders-3.0123456789abcdef0123456789abcdef-delete")},
		{Kind: KindBlob, Payload: AppendBlob(nil, "vote", []byte{7})},
	} {
		g.add(&e, nil)
	}
	bufs := g.seal(header{id: 0x1122334455667788, generation: 9, syncedBelow: 258, checkpointBelow: 250})
	return bytes.Join(bufs, nil)
}

// TestGroupFormatIsStable reads the released bytes and writes them again. Change the
// fixture only with the version in the header.
func TestGroupFormatIsStable(t *testing.T) {
	var want []byte
	text, err := os.ReadFile("testdata/group.hex")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		for _, word := range strings.Fields(line) {
			var b []byte
			if _, err := fmt.Sscanf(word, "%x", &b); err != nil {
				t.Fatalf("%q: %v", word, err)
			}
			want = append(want, b...)
		}
	}
	got := goldenGroup()
	if !bytes.Equal(bytes.TrimRight(got, "\x00"), bytes.TrimRight(want, "\x00")) {
		t.Errorf("the group is written as\n%x\nthe fixture has\n%x", bytes.TrimRight(got, "\x00"), want)
	}
	want = append(want, make([]byte, len(got)-len(want))...)
	dump, err := os.ReadFile("testdata/group.dump")
	if err != nil {
		t.Fatal(err)
	}
	if d := dumpGroup(want); d != string(dump) {
		t.Errorf("the fixture reads as\n%s\nand not as\n%s", d, dump)
	}
}

func dumpGroup(b []byte) string {
	var out strings.Builder
	h, err := parseGroup(b, func(seq Seq, e Entry) error {
		fmt.Fprintf(&out, "%s %s-%d a=%d b=%d", e.Kind, e.Key.Topic, e.Key.Partition, e.A, e.B)
		switch e.Kind {
		case KindBatch:
			fmt.Fprintf(&out, " %v", record.Batch(e.Payload))
		case KindBlob:
			k, v, ok := Blob(e.Payload)
			fmt.Fprintf(&out, " %q=%x %v", k, v, ok)
		default:
			fmt.Fprintf(&out, " %q", e.Payload)
		}
		out.WriteByte('\n')
		return nil
	})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf(
		"group %d of journal %x, generation %d, synced below %d, checkpoint below %d, %d bytes\n%s",
		h.seq, h.id, h.generation, h.syncedBelow, h.checkpointBelow, h.bodyLen, &out)
}

func TestEveryBitOfAGroupIsCovered(t *testing.T) {
	whole := goldenGroup()
	h, err := parseGroup(whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range headerSize + int(h.bodyLen) {
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[i] ^= 1 << bit
			if _, err := parseGroup(b, nil); err == nil {
				t.Fatalf("bit %d of byte %d may flip unnoticed", bit, i)
			}
		}
	}
}

func TestANewerFormatIsRefusedNotTakenForDamage(t *testing.T) {
	b := goldenGroup()
	h, _ := parseHeader(b)
	h.put(b)
	b[5] = version + 1
	putCRC(b)
	if _, err := parseHeader(b); !errors.Is(err, ErrVersion) {
		t.Fatalf("version %d: %v", version+1, err)
	}
}

// FuzzGroup also repairs the checksums, or nothing would come past them.
func FuzzGroup(f *testing.F) {
	f.Add(goldenGroup(), true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, b []byte, fix bool) {
		if fix {
			repair(b)
		}
		g := new(group)
		g.reset(1)
		h, err := parseGroup(b, func(_ Seq, e Entry) error {
			e.Payload = bytes.Clone(e.Payload)
			if e.Kind != KindBatch && len(e.Payload) > controlPayloadMax {
				return errTorn
			}
			g.add(&e, nil)
			return nil
		})
		if err != nil {
			return
		}
		g.seq = h.seq
		again := bytes.Join(g.seal(h), nil)
		if n := headerSize + int(h.bodyLen); !bytes.Equal(again[:n], b[:n]) {
			t.Fatalf("read and written again, a group differs:\n%x\n%x", b[:n], again[:n])
		}
	})
}

// repair sets every checksum to what it should be, as far as lengths lead.
func repair(b []byte) {
	be := binary.BigEndian
	if len(b) < headerSize {
		return
	}
	body, sum := b[headerSize:], uint32(0)
	body = body[:min(uint32(len(body)), be.Uint32(b[48:]))]
	for len(body) >= headSize && be.Uint32(body[8:]) <= uint32(len(body)-headSize) {
		n := headSize + int(be.Uint32(body[8:]))
		if batch := body[headSize:n]; Kind(body[4]) == KindBatch && len(batch) >= record.HeaderSize {
			record.Batch(batch).SetCRC()
		}
		be.PutUint32(body, headCRC(body, Kind(body[4]), body[headSize:n]))
		sum = crc32.Update(sum, castagnoli, body[:4])
		body = body[n:]
	}
	be.PutUint32(b, magic)
	be.PutUint32(b[56:], sum)
	putCRC(b)
}

// nullEnv completes every write at once.
type nullEnv struct{ j *Journal }

func (nullEnv) Now() env.Instant                   { return 0 }
func (nullEnv) WallMillis() int64                  { return 0 }
func (nullEnv) SetTimer(env.TimerKey, env.Instant) {}
func (nullEnv) ClearTimer(env.TimerKey)            {}
func (nullEnv) Rare(string) bool                   { return false }
func (nullEnv) Trace(trace.Event)                  {}

type nullFile struct{ env.File }

func (nullFile) WriteAt(env.Write, env.Tag) {}

func idleJournal() *Journal {
	e := nullEnv{}
	j := &Journal{
		cfg:  Config{Env: &env.Env{Clock: e, Rare: e, Tracer: e}, FileBytes: 1 << 60, Files: 2},
		next: 1, durable: 1,
	}
	j.use(&file{file: nullFile{}, size: 1 << 60})
	return j
}

func TestCollectingAllocatesNothing(t *testing.T) {
	j := idleJournal()
	b := record.NewBuilder(record.Options{})
	b.Append(1, nil, make([]byte, 100), nil)
	e := Entry{Kind: KindBatch, Key: Key{Partition: 1}, Payload: b.Build()}
	round := func() {
		for range 10 {
			j.Collect(&e, nil, false)
		}
		if _, err := j.Submit(); err != nil {
			t.Fatal(err)
		}
		if err := j.Done(nil); err != nil {
			t.Fatal(err)
		}
	}
	round()
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Fatalf("%v allocations for ten entries and a group", n)
	}
}

func BenchmarkCollect(b *testing.B) {
	for _, size := range []int{100, 1 << 10, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			j := idleJournal()
			rb := record.NewBuilder(record.Options{})
			rb.Append(1, nil, make([]byte, size), nil)
			e := Entry{Kind: KindBatch, Key: Key{Partition: 1}, Payload: rb.Build()}
			b.ReportAllocs()
			b.SetBytes(int64(len(e.Payload)))
			n := 0
			for b.Loop() {
				j.Collect(&e, nil, false)
				if n++; n%64 == 0 {
					_, _ = j.Submit()
					_ = j.Done(nil)
				}
			}
		})
	}
}
