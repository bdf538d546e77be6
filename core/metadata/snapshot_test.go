package metadata_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
)

// snapshot writes a whole one.
func snapshot(t rapid.TB, m *metadata.Image, o metadata.SnapshotOptions) []byte {
	var out []byte
	w, records := metadata.NewSnapshotWriter(m, o), int64(0)
	for {
		b, err := w.Next()
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		records += int64(b.Count())
		out = append(out, b...)
	}
	if w.Bytes() != int64(len(out)) || w.Records() != records {
		t.Fatalf("counted %d records of %d bytes, wrote %d of %d", w.Records(), w.Bytes(), records, len(out))
	}
	return out
}

func loaded(t rapid.TB, b []byte) *metadata.Image {
	m, _, err := metadata.LoadSnapshot(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The script holds snapshots as released: they load to the image they were made of, and
// that image is written as the same bytes again.
func TestSnapshotBytesStayReadable(t *testing.T) {
	datadriven.RunTest(t, "testdata/snapshot.txt", func(t *testing.T, d *datadriven.TestData) string {
		b, err := hex.DecodeString(strings.Join(strings.Fields(d.Input), ""))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		switch d.Cmd {
		case "write": // the records of a log
			return writeGolden(t, d)
		case "load":
			m, header, err := metadata.LoadSnapshot(b)
			if err != nil {
				if !errors.Is(err, metadata.ErrMalformedSnapshot) {
					d.Fatalf(t, "error of no kind: %v", err)
				}
				return err.Error() + "\n"
			}
			again := snapshot(t, m, metadata.SnapshotOptions{
				LeaderEpoch: header.LeaderEpoch, Timestamp: header.Timestamp,
			})
			if !bytes.Equal(again, b) {
				d.Fatalf(t, "is written again as %x", again)
			}
			return header.String() + "\n" + m.String()
		}
		d.Fatalf(t, "unknown command")
		return ""
	})
}

func writeGolden(t *testing.T, d *datadriven.TestData) string {
	var records []metadata.Record
	for line := range strings.Lines(d.Input) {
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		r, err := metadata.DecodeRecord(b)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		records = append(records, r)
	}
	o := metadata.SnapshotOptions{LeaderEpoch: 3, Timestamp: 1_700_000_000_000}
	d.MaybeScanArgs(t, "batch-bytes", &o.BatchBytes)
	w := metadata.NewSnapshotWriter(metadata.NewImage().Apply(0, records), o)
	out := w.ID().String() + "\n"
	for {
		b, err := w.Next()
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		if b == nil {
			return out
		}
		out += fmt.Sprintf("batch %d..%d\n", b.BaseOffset(), b.LastOffset())
		for part := range slices.Chunk([]byte(b), 48) {
			out += hex.EncodeToString(part) + "\n"
		}
		for r := range record.Records(b, record.Limits{}) {
			decoded, err := metadata.DecodeRecord(r.Value)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			out += "  " + decoded.String() + "\n"
		}
	}
}

// A snapshot and the log after it make the image that the whole log makes, wherever it is
// taken and however it is cut into batches. It depends on the image alone: the one that
// came from a snapshot writes the same as the one that came from the log.
func TestSnapshotAndTailAreTheWholeLog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, lastID := newModel(), byte(0)
		var records []metadata.Record
		for range rapid.IntRange(0, 150).Draw(t, "records") {
			r := drawRecord(t, m, &lastID)
			m.apply(r)
			records = append(records, r)
		}
		cut := rapid.IntRange(0, len(records)).Draw(t, "cut")
		at := metadata.NewImage().Apply(0, records[:cut])
		o := metadata.SnapshotOptions{
			LeaderEpoch: 7, Timestamp: 9, BatchBytes: rapid.IntRange(1, 4000).Draw(t, "batch bytes"),
		}
		from := loaded(t, snapshot(t, at, o))
		if from.String() != at.String() || !metadata.Diff(from, at).Empty() || !metadata.Diff(at, from).Empty() {
			t.Fatalf("loaded\n%s\nwas\n%s", from, at)
		}
		plain := metadata.NewImage().Apply(0, slices.Collect(metadata.SnapshotRecords(at)))
		if !metadata.Diff(plain, at).Empty() || plain.ClusterID() != at.ClusterID() {
			t.Fatalf("folded\n%s\nwas\n%s", plain, at)
		}
		whole, tail := at.Apply(kafka.Offset(cut), records[cut:]), from.Apply(kafka.Offset(cut), records[cut:])
		if got, want := tail.String(), m.String(); got != want {
			t.Fatalf("snapshot and tail\n%s\nwant\n%s", got, want)
		}
		if !bytes.Equal(snapshot(t, whole, o), snapshot(t, tail, o)) {
			t.Fatal("one image is written in two ways")
		}
	})
}

