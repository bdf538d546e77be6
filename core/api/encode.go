package api

import (
	"encoding/binary"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Appenders for the two replies that are written by hand: Produce, because it is sent for
// every batch, and Fetch, because its records must not be copied. All other messages are
// kmsg's.

func appendInt16(b []byte, v int16) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }
func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func appendInt64(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

func appendOffset(b []byte, o kafka.Offset) []byte  { return appendInt64(b, int64(o)) }
func appendCode(b []byte, c kafka.ErrorCode) []byte { return appendInt16(b, int16(c)) }

func appendUvarint(b []byte, v uint32) []byte { return binary.AppendUvarint(b, uint64(v)) }

func appendString(b []byte, s string, flexible bool) []byte {
	if flexible {
		b = appendUvarint(b, uint32(len(s))+1)
	} else {
		b = appendInt16(b, int16(len(s)))
	}
	return append(b, s...)
}

// appendNullable writes "" as null.
func appendNullable(b []byte, s string, flexible bool) []byte {
	switch {
	case s != "":
		return appendString(b, s, flexible)
	case flexible:
		return append(b, 0)
	}
	return appendInt16(b, -1)
}

// appendLen writes the length of an array or of bytes.
func appendLen(b []byte, n int, flexible bool) []byte {
	if flexible {
		return appendUvarint(b, uint32(n)+1)
	}
	return appendInt32(b, int32(n))
}

func appendNullLen(b []byte, flexible bool) []byte {
	if flexible {
		return append(b, 0)
	}
	return appendInt32(b, -1)
}

func appendNoTags(b []byte, flexible bool) []byte {
	if flexible {
		return append(b, 0)
	}
	return b
}

// leaderHint is KIP-951's: who leads instead.
type leaderHint struct {
	leader kafka.BrokerID
	epoch  kafka.LeaderEpoch
}

// appendLeaderTag writes a tagged field that holds a leader and its epoch.
func appendLeaderTag(b []byte, tag uint32, h leaderHint) []byte {
	b = appendUvarint(b, tag)
	b = appendUvarint(b, 4+4+1)
	b = appendInt32(b, int32(h.leader))
	b = appendInt32(b, int32(h.epoch))
	return append(b, 0)
}

// node is an address told to a client.
type node struct {
	id   kafka.BrokerID
	host string
	port int32
	rack string
}

// appendNodesTag writes the trailing node_endpoints: tag 0, a compact array. The size in
// front is that of what follows, so it is written to a scratch first.
func appendNodesTag(b []byte, nodes []node) []byte {
	if len(nodes) == 0 {
		return append(b, 0)
	}
	var body []byte
	body = appendLen(body, len(nodes), true)
	for _, n := range nodes {
		body = appendInt32(body, int32(n.id))
		body = appendString(body, n.host, true)
		body = appendInt32(body, n.port)
		body = appendNullable(body, n.rack, true)
		body = append(body, 0)
	}
	b = append(b, 1, 0)
	b = appendUvarint(b, uint32(len(body)))
	return append(b, body...)
}
