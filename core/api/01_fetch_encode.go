package api

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// # The Fetch reply without a copy
//
// The reply is written as one run of bytes without the records, and a list of cuts: where
// in it which records belong. From both comes the list of chunks that goes to the network.

type fetchCut struct {
	at      int // into the run of bytes
	records []env.Chunk
}

// encodeRefusal is a reply about the session and no partition.
func (f *fetchCall) encodeRefusal(b []byte, code kafka.ErrorCode) []byte {
	b = f.appendTop(b, code, 0)
	return appendNoTags(b, f.flexible())
}

func (f *fetchCall) flexible() bool { return f.req.Version >= 12 }

func (f *fetchCall) appendTop(b []byte, code kafka.ErrorCode, topics int) []byte {
	b = appendInt32(b, 0) // throttle_time_ms
	if f.req.Version >= 7 {
		b = appendCode(b, code)
		b = appendInt32(b, 0) // session_id: none
	}
	return appendLen(b, topics, f.flexible())
}

// encode writes the reply and hands the records' chunks over to it.
func (f *fetchCall) encode() []env.Chunk {
	v, topics := f.req.Version, f.req.Topics
	b := f.c.header(f.sizeHint())
	b = f.appendTop(b, kafka.None, len(topics))
	var cuts []fetchCut
	var hints []leaderHint
	chunks, i := 1, 0
	for t := range topics {
		if v >= 13 {
			b = append(b, topics[t].TopicID[:]...)
		} else {
			b = appendString(b, topics[t].Topic, f.flexible())
		}
		b = appendLen(b, len(topics[t].Partitions), f.flexible())
		for range topics[t].Partitions {
			part := &f.parts[i]
			i++
			b = f.appendPart(b, part)
			if n := len(part.read.Chunks); n > 0 {
				if cuts == nil {
					cuts = make([]fetchCut, 0, len(f.parts)-i+1)
				}
				cuts = append(cuts, fetchCut{len(b), part.read.Chunks})
				chunks += n + 1
			}
			b, hints = f.appendPartTags(b, part, hints)
		}
		b = appendNoTags(b, f.flexible())
	}
	switch {
	case v >= 16:
		b = appendNodesTag(b, f.s.nodesFor(hints, f.c.Listener))
	case f.flexible():
		b = append(b, 0)
	}
	return interleave(b, cuts, chunks)
}

func (f *fetchCall) sizeHint() int {
	n := 24 + 64*len(f.parts)
	for t := range f.req.Topics {
		n += 24 + len(f.req.Topics[t].Topic)
	}
	return n
}

// appendPart writes a partition up to where its records follow.
func (f *fetchCall) appendPart(b []byte, part *fetchPart) []byte {
	v, flexible := f.req.Version, f.flexible()
	b = appendInt32(b, part.req.Partition)
	b = appendCode(b, part.code)
	b = appendOffset(b, part.hw)
	b = appendOffset(b, part.hw) // last stable offset
	if v >= 5 {
		b = appendOffset(b, part.logStart)
	}
	if f.req.IsolationLevel == 0 || part.code != kafka.None {
		b = appendNullLen(b, flexible)
	} else {
		b = appendLen(b, 0, flexible)
	}
	if v >= 11 {
		b = appendInt32(b, -1) // preferred read replica
	}
	return appendLen(b, part.read.Bytes, flexible)
}

func (f *fetchCall) appendPartTags(b []byte, part *fetchPart, hints []leaderHint) ([]byte, []leaderHint) {
	if !f.flexible() {
		return b, hints
	}
	var hint *leaderHint
	moved := part.code == kafka.NotLeaderOrFollower || part.code == kafka.FencedLeaderEpoch
	if moved && f.req.Version >= 16 && part.topic != nil {
		hint = part.topic.hint(part.req.Partition)
	}
	switch {
	case part.diverging != nil:
		b = append(b, 1)
		b = appendUvarint(b, 0)
		b = appendUvarint(b, 4+8+1)
		b = appendInt32(b, int32(part.diverging.epoch))
		b = appendOffset(b, part.diverging.end)
		return append(b, 0), hints
	case hint != nil:
		return appendLeaderTag(append(b, 1), 1, *hint), append(hints, *hint)
	}
	return append(b, 0), hints
}

// interleave cuts b where records belong and puts them there.
func interleave(b []byte, cuts []fetchCut, n int) []env.Chunk {
	chunks := make([]env.Chunk, 0, n)
	from := 0
	for _, cut := range cuts {
		chunks = append(chunks, env.Chunk{Bytes: b[from:cut.at:cut.at]})
		chunks = append(chunks, cut.records...)
		from = cut.at
	}
	return append(chunks, env.Chunk{Bytes: b[from:]})
}
