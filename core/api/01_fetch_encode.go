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
	b = f.appendTop(b, code, 0, 0)
	return appendNoTags(b, f.flexible())
}

func (f *fetchCall) flexible() bool { return f.req.Version >= 12 }

func (f *fetchCall) appendTop(b []byte, code kafka.ErrorCode, session int32, topics int) []byte {
	b = appendInt32(b, 0) // throttle_time_ms
	if f.req.Version >= 7 {
		b = appendCode(b, code)
		b = appendInt32(b, session)
	}
	return appendLen(b, topics, f.flexible())
}

// encode writes the reply and hands the records' chunks over to it. Partitions of a topic
// that stand together are told together.
func (f *fetchCall) encode(session int32) []env.Chunk {
	v := f.req.Version
	topics, size := f.topics()
	b := f.c.header(size)
	b = f.appendTop(b, kafka.None, session, topics)
	var cuts []fetchCut
	var hints []leaderHint
	chunks := 1
	for from, to := 0, 0; from < len(f.parts); from = to {
		to = f.run(from)
		if v >= 13 {
			b = append(b, f.parts[from].ref.id[:]...)
		} else {
			b = appendString(b, f.parts[from].ref.name, f.flexible())
		}
		b = appendLen(b, to-from, f.flexible())
		for i := from; i < to; i++ {
			part := &f.parts[i]
			b = f.appendPart(b, part)
			if n := len(part.read.Chunks); n > 0 {
				if cuts == nil {
					cuts = make([]fetchCut, 0, len(f.parts)-i)
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

// run is the end of the partitions that stand with the one at from.
func (f *fetchCall) run(from int) int {
	to := from + 1
	for to < len(f.parts) && f.parts[to].ref == f.parts[from].ref {
		to++
	}
	return to
}

// topics counts them, and guesses the reply's size.
func (f *fetchCall) topics() (n, size int) {
	size = 24 + 64*len(f.parts)
	for from := 0; from < len(f.parts); from = f.run(from) {
		n++
		size += 24 + len(f.parts[from].ref.name)
	}
	return n, size
}

// appendPart writes a partition up to where its records follow.
func (f *fetchCall) appendPart(b []byte, part *fetchPart) []byte {
	v, flexible := f.req.Version, f.flexible()
	b = appendInt32(b, part.want.partition)
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
		hint = part.topic.hint(part.want.partition)
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
