package metadata

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// ErrMalformedSnapshot tells bytes that are no whole snapshot as some release writes it.
// Test with errors.Is. A record of a newer release in it is ErrUnknownRecord as well.
var ErrMalformedSnapshot = errors.New("metadata: malformed snapshot")

// LoadSnapshot makes the image out of the bytes of a whole snapshot, and returns its
// header. Nothing of b is kept.
func LoadSnapshot(b []byte) (*Image, SnapshotHeaderRecord, error) {
	l := NewSnapshotLoader()
	for batch, err := range record.Batches(b) {
		if err == nil {
			err = l.Add(batch)
		} else {
			err = fmt.Errorf("%w: after %d records: %w", ErrMalformedSnapshot, l.records, err)
		}
		if err != nil {
			return nil, SnapshotHeaderRecord{}, err
		}
	}
	return l.Image()
}

// SnapshotLoader makes an image out of the batches of a snapshot. It trusts nothing: what
// it accepts is whole and makes an image without contradiction.
type SnapshotLoader struct {
	image   *Image
	records int64 // read, header and footer as well
	digest  uint32

	header *SnapshotHeaderRecord
	footer *SnapshotFooterRecord
	last   snapshotPlace // of the record before
	topic  *TopicRecord  // the one whose configs and partitions come now
	next   int32         // its next partition
	ids    map[kafka.TopicID]struct{}
}

// NewSnapshotLoader makes a loader that waits for the first batch.
func NewSnapshotLoader() *SnapshotLoader {
	return &SnapshotLoader{image: NewImage(), ids: map[kafka.TopicID]struct{}{}}
}

// Add reads the next batch. After an error the snapshot is of no use.
func (l *SnapshotLoader) Add(b record.Batch) error {
	switch {
	case len(b) > SnapshotBatchBytesMax:
		return l.malformed("a batch of %d bytes, more than %d", len(b), SnapshotBatchBytesMax)
	case b.Codec() != record.CodecNone || b.IsControl() || b.IsTransactional():
		return l.malformed("a batch with attributes %#x", uint16(b.Attributes()))
	case !b.CRCValid():
		return l.malformed("a batch with a wrong checksum")
	case b.Count() == 0:
		return l.malformed("a batch without records")
	}
	base := l.image.end
	var facts []Record
	for r, err := range record.Records(b, record.Limits{DecompressedMax: SnapshotBatchBytesMax}) {
		if err != nil {
			return fmt.Errorf("%w: after %d records: %w", ErrMalformedSnapshot, l.records, err)
		}
		fact, err := l.add(r)
		if err != nil {
			return err
		}
		if fact != nil {
			facts = append(facts, fact)
		}
	}
	// The checksum does not cover it.
	if l.header == nil || b.LeaderEpoch() != l.header.LeaderEpoch {
		return l.malformed("a batch of leader epoch %d", b.LeaderEpoch())
	}
	l.image = l.image.Apply(base, facts)
	return nil
}

// add reads one record. The result is nil for header and footer.
func (l *SnapshotLoader) add(r record.Record) (Record, error) {
	if r.Offset != kafka.Offset(l.records) || r.Key != nil || len(r.Headers) > 0 {
		return nil, l.malformed("a record at %d that is not of a snapshot", r.Offset)
	}
	decoded, err := DecodeRecord(r.Value)
	if err != nil {
		return nil, fmt.Errorf("%w: after %d records: %w", ErrMalformedSnapshot, l.records, err)
	}
	switch f := decoded.(type) {
	case *SnapshotHeaderRecord:
		if l.records > 0 {
			return nil, l.malformed("a second header")
		}
		l.header, decoded = f, nil
	case *SnapshotFooterRecord:
		if l.footer != nil || f.Records != l.records-1 || f.Digest != l.digest {
			return nil, l.malformed("%s, but the digest is %08x", f, l.digest)
		}
		l.footer, decoded = f, nil
	default:
		if l.header == nil || l.footer != nil {
			return nil, l.malformed("a record before the header or after the footer")
		}
		if why := l.check(decoded); why != "" {
			return nil, l.malformed("%s: %s", decoded, why)
		}
	}
	l.records++
	l.digest = crc32.Update(l.digest, castagnoli, r.Value)
	return decoded, nil
}

