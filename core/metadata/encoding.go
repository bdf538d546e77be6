package metadata

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tidemark-log/tidemark/core/codec"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// # The bytes of a record
//
//	byte 0   record type
//	byte 1   version of that type
//	byte 2–  canonical MessagePack: the fields in order, as one array
//
// They are the value of a record in a v2 batch; the key is null. Type and version stay
// below 128, so that the header may grow into variable-length numbers. A field is added
// by a new version with its own row below; the old row stays, and its decode fills the
// new field with what it meant before. A type or version that this build does not know is
// refused: to skip it would be to have another state than the node that wrote it.

// ErrUnknownRecord tells a record written by a newer release. Test with errors.Is.
var ErrUnknownRecord = errors.New("metadata: record of a newer release")

// ErrMalformedRecord tells bytes that no release has written. Test with errors.Is.
var ErrMalformedRecord = errors.New("metadata: malformed record")

// format is how one version of a record type is read.
type format struct {
	name string
	// blank gives a fresh struct to decode into.
	blank func() Record
	// check answers what is out of bounds after decoding, or "".
	check func(Record) string
}

// formats has a row for every version ever released; the last one of a type is written.
var formats = [...][]format{
	TypeCluster:         {{"cluster", func() Record { return &ClusterRecord{} }, nil}},
	TypeFeatureLevel:    {{"feature-level", func() Record { return &FeatureLevelRecord{} }, nil}},
	TypeRegisterBroker:  {{"register-broker", func() Record { return &RegisterBrokerRecord{} }, checkBroker}},
	TypeTopic:           {{"topic", func() Record { return &TopicRecord{} }, checkTopic}},
	TypePartition:       {{"partition", func() Record { return &PartitionRecord{} }, checkPartition}},
	TypePartitionChange: {{"partition-change", func() Record { return &PartitionChangeRecord{} }, checkChange}},
	TypeRemoveTopic:     {{"remove-topic", func() Record { return &RemoveTopicRecord{} }, nil}},
	TypeConfig:          {{"config", func() Record { return &ConfigRecord{} }, checkConfig}},
	TypeProducerIDs:     {{"producer-ids", func() Record { return &ProducerIDsRecord{} }, nil}},
	TypeSnapshotHeader:  {{"snapshot-header", func() Record { return &SnapshotHeaderRecord{} }, checkHeader}},
	TypeSnapshotFooter:  {{"snapshot-footer", func() Record { return &SnapshotFooterRecord{} }, checkFooter}},
}

// RecordVersion is one version of a record type.
type RecordVersion struct {
	Type    RecordType
	Version byte
	Name    string
}

// RecordVersions lists all versions that can be read, in order.
func RecordVersions() []RecordVersion {
	var out []RecordVersion
	for t, versions := range formats {
		for v, f := range versions {
			out = append(out, RecordVersion{RecordType(t), byte(v), f.name})
		}
	}
	return out
}

// AppendRecord appends the bytes of r, in the newest version, to dst.
func AppendRecord(dst []byte, r Record) ([]byte, error) {
	versions := formats[r.Type()]
	// What could not be read back must not get into the log.
	if check := versions[len(versions)-1].check; check != nil {
		if why := check(r); why != "" {
			return nil, fmt.Errorf("metadata: encode %s: %s", r, why)
		}
	}
	dst = append(dst, byte(r.Type()), byte(len(versions)-1))
	start := len(dst)
	dst, err := codec.AppendMarshal(dst, r)
	if err != nil {
		return nil, fmt.Errorf("metadata: encode %s: %w", r, err)
	}
	if len(dst)-start > RecordBytesMax {
		return nil, fmt.Errorf("metadata: encode %s: %d bytes, more than %d",
			versions[0].name, len(dst)-start, RecordBytesMax)
	}
	return dst, nil
}

// EncodeRecord returns the bytes of r, in the newest version.
func EncodeRecord(r Record) ([]byte, error) { return AppendRecord(nil, r) }

