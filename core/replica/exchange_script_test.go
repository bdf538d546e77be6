package replica_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/replica"
)

// The stories of one Fetcher and one Source with several partitions: what is sent, how much of
// it, and who has to wait for whom. Partitions are letters; 1 leads them all, 2 follows.
func TestExchangeStories(t *testing.T) {
	tell(t, "testdata/exchange", func() (*script, func()) {
		r := &exchangeRig{}
		return &r.script, r.command
	})
}

type exchangeRig struct {
	script
	now env.Instant

	parts    []*exchanged // by letter
	fetcher  *replica.Fetcher
	source   *replica.Source
	requests []*replica.Request
	replies  []*replica.Reply
	reads    []replica.Read // under way, of stalled partitions
}

// exchanged is a partition with both its replicas.
type exchanged struct {
	key           replica.Key
	led, followed memLog
	leader        *replica.Leader
	follower      *replica.Follower
	stalled       bool // its disk is slow
	broken        bool // its disk is broken
}

func (r *exchangeRig) number(key string, otherwise int) int { return arg(&r.script, key, otherwise) }

// chosen reads p=ab; all of them if there is no p.
func (r *exchangeRig) chosen() (parts []*exchanged) {
	var names string
	if !r.d.HasArg("p") {
		return r.parts
	}
	r.d.ScanArgs(r.t, "p", &names)
	for _, c := range names {
		parts = append(parts, r.parts[c-'a'])
	}
	return parts
}

func (r *exchangeRig) part(k replica.Key) *exchanged { return r.parts[k.Partition] }

func name(k replica.Key) string { return string(rune('a' + k.Partition)) }

func (r *exchangeRig) command() {
	waits := map[string]int{
		"serve": len(r.requests), "lose-request": len(r.requests),
		"take": len(r.replies), "lose-reply": len(r.replies),
	}
	if n, ok := waits[r.d.Cmd]; ok && n == 0 {
		r.printf("nothing is on its way")
		return
	}
	switch r.d.Cmd {
	case "exchange":
		r.make()
	case "append":
		for _, p := range r.chosen() {
			for range r.number("n", 1) {
				p.led.append(memRecord{0, "x"})
			}
			p.led.durable = p.led.End()
			p.leader.LogAppended(r.now, p.led.End())
			r.led(p, p.leader.Durable(r.now, p.led.End()))
			r.source.Grew(p.key)
		}
	case "sync":
		for _, p := range r.chosen() {
			p.followed.durable = p.followed.End()
			r.followed(p, p.follower.Durable(r.now))
		}
	case "send":
		for q := r.fetcher.Next(r.now); q != nil; q = r.fetcher.Next(r.now) {
			r.printf("request %s", describeRequest(q))
			r.requests = append(r.requests, q)
		}
	case "serve":
		i := r.number("i", 0)
		q := r.requests[i]
		if !r.d.HasArg("again") {
			r.requests = slices.Delete(r.requests, i, i+1)
		}
		r.serve(q)
	case "take":
		reply := r.replies[0]
		if !r.d.HasArg("again") {
			r.replies = r.replies[1:]
		}
		r.take(reply)
	case "lose-request":
		r.requests = r.requests[1:]
	case "lose-reply":
		r.replies = r.replies[1:]
	case "go":
		r.goOn()
	default:
		r.trouble()
	}
	if r.source != nil {
		r.drain()
	}
}

func (r *exchangeRig) trouble() {
	switch r.d.Cmd {
	case "stall":
		for _, p := range r.chosen() {
			p.stalled = true
		}
	case "read-done":
		for _, read := range r.reads {
			r.read(read)
		}
		r.reads = nil
	case "break":
		for _, p := range r.chosen() {
			p.broken = true
		}
	case "evict":
		r.source.Evict()
	case "delete":
		for _, p := range r.chosen() {
			p.led.raiseStart(kafka.Offset(r.number("to", 0)))
			r.led(p, p.leader.LogStartRaised(r.now, p.led.start))
			r.source.Grew(p.key)
		}
	case "not-led":
		for _, p := range r.chosen() {
			r.source.NotLed(p.key)
		}
	case "remove":
		for _, p := range r.chosen() {
			r.fetcher.Removed(p.key)
		}
	case "reconnect":
		r.fetcher.Disconnected(r.now)
		r.fetcher.Connected(r.now)
	case "pass":
		d, err := time.ParseDuration(r.d.CmdArgs[0].Key)
		if err != nil {
			r.d.Fatalf(r.t, "pass: %v", err)
		}
		r.now = r.now.Add(d)
		r.fetcher.Tick(r.now)
	case "show":
		for _, p := range r.parts {
			waits := ""
			if reason, until, ok := p.follower.Waits(); ok {
				waits = fmt.Sprintf(" waits %s: %s", until.Sub(r.now), reason)
			}
			r.printf("%s leader leo=%d hw=%d, follower leo=%d hw=%d%s", name(p.key), p.led.End(),
				p.leader.HighWatermark(), p.followed.End(), p.follower.HighWatermark(), waits)
		}
	default:
		r.d.Fatalf(r.t, "unknown command")
	}
}

