package api

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/trace"
)

// Produce (key 0) appends one batch to each partition it names.
//
// Versions 3–13, flexible from 9. ApiVersions lists it from 0, because old librdkafka
// switches features off for a range that does not start there; 0–2 close the connection.
//
// Behaviour:
//   - Each partition is answered for itself, by the first check that fails, in Kafka's
//     order; a batch is taken whole or not at all.
//   - acks=-1 waits for the high watermark, acks=1 for the leader's own durable end: an
//     acknowledged batch is on disk, as the topic's flush policy means it. acks=0 has no
//     reply; an error then closes the connection.
//   - A batch that repeats one of its producer's last five is answered with the first
//     append's offset, once that one may be acknowledged, and not stored again.
//   - Topics are never created here; Metadata does that.
//   - A stored batch differs from the sent one in base offset and leader epoch, in the
//     maximum timestamp if it was wrong, under LogAppendTime in type and time, and where
//     compression.type says so in its compression: then the new size counts too.
//
// Added by version: v3 batch format 2 and transactional id (KIP-98), v5 log_start_offset,
// v7 zstd (KIP-110), v8 record_errors and error_message (KIP-467), v10 current_leader and
// node_endpoints (KIP-951), v12 transactions v2 (KIP-890), v13 topic ids (KIP-516).
//
// Not done: transactions. A transactional batch finds no open transaction and is refused
// (48, from v11 on 120).
//
// Kafka differs: a partition named twice is INVALID_REQUEST here, Kafka keeps one. A batch
// of more than 16 MiB of records is not stored in another compression unless
// max.message.bytes is larger than that: MESSAGE_TOO_LARGE has the producer split it.
func produce(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.ProduceRequest)
	pc := &produceCall{s: s, c: c, req: req}
	pc.parts = make([]producePart, len(c.decoded.batches))
	s.stamp++
	pc.refused = refuseWholeProduce(req, c.decoded.batches)
	i := 0
	for t := range req.Topics {
		topic, code := s.find(req.Version >= 13, req.Topics[t].Topic, req.Topics[t].TopicID)
		for p := range req.Topics[t].Partitions {
			part := &pc.parts[i]
			*part = producePart{pos: i, base: -1, appendTime: -1, logStart: -1}
			part.index = req.Topics[t].Partitions[p].Partition
			pc.one(part, topic, code, &c.decoded.batches[i])
			s.countError(c, part.code)
			i++
		}
	}
	pc.await()
}

var produceFields = []field{
	{kind: kString, null: nullFrom(3), from: 3},
	{kind: kInt16},
	{kind: kInt32},
	{kind: kArray, fields: []field{
		{kind: kString, to: 12},
		{kind: kUUID, from: 13},
		{kind: kArray, fields: []field{
			{kind: kInt32},
			{kind: kBytes, null: nullFrom(0)},
		}},
	}},
}

var (
	errProduceRefused = errors.New("api: produce with acks=0 was refused")

	traceAck     = trace.Define("ack", "base", "last", "acks", "repeat")
	traceRefused = trace.Define("refuse", "api", "code")
)

// produceCall is a produce request on its way.
type produceCall struct {
	s       *Server
	c       *Call
	req     *kmsg.ProduceRequest
	refused kafka.ErrorCode // of the whole request
	parts   []producePart   // in request order
	open    int             // parts that wait
	gone    bool            // nobody is there to be answered
}

type producePart struct {
	pos        int // in produceCall.parts
	index      int32
	p          *Partition // nil until it is certain that it serves
	code       kafka.ErrorCode
	repeat     bool
	waits      bool
	base       kafka.Offset
	last       kafka.Offset
	appendTime kafka.Timestamp
	logStart   kafka.Offset
	message    string
	bad        []badRecord
	hint       *leaderHint
}

// badRecord is a row of record_errors.
type badRecord struct {
	index   int32
	message string
}

// refuseWholeProduce checks what makes every partition answer the same.
func refuseWholeProduce(req *kmsg.ProduceRequest, batches []Inspected) kafka.ErrorCode {
	producer := kafka.ProducerID(-1)
	for i := range batches {
		b := batches[i].Batch
		if b == nil || !b.IsTransactional() {
			continue
		}
		if req.TransactionID == nil {
			return kafka.TransactionalIDAuthFailed
		}
		if producer >= 0 && b.ProducerID() != producer {
			return kafka.InvalidProducerIDMapping
		}
		producer = b.ProducerID()
	}
	return kafka.None
}

