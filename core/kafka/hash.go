package kafka

import (
	"encoding/binary"
	"unicode/utf16"
)

// Kafka's clients and brokers must agree on these two hashes without talking: the first
// sends a key to its partition, the second a group or transactional id to the partition of
// its coordinator. Both are fixed for ever.

// Murmur2 is the hash of Kafka's default partitioner: MurmurHash2 for 32 bits with the
// seed Kafka chose, little-endian.
func Murmur2(data []byte) int32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := seed ^ uint32(len(data))
	for ; len(data) >= 4; data = data[4:] {
		k := binary.LittleEndian.Uint32(data) * m
		k = (k ^ k>>r) * m
		h = h*m ^ k
	}
	if len(data) > 0 {
		for i, b := range data {
			h ^= uint32(b) << (8 * i)
		}
		h *= m
	}
	h = (h ^ h>>13) * m
	return int32(h ^ h>>15)
}

// PartitionForKey is where Kafka's default partitioner sends a record with that key. There
// must be at least one partition.
func PartitionForKey(key []byte, partitions int32) int32 {
	return (Murmur2(key) & 0x7fffffff) % partitions
}

// StringHash is Java's String.hashCode, over UTF-16 units.
func StringHash(s string) int32 {
	var h int32
	for _, r := range s {
		if r < 0x10000 {
			h = 31*h + r
			continue
		}
		high, low := utf16.EncodeRune(r)
		h = 31*(31*h+high) + low
	}
	return h
}

// CoordinatorPartition is the partition of __consumer_offsets or __transaction_state
// whose leader coordinates id. There must be at least one partition.
func CoordinatorPartition(id string, partitions int32) int32 {
	h := StringHash(id)
	switch {
	case h == -1<<31: // has no absolute value; Kafka takes 0
		h = 0
	case h < 0:
		h = -h
	}
	return h % partitions
}