// DecodeRecord reads the bytes of one record. Nothing of b is kept. It accepts exactly
// what some release has written: anything else is ErrUnknownRecord or ErrMalformedRecord.
func DecodeRecord(b []byte) (Record, error) {
	if len(b) < 2 || len(b) > RecordBytesMax+2 {
		return nil, fmt.Errorf("%w: %d bytes, want 2 to %d", ErrMalformedRecord, len(b), RecordBytesMax+2)
	}
	if b[0] == 0 {
		return nil, fmt.Errorf("%w: type 0", ErrMalformedRecord)
	}
	if int(b[0]) >= len(formats) {
		return nil, fmt.Errorf("%w: type %d; this build reads 1 to %d",
			ErrUnknownRecord, b[0], len(formats)-1)
	}
	versions, version := formats[b[0]], int(b[1])
	if version >= len(versions) {
		return nil, fmt.Errorf("%w: %s version %d; this build reads none above %d",
			ErrUnknownRecord, versions[0].name, version, len(versions)-1)
	}
	f := versions[version]
	r := f.blank()
	if err := codec.Unmarshal(b[2:], r); err != nil {
		return nil, fmt.Errorf("%w: %s version %d: %w", ErrMalformedRecord, f.name, version, err)
	}
	if f.check != nil {
		if why := f.check(r); why != "" {
			return nil, fmt.Errorf("%w: %s version %d: %s", ErrMalformedRecord, f.name, version, why)
		}
	}
	// An array that is too short or too long decodes all the same; written back it differs.
	again, err := codec.Marshal(r)
	if err != nil || !bytes.Equal(again, b[2:]) {
		return nil, fmt.Errorf("%w: %s version %d: not the form it is written in",
			ErrMalformedRecord, f.name, version)
	}
	return r, nil
}

func checkBroker(r Record) string {
	b := r.(*RegisterBrokerRecord)
	switch {
	case b.ID < 0:
		return fmt.Sprintf("broker %d", b.ID)
	case len(b.Listeners) > ListenersMax:
		return fmt.Sprintf("%d listeners, more than %d", len(b.Listeners), ListenersMax)
	}
	return ""
}

func checkTopic(r Record) string {
	t := r.(*TopicRecord)
	if t.ID.IsZero() {
		return "zero topic id"
	}
	return kafka.ValidateTopicName(t.Name)
}

func checkPartition(r Record) string {
	p := r.(*PartitionRecord)
	if len(p.Replicas) == 0 || len(p.Replicas) > ReplicasMax {
		return fmt.Sprintf("%d replicas, want 1 to %d", len(p.Replicas), ReplicasMax)
	}
	return checkPartitionNumbers(p.Partition, p.Leader, p.ISR)
}

func checkChange(r Record) string {
	p := r.(*PartitionChangeRecord)
	return checkPartitionNumbers(p.Partition, p.Leader, p.ISR)
}

func checkPartitionNumbers(partition int32, leader kafka.BrokerID, isr []kafka.BrokerID) string {
	switch {
	case partition < 0 || partition >= PartitionsPerTopicMax:
		return fmt.Sprintf("partition %d, want 0 to %d", partition, PartitionsPerTopicMax-1)
	case leader < NoLeader:
		return fmt.Sprintf("leader %d", leader)
	case len(isr) > ReplicasMax:
		return fmt.Sprintf("isr of %d, more than %d", len(isr), ReplicasMax)
	}
	return ""
}

func checkConfig(r Record) string {
	c := r.(*ConfigRecord)
	switch {
	case c.Resource.Type != ResourceTopic && c.Resource.Type != ResourceBroker:
		return fmt.Sprintf("resource type %d", c.Resource.Type)
	case c.Key == "":
		return "empty key"
	case c.Value != nil && len(*c.Value) > ConfigValueMax:
		return fmt.Sprintf("value of %d bytes, more than %d", len(*c.Value), ConfigValueMax)
	}
	return ""
}

func checkHeader(r Record) string {
	if h := r.(*SnapshotHeaderRecord); h.End < 0 || h.LeaderEpoch < 0 {
		return fmt.Sprintf("end %d, leader epoch %d", h.End, h.LeaderEpoch)
	}
	return ""
}

func checkFooter(r Record) string {
	if f := r.(*SnapshotFooterRecord); f.Records < 0 {
		return fmt.Sprintf("%d records", f.Records)
	}
	return ""
}
