package raft_test

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/raft"
)

// world is a cluster of machines with a network that is a bag of packets and disks that are
// lists of what is not durable yet. It does nothing by itself: scripts and properties say what
// happens next. The ghost sees everything and tells the machines nothing.
type world struct {
	t     interface{ Fatalf(string, ...any) }
	hosts []*host
	net   []packet
	cut   map[kafka.BrokerID]bool // nodes that neither send nor receive
	boot  []raft.Voter
	rare  func(string) bool
	rand  func(h *host, purpose string) uint64
	made  int // records proposed, each with contents of its own
	chunk int // bytes of a snapshot in one part
	retry time.Duration
	ghost *ghost
	saw   func(h *host, e raft.Effect)
}

type packet struct {
	from raft.Voter
	to   kafka.BrokerID
	msg  raft.Message
}

// host is a node: a machine while it is up, and a disk.
type host struct {
	w    *world
	me   raft.Voter
	m    *raft.Machine
	now  env.Instant
	due  env.Instant // 0: no timer
	disk image       // what a crash leaves at least
	todo []op        // on its way to the disk, in this order
	live image       // disk with todo done; what the machine's Log reads
	read []raft.Serve
	part []byte   // of a snapshot being fetched
	then []func() // inputs that follow from the effects being carried out

	life  int
	role  raft.Role // as the effects told, in their order
	epoch kafka.LeaderEpoch
}

// image is the contents of a disk.
type image struct {
	vote    raft.Vote
	log     []raft.Batch
	start   kafka.Offset
	base    uint64 // chain of what lies before start
	snap    snapshot
	damaged bool
}

// snapshot stands for the records below its end by their chain.
type snapshot struct {
	id     raft.SnapshotID
	chain  uint64
	voters []raft.Voter
}

// op changes an image.
type op struct {
	do  func(*image)
	tag uint64 // of a StoreVote, else 0
}

func newWorld(t interface{ Fatalf(string, ...any) }, bootstrap []raft.Voter) *world {
	w := &world{t: t, boot: bootstrap, cut: map[kafka.BrokerID]bool{}, chunk: 16, ghost: newGhost()}
	w.rand = func(h *host, purpose string) uint64 {
		f := fnv.New64a()
		fmt.Fprintf(f, "%s %d %d %d", purpose, h.me.ID, h.life, h.now)
		return f.Sum64()
	}
	return w
}

func (w *world) add(me raft.Voter) *host {
	h := &host{w: w, me: me}
	w.hosts = append(w.hosts, h)
	return h
}

func (w *world) host(id kafka.BrokerID) *host {
	for _, h := range w.hosts {
		if h.me.ID == id {
			return h
		}
	}
	w.t.Fatalf("no node %d", id)
	return nil
}

// start begins a life with what the disk has.
func (h *host) start() {
	h.life++
	h.live = h.disk.clone()
	h.todo, h.read, h.part, h.due = nil, nil, nil, 0
	cfg := raft.Config{
		Me: h.me, Log: h, Rand: h, Rare: h, Vote: h.disk.vote, Bootstrap: h.w.boot,
		Snapshot: h.disk.snap.id, Damaged: h.disk.damaged, RetryBackoff: h.w.retry,
	}
	if !cfg.Snapshot.IsZero() {
		set := raft.VoterSet{Offset: cfg.Snapshot.End - 1, Voters: h.disk.snap.voters}
		cfg.VoterSets = append(cfg.VoterSets, set)
	}
	for _, b := range h.disk.log {
		if b.Kind == raft.Voters && b.Base >= cfg.Snapshot.End {
			cfg.VoterSets = append(cfg.VoterSets, raft.VoterSet{Offset: b.Base, Voters: b.Voters})
		}
	}
	m, err := raft.New(cfg)
	if err != nil {
		h.w.t.Fatalf("node %d: %v", h.me.ID, err)
	}
	h.m = m
	h.w.ghost.started(h)
	h.do(h.m.Started(h.now))
}

// crash ends the life; of what was on its way to the disk, the first keep arrive.
func (h *host) crash(keep int) {
	for _, o := range h.todo[:keep] {
		o.do(&h.disk)
	}
	h.m, h.todo = nil, nil
}

// loses makes the disk forget its log from offset on, and say so at the next start. A log that
// ends before the snapshot is replaced by the snapshot.
func (h *host) loses(from kafka.Offset) {
	h.disk.log = slices.DeleteFunc(slices.Clone(h.disk.log), func(b raft.Batch) bool { return b.Next > from })
	h.disk.damaged = true
	if s := h.disk.snap; h.disk.end() < s.id.End {
		h.disk.log, h.disk.start, h.disk.base = nil, s.id.End, s.chain
	}
	h.w.net = slices.DeleteFunc(h.w.net, func(p packet) bool { return p.from == h.me })
}