func (r *exchangeRig) make() {
	*r = exchangeRig{script: script{t: r.t, d: r.d}, now: r.now}
	size := len(batchOf(memRecord{0, "x"}, 0))
	source := replica.SourceConfig{
		PartitionBytesMax: r.number("partition-batches", 2) * size,
		BytesMax:          r.number("batches", 100) * size, WaitMax: 500 * time.Millisecond,
	}
	fetcher := replica.FetcherConfig{
		Self: 2, BrokerEpoch: 20, BytesMax: 1 << 20, Timeout: 30 * time.Second, Backoff: time.Second,
	}
	if err := source.Validate(); err != nil {
		r.t.Fatal(err)
	}
	if err := fetcher.Validate(); err != nil {
		r.t.Fatal(err)
	}
	r.source, r.fetcher = replica.NewSource(source, 2), replica.NewFetcher(fetcher)
	state := replica.State{Leader: 1, Replicas: []kafka.BrokerID{1, 2}, ISR: []kafka.BrokerID{1, 2}}
	if r.d.HasArg("alone") { // the leader is in sync by itself
		state.ISR = state.ISR[:1]
	}
	for i := range r.number("n", 3) {
		p := &exchanged{key: replica.Key{Topic: kafka.TopicID{1}, Partition: int32(i)}}
		p.led.beginEpoch(0, 0)
		p.leader = replica.NewLeader(r.now, replica.LeaderConfig{
			Self: 1, MinISR: 1, LagTimeMax: time.Hour, ProposalTimeout: time.Hour, RetryBackoff: time.Hour,
		}, state, &p.led, 0)
		p.leader.BrokerChanged(r.now, replica.Broker{ID: 2, Epoch: 20, Fenced: r.d.HasArg("alone")})
		p.follower = replica.NewFollower(r.now, replica.FollowerConfig{
			Self: 2, BrokerEpoch: 20, Backoff: time.Second,
		}, state, &p.followed, 0)
		r.parts = append(r.parts, p)
		r.fetcher.Added(p.key, p.follower)
	}
	r.fetcher.Connected(r.now)
}

func (r *exchangeRig) led(p *exchanged, e *replica.LeaderEffects) {
	if e.HighWatermark {
		r.printf("%s hw=%d", name(p.key), p.leader.HighWatermark())
		r.source.Grew(p.key)
	}
}

func (r *exchangeRig) followed(p *exchanged, e *replica.FollowerEffects) {
	if e.Moved {
		r.fetcher.Changed(p.key)
	}
	if e.Truncate != nil {
		p.followed.restart(e.Truncate.To)
		r.followed(p, p.follower.Truncated(r.now))
		return
	}
	if e.RaiseStart != kafka.NoOffset {
		p.followed.raiseStart(e.RaiseStart)
	}
	if e.Append != nil {
		for b := range batches(e.Append) {
			p.followed.append(memRecord{b.LeaderEpoch(), valueOf(b)})
		}
		r.followed(p, p.follower.Appended(r.now))
	}
}

func (r *exchangeRig) serve(q *replica.Request) {
	judge, reply := r.source.RequestReceived(r.now, q)
	if reply != nil {
		r.reply(reply)
	}
	for _, ask := range judge {
		p := r.part(ask.Key)
		v, effects := p.leader.FollowerFetched(r.now, ask.Fetch)
		r.led(p, effects)
		r.source.Judged(ask.Key, p.leader, v)
	}
}

func (r *exchangeRig) drain() {
	for _, read := range r.source.Reads() {
		if r.part(read.Key).stalled {
			r.reads = append(r.reads, read)
			r.printf("reads %s from %d, slowly", name(read.Key), read.From)
			continue
		}
		r.read(read)
	}
	if reply := r.source.Reply(r.now); reply != nil {
		r.reply(reply)
	}
}

func (r *exchangeRig) read(read replica.Read) {
	p := r.part(read.Key)
	if p.broken {
		r.source.ReadDone(read, nil, kafka.KafkaStorageError)
		return
	}
	r.source.ReadDone(read, p.led.read(read.From, read.BytesMax), kafka.None)
}

func (r *exchangeRig) reply(reply *replica.Reply) {
	r.printf("reply %s", describeReply(reply))
	r.replies = append(r.replies, reply)
}

func (r *exchangeRig) take(reply *replica.Reply) {
	for _, d := range r.fetcher.ReplyReceived(r.now, reply) {
		r.followed(r.part(d.Key), d.Follower.Answered(r.now, d.Answer))
	}
}

// goOn lets everything take its course, until only a request lies at the source.
func (r *exchangeRig) goOn() {
	for range 100 {
		q := r.fetcher.Next(r.now)
		switch {
		case q != nil:
			r.printf("request %s", describeRequest(q))
			r.serve(q)
		case len(r.replies) > 0:
			reply := r.replies[0]
			r.replies = r.replies[1:]
			r.take(reply)
		default:
			return
		}
		r.drain()
	}
	r.printf("there is no end")
}

func describeRequest(q *replica.Request) string {
	s := fmt.Sprintf("%d/%d seen=%d", q.Session, q.Seq, q.Seen)
	for _, a := range q.Parts {
		s += fmt.Sprintf(" %s@%d", name(a.Key), a.Offset)
		if a.Durable < a.Offset {
			s += fmt.Sprintf("(durable %d)", a.Durable)
		}
	}
	for _, k := range q.Forgotten {
		s += " without " + name(k)
	}
	return s
}

func describeReply(reply *replica.Reply) string {
	s := fmt.Sprintf("%d/%d", reply.Session, reply.Seq)
	if reply.Code != kafka.None {
		return s + " " + reply.Code.String()
	}
	for _, told := range reply.Parts {
		n := len(slices.Collect(batches(told.Records)))
		s += fmt.Sprintf(" %s", name(told.Key))
		switch {
		case told.Code != kafka.None:
			s += ":" + told.Code.String()
		case n > 0:
			s += fmt.Sprintf("[%d..%d)", told.From, int(told.From)+n)
		default:
			s += fmt.Sprintf(" hw=%d", told.HighWatermark)
		}
	}
	return s
}
