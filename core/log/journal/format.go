package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// Seq numbers groups, from 1, never reused in a journal's life.
type Seq uint64

func (s Seq) String() string { return strconv.FormatUint(uint64(s), 10) }

// Kind says what an entry means. Numbers are on disk: never renumber.
type Kind uint8

const (
	KindBatch    Kind = 1 // A segment base, B position in it; payload is the batch
	KindCreated  Kind = 2 // A start offset, B flush policy; payload is the topic's name
	KindDeleted  Kind = 3 // payload is the directory's new name
	KindEpoch    Kind = 4 // A start offset, B leader epoch
	KindTruncate Kind = 5 // A new end offset, B position of it; payload is its segment base
	KindStart    Kind = 6 // A new log start offset
	KindPolicy   Kind = 7 // A recovery point, B flush policy
	KindBlob     Kind = 8 // payload is a length byte, a key, a value
	kindLast          = KindBlob
)

var kindNames = [...]string{
	"none", "batch", "created", "deleted", "epoch", "truncate", "start", "policy", "blob",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind" + strconv.Itoa(int(k))
}

// Key names the log an entry is about.
type Key struct {
	Topic     kafka.TopicID
	Partition int32
}

// Entry is one fact. Payload is borrowed.
type Entry struct {
	Kind    Kind
	Key     Key
	A, B    int64
	Payload []byte
}

// Errors of reading. Test with errors.Is.
var (
	// ErrVersion: written by a newer Tidemark.
	ErrVersion = errors.New("journal: format is newer than this program")
	// ErrDamaged: bytes that were durable are not what was written.
	ErrDamaged = errors.New("journal: damaged")
	// errNoHeader: no group starts here.
	errNoHeader = errors.New("journal: no group header")
	// errTorn: a group starts here and is not whole.
	errTorn = errors.New("journal: group is not whole")
)