// Image returns the image and the header after the last batch.
func (l *SnapshotLoader) Image() (*Image, SnapshotHeaderRecord, error) {
	if l.footer == nil {
		return nil, SnapshotHeaderRecord{}, l.malformed("it ends without a footer")
	}
	m := *l.image
	m.end, m.applied, m.touched = l.header.End, 0, touched{}
	return &m, *l.header, nil
}

// Records is the number of records read, header and footer as well.
func (l *SnapshotLoader) Records() int64 { return l.records }

func (l *SnapshotLoader) malformed(format string, args ...any) error {
	return fmt.Errorf("%w: after %d records: %s", ErrMalformedSnapshot, l.records, fmt.Sprintf(format, args...))
}

// snapshotPlace orders the records of a snapshot; each is above the one before. The rank
// is of the section, the names and the number order within it.
type snapshotPlace struct {
	rank   int
	name   string // of the broker or topic
	part   int    // of a topic: 0 itself, 1 configs, 2 partitions
	key    string
	number int64
}

func (p snapshotPlace) compare(q snapshotPlace) int {
	return cmp.Or(cmp.Compare(p.rank, q.rank), cmp.Compare(p.name, q.name), cmp.Compare(p.part, q.part),
		cmp.Compare(p.key, q.key), cmp.Compare(p.number, q.number))
}

// check answers what would make the record contradict those before it, or "".
func (l *SnapshotLoader) check(r Record) string {
	place, why := l.placeOf(r)
	switch {
	case why != "":
		return why
	case place.compare(l.last) <= 0:
		return "out of order"
	}
	l.last = place
	return ""
}

func (l *SnapshotLoader) placeOf(r Record) (p snapshotPlace, why string) {
	switch r := r.(type) {
	case *ClusterRecord:
		return snapshotPlace{rank: 1}, wrongIf(r.ClusterID == "", "empty")
	case *FeatureLevelRecord:
		return snapshotPlace{rank: 2, key: r.Name}, wrongIf(r.Name == "", "empty")
	case *RegisterBrokerRecord:
		return snapshotPlace{rank: 3, number: int64(r.ID)}, ""
	case *ConfigRecord:
		return l.placeOfConfig(r)
	case *ProducerIDsRecord:
		return snapshotPlace{rank: 5}, wrongIf(r.Next <= 0, "not above zero")
	case *TopicRecord:
		return snapshotPlace{rank: 6, name: r.Name}, l.begin(r)
	case *PartitionRecord:
		return l.placeOfPartition(r)
	}
	return p, "not of a snapshot"
}

func (l *SnapshotLoader) placeOfConfig(r *ConfigRecord) (snapshotPlace, string) {
	why := wrongIf(r.Value == nil, "removed")
	if r.Resource.Type == ResourceBroker {
		return snapshotPlace{rank: 4, name: r.Resource.Name, key: r.Key}, why
	}
	if l.topic == nil || r.Resource.Name != l.topic.Name {
		why = "not of the topic before"
	}
	return snapshotPlace{rank: 6, name: r.Resource.Name, part: 1, key: r.Key}, why
}

// begin begins a topic.
func (l *SnapshotLoader) begin(r *TopicRecord) string {
	if _, known := l.ids[r.ID]; known {
		return "a topic id for the second time"
	}
	l.ids[r.ID] = struct{}{}
	l.topic, l.next = r, 0
	return ""
}

func (l *SnapshotLoader) placeOfPartition(r *PartitionRecord) (p snapshotPlace, why string) {
	switch {
	case l.topic == nil || r.TopicID != l.topic.ID:
		return p, "not of the topic before"
	case r.Partition != l.next:
		return p, "not the next partition"
	}
	for _, b := range r.ISR {
		if !slices.Contains(r.Replicas, b) {
			return p, "in sync without a replica"
		}
	}
	l.next++
	return snapshotPlace{rank: 6, name: l.topic.Name, part: 2, number: int64(r.Partition)},
		wrongIf(r.Leader != NoLeader && !slices.Contains(r.ISR, r.Leader), "a leader out of sync")
}

func wrongIf(wrong bool, why string) string {
	if wrong {
		return why
	}
	return ""
}
