package replica_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/core/replica"
)

// failer is *testing.T or *rapid.T.
type failer interface {
	Fatalf(format string, args ...any)
}

// cluster is some nodes with a replica of one partition, a model controller, and a network of
// which the test is the weather. Scripts and the law drive it by the same methods; the ghost
// sees everything.
type cluster struct {
	t     failer
	now   env.Instant
	ctl   *modelController
	nodes []*node // by id − 1
	net   []message
	ghost ghost
	os    bool // the flush policy: durable is written, and a power loss takes what is not flushed
	lines []string
}

// node is a broker as far as the partition goes: the owner of the machines.
type node struct {
	c     *cluster
	id    kafka.BrokerID
	epoch kafka.BrokerEpoch
	up    bool
	lost  bool // had a loss event that the controller has not heard of
	log   memLog
	hw    kafka.Offset // checkpointed now and then
	seen  int          // images read

	leader   *replica.Leader
	follower *replica.Follower
	fetchers map[kafka.BrokerID]*replica.Fetcher
	sources  map[kafka.BrokerID]*replica.Source
	produced []sent // with acks=all, not answered
}

type sent struct {
	at    kafka.Offset
	value string
}

// message is on its way. Requests may reach another incarnation than they were meant for;
// answers may not, their connection is gone.
type message struct {
	from, to   kafka.BrokerID // 0 is the controller
	toEpoch    kafka.BrokerEpoch
	request    *replica.Request
	reply      *replica.Reply
	proposal   *replica.Proposal
	proposalID uint64
	epoch      kafka.LeaderEpoch
	code       kafka.ErrorCode
	made       replica.State
}

// theKey is the partition's.
var theKey = replica.Key{Topic: kafka.TopicID{1}}

func newCluster(t failer, n, minISR int, os bool) *cluster {
	c := &cluster{t: t, ctl: newModelController(n, minISR), os: os}
	c.ghost.c = c
	for id := kafka.BrokerID(1); id <= kafka.BrokerID(n); id++ {
		n := &node{c: c, id: id, epoch: c.ctl.broker(id).Epoch, up: true}
		n.connect()
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		n.readImages(1)
	}
	return c
}

func (c *cluster) node(id kafka.BrokerID) *node { return c.nodes[id-1] }

func (c *cluster) logf(format string, args ...any) {
	c.lines = append(c.lines, fmt.Sprintf(format, args...))
}

func (c *cluster) fail(format string, args ...any) {
	c.t.Fatalf("%s\n%s\n%s", fmt.Sprintf(format, args...), strings.Join(c.lines, "\n"), c)
}

// String draws all replicas.
func (c *cluster) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", c.ctl.state)
	for _, n := range c.nodes {
		fmt.Fprintf(&b, "b%d %s\n", n.id, n)
	}
	return b.String()
}

func (n *node) String() string {
	s := n.log.String()
	if n.log.durable < n.log.End() {
		s += fmt.Sprintf(" durable=%d", n.log.durable)
	}
	switch {
	case !n.up:
		s += " down"
	case n.leader != nil:
		s += fmt.Sprintf(" leader epoch=%d hw=%d", n.leader.Epoch(), n.leader.HighWatermark())
	case n.follower != nil:
		s += fmt.Sprintf(" follower hw=%d", n.follower.HighWatermark())
		if reason, _, ok := n.follower.Waits(); ok {
			s += " waits: " + reason.String()
		}
	}
	return s
}

// # What the owner does

func (n *node) hwNow() kafka.Offset {
	switch {
	case n.leader != nil:
		return n.leader.HighWatermark()
	case n.follower != nil:
		return n.follower.HighWatermark()
	}
	return replica.InitialHighWatermark(n.hw, &n.log)
}

// readImages has the node read up to count images that it has not seen.
func (n *node) readImages(count int) {
	for ; n.up && count > 0 && n.seen < len(n.c.ctl.history); count-- {
		n.seen++
		n.apply(n.c.ctl.history[n.seen-1])
	}
}

func (n *node) apply(im image) {
	s := im.state
	if s.Leader != n.id {
		if n.leader != nil && s.LeaderEpoch < n.leader.Epoch() {
			return
		}
		n.follow(s)
		return
	}
	if n.leader == nil || s.LeaderEpoch > n.leader.Epoch() {
		n.lead(s)
	} else if s.LeaderEpoch < n.leader.Epoch() {
		return
	}
	for _, b := range im.brokers {
		n.ledEffects(n.leader.BrokerChanged(n.c.now, b))
	}
	n.ledEffects(n.leader.PartitionChanged(n.c.now, s))
	n.ledEffects(n.leader.Start(n.c.now))
}

