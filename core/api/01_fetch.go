package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/trace"
)

// Fetch (key 1) reads records up to the high watermark.
//
// Versions 4–18, flexible from 12.
//
// Behaviour:
//   - Batches come whole and as stored; the first may start before the asked offset.
//   - Partitions are filled in request order within max_bytes and their own limit. The
//     first that has anything gives at least one batch, however large (KIP-74).
//   - Too few bytes for min_bytes: the answer waits up to max_wait for the high
//     watermarks to move. Errors and a diverging epoch are answered at once.
//   - Records are never copied: the reply refers to the log's own buffers.
//   - Session requests: (0, 0) opens a session, or is answered with id 0, "no session", when
//     the cache is full of busier or larger ones; (id, n) tells only what is news, and
//     partitions that gave records go to the end of the line; (id, −1) and (id, 0) close it.
//     An unknown id is 70, an epoch out of step 71, ids mixed with names 106.
//   - read_committed reads to the high watermark and lists no aborted transactions, as
//     there are no transactions.
//
// Added by version: v4 isolation level and last stable offset (KIP-98), v5 log start
// offset, v7 sessions (KIP-227), v9 leader epochs (KIP-320), v11 racks (KIP-392), v12
// last fetched epoch and diverging epoch (KIP-595), v13 topic ids (KIP-516), v15 replica
// state, v16 leader hints (KIP-951), v17 directory ids (KIP-853), v18 high watermark.
//
// Not done: preferred replicas, followers over this protocol (a replica id is
// answered like a consumer).
//
// Kafka differs: it may cut the last batch of a reply, this broker never does. It handles
// one request of a connection at a time; here a session request ends the one before it.
func fetch(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.FetchRequest)
	f := &fetchCall{s: s, c: c, req: req}
	if code := f.begin(); code != kafka.None {
		f.refuse(code)
		return
	}
	f.budget = min(FetchBytesMax, s.cfg.FetchBytes)
	if int(req.MaxBytes) < f.budget {
		f.budget = max(int(req.MaxBytes), 0)
	}
	f.min = min(int(req.MinBytes), f.budget)
	wait := millis(req.MaxWaitMillis, FetchWaitMax)
	if f.final = wait <= 0 || f.min <= 0; !f.final {
		c.Deadline = s.now().Add(wait)
	}
	c.waiting = f
	f.attempt()
}

var fetchFields = []field{
	{kind: kInt32, to: 14},
	{kind: kInt32},
	{kind: kInt32},
	{kind: kInt32},
	{kind: kInt8},
	{kind: kInt32, from: 7},
	{kind: kInt32, from: 7},
	{kind: kArray, fields: []field{
		{kind: kString, to: 12},
		{kind: kUUID, from: 13},
		{kind: kArray, fields: []field{
			{kind: kInt32},
			{kind: kInt32, from: 9},
			{kind: kInt64},
			{kind: kInt32, from: 12},
			{kind: kInt64, from: 5},
			{kind: kInt32},
			{kind: kUUID, from: 17, tag: tagged(0)},
			{kind: kInt64, from: 18, tag: tagged(1)},
		}},
	}},
	{kind: kArray, from: 7, fields: []field{
		{kind: kString, to: 12},
		{kind: kUUID, from: 13},
		{kind: kArray, fields: of(kInt32)},
	}},
	{kind: kString, from: 11},
	{kind: kString, from: 12, null: nullFrom(12), tag: tagged(0)},
	{kind: kStruct, from: 15, tag: tagged(1), fields: []field{{kind: kInt32}, {kind: kInt64}}},
}

var (
	traceFetched      = trace.Define("fetched", "from", "next", "bytes", "hw")
	traceFetchRefused = trace.Define("fetch-refused", "from", "code", "hw")
)

// fetchCall is a fetch request on its way. It goes through attempts: each reads what is
// there, and the last one is answered.
type fetchCall struct {
	s      *Server
	c      *Call
	req    *kmsg.FetchRequest
	parts  []fetchPart // in the order they are filled
	budget int         // bytes the reply may have, but for the first batch
	min    int         // bytes worth an answer before the deadline
	final  bool        // answer whatever the attempt finds

	session *fetchSession // whose partitions these are, nil for a full request
	opens   bool          // a full request that asks for a session

	// Of the current attempt.
	reading int   // reads the disk has not answered
	filled  bool  // some partition was the first to give records
	left    int   // rest of the budget
	bytes   int   // records found
	prompt  bool  // an error or a divergence wants to be told now
	gone    bool  // nobody is there to be answered
	waits   bool  // between two attempts, in the reader lists
	sum     int64 // bytes found then and grown since
}