// goldenImage has a record of every kind, and more than one batch for a small limit.
func goldenImage() *metadata.Image {
	v := "1"
	records := []metadata.Record{
		&metadata.ClusterRecord{ClusterID: "c"}, &metadata.FeatureLevelRecord{Name: "f", Level: -2},
		&metadata.RegisterBrokerRecord{ID: 1, Rack: "r", Fenced: true, Listeners: []metadata.Listener{{Name: "P"}}},
		&metadata.ConfigRecord{Resource: metadata.Resource{Type: metadata.ResourceBroker}, Key: "k", Value: &v},
		&metadata.ProducerIDsRecord{Broker: 1, Next: 1000},
	}
	records = append(append(records, topicOf(2, 3, 1)...), topicOf(1, 2, 1, 2)...)
	records = append(records, &metadata.TopicRecord{Name: "t1-", ID: kafka.TopicID{9}}) // next to t1
	records = append(records, change(1, 1, 1), &metadata.ConfigRecord{
		Resource: metadata.Resource{Type: metadata.ResourceTopic, Name: "t2"}, Key: "k", Value: &v,
	})
	return metadata.NewImage().Apply(0, records)
}

// Whatever bit is wrong and wherever a snapshot ends too early, it is refused and the
// error says what it is.
func TestDamagedSnapshotIsRefused(t *testing.T) {
	m := goldenImage()
	good := snapshot(t, m, metadata.SnapshotOptions{LeaderEpoch: 5, BatchBytes: 200})
	if loaded(t, good).String() != m.String() {
		t.Fatal("the good one does not load")
	}
	refused := func(b []byte, what string) {
		got, _, err := metadata.LoadSnapshot(b)
		if got != nil || !errors.Is(err, metadata.ErrMalformedSnapshot) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		refused(bad, fmt.Sprintf("byte %d changed", i))
		refused(good[:i], fmt.Sprintf("cut to %d", i))
	}
	var batches []record.Batch
	for b := range record.Batches(good) {
		batches = append(batches, b)
	}
	for i := range batches {
		refused(bytes.Join(asBytes(slices.Delete(slices.Clone(batches), i, i+1)), nil), "a batch is missing")
	}
	refused(append(bytes.Clone(good), good...), "two snapshots in one")
	refused(append(bytes.Clone(good), batches[len(batches)-1]...), "the end twice")

	// A batch of an older snapshot at the same place: right in itself, and in its place.
	v := "2"
	older := m.Apply(m.End(), []metadata.Record{&metadata.ConfigRecord{
		Resource: metadata.Resource{Type: metadata.ResourceTopic, Name: "t2"}, Key: "k", Value: &v,
	}})
	mixed := slices.Clone(batches)
	other := snapshot(t, older, metadata.SnapshotOptions{LeaderEpoch: 5, BatchBytes: 200})
	for b := range record.Batches(other) {
		mixed[0] = b
		break
	}
	refused(bytes.Join(asBytes(mixed), nil), "two snapshots mixed")
}

func asBytes(batches []record.Batch) (out [][]byte) {
	for _, b := range batches {
		out = append(out, b)
	}
	return out
}

func encoded(r metadata.Record) []byte {
	b, err := metadata.EncodeRecord(r)
	if err != nil {
		panic(err)
	}
	return b
}

// framed puts a right header and footer around record values.
func framed(values ...[]byte) [][]byte {
	values = slices.Insert(values, 0, encoded(&metadata.SnapshotHeaderRecord{End: 1000}))
	return append(values, encoded(footerOf(values, len(values)-1)))
}

func footerOf(values [][]byte, records int) metadata.Record {
	digest := crc32.Checksum(bytes.Join(values, nil), crc32.MakeTable(crc32.Castagnoli))
	return &metadata.SnapshotFooterRecord{Records: int64(records), Digest: digest}
}

// crafted is a snapshot with right checksums and counts around any record values.
func crafted(values ...[]byte) []byte {
	builder := record.NewBuilder(record.Options{})
	for _, v := range framed(values...) {
		builder.Append(0, nil, v, nil)
	}
	return builder.Build()
}

// Header and footer are right by their own count and digest, and no record follows.
func TestFooterMustCountAndEnd(t *testing.T) {
	header := [][]byte{encoded(&metadata.SnapshotHeaderRecord{End: 1000})}
	topic := &metadata.TopicRecord{Name: "t", ID: kafka.TopicID{1}}
	for _, c := range []struct {
		why    string
		values [][]byte
	}{
		{"snapshot-footer records=1", [][]byte{encoded(footerOf(header, 1))}},
		{"after the footer", [][]byte{encoded(footerOf(header, 0)), encoded(topic)}},
	} {
		_, _, err := metadata.LoadSnapshot(crafted(c.values...))
		if !errors.Is(err, metadata.ErrMalformedSnapshot) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%v, want %q", err, c.why)
		}
	}
}

