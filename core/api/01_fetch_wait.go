package api

// # How a fetch waits
//
// After an attempt that found too little, the call enters the reader list of each of its
// partitions, with what it found there. When a high watermark moves, the partition tells
// its readers by how many bytes; a call whose sum reaches min_bytes makes another attempt.
// So a waiting fetch costs nothing until something happens, and then a constant, and its
// only timer is the deadline of its call.

// readerLink is a call's place in one partition's list.
type readerLink struct {
	call       *fetchCall
	part       *fetchPart
	prev, next *readerLink
	found      int64 // bytes the attempt found
	grown      int64 // Partition.grown when the attempt looked
	counted    int64 // bytes of this partition in the call's sum
	full       bool  // the attempt left bytes behind: more of them change nothing
}

// readerList is an intrusive list: a fetch of a thousand partitions leaves all of them
// without a search.
type readerList struct{ first, last *readerLink }

func (l *readerList) push(k *readerLink) {
	k.prev, k.next = l.last, nil
	if l.last != nil {
		l.last.next = k
	} else {
		l.first = k
	}
	l.last = k
}

func (l *readerList) remove(k *readerLink) {
	if k.prev != nil {
		k.prev.next = k.next
	} else {
		l.first = k.next
	}
	if k.next != nil {
		k.next.prev = k.prev
	} else {
		l.last = k.prev
	}
	k.prev, k.next = nil, nil
}

// take empties the list and gives its links in order, for a walk during which calls enter
// the list anew.
func (l *readerList) take(into []*readerLink) []*readerLink {
	for k := l.first; k != nil; k = k.next {
		into = append(into, k)
	}
	return into
}

// grew tells the readers that the high watermark moved.
func (l *readerList) grew() {
	var buf [8]*readerLink
	for _, k := range l.take(buf[:0]) {
		if k.call.waits {
			k.call.partitionGrew(k)
		}
	}
}

// wake makes every reader try again: the partition has an error to tell.
func (l *readerList) wake() {
	var buf [8]*readerLink
	for _, k := range l.take(buf[:0]) {
		if k.call.waits {
			k.call.again()
		}
	}
}

// await enters the lists. The high watermarks may have moved while the disk was read.
func (f *fetchCall) await() {
	f.s.Counters.FetchesWaited++
	f.waits, f.sum = true, 0
	for i := range f.parts {
		part := &f.parts[i]
		part.link = readerLink{
			call: f, part: part, found: int64(part.read.Bytes), grown: part.grown,
			full: part.read.Bytes > 0 && part.read.Next < part.hw,
		}
		part.p.readers.push(&part.link)
		f.count(&part.link)
	}
	f.drop()
	if f.enough() {
		f.again()
	}
}

// count brings one partition's share of the sum up to date, bounded by what it may give.
func (f *fetchCall) count(k *readerLink) {
	counted := k.found
	if p := k.part.p; !k.full && k.part.want.offset < p.hw {
		counted = min(k.found+p.grown-k.grown, int64(max(k.part.want.maxBytes, 1)))
	}
	f.sum += counted - k.counted
	k.counted = counted
}

func (f *fetchCall) enough() bool { return f.sum >= int64(f.min) }

// partitionGrew counts the bytes that came.
func (f *fetchCall) partitionGrew(k *readerLink) {
	f.count(k)
	if f.enough() {
		f.again()
	}
}

// again makes the next attempt.
func (f *fetchCall) again() {
	f.unlink()
	f.attempt()
}

func (f *fetchCall) unlink() {
	if !f.waits {
		return
	}
	f.waits = false
	for i := range f.parts {
		f.parts[i].p.readers.remove(&f.parts[i].link)
	}
}