// sync makes the first n operations durable and reports it.
func (h *host) sync(n int) {
	if h.m == nil || n == 0 {
		return
	}
	tag := uint64(0)
	for _, o := range h.todo[:n] {
		o.do(&h.disk)
		tag = max(tag, o.tag)
	}
	h.todo = slices.Delete(h.todo, 0, n)
	if tag > 0 {
		h.do(h.m.VoteStored(h.now, tag))
	}
	if end := min(h.disk.end(), h.live.end()); len(h.todo) == 0 || h.disk.prefixOf(&h.live) {
		h.do(h.m.AppendDurable(h.now, end))
	}
}

func (h *host) tick() {
	if h.m != nil {
		h.now, h.due = max(h.now, h.due), 0
		h.do(h.m.Tick(h.now))
	}
}

// serve ends a read of the log; it finds so many batches at most.
func (h *host) serve(i, limit int) {
	s := h.read[i]
	h.read = slices.Delete(h.read, i, i+1)
	if h.m == nil || !h.m.Serving(s.Reply.Epoch) {
		return
	}
	for _, b := range h.live.log {
		if b.Base >= s.Reply.Offset && len(s.Reply.Batches) < limit {
			s.Reply.Batches = append(s.Reply.Batches, b)
		}
	}
	h.w.post(h, s.To, s.Reply)
}

func (w *world) post(h *host, to kafka.BrokerID, msg raft.Message) {
	w.ghost.says(h, to, msg)
	if len(w.net) > 300 {
		w.net = slices.Delete(w.net, 0, 1)
	}
	w.net = append(w.net, packet{h.me, to, msg})
}

// deliver takes a packet off the network, or a copy of it.
func (w *world) deliver(i int, keep bool) {
	p := w.net[i]
	if !keep {
		w.net = slices.Delete(w.net, i, i+1)
	}
	for _, h := range w.hosts {
		if h.me.ID == p.to && h.m != nil && !w.cut[p.to] && !w.cut[p.from.ID] {
			w.ghost.hears(h, p.from, p.msg, func() { h.do(h.m.Received(h.now, p.from, p.msg)) })
		}
	}
}

// do carries out effects.
func (h *host) do(effects []raft.Effect) {
	for _, e := range effects {
		if h.w.saw != nil {
			h.w.saw(h, e)
		}
		h.carryOut(e)
	}
	for len(h.then) > 0 {
		next := h.then[0]
		h.then = h.then[1:]
		next()
	}
}

func (h *host) carryOut(e raft.Effect) {
	switch e := e.(type) {
	case raft.Send:
		h.w.post(h, e.To, e.Msg)
	case raft.SetTimer:
		h.due = e.At
	case raft.StoreVote:
		h.later(op{func(im *image) { im.vote = e.Vote }, e.Tag})
	case raft.Append:
		h.append(e)
	case raft.Truncate:
		h.w.ghost.truncates(h, e.To)
		h.later(op{do: func(im *image) { im.truncate(e.To) }})
	case raft.Serve:
		h.w.ghost.serves(h)
		h.read = append(h.read, e)
	case raft.ServeSnapshot:
		h.serveSnapshot(e)
	case raft.StoreChunk:
		h.part = append(h.part[:e.Position:e.Position], e.Data...)
	case raft.InstallSnapshot:
		h.install(e)
	case raft.DropChunks:
		h.part = nil
	case raft.HighWatermark:
		h.w.ghost.commits(h, e.Offset)
	case raft.Became:
		h.w.ghost.became(h, e)
	case raft.Healed:
		h.live.damaged, h.disk.damaged = false, false
	}
}

func (h *host) later(o op) {
	o.do(&h.live)
	h.todo = append(h.todo, o)
}

func (h *host) append(e raft.Append) {
	for _, b := range e.Batches {
		if b.Data == nil {
			h.w.made++
			b.Data = fmt.Appendf(nil, "%d", h.w.made)
		}
		h.w.ghost.appends(h, b)
		h.later(op{do: func(im *image) { im.log = append(im.log[:len(im.log):len(im.log)], b) }})
		h.w.ghost.appended(h, b)
	}
}

func (h *host) propose(n int) kafka.ErrorCode {
	if h.m == nil {
		return kafka.NotController
	}
	effects, code := h.m.Propose(h.now, n)
	h.do(effects)
	return code
}

// takeSnapshot writes one of all that is committed, and drops the log below it.
func (h *host) takeSnapshot(drop bool) {
	if h.m == nil {
		return
	}
	end := h.m.HighWatermark()
	i := slices.IndexFunc(h.live.log, func(b raft.Batch) bool { return b.Next == end })
	if i < 0 || len(h.todo) > 0 {
		return
	}
	id := raft.SnapshotID{End: end, LeaderEpoch: h.live.log[i].Epoch}
	s := snapshot{id, h.live.chainAt(end), h.m.VotersAt(end)}
	h.w.ghost.snapshots[string(s.bytes())] = s
	h.live.snap, h.disk.snap = s, s
	h.do(h.m.SnapshotStored(h.now, id))
	if drop {
		h.live.dropBelow(end)
		h.disk.dropBelow(end)
	}
}