// A batch that no snapshot has is refused even if what it holds would do.
func TestForeignBatchIsRefused(t *testing.T) {
	many := make([][]byte, 40_000)
	for i := range many {
		many[i] = encoded(&metadata.FeatureLevelRecord{Name: fmt.Sprintf("feature-%020d", i)})
	}
	for _, c := range []struct {
		name    string
		options record.Options
		values  [][]byte
		key     []byte
		headers []record.Header
	}{
		{name: "none"},
		{name: "compressed", options: record.Options{Codec: record.CodecZstd}},
		{name: "control", options: record.Options{Control: true}},
		{name: "transactional", options: record.Options{Transactional: true}},
		{name: "too large", values: many},
		{name: "key", key: []byte("k")},
		{name: "empty key", key: []byte{}},
		{name: "headers", headers: []record.Header{{Key: "h"}}},
	} {
		builder := record.NewBuilder(c.options)
		for _, v := range framed(c.values...) {
			builder.Append(0, c.key, v, c.headers)
		}
		_, _, err := metadata.LoadSnapshot(builder.Build())
		if (err == nil) != (c.name == "none") || err != nil && !errors.Is(err, metadata.ErrMalformedSnapshot) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What is whole but contradicts itself is refused too, before it comes into an image.
func TestContradictingSnapshotIsRefused(t *testing.T) {
	v := "1"
	one, two := kafka.TopicID{1}, kafka.TopicID{2}
	isr := []kafka.BrokerID{1}
	topicConfig := func(topic, key string, value *string) metadata.Record {
		r := metadata.Resource{Type: metadata.ResourceTopic, Name: topic}
		return &metadata.ConfigRecord{Resource: r, Key: key, Value: value}
	}
	brokerConfig := &metadata.ConfigRecord{Resource: metadata.Resource{Type: 4}, Key: "k", Value: &v}
	t1 := &metadata.TopicRecord{Name: "t1", ID: one}
	p0 := &metadata.PartitionRecord{TopicID: one, Leader: 1, Replicas: isr, ISR: isr}
	p1 := &metadata.PartitionRecord{TopicID: one, Partition: 1, Leader: 1, Replicas: isr, ISR: isr}
	for _, c := range []struct {
		why     string
		records []metadata.Record
	}{
		{"", nil},
		{"", []metadata.Record{brokerConfig, t1, topicConfig("t1", "k", &v), p0, p1}},
		{"empty", []metadata.Record{&metadata.ClusterRecord{}}},
		{"out of order", []metadata.Record{
			&metadata.ClusterRecord{ClusterID: "c"}, &metadata.ClusterRecord{ClusterID: "d"}}},
		{"empty", []metadata.Record{&metadata.FeatureLevelRecord{}}},
		{"out of order", []metadata.Record{
			&metadata.RegisterBrokerRecord{ID: 2}, &metadata.RegisterBrokerRecord{ID: 2}}},
		{"out of order", []metadata.Record{t1, brokerConfig}},
		{"out of order", []metadata.Record{brokerConfig, brokerConfig}},
		{"not above zero", []metadata.Record{&metadata.ProducerIDsRecord{}}},
		{"out of order", []metadata.Record{t1, p0, topicConfig("t1", "k", &v)}},
		{"out of order", []metadata.Record{t1, topicConfig("t1", "k", &v), topicConfig("t1", "j", &v)}},
		{"removed", []metadata.Record{t1, topicConfig("t1", "k", nil)}},
		{"not of the topic before", []metadata.Record{t1, topicConfig("t2", "k", &v)}},
		{"not of the topic before", []metadata.Record{topicConfig("t1", "k", &v)}},
		{"not of the topic before", []metadata.Record{p0}},
		{"not of the topic before", []metadata.Record{&metadata.TopicRecord{Name: "t1", ID: two}, p0}},
		{"not the next partition", []metadata.Record{t1, p1}},
		{"not the next partition", []metadata.Record{t1, p0, p0}},
		{"out of order", []metadata.Record{t1, &metadata.TopicRecord{Name: "t0", ID: two}}},
		{"out of order", []metadata.Record{t1, &metadata.TopicRecord{Name: "t1", ID: two}}},
		{"a topic id for the second time", []metadata.Record{t1, &metadata.TopicRecord{Name: "t2", ID: one}}},
		{"in sync without a replica", []metadata.Record{t1, &metadata.PartitionRecord{
			TopicID: one, Leader: 2, Replicas: isr, ISR: []kafka.BrokerID{2}}}},
		{"a leader out of sync", []metadata.Record{t1, &metadata.PartitionRecord{
			TopicID: one, Leader: 2, Replicas: []kafka.BrokerID{1, 2}, ISR: isr}}},
		{"not of a snapshot", []metadata.Record{t1, p0, &metadata.PartitionChangeRecord{
			TopicID: one, Leader: 1, LeaderEpoch: 1, PartitionEpoch: 1, ISR: isr}}},
		{"not of a snapshot", []metadata.Record{t1, &metadata.RemoveTopicRecord{ID: one}}},
		{"a second header", []metadata.Record{&metadata.SnapshotHeaderRecord{}}},
		{"snapshot-footer", []metadata.Record{&metadata.SnapshotFooterRecord{}}},
	} {
		values := make([][]byte, len(c.records))
		for i, r := range c.records {
			values[i] = encoded(r)
		}
		_, _, err := metadata.LoadSnapshot(crafted(values...))
		if (err == nil) != (c.why == "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%v: %v, want %q", c.records, err, c.why)
		}
	}
}

// A snapshot of a newer release says so, whatever else: the answer to it is to upgrade.
func TestSnapshotOfNewerReleaseIsToldApart(t *testing.T) {
	_, _, err := metadata.LoadSnapshot(crafted([]byte{0x7f, 0, 0x90}))
	if !errors.Is(err, metadata.ErrUnknownRecord) || !errors.Is(err, metadata.ErrMalformedSnapshot) {
		t.Error(err)
	}
}

// Any records between a right header and footer are refused, or make an image that can
// be written and read again. They never make the loader panic.
func FuzzLoadSnapshot(f *testing.F) {
	for r := range metadata.SnapshotRecords(goldenImage()) {
		b := encoded(r)
		f.Add(append([]byte{byte(len(b))}, b...))
	}
	var all []byte
	for r := range metadata.SnapshotRecords(goldenImage()) {
		b := encoded(r)
		all = append(append(all, byte(len(b))), b...)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = metadata.LoadSnapshot(b)
		var values [][]byte
		for len(b) > 0 {
			n := min(int(b[0]), len(b)-1)
			values, b = append(values, b[1:1+n]), b[1+n:]
		}
		m, _, err := metadata.LoadSnapshot(crafted(values...))
		if err != nil {
			return
		}
		once := snapshot(t, m, metadata.SnapshotOptions{})
		again := loaded(t, once)
		if again.String() != m.String() || !bytes.Equal(snapshot(t, again, metadata.SnapshotOptions{}), once) {
			t.Fatalf("loaded\n%s\nwas\n%s", again, m)
		}
	})
}

