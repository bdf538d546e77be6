package api

// The Produce reply by hand: kmsg's encoder compares tagged structures by reflection, and
// this one is sent for every batch.

func (pc *produceCall) sizeHint() int {
	n := 16
	for i := range pc.req.Topics {
		n += 24 + len(pc.req.Topics[i].Topic)
	}
	return n + 48*len(pc.parts)
}

func (pc *produceCall) encode(b []byte) []byte {
	v, topics := pc.req.Version, pc.req.Topics
	flexible := v >= 9
	b = appendLen(b, len(topics), flexible)
	i := 0
	for t := range topics {
		if v >= 13 {
			b = append(b, topics[t].TopicID[:]...)
		} else {
			b = appendString(b, topics[t].Topic, flexible)
		}
		b = appendLen(b, len(topics[t].Partitions), flexible)
		for range topics[t].Partitions {
			b = appendProducePart(b, v, &pc.parts[i])
			i++
		}
		b = appendNoTags(b, flexible)
	}
	b = appendInt32(b, 0) // throttle_time_ms
	switch {
	case v >= 10:
		b = appendNodesTag(b, pc.s.nodesFor(pc.hints(), pc.c.Listener))
	case flexible:
		b = append(b, 0)
	}
	return b
}

func appendProducePart(b []byte, v int16, part *producePart) []byte {
	flexible := v >= 9
	b = appendInt32(b, part.index)
	b = appendCode(b, part.code)
	b = appendOffset(b, part.base)
	b = appendInt64(b, int64(part.appendTime))
	if v >= 5 {
		b = appendOffset(b, part.logStart)
	}
	if v >= 8 {
		b = appendLen(b, len(part.bad), flexible)
		for i := range part.bad {
			b = appendInt32(b, part.bad[i].index)
			b = appendNullable(b, part.bad[i].message, flexible)
			b = appendNoTags(b, flexible)
		}
		b = appendNullable(b, part.message, flexible)
	}
	switch {
	case v >= 10 && part.hint != nil:
		b = append(b, 1)
		b = appendLeaderTag(b, 0, *part.hint)
	case flexible:
		b = append(b, 0)
	}
	return b
}

func (pc *produceCall) hints() (hints []leaderHint) {
	for i := range pc.parts {
		if h := pc.parts[i].hint; h != nil {
			hints = append(hints, *h)
		}
	}
	return hints
}
