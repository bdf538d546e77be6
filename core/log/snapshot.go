package log

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

const (
	snapshotVersion   = 1
	snapshotHeadSize  = 2 + 4 + 4
	snapshotEntrySize = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8
)

var (
	errBadSnapshot = errors.New("log: producer snapshot is malformed")
	castagnoli     = crc32.MakeTable(crc32.Castagnoli)
)

// appendSnapshot writes the state in Kafka's format. Kafka differs: it keeps one batch per
// producer, so that after a restart a retry of an older one is refused as out of order.
// We write one entry per batch, oldest first; Kafka reads them and keeps the last.
func (s *producers) appendSnapshot(b []byte) []byte {
	be := binary.BigEndian
	head := len(b)
	b = append(b, make([]byte, snapshotHeadSize)...)
	n := 0
	for _, id := range s.ids() {
		p := s.byID[id]
		for i := range max(1, int(p.count)) {
			last := producerBatch{lastSeq: -1, lastOffset: -1, ts: -1}
			if p.count > 0 {
				last = p.batches[i]
			}
			b = appendSnapshotEntry(b, id, p, last)
			n++
		}
	}
	be.PutUint16(b[head:], snapshotVersion)
	be.PutUint32(b[head+6:], uint32(n))
	be.PutUint32(b[head+2:], crc32.Checksum(b[head+6:], castagnoli))
	return b
}

func appendSnapshotEntry(b []byte, id kafka.ProducerID, p *producer, last producerBatch) []byte {
	be := binary.BigEndian
	b = be.AppendUint64(b, uint64(id))
	b = be.AppendUint16(b, uint16(p.epoch))
	b = be.AppendUint32(b, uint32(last.lastSeq))
	b = be.AppendUint64(b, uint64(last.lastOffset))
	b = be.AppendUint32(b, uint32(last.delta))
	b = be.AppendUint64(b, uint64(last.ts))
	b = be.AppendUint32(b, uint32(p.coordEpoch))
	return be.AppendUint64(b, uint64(p.txnStart))
}

// loadSnapshot replaces the state by what a snapshot holds.
func (s *producers) loadSnapshot(b []byte, now env.Instant) error {
	be := binary.BigEndian
	if len(b) < snapshotHeadSize || be.Uint16(b) != snapshotVersion ||
		be.Uint32(b[2:]) != crc32.Checksum(b[6:], castagnoli) {
		return errBadSnapshot
	}
	n := be.Uint32(b[6:])
	b = b[snapshotHeadSize:]
	if uint64(n)*snapshotEntrySize != uint64(len(b)) {
		return errBadSnapshot
	}
	byID := make(map[kafka.ProducerID]*producer)
	for ; len(b) > 0; b = b[snapshotEntrySize:] {
		id := kafka.ProducerID(be.Uint64(b))
		epoch := kafka.ProducerEpoch(be.Uint16(b[8:]))
		last := producerBatch{
			lastSeq: kafka.Sequence(be.Uint32(b[10:])), lastOffset: kafka.Offset(be.Uint64(b[14:])),
			delta: int32(be.Uint32(b[22:])), ts: kafka.Timestamp(be.Uint64(b[26:])),
		}
		p := byID[id]
		if p == nil || p.epoch != epoch {
			p = &producer{epoch: epoch, touched: now}
			byID[id] = p
		}
		p.coordEpoch = int32(be.Uint32(b[34:]))
		p.txnStart = kafka.Offset(be.Uint64(b[38:]))
		if last.lastSeq >= 0 && last.delta >= 0 {
			p.push(last)
		}
	}
	s.byID = byID
	return nil
}