func (n *node) lead(s replica.State) {
	hw := n.hwNow()
	n.follower, n.produced = nil, nil
	n.fetchFrom(-1)
	n.log.beginEpoch(s.LeaderEpoch, n.log.End())
	n.leader = replica.NewLeader(n.c.now, replica.LeaderConfig{
		Self: n.id, BrokerEpoch: n.epoch, MinISR: n.c.ctl.minISR, LagTimeMax: 30 * time.Second,
		ProposalTimeout: 2 * time.Second, RetryBackoff: 100 * time.Millisecond,
	}, s, &n.log, hw)
	n.notLed()
	n.c.logf("b%d leads epoch %d from %d, hw=%d", n.id, s.LeaderEpoch, n.log.End(), n.leader.HighWatermark())
	n.c.ghost.leads(n, s)
}

func (n *node) follow(s replica.State) {
	if n.follower != nil {
		n.followEffects(n.follower.StateChanged(n.c.now, s))
		n.fetchFrom(s.Leader)
		return
	}
	hw := n.hwNow()
	n.leader, n.produced = nil, nil
	n.notLed()
	n.follower = replica.NewFollower(n.c.now, replica.FollowerConfig{
		Self: n.id, BrokerEpoch: n.epoch, Backoff: time.Second,
	}, s, &n.log, hw)
	if ranges := n.log.rotten(); len(ranges) > 0 {
		n.followEffects(n.follower.Damaged(n.c.now, ranges))
	}
	n.fetchFrom(s.Leader)
}

// connect makes a fetcher and a source for every other node.
func (n *node) connect() {
	n.fetchers, n.sources = map[kafka.BrokerID]*replica.Fetcher{}, map[kafka.BrokerID]*replica.Source{}
	for _, id := range n.c.ctl.state.Replicas {
		n.fetchers[id] = replica.NewFetcher(replica.FetcherConfig{
			Self: n.id, BrokerEpoch: n.epoch, BytesMax: 1 << 20, Timeout: 2 * time.Second, Backoff: time.Second,
		})
		n.fetchers[id].Connected(n.c.now)
		n.sources[id] = replica.NewSource(replica.SourceConfig{
			PartitionBytesMax: 3 * len(batchOf(memRecord{0, "x"}, 0)), BytesMax: 1 << 20, WaitMax: time.Second,
		}, id)
	}
}

// fetchFrom has the partition fetched from one node, and from no other.
func (n *node) fetchFrom(leader kafka.BrokerID) {
	for _, id := range n.c.ctl.state.Replicas {
		x := n.fetchers[id]
		switch {
		case id != leader || id == n.id:
			x.Removed(theKey)
		case x.Len() == 0:
			x.Added(theKey, n.follower)
		default:
			x.Changed(theKey)
		}
	}
}

// notLed tells the sources that what they know of the leader is no more.
func (n *node) notLed() {
	for _, id := range n.c.ctl.state.Replicas {
		n.sources[id].NotLed(theKey)
	}
}

func (n *node) grew() {
	for _, id := range n.c.ctl.state.Replicas {
		n.sources[id].Grew(theKey)
	}
}

// drain sends the replies that are due.
func (n *node) drain() {
	for _, id := range n.c.ctl.state.Replicas {
		if !n.up {
			return
		}
		s := n.sources[id]
		for _, r := range s.Reads() {
			s.ReadDone(r, n.log.read(r.From, r.BytesMax), kafka.None)
		}
		if r := s.Reply(n.c.now); r != nil {
			n.reply(id, r)
		}
	}
}

func (n *node) reply(to kafka.BrokerID, r *replica.Reply) {
	n.c.net = append(n.c.net, message{from: n.id, to: to, toEpoch: n.c.node(to).epoch, reply: r})
}

// read gives whole batches from an offset on.
func (l *memLog) read(from kafka.Offset, bytesMax int) (b []byte) {
	for o := from; o < l.End(); o++ {
		batch := batchOf(l.at(o), o)
		if len(b) > 0 && len(b)+len(batch) > bytesMax {
			break
		}
		b = append(b, batch...)
	}
	return b
}