// One call makes one batch, so that a loop may do other things between them: no batch is
// larger than asked, unless a single record is.
func TestSnapshotIsMadeInSmallSteps(t *testing.T) {
	long := strings.Repeat("x", metadata.ConfigValueMax)
	m := metadata.NewImage().Apply(0, topicOf(1, 5000, 1, 2, 3))
	m = m.Apply(m.End(), []metadata.Record{&metadata.ConfigRecord{
		Resource: metadata.Resource{Type: metadata.ResourceTopic, Name: "t1"}, Key: "k", Value: &long,
	}})
	w := metadata.NewSnapshotWriter(m, metadata.SnapshotOptions{BatchBytes: 4096})
	batches := 0
	for b, err := w.Next(); b != nil || err != nil; b, err = w.Next() {
		if err != nil || len(b) > 4200 && b.Count() > 1 {
			t.Fatalf("batch of %d bytes with %d records (%v)", len(b), b.Count(), err)
		}
		batches++
	}
	if batches < 50 || w.Records() != 5004 {
		t.Errorf("%d batches, %d records", batches, w.Records())
	}
	if b, err := w.Next(); b != nil || err != nil {
		t.Errorf("after the end: %v %v", b, err)
	}
}

func BenchmarkSnapshotOfTenThousandPartitions(b *testing.B) {
	m := metadata.NewImage().Apply(0, topicOf(1, metadata.PartitionsPerTopicMax, 1, 2, 3))
	b.SetBytes(int64(len(snapshot(b, m, metadata.SnapshotOptions{}))))
	b.ReportAllocs()
	for b.Loop() {
		snapshot(b, m, metadata.SnapshotOptions{})
	}
}

func BenchmarkLoadOfTenThousandPartitions(b *testing.B) {
	m := metadata.NewImage().Apply(0, topicOf(1, metadata.PartitionsPerTopicMax, 1, 2, 3))
	bytes := snapshot(b, m, metadata.SnapshotOptions{})
	b.SetBytes(int64(len(bytes)))
	b.ReportAllocs()
	for b.Loop() {
		loaded(b, bytes)
	}
}