// one decides about the batch of one partition and appends it.
func (pc *produceCall) one(part *producePart, topic *Topic, code kafka.ErrorCode, in *Inspected) {
	if pc.refused != kafka.None {
		part.code = pc.refused
		return
	}
	if code != kafka.None {
		part.code = code
		return
	}
	p, code := topic.partition(part.index)
	if code == kafka.UnknownTopicOrPartition {
		part.code = code
		return
	}
	v := verdict{}
	pc.checkRequest(&v, topic, in)
	pc.checkPartition(&v, topic, part, p, code)
	if v.code == kafka.None {
		checkBatch(&v, topic, p.TP, in, pc.s.cfg.Env.Clock.WallMillis())
	}
	if v.code == kafka.None {
		pc.append(&v, part, topic, p, in)
	}
	part.code, part.message, part.bad = v.code, v.message, v.bad
	if v.code == kafka.None || len(v.bad) > 0 { // Kafka tells it with these alone
		part.logStart = p.Log.Start()
	}
}

// checkRequest is the part of the order that needs no partition.
func (pc *produceCall) checkRequest(v *verdict, topic *Topic, in *Inspected) {
	switch {
	case in.Framing != nil && in.Framing.Code == kafka.InvalidRecord:
		v.refuse(kafka.InvalidRecord, in.Framing.Message)
	case in.Batch != nil && in.Batch.Codec() == record.CodecZstd && pc.req.Version < 7:
		v.refuse(kafka.UnsupportedCompressionType,
			"Produce requests with version lower than 7 cannot have zstd batches")
	case pc.req.Acks < -1 || pc.req.Acks > 1:
		v.refuse(kafka.InvalidRequiredAcks, "")
	case topic.Internal && pc.c.decoded.clientID != adminClientID:
		v.refuse(kafka.InvalidTopicException, "Cannot append to internal topic "+topic.Meta.Name)
	}
}

// adminClientID may write internal topics, as in Kafka: with care.
const adminClientID = "__admin_client"

// checkPartition is the part that is about who serves the partition, and how well.
func (pc *produceCall) checkPartition(v *verdict, topic *Topic, part *producePart, p *Partition,
	code kafka.ErrorCode) {
	if v.code != kafka.None {
		return
	}
	if code == kafka.None {
		code = p.serves()
	}
	switch {
	case code == kafka.NotLeaderOrFollower:
		part.hint = topic.hint(part.index)
		v.refuse(code, "")
	case code != kafka.None:
		v.refuse(code, "")
	case p.stamp == pc.s.stamp:
		v.refuse(kafka.InvalidRequest, "the partition is named twice in the request")
	case pc.req.Acks == -1 && tooFewInSync(topic, part.index):
		v.refuse(kafka.NotEnoughReplicas, "")
	}
	if p != nil {
		p.stamp = pc.s.stamp
	}
}

// tooFewInSync compares the ISR with min.insync.replicas, which never asks for more
// replicas than the partition has.
func tooFewInSync(topic *Topic, i int32) bool {
	m := topic.Meta.Partition(i)
	return len(m.ISR) < min(topic.Config.MinISR, len(m.Replicas))
}

// append stores the batch, or finds that it is stored already, and enters the wait.
func (pc *produceCall) append(v *verdict, part *producePart, topic *Topic, p *Partition, in *Inspected) {
	s, b := pc.s, in.Batch
	if b.IsTransactional() {
		v.code = kafka.TransactionAbortable
		if pc.req.Version < 11 {
			v.code = kafka.InvalidTxnState
		}
		return
	}
	part.p = p
	if b.HasProducer() && pc.repeated(v, part, p, b) {
		return
	}
	if p.Log.Tight() { // what was stored before is answered above
		s.Counters.RefusedForRoom++
		v.refuse(kafka.KafkaStorageError, "The volume of the log directory is nearly full: "+
			"no records are taken until there is room.")
		return
	}
	owner := pc.storedForm(v, topic, p, in)
	if v.code != kafka.None {
		return
	}
	pc.stampTime(part, topic, in)
	base, err := p.Log.Append(in.Batch, owner, p.epoch)
	if err != nil {
		v.refuse(kafka.KafkaStorageError, "The log directory of the partition is offline.")
		return
	}
	part.base, part.last = base, base+kafka.Offset(b.LastOffsetDelta())
	pc.count(p, in.Batch)
	pc.wait(part)
}