// ledEffects carries out what a leader wants done.
func (n *node) ledEffects(e *replica.LeaderEffects) {
	if e.HighWatermark {
		n.c.logf("b%d hw=%d", n.id, n.leader.HighWatermark())
		n.c.ghost.committed(n)
		n.acknowledge()
		n.grew()
	}
	if e.TooFewInSync {
		n.c.logf("b%d too few in sync: %d not acknowledged", n.id, len(n.produced))
		n.produced = nil
	}
	if p := e.Propose; p != nil {
		ids := ""
		for _, m := range p.ISR {
			ids += fmt.Sprintf(",%d", m.ID)
		}
		n.c.logf("b%d proposes isr=%s", n.id, ids[1:])
		n.c.net = append(n.c.net, message{from: n.id, proposal: p})
	}
}

func (n *node) acknowledge() {
	for len(n.produced) > 0 && n.produced[0].at < n.leader.HighWatermark() {
		n.c.logf("b%d acknowledges %s at %d", n.id, n.produced[0].value, n.produced[0].at)
		n.c.ghost.acked = append(n.c.ghost.acked, n.produced[0])
		n.produced = n.produced[1:]
	}
}

// followEffects carries out what a follower wants done, and reports it.
func (n *node) followEffects(e *replica.FollowerEffects) {
	moved := e.Moved
	f, again := n.follower, (*replica.FollowerEffects)(nil)
	if cut := e.Truncate; cut != nil {
		n.c.logf("b%d truncates to %d%s", n.id, cut.To, map[bool]string{true: " and restarts"}[cut.Restart])
		if cut.BelowHighWatermark {
			n.c.logf("b%d had committed more", n.id)
		}
		n.c.ghost.truncates(n, cut)
		if cut.Restart {
			n.log.restart(cut.To)
		} else {
			n.log.truncate(cut.To)
		}
		if e.Append == nil {
			again = f.Truncated(n.c.now)
		}
	}
	if e.RaiseStart != kafka.NoOffset {
		n.log.raiseStart(e.RaiseStart)
	}
	switch {
	case e.Append != nil:
		for b := range record.Batches(e.Append) {
			n.log.append(memRecord{b.LeaderEpoch(), valueOf(b)})
		}
		if n.c.os {
			n.log.durable = n.log.End()
		}
		again = f.Appended(n.c.now)
	case e.Repair != nil:
		for b := range record.Batches(e.Repair.Records) {
			n.log.records[b.BaseOffset()-n.log.start].value = valueOf(b)
		}
		n.c.logf("b%d repaired %d..%d", n.id, e.Repair.From, e.Repair.To)
		again = f.Repaired(n.c.now)
	}
	if x := n.fetchers[f.State().Leader]; moved && x != nil {
		x.Changed(theKey)
	}
	if again != nil {
		n.followEffects(again)
	}
}

// batchOf is a record as a batch of its own.
func batchOf(r memRecord, at kafka.Offset) record.Batch {
	b := record.NewBuilder(record.Options{})
	b.Append(0, nil, []byte(r.value), nil)
	batch := slices.Clone(b.Build())
	batch.SetBaseOffset(at)
	batch.SetLeaderEpoch(r.epoch)
	return batch
}

func valueOf(b record.Batch) string {
	// One record: length, attributes, two deltas, key length −1, value length, value, headers.
	body := b[record.HeaderSize:]
	return string(body[6 : 6+body[5]/2])
}

// # What happens

// produce appends a value of one letter at a leader, if acks=all is taken.
func (n *node) produce(value string) bool {
	if !n.up || n.leader == nil || !n.leader.EnoughInSync() {
		return false
	}
	n.append(value)
	n.produced = append(n.produced, sent{n.log.End() - 1, value})
	n.ledEffects(n.leader.LogAppended(n.c.now, n.log.End()))
	n.grew()
	return true
}

// append writes at a leader whoever is in sync: acks=1.
func (n *node) append(value string) {
	n.log.append(memRecord{n.leader.Epoch(), value})
	n.c.logf("b%d appends %s at %d", n.id, value, n.log.End()-1)
}

// sync makes the log durable, and says so.
func (n *node) sync(end kafka.Offset) {
	if !n.up || end <= n.log.durable || end > n.log.End() {
		return
	}
	n.log.durable = end
	if n.leader != nil {
		n.ledEffects(n.leader.Durable(n.c.now, end))
	} else if n.follower != nil {
		n.followEffects(n.follower.Durable(n.c.now))
	}
}

// fetch sends the request that is due, if one is.
func (n *node) fetch() bool {
	if !n.up {
		return false
	}
	for _, id := range n.c.ctl.state.Replicas {
		if r := n.fetchers[id].Next(n.c.now); r != nil {
			n.c.net = append(n.c.net, message{from: n.id, to: id, request: r})
			return true
		}
	}
	return false
}

// take delivers message i, or loses it.
func (c *cluster) take(i int) message {
	m := c.net[i]
	c.net = slices.Delete(c.net, i, i+1)
	return m
}