func (s snapshot) bytes() []byte {
	return fmt.Appendf(nil, "%s chain=%x voters=%v and so on and so forth", s.id, s.chain, s.voters)
}

func (h *host) serveSnapshot(e raft.ServeSnapshot) {
	h.w.ghost.serves(h)
	all := h.live.snap.bytes()
	switch {
	case e.Reply.ID != h.live.snap.id:
		e.Reply.Code = kafka.SnapshotNotFound
	case e.Reply.Position >= int64(len(all)):
		e.Reply.Code = kafka.PositionOutOfRange
	default:
		rest := all[e.Reply.Position:]
		e.Reply.Size, e.Reply.Data = int64(len(all)), rest[:min(len(rest), h.w.chunk)]
	}
	h.w.post(h, e.To, e.Reply)
}

// install replaces the log, if the parts are a snapshot that somebody made.
func (h *host) install(e raft.InstallSnapshot) {
	s, ok := h.w.ghost.snapshotOf(h.part)
	if !ok || s.id != e.ID {
		h.then = append(h.then, func() { h.do(h.m.SnapshotRefused(h.now, e.ID)) })
		return
	}
	h.w.ghost.installs(h, s)
	h.sinkVotes()
	replace := func(im *image) {
		im.log, im.start, im.base, im.snap = nil, s.id.End, s.chain, s
	}
	replace(&h.live)
	replace(&h.disk)
	tag := uint64(0)
	for _, o := range h.todo {
		tag = max(tag, o.tag)
	}
	h.todo = nil
	h.then = append(h.then, func() {
		h.do(h.m.SnapshotInstalled(h.now, s.id, s.voters))
		if tag > 0 {
			h.do(h.m.VoteStored(h.now, tag))
		}
	})
}

// sinkVotes makes the votes on their way durable; a log that is replaced needs nothing else.
func (h *host) sinkVotes() {
	for _, o := range h.todo {
		if o.tag > 0 {
			o.do(&h.disk)
		}
	}
}

// What the machine sees of the log.

func (h *host) Start() kafka.Offset { return h.live.start }
func (h *host) End() kafka.Offset   { return h.live.end() }

func (h *host) LatestEpoch() kafka.LeaderEpoch {
	if n := len(h.live.log); n > 0 {
		return h.live.log[n-1].Epoch
	}
	return -1
}

func (h *host) EndOffsetFor(e kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset) {
	if e < 0 || e > h.LatestEpoch() {
		return -1, kafka.NoOffset
	}
	for _, b := range slices.Backward(h.live.log) {
		if b.Epoch <= e {
			return b.Epoch, b.Next
		}
	}
	return e, h.live.start
}

func (h *host) Uint64(purpose string) uint64 { return h.w.rand(h, purpose) }
func (h *host) Rare(name string) bool        { return h.w.rare != nil && h.w.rare(name) }

func (im *image) clone() image {
	c := *im
	c.log = slices.Clone(im.log)
	return c
}

func (im *image) end() kafka.Offset {
	if n := len(im.log); n > 0 {
		return im.log[n-1].Next
	}
	return im.start
}

func (im *image) truncate(to kafka.Offset) {
	n := len(im.log)
	for n > 0 && im.log[n-1].Base >= to {
		n--
	}
	im.log = im.log[:n:n]
}

func (im *image) dropBelow(start kafka.Offset) {
	im.base = im.chainAt(start)
	im.start = start
	im.log = slices.DeleteFunc(slices.Clone(im.log), func(b raft.Batch) bool { return b.Next <= start })
}

// chainAt is a hash of all that the log has had below offset, which ends a batch.
func (im *image) chainAt(offset kafka.Offset) uint64 {
	chain := im.base
	for _, b := range im.log {
		if b.Next <= offset {
			chain = link(chain, b)
		}
	}
	return chain
}

func (im *image) prefixOf(other *image) bool {
	return im.end() <= other.end() && im.start == other.start && im.chainAt(im.end()) == other.chainAt(im.end())
}

func link(chain uint64, b raft.Batch) uint64 {
	f := fnv.New64a()
	fmt.Fprintf(f, "%x %d %d %d %s %v %s", chain, b.Base, b.Next, b.Epoch, b.Kind, b.Voters, b.Data)
	return f.Sum64()
}

// name is a node as scripts call it: 1a.
func name(v raft.Voter) string {
	if v.Directory.IsZero() {
		return fmt.Sprintf("%d?", v.ID)
	}
	return fmt.Sprintf("%d%c", v.ID, v.Directory[15])
}

func names(voters []raft.Voter) string {
	all := make([]string, len(voters))
	for i, v := range voters {
		all[i] = name(v)
	}
	return strings.Join(all, ",")
}

func voter(id kafka.BrokerID, directory byte) raft.Voter {
	v := raft.Voter{ID: id}
	v.Directory[15] = directory
	return v
}
