package record_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// The second version of Inspect: written from the byte table with encoding/binary and
// bytes.Reader, one read per field, without regard to speed. Uncompressed batches only.

type naiveHeader struct {
	BaseOffset      int64
	Length          int32
	LeaderEpoch     int32
	Magic           int8
	CRC             uint32
	Attributes      int16
	LastOffsetDelta int32
	BaseTimestamp   int64
	MaxTimestamp    int64
	ProducerID      int64
	ProducerEpoch   int16
	BaseSequence    int32
	Count           int32
}

func naiveInspect(b []byte) (record.Summary, kafka.ErrorCode) {
	var h naiveHeader
	if err := binary.Read(bytes.NewReader(b), binary.BigEndian, &h); err != nil {
		return record.Summary{}, kafka.CorruptMessage
	}
	if int64(h.Length)+12 != int64(len(b)) {
		return record.Summary{}, kafka.CorruptMessage
	}
	if h.Magic != 2 {
		return record.Summary{}, kafka.InvalidRecord
	}
	if crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)) != h.CRC {
		return record.Summary{}, kafka.CorruptMessage
	}
	if h.Attributes&7 > 4 {
		return record.Summary{}, kafka.CorruptMessage
	}
	control, horizon, transactional := h.Attributes&32 != 0, h.Attributes&64 != 0, h.Attributes&16 != 0
	if h.Count <= 0 || h.LastOffsetDelta != h.Count-1 || control || horizon {
		return record.Summary{}, kafka.InvalidRecord
	}
	if h.ProducerID >= 0 && h.BaseSequence < 0 || h.ProducerID < 0 && transactional {
		return record.Summary{}, kafka.InvalidRecord
	}
	if h.Attributes&8 != 0 {
		return record.Summary{}, kafka.InvalidTimestamp
	}
	s, err := naiveSummary(h, b[61:])
	if err != nil {
		return record.Summary{}, kafka.InvalidRecord
	}
	return s, kafka.None
}

func naiveSummary(h naiveHeader, records []byte) (record.Summary, error) {
	s := record.Summary{FirstNullKey: -1, DecompressedBytes: len(records), MinTimestamp: -1}
	in := bytes.NewReader(records)
	for i := range h.Count {
		hasKey, timestampDelta, offsetDelta, err := naiveRecord(in)
		if err != nil {
			return s, err
		}
		if offsetDelta != int64(i) {
			return s, errors.New("offset delta")
		}
		s.Records++
		ts := kafka.Timestamp(h.BaseTimestamp + timestampDelta)
		if i == 0 || ts > s.MaxTimestamp {
			s.MaxTimestamp, s.OffsetOfMaxTimestamp = ts, i
		}
		if ts != -1 && (s.MinTimestamp == -1 || ts < s.MinTimestamp) {
			s.MinTimestamp = ts
		}
		if !hasKey && s.FirstNullKey < 0 {
			s.NullKeys, s.FirstNullKey = true, int(i)
		}
	}
	if in.Len() > 0 {
		return s, errors.New("trailing bytes")
	}
	return s, nil
}

func naiveRecord(in *bytes.Reader) (hasKey bool, timestampDelta, offsetDelta int64, err error) {
	length, err := naiveVarint(in, 32)
	if err != nil {
		return
	}
	if length < 0 || length > int64(in.Len()) {
		return false, 0, 0, errors.New("length")
	}
	body := make([]byte, length)
	if _, err = io.ReadFull(in, body); err != nil {
		return
	}
	r := bytes.NewReader(body)
	if _, err = r.ReadByte(); err != nil {
		return
	}
	if timestampDelta, err = naiveVarint(r, 64); err != nil {
		return
	}
	if offsetDelta, err = naiveVarint(r, 32); err != nil {
		return
	}
	if hasKey, err = naiveBytes(r); err != nil {
		return
	}
	if _, err = naiveBytes(r); err != nil {
		return
	}
	return hasKey, timestampDelta, offsetDelta, naiveHeaders(r)
}

func naiveHeaders(r *bytes.Reader) error {
	count, err := naiveVarint(r, 32)
	if err != nil {
		return err
	}
	if count < 0 {
		return errors.New("header count")
	}
	for range count {
		if present, err := naiveBytes(r); err != nil || !present {
			return errors.New("header key")
		}
		if _, err := naiveBytes(r); err != nil {
			return err
		}
	}
	if r.Len() > 0 {
		return errors.New("extra bytes in the record")
	}
	return nil
}

func naiveBytes(r *bytes.Reader) (present bool, err error) {
	n, err := naiveVarint(r, 32)
	if err != nil {
		return false, err
	}
	if n < -1 || n > int64(r.Len()) {
		return false, errors.New("length")
	}
	if n == -1 {
		return false, nil
	}
	_, err = r.Seek(n, io.SeekCurrent)
	return true, err
}

// naiveVarint reads at most as many bytes as the width can need.
func naiveVarint(r *bytes.Reader, bits int) (int64, error) {
	start := r.Len()
	v, err := binary.ReadVarint(r)
	if err != nil || start-r.Len() > (bits+6)/7 {
		return 0, errors.New("varint")
	}
	if bits == 32 && int64(int32(v)) != v {
		return 0, errors.New("varint")
	}
	return v, nil
}