func (c *cluster) deliver(m message) {
	switch {
	case m.proposal != nil && c.node(m.from).lost:
		// It would leave nobody in sync who has lost nothing: nothing is claimed then.
	case m.proposal != nil:
		before := c.ctl.state.ISR
		code, made := c.ctl.alter(m.from, m.proposal)
		if code == kafka.None {
			c.logf("controller: %s", made)
			c.ghost.altered(before, m.proposal)
		} else {
			c.logf("controller: %s", code)
		}
		n := c.node(m.from)
		c.net = append(c.net, message{to: m.from, toEpoch: n.epoch, epoch: m.proposal.LeaderEpoch,
			proposalID: m.proposal.ID, code: code, made: made})
	case m.request != nil:
		c.node(m.to).serve(m)
	default:
		n := c.node(m.to)
		if !n.up || n.epoch != m.toEpoch {
			return
		}
		if m.reply == nil {
			if n.leader != nil && n.leader.Epoch() == m.epoch {
				n.ledEffects(n.leader.ProposalAnswered(c.now, m.proposalID, m.code, m.made))
			}
			return
		}
		for _, d := range n.fetchers[m.from].ReplyReceived(c.now, m.reply) {
			n.followEffects(d.Follower.Answered(c.now, d.Answer))
		}
	}
}

// serve takes a request.
func (n *node) serve(m message) {
	if !n.up {
		return
	}
	s := n.sources[m.from]
	judge, reply := s.RequestReceived(n.c.now, m.request)
	if reply != nil {
		n.reply(m.from, reply)
	}
	for _, ask := range judge {
		v := replica.Verdict{Code: kafka.NotLeaderOrFollower, Diverging: replica.NoEpochEnd}
		if n.leader != nil {
			var effects *replica.LeaderEffects
			v, effects = n.leader.FollowerFetched(n.c.now, ask.Fetch)
			n.ledEffects(effects)
		}
		switch {
		case v.Code != kafka.None:
			n.c.logf("b%d to b%d: %s", n.id, m.from, v.Code)
		case !v.Accepts():
			n.c.logf("b%d to b%d: diverging, epoch %d ends at %d", n.id, m.from, v.Diverging.Epoch, v.Diverging.End)
		}
		s.Judged(ask.Key, n.leader, v)
	}
}

// advance moves the clock and ticks everybody.
func (c *cluster) advance(d time.Duration) {
	c.now = c.now.Add(d)
	for _, n := range c.nodes {
		for _, id := range c.ctl.state.Replicas {
			n.fetchers[id].Tick(c.now)
		}
		if n.up && n.leader != nil {
			n.ledEffects(n.leader.Tick(c.now))
		} else if n.up && n.follower != nil {
			n.followEffects(n.follower.Tick(c.now))
		}
	}
}

// kill ends a process; the page cache survives it.
func (n *node) kill() {
	if n.up {
		n.c.logf("b%d is killed", n.id)
		n.crash(n.log.durable)
	}
}

// power ends it and takes what was not flushed.
func (n *node) power() {
	if n.up {
		n.c.logf("b%d loses power", n.id)
		n.lost = n.lost || n.log.flushed < n.log.durable
		n.crash(n.log.flushed)
	}
}

func (n *node) crash(end kafka.Offset) {
	n.up, n.leader, n.follower, n.produced = false, nil, nil, nil
	n.log.truncate(max(end, n.log.start))
	for _, other := range n.c.nodes {
		other.fetchers[n.id].Disconnected(n.c.now)
		other.sources[n.id].Evict()
	}
}

// start begins another incarnation, which reads the metadata up to its registration before
// it does anything.
func (n *node) start() {
	if n.up {
		return
	}
	n.c.ctl.register(n.id, n.lost)
	n.epoch, n.lost, n.up = n.c.ctl.broker(n.id).Epoch, false, true
	n.seen = len(n.c.ctl.history) - 1
	n.connect()
	for _, other := range n.c.nodes {
		other.fetchers[n.id].Connected(n.c.now)
	}
	n.c.logf("b%d starts, controller: %s", n.id, n.c.ctl.state)
	n.readImages(1)
}

// flush puts what was written to the platter; under the policy group there is no difference.
func (n *node) flush() { n.log.flushed = n.log.durable }

// batches yields the batches of an answer.
func batches(b []byte) func(yield func(record.Batch) bool) {
	return func(yield func(record.Batch) bool) {
		for batch := range record.Batches(b) {
			if !yield(batch) {
				return
			}
		}
	}
}