const (
	headerSize = 64
	headSize   = 48
	magic      = 0x544d4a47 // TMJG
	version    = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the head of a group.
type header struct {
	id              uint64 // of the journal: bytes of another one are never taken for ours
	generation      uint64 // of the file: counts its uses
	seq             Seq
	syncedBelow     Seq
	checkpointBelow Seq
	bodyLen         uint32
	entries         uint32
	entriesCRC      uint32 // over the entries' checksums in order: binds them to this group
}

func (h *header) put(b []byte) {
	be := binary.BigEndian
	be.PutUint32(b[0:], magic)
	be.PutUint16(b[4:], version)
	be.PutUint16(b[6:], 0)
	be.PutUint64(b[8:], h.id)
	be.PutUint64(b[16:], h.generation)
	be.PutUint64(b[24:], uint64(h.seq))
	be.PutUint64(b[32:], uint64(h.syncedBelow))
	be.PutUint64(b[40:], uint64(h.checkpointBelow))
	be.PutUint32(b[48:], h.bodyLen)
	be.PutUint32(b[52:], h.entries)
	be.PutUint32(b[56:], h.entriesCRC)
	putCRC(b)
}

func parseHeader(b []byte) (header, error) {
	be := binary.BigEndian
	if len(b) < headerSize || be.Uint32(b) != magic || be.Uint32(b[60:]) != crc32.Checksum(b[:60], castagnoli) {
		return header{}, errNoHeader
	}
	if v, flags := be.Uint16(b[4:]), be.Uint16(b[6:]); v != version || flags != 0 {
		return header{}, fmt.Errorf("%w: version %d, flags %#x", ErrVersion, v, flags)
	}
	h := header{
		id: be.Uint64(b[8:]), generation: be.Uint64(b[16:]), seq: Seq(be.Uint64(b[24:])),
		syncedBelow: Seq(be.Uint64(b[32:])), checkpointBelow: Seq(be.Uint64(b[40:])),
		bodyLen: be.Uint32(b[48:]), entries: be.Uint32(b[52:]), entriesCRC: be.Uint32(b[56:]),
	}
	if h.seq == 0 || h.syncedBelow > h.seq || h.checkpointBelow > h.seq ||
		uint64(h.bodyLen) < uint64(h.entries)*headSize {
		return header{}, errNoHeader
	}
	return h, nil
}

// size is the group's length in the file, padding included.
func (h *header) size() int64 { return padded(headerSize + int64(h.bodyLen)) }

func padded(n int64) int64 { return (n + Block - 1) &^ (Block - 1) }

// putHead writes an entry's head, with the checksum of the head and of what no other
// checksum covers: all of the payload, or of a batch the header (the batch's own
// checksum covers what follows, so its bytes are not read twice).
func putHead(b []byte, e *Entry) uint32 {
	be := binary.BigEndian
	b[4], b[5], b[6], b[7] = byte(e.Kind), 0, 0, 0
	be.PutUint32(b[8:], uint32(len(e.Payload)))
	be.PutUint32(b[12:], uint32(e.Key.Partition))
	copy(b[16:32], e.Key.Topic[:])
	be.PutUint64(b[32:], uint64(e.A))
	be.PutUint64(b[40:], uint64(e.B))
	crc := headCRC(b, e.Kind, e.Payload)
	be.PutUint32(b, crc)
	return crc
}

func headCRC(head []byte, k Kind, payload []byte) uint32 {
	crc := crc32.Checksum(head[4:headSize], castagnoli)
	if k == KindBatch {
		payload = payload[:min(len(payload), record.HeaderSize)]
	}
	return crc32.Update(crc, castagnoli, payload)
}

// parseEntry reads the entry at b[0] and checks everything about it.
func parseEntry(b []byte) (e Entry, crc uint32, n int, err error) {
	be := binary.BigEndian
	if len(b) < headSize {
		return Entry{}, 0, 0, errTorn
	}
	e.Kind = Kind(b[4])
	size := be.Uint32(b[8:])
	if size > payloadMax || int64(size) > int64(len(b)-headSize) {
		return Entry{}, 0, 0, errTorn
	}
	n = headSize + int(size)
	e.Payload = b[headSize:n:n]
	crc = be.Uint32(b)
	if crc != headCRC(b, e.Kind, e.Payload) {
		return Entry{}, 0, 0, errTorn
	}
	if flags := be.Uint32(b[4:]) & 0xffffff; e.Kind == 0 || e.Kind > kindLast || flags != 0 {
		return Entry{}, 0, 0, fmt.Errorf("%w: entry kind %d, flags %#x", ErrVersion, e.Kind, flags)
	}
	e.Key.Partition = int32(be.Uint32(b[12:]))
	copy(e.Key.Topic[:], b[16:32])
	e.A, e.B = int64(be.Uint64(b[32:])), int64(be.Uint64(b[40:]))
	if e.Kind == KindBatch && !wholeBatch(e.Payload) {
		return Entry{}, 0, 0, errTorn
	}
	return e, crc, n, nil
}

func wholeBatch(b []byte) bool {
	n, err := record.PeekLen(b)
	return err == nil && n == len(b) && record.Batch(b).CRCValid()
}

// parseGroup reads the group at b[0] and hands its entries to fn (which may be nil). The
// group is whole when it gives no error.
func parseGroup(b []byte, fn func(Seq, Entry) error) (header, error) {
	h, err := parseHeader(b)
	if err != nil {
		return h, err
	}
	if int64(len(b)) < headerSize+int64(h.bodyLen) {
		return h, errTorn
	}
	body := b[headerSize : headerSize+int(h.bodyLen)]
	sum := uint32(0)
	var word [4]byte
	for range h.entries {
		e, crc, n, err := parseEntry(body)
		if err != nil {
			return h, err
		}
		binary.BigEndian.PutUint32(word[:], crc)
		sum = crc32.Update(sum, castagnoli, word[:])
		body = body[n:]
		if fn == nil {
			continue
		}
		if err := fn(h.seq, e); err != nil {
			return h, err
		}
	}
	if len(body) != 0 || sum != h.entriesCRC {
		return h, errTorn
	}
	return h, nil
}

// Blob splits the payload of a KindBlob entry.
func Blob(payload []byte) (key string, value []byte, ok bool) {
	if len(payload) == 0 || int(payload[0]) > len(payload)-1 {
		return "", nil, false
	}
	n := 1 + int(payload[0])
	return string(payload[1:n]), payload[n:], true
}

// AppendBlob makes the payload of a KindBlob entry. A key has at most 255 bytes.
func AppendBlob(b []byte, key string, value []byte) []byte {
	b = append(b, byte(len(key)))
	b = append(b, key...)
	return append(b, value...)
}

// putCRC seals a header.
func putCRC(b []byte) { binary.BigEndian.PutUint32(b[60:], crc32.Checksum(b[:60], castagnoli)) }