type fetchPart struct {
	ref   topicRef
	want  fetchWant
	topic *Topic
	p     *Partition
	known kafka.ErrorCode // what the metadata says

	// Of the current attempt.
	code      kafka.ErrorCode
	hw        kafka.Offset
	grown     int64 // Partition.grown at that high watermark
	logStart  kafka.Offset
	diverging *epochEnd
	read      log.ReadResult // so far
	most      int            // bytes it may have
	tag       env.Tag        // of the read under way
	reserved  int            // bytes the budget holds for that read
	link      readerLink
}

// epochEnd is an epoch of the log and the offset where the next one starts.
type epochEnd struct {
	epoch kafka.LeaderEpoch
	end   kafka.Offset
}

// attempt reads what there is now.
func (f *fetchCall) attempt() {
	f.left, f.bytes, f.filled, f.prompt = f.budget, 0, false, false
	if f.s.cfg.Crowded != nil && f.s.cfg.Crowded() {
		f.left = 0 // the first batch comes all the same
	}
	f.reading = 1 // ourselves, so that reads that answer at once do not end the attempt
	for i := range f.parts {
		f.parts[i].reset()
		f.check(&f.parts[i])
	}
	for i := range f.parts {
		if part := &f.parts[i]; part.code == kafka.None && part.diverging == nil {
			f.read(part)
		}
	}
	f.readsEnded(1)
}

func (part *fetchPart) reset() {
	*part = fetchPart{
		ref: part.ref, want: part.want, topic: part.topic, p: part.p, known: part.known, hw: -1, logStart: -1,
	}
	part.link.part = part
}

// check finds what is wrong with a partition before its bytes are looked at.
func (f *fetchCall) check(part *fetchPart) {
	part.code = part.known
	if part.code == kafka.None {
		part.code = f.coded(part.p.away)
	}
	if part.code == kafka.None {
		part.code = part.p.checkEpoch(part.want.believed)
	}
	if part.code == kafka.None {
		part.code = f.coded(part.p.serves())
	}
	if part.code == kafka.None {
		f.checkOffset(part)
	}
	if part.code != kafka.None {
		f.prompt = true
	}
}

// coded answers with a code that the request's version knows.
func (f *fetchCall) coded(code kafka.ErrorCode) kafka.ErrorCode {
	switch {
	case code == kafka.KafkaStorageError && f.req.Version <= 5:
		return kafka.NotLeaderOrFollower
	case code == kafka.UnknownTopicOrPartition && f.req.Version >= 13:
		return kafka.UnknownTopicID // deleted while the call waited
	}
	return code
}

func (f *fetchCall) checkOffset(part *fetchPart) {
	l, from := part.p.Log, part.want.offset
	if part.want.lastEpoch >= 0 {
		f.checkDivergence(part, l, from)
		if part.diverging != nil || part.code != kafka.None {
			return
		}
	}
	if from < l.Start() || from > l.End() {
		part.code = kafka.OffsetOutOfRange
		return
	}
	part.hw, part.grown, part.logStart = part.p.hw, part.p.grown, l.Start()
}

// checkDivergence compares the client's history with ours: if the epoch it read last ended
// here before the offset it wants, it holds records that this log never committed.
func (f *fetchCall) checkDivergence(part *fetchPart, l *log.Log, from kafka.Offset) {
	asked := part.want.lastEpoch
	epoch, end := l.EndOffsetFor(asked)
	switch {
	case epoch < 0 || end < 0:
		part.code = kafka.OffsetOutOfRange // an epoch this log knows nothing of
	case epoch != asked || end < from:
		part.diverging = &epochEnd{epoch, end}
		part.hw, part.logStart = part.p.hw, l.Start()
		f.prompt = true
	}
}

// read asks the log for one partition's share of the budget.
func (f *fetchCall) read(part *fetchPart) {
	if part.want.offset >= part.hw || f.left <= 0 && f.filled {
		return
	}
	part.read.Next = part.want.offset
	part.most = max(int(part.want.maxBytes), 0)
	if f.s.cfg.Env.Rare.Rare("api.fetch-little") {
		part.most = 1 // less than was asked for is always allowed
	}
	first := !f.filled
	f.filled = true
	f.readOn(part, first)
}

