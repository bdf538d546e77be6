package workload

import (
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// producer writes batches to one partition, in order, with the retries of a real producer:
// what got no answer is sent again, under the same sequence if idempotent. After an error
// that a sequence cannot survive it becomes a new producer, and gives up what the old one may
// already have written.
type producer struct {
	*client
	cfg     *Producer
	t       *topic
	part    int32
	key     history.Key
	place   uint32
	builder *record.Builder
	writer  writer

	identity record.Producer // ID −1: none yet
	lost     bool            // the identity is spent; it goes when nothing is on the way
	stale    bool            // the leader may have changed

	window  []*batch
	spent   []*batch // settled, for reuse
	counter uint64
	nextAt  env.Instant // when the next batch is due
}

// batch is a batch until its outcome is settled.
type batch struct {
	op        int // in the history
	times     []kafka.Timestamp
	sizes     []int
	bytes     record.Batch // nil: to be built under the present identity
	sequence  kafka.Sequence
	call      *Call // nil: not on the way
	retries   int
	notBefore env.Instant
	deadline  env.Instant
}

func runProducer(c *client, cfg *Producer, t *topic, part int32) {
	p := &producer{client: c, cfg: cfg, t: t, part: part}
	p.open()
	p.nextAt = c.f.Now().Add(p.gap())
	for !c.w.stopping || len(p.window) > 0 {
		p.fill()
		if !p.step() {
			return
		}
	}
}

// open makes the producer ready.
func (p *producer) open() {
	p.key = p.t.key(p.part)
	p.place = placeHash(p.key)
	p.builder = record.NewBuilder(record.Options{})
	p.identity = record.Producer{ID: -1}
}

// step does what there is to do for the window, and waits. It reports false when the host
// closed.
func (p *producer) step() bool {
	if p.conn == nil || p.conn.Dead() != nil {
		return p.connect(p.w.leaderOf(p.t, p.part))
	}
	if p.stale && !p.onTheWay() {
		return p.refresh()
	}
	if p.cfg.Idempotent && p.identity.ID < 0 {
		return p.identify()
	}
	p.transmit()
	if !p.f.park(p.wakeAt()) {
		return false
	}
	p.collect()
	p.expire()
	p.renew()
	return true
}

// gap is the time to the next batch: exponential, so that bursts and lulls both occur.
func (p *producer) gap() time.Duration {
	u := float64(p.f.Draw("workload.producer.gap", 1<<30)+1) / (1 << 30)
	return time.Duration(-math.Log(u) / p.cfg.Rate * float64(time.Second))
}

// fill begins the batches that are due.
func (p *producer) fill() {
	now := p.f.Now()
	for len(p.window) < p.cfg.InFlight && p.nextAt <= now && !p.w.stopping {
		p.window = append(p.window, p.newBatch(now))
		p.nextAt = p.nextAt.Add(p.gap())
	}
	// A producer that was held up does not make up for it.
	p.nextAt = max(p.nextAt, now.Add(-time.Second))
	if len(p.window) > 0 {
		p.w.working(p.proc, producersPrefix)
	}
}

func (p *producer) newBatch(now env.Instant) *batch {
	n := 1 + p.f.Draw("workload.producer.records", p.cfg.RecordsMax)
	b := p.blank()
	b.deadline = now.Add(deliveryTimeout)
	records := make([]history.Record, n)
	wall := p.f.host.env.Clock.WallMillis()
	jitter := int(p.cfg.Jitter.Milliseconds())
	for i := range records {
		p.counter++
		ts := kafka.Timestamp(wall + int64(p.f.Draw("workload.producer.time", 2*jitter+1)-jitter))
		records[i] = history.Record{Offset: -1, Value: history.NewValue(p.proc, p.counter), Timestamp: int64(ts)}
		if p.cfg.LogAppendTime {
			records[i].Timestamp = -1
		}
		b.times = append(b.times, ts)
		b.sizes = append(b.sizes, payloadMin+p.f.Draw("workload.producer.size", max(0,
			p.cfg.BytesMax-payloadMin)+1))
	}
	b.op = p.w.rec.Begin(history.Op{Process: p.proc, Kind: history.Produce, Topic: p.key.Topic,
		TopicID: p.key.TopicID, Partition: p.part,
		Acks: p.cfg.Acks, Idempotent: p.cfg.Idempotent, Records: records})
	return b
}

// blank is a batch with nothing in it. The memory of one that is settled will do.
func (p *producer) blank() *batch {
	last := len(p.spent) - 1
	if last < 0 {
		return &batch{}
	}
	b := p.spent[last]
	p.spent = p.spent[:last]
	p.builder.Recycle(b.bytes)
	*b = batch{times: b.times[:0], sizes: b.sizes[:0]}
	return b
}

// transmit sends what is not on the way, in order.
func (p *producer) transmit() {
	if p.lost {
		return
	}
	now := p.f.Now()
	for i := 0; i < len(p.window); i++ {
		b := p.window[i]
		if b.call != nil {
			continue
		}
		if b.notBefore > now || p.conn.Dead() != nil {
			return
		}
		if b.bytes == nil {
			p.build(b)
		}
		p.send(b)
		if p.cfg.Acks == 0 {
			p.settle(i, history.Info)
			i--
		}
	}
}

func (p *producer) build(b *batch) {
	opts := record.Options{Codec: p.cfg.Codec, LeaderEpoch: -1, BaseOffset: kafka.Offset(p.cfg.BaseOffset)}
	if p.cfg.Idempotent {
		id := p.identity
		opts.Producer = &id
		b.sequence = id.BaseSequence
		p.identity.BaseSequence = id.BaseSequence.Add(int32(len(b.sizes)))
	}
	p.builder.Reset(opts)
	op := p.w.rec.Op(b.op)
	for i := range op.Records {
		key, value, headers := p.writer.payload(op.Records[i].Value, p.place, b.sizes[i])
		p.builder.Append(b.times[i], key, value, headers)
	}
	b.bytes = p.builder.Build()
}

// send makes one attempt.
func (p *producer) send(b *batch) {
	req := kmsg.NewPtrProduceRequest()
	p.w.version(req)
	req.Acks, req.TimeoutMillis = p.cfg.Acks, int32(requestTimeout.Milliseconds())
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = p.t.name
	if req.GetVersion() >= produceByID {
		rt.Topic, rt.TopicID = "", p.t.id
	}
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Partition, rp.Records = p.part, b.bytes
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	a := history.Attempt{Invoke: p.w.rec.Stamp(), ProducerID: -1, ProducerEpoch: -1, Sequence: -1}
	if p.cfg.Idempotent {
		a.ProducerID, a.ProducerEpoch = int64(p.identity.ID), int16(p.identity.Epoch)
		a.Sequence = int32(b.sequence)
	}
	if p.cfg.Acks == 0 {
		_ = p.conn.Tell(req) // whether it left is as unknown as whether it arrived
		a.Return = p.w.rec.Stamp()
	} else {
		b.call = p.conn.Send(req)
	}
	op := p.w.rec.Op(b.op)
	op.Attempts = append(op.Attempts, a)
}

// collect takes the answers that have come, in order.
func (p *producer) collect() {
	waiting := false // an earlier batch must go again
	for i := 0; i < len(p.window); i++ {
		b := p.window[i]
		if b.call == nil {
			waiting = true
			continue
		}
		if !b.call.done {
			continue
		}
		result, again := p.answered(b, waiting)
		b.call = nil
		switch {
		case again && b.retries < attemptsMax && (p.cfg.Retries < 0 || p.cfg.Idempotent ||
			b.retries < p.cfg.Retries):
			b.retries++
			waiting = true
		default:
			p.lost = p.lost || p.cfg.Idempotent && result != history.Ok
			p.settle(i, result)
			i--
		}
	}
}

// answered notes how an attempt ended and whether another one may help.
func (p *producer) answered(b *batch, waiting bool) (result history.Result, again bool) {
	op := p.w.rec.Op(b.op)
	a := &op.Attempts[len(op.Attempts)-1]
	a.Return = p.w.rec.Stamp()
	base, code, err := p.reply(b.call)
	if err != nil {
		a.Error = err.Error()
		return history.ResultOfAttempts(op.Attempts), true
	}
	a.Code, a.Result = int16(code), history.ClassifyProduce(code)
	op.Code = int16(code)
	if a.Result == history.Ok {
		p.calm()
		for i := range op.Records {
			if base >= 0 {
				op.Records[i].Offset = base + int64(i)
			}
		}
		return history.Ok, false
	}
	switch {
	case retriable(code):
		p.stale = true
		p.backoff = min(max(2*p.backoff, backoffMin), backoffMax)
		b.notBefore = p.f.Now().Add(p.backoff)
		again = true
	case code == kafka.OutOfOrderSequenceNumber:
		// It follows a batch that was not taken: both go again, in order. If it was sent
		// before, its outcome is unknown, and the identity is spent; whether the broker
		// should have known it is for the checker to say.
		again = waiting || p.lost
	}
	return history.ResultOfAttempts(op.Attempts), again
}

// reply reads a Produce reply.
func (p *producer) reply(call *Call) (base int64, code kafka.ErrorCode, err error) {
	if call.err != nil {
		return 0, 0, call.err
	}
	resp := call.resp.(*kmsg.ProduceResponse)
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 ||
		resp.Topics[0].Partitions[0].Partition != p.part {
		return 0, 0, errMalformed
	}
	rt, rp := &resp.Topics[0], &resp.Topics[0].Partitions[0]
	if rt.Topic != p.t.name && rt.TopicID != p.t.id {
		return 0, 0, errMalformed
	}
	return rp.BaseOffset, kafka.ErrorCode(rp.ErrorCode), nil
}

// settle ends the i-th batch of the window.
func (p *producer) settle(i int, result history.Result) {
	b := p.window[i]
	op := p.w.rec.End(b.op, result)
	if n := len(op.Attempts); n > 0 && result != history.Ok {
		op.Error = op.Attempts[n-1].Error
	}
	p.window = append(p.window[:i], p.window[i+1:]...)
	p.spent = append(p.spent, b)
	if len(p.window) == 0 {
		p.w.rested(p.proc)
	}
}

func (p *producer) onTheWay() bool {
	for _, b := range p.window {
		if b.call != nil {
			return true
		}
	}
	return false
}

// expire gives up what takes too long: a connection without replies, a batch past its time.
func (p *producer) expire() {
	now := p.f.Now()
	for _, b := range p.window {
		if b.call != nil && !b.call.done && now >= b.call.sent.Add(p.w.patience()) {
			p.conn.Close(errTimeout)
			p.collect()
			break
		}
	}
	for i := 0; i < len(p.window); i++ {
		if b := p.window[i]; b.call == nil && now >= b.deadline {
			op := p.w.rec.Op(b.op)
			p.lost = p.lost || p.cfg.Idempotent && len(op.Attempts) > 0
			p.settle(i, history.ResultOfAttempts(op.Attempts))
			i--
		}
	}
}

// renew replaces a spent identity. A batch that may be in the log already is not sent under
// the new one, which could not tell it from another.
func (p *producer) renew() {
	if !p.lost || p.onTheWay() {
		return
	}
	p.lost, p.identity = false, record.Producer{ID: -1}
	for i := 0; i < len(p.window); i++ {
		b := p.window[i]
		b.bytes = nil
		attempts := p.w.rec.Op(b.op).Attempts
		if len(attempts) > 0 && history.ResultOfAttempts(attempts) == history.Info {
			p.settle(i, history.Info)
			i--
		}
	}
}

// identify gets a producer id. It reports false when the host closed.
func (p *producer) identify() bool {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionTimeoutMillis = 60_000
	req.ProducerID, req.ProducerEpoch = -1, -1
	kresp, err := p.ask(req)
	if err == nil {
		if resp := kresp.(*kmsg.InitProducerIDResponse); resp.ErrorCode == 0 {
			p.identity = record.Producer{ID: kafka.ProducerID(resp.ProducerID),
				Epoch: kafka.ProducerEpoch(resp.ProducerEpoch)}
			return true
		}
	}
	return p.pause()
}

// refresh learns who leads now. It reports false when the host closed.
func (p *producer) refresh() bool {
	p.stale = false
	return p.client.refresh(p.t, p.part)
}

// wakeAt is when there is something to do without an event.
func (p *producer) wakeAt() env.Instant {
	at := env.Instant(math.MaxInt64)
	if len(p.window) < p.cfg.InFlight && !p.w.stopping && !p.lost {
		at = p.nextAt
	}
	held := p.lost // batches go in order: one that waits for its time holds back those behind it
	for _, b := range p.window {
		switch {
		case b.call != nil:
			at = min(at, b.call.sent.Add(p.w.patience()))
		case !held:
			at = min(at, max(b.notBefore, p.f.Now()+1))
			held = true
		}
	}
	if p.w.stopping {
		return min(at, p.f.Now().Add(backoffMax))
	}
	// Stop comes without an event.
	return min(at, p.f.Now().Add(10*backoffMax))
}