// repeated judges a batch by its producer's last ones and tells whether that settles it: it
// is out of order, or was stored before and is answered with what was answered then.
func (pc *produceCall) repeated(v *verdict, part *producePart, p *Partition, b record.Batch) bool {
	check := p.Log.CheckProducer(b)
	if v.code = check.Code; v.code != kafka.None {
		return true
	}
	if !check.Duplicate {
		return false
	}
	pc.s.Counters.RepeatedBatches++
	part.repeat = true
	part.base, part.last = check.Base, check.Base+kafka.Offset(b.LastOffsetDelta())
	part.appendTime = check.Timestamp
	pc.wait(part)
	return true
}

// count notes what was appended.
func (pc *produceCall) count(p *Partition, b record.Batch) {
	p.growth.add(b.NextOffset(), len(b))
	all, records, bytes := &pc.s.Counters, uint64(b.Count()), uint64(len(b))
	all.ProducedBatches++
	all.ProducedRecords += records
	all.ProducedBytes += bytes
	p.Counters.ProducedRecords += records
	p.Counters.ProducedBytes += bytes
}

// stampTime sets in the batch what is the broker's to say about time.
func (pc *produceCall) stampTime(part *producePart, topic *Topic, in *Inspected) {
	if topic.Config.LogAppendTime {
		part.appendTime = kafka.Timestamp(pc.s.cfg.Env.Clock.WallMillis())
		in.Batch.SetLogAppendTime(part.appendTime)
		return
	}
	in.Batch.SetMaxTimestamp(in.Summary.MaxTimestamp)
}

// wait enters the queue of the mark that this acks level waits for.
func (pc *produceCall) wait(part *producePart) {
	p, at := part.p, part.last+1
	queue, mark := &p.onCommit, p.hw
	if pc.req.Acks == 1 {
		queue, mark = &p.onDurable, p.durable
	}
	if pc.req.Acks == 0 || mark >= at {
		return
	}
	part.waits = true
	if part.repeat {
		pc.s.cfg.Env.Rare.Rare("api.repeat-before-durable") // nothing to force: it was reached
	}
	pc.open++
	queue.add(ackWait{at: at, part: part.pos, call: pc})
}

// await answers when nothing is open, and otherwise sets the deadline.
func (pc *produceCall) await() {
	if pc.open == 0 {
		pc.answer()
		return
	}
	pc.c.waiting = pc
	if pc.req.Acks != -1 {
		return // the leader's own disk answers or fails, and has no timeout in Kafka
	}
	if pc.req.TimeoutMillis <= 0 {
		pc.expire()
		return
	}
	pc.c.Deadline = pc.s.now().Add(millis(pc.req.TimeoutMillis, ProduceWaitMax))
}

// acked reports that a part's wait is over.
func (pc *produceCall) acked(i int, code kafka.ErrorCode) {
	part := &pc.parts[i]
	if pc.gone || !part.waits {
		return
	}
	part.waits = false
	part.code = code
	pc.s.countError(pc.c, code)
	if pc.open--; pc.open == 0 && pc.c.waiting != nil {
		pc.answer()
	}
}

// expire implements waiting. What was appended stays, and may be committed later.
func (pc *produceCall) expire() {
	for i := range pc.parts {
		if part := &pc.parts[i]; part.waits {
			part.waits = false
			part.code = kafka.RequestTimedOut
			pc.s.countError(pc.c, part.code)
		}
	}
	pc.open = 0
	pc.answer()
}

// abandon implements waiting. The queues forget the call when their marks pass.
func (pc *produceCall) abandon() { pc.gone = true }

func (pc *produceCall) answer() {
	pc.gone = true
	failed := kafka.None
	for i := range pc.parts {
		part := &pc.parts[i]
		pc.traceOutcome(part)
		if part.code != kafka.None {
			failed = part.code
		}
	}
	switch {
	case pc.req.Acks != 0:
		pc.s.answerBytes(pc.c, pc.encode(pc.c.header(pc.sizeHint())))
	case failed != kafka.None:
		pc.s.close(pc.c, fmt.Errorf("%w: %v", errProduceRefused, failed))
	default:
		pc.s.answerNothing(pc.c)
	}
}

func (pc *produceCall) traceOutcome(part *producePart) {
	switch {
	case part.p == nil:
	case part.code != kafka.None:
		part.p.trace(traceRefused, [4]int64{0, int64(part.code)})
	case pc.req.Acks != 0:
		repeat := int64(0)
		if part.repeat {
			repeat = 1
		}
		part.p.trace(traceAck, [4]int64{int64(part.base), int64(part.last), int64(pc.req.Acks), repeat})
	}
}