// readOn asks for what follows what the partition has. A read from the disk ends where the
// tail cache begins, and then there is more to ask for.
func (f *fetchCall) readOn(part *fetchPart, first bool) {
	want := max(min(part.most-part.read.Bytes, f.left), 0)
	read, tag := part.p.Log.Read(log.ReadRequest{
		From: part.read.Next, UpTo: part.hw, MaxBytes: want, MinOneBatch: first,
	})
	if tag == 0 {
		f.left -= read.Bytes
		f.took(part, read)
		return
	}
	// How much comes is known when it is there; until then all of it counts.
	f.left -= want
	part.tag, part.reserved = tag, want
	f.reading++
	f.s.reads[tag] = f
}

// took notes a partition's records.
func (f *fetchCall) took(part *fetchPart, read log.ReadResult) {
	if read.Err != nil {
		releaseChunks(read.Chunks)
		if part.read.Bytes == 0 { // else what came before is good, and the next fetch is told
			part.code = f.coded(part.p.readCode(read.Err))
			f.prompt = true
		}
		return
	}
	f.bytes += read.Bytes
	if part.read.Bytes == 0 {
		part.read = read
		return
	}
	part.read.Chunks = append(part.read.Chunks, read.Chunks...)
	part.read.Bytes += read.Bytes
	part.read.Next = read.Next
}

// readDone implements readWaiter.
func (f *fetchCall) readDone(tag env.Tag, done log.ReadDone) {
	if f.gone {
		releaseChunks(done.Result.Chunks)
		return
	}
	for i := range f.parts {
		if part := &f.parts[i]; part.tag == tag {
			part.tag = 0
			f.left += part.reserved - done.Result.Bytes
			f.took(part, done.Result)
			if more := part.read.Next < part.hw && f.left > 0; more && done.Result.Bytes > 0 {
				f.readOn(part, false)
			}
			break
		}
	}
	f.readsEnded(1)
}

func (f *fetchCall) readsEnded(n int) {
	if f.reading -= n; f.reading > 0 {
		return
	}
	if f.final || f.prompt || f.bytes >= f.min || len(f.parts) == 0 {
		f.answer()
		return
	}
	f.await()
}

// expire implements waiting: whatever is there now is the answer.
func (f *fetchCall) expire() {
	f.final = true
	if f.reading > 0 {
		return // the attempt under way is the last
	}
	f.unlink()
	f.drop()
	f.attempt()
}

// abandon implements waiting.
func (f *fetchCall) abandon() {
	f.gone = true
	f.detach()
	f.unlink()
	f.drop()
}

// refuse answers with a code that is about the session.
func (f *fetchCall) refuse(code kafka.ErrorCode) {
	f.abandon()
	f.s.countError(f.c, code)
	f.s.answerBytes(f.c, f.encodeRefusal(f.c.header(16), code))
}

// drop gives up what an attempt found.
func (f *fetchCall) drop() {
	for i := range f.parts {
		releaseChunks(f.parts[i].read.Chunks)
		f.parts[i].read = log.ReadResult{}
	}
}

func (f *fetchCall) answer() {
	f.gone = true
	f.s.Counters.FetchedBytes += uint64(f.bytes)
	for i := range f.parts {
		part := &f.parts[i]
		f.traceOutcome(part)
		f.s.countError(f.c, part.code)
		if part.read.Bytes > 0 {
			part.p.Counters.FetchedBytes += uint64(part.read.Bytes)
		}
	}
	id, all := int32(0), f.parts
	switch {
	case f.session != nil:
		id = f.session.id
		f.leaveSession()
	case f.opens:
		id = f.open()
	}
	chunks := f.encode(id)
	f.parts = nil
	f.s.keepParts(all)
	f.s.answerChunks(f.c, chunks)
}

func (f *fetchCall) traceOutcome(part *fetchPart) {
	switch {
	case part.p == nil:
	case part.code != kafka.None:
		part.p.trace(traceFetchRefused, [4]int64{int64(part.want.offset), int64(part.code), int64(part.p.hw)})
	case part.read.Bytes > 0:
		part.p.trace(traceFetched, [4]int64{int64(part.want.offset), int64(part.read.Next),
			int64(part.read.Bytes), int64(part.hw)})
	}
}
