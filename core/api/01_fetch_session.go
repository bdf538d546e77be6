package api

import (
	"container/list"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// # Fetch sessions (KIP-227)
//
// A consumer of a thousand partitions need not name them in every request: the broker keeps
// the list, the client says what changes in it, and the reply has only partitions with
// something to tell. Both sides count the requests; whoever is out of step starts anew with
// a full request. Sessions belong to no connection and are lost with the process.
//
// The list is also the order in which a reply is filled. Partitions that gave records move
// to its end, so that a small max_bytes starves none.

// fetchSession is what one client wants again and again.
type fetchSession struct {
	id      int32
	epoch   int32 // of the next request
	byID    bool  // topics are named by id: versions from 13 on
	created env.Instant
	used    env.Instant
	place   *list.Element // in the order of use

	parts map[partitionRef]*sessionPart
	order []*sessionPart // as a reply is filled
	call  *fetchCall     // under way
}

// topicRef is a topic as a client names it: by name, or from v13 on by id.
type topicRef struct {
	name string
	id   kafka.TopicID
}

type partitionRef struct {
	topic     topicRef
	partition int32
}

// fetchWant is what a client wants of one partition.
type fetchWant struct {
	partition int32
	maxBytes  int32
	offset    kafka.Offset
	believed  kafka.LeaderEpoch // of the leader, −1 if the client does not say
	lastEpoch kafka.LeaderEpoch // of the last record it has, −1 if it does not say
}

// sessionPart is a partition of a session, with what the client was last told of it.
type sessionPart struct {
	topic    topicRef
	want     fetchWant
	hw       kafka.Offset // −1 after an error: when that goes away, the client is told
	logStart kafka.Offset
	dropped  bool // forgotten, and about to leave the order
}

// fetchSessions is the cache of all sessions.
type fetchSessions struct {
	slots int
	byID  map[int32]*fetchSession
	used  list.List // of *fetchSession, the one least recently used first
	parts int       // of all sessions
}

func (c *fetchSessions) close(id int32) {
	if x := c.byID[id]; x != nil {
		delete(c.byID, id)
		c.used.Remove(x.place)
		c.parts -= len(x.parts)
	}
}

func (c *fetchSessions) touch(x *fetchSession, now env.Instant) {
	x.used = now
	c.used.MoveToBack(x.place)
}

// room makes room for a session of n partitions: by the end of one that nobody used for
// long, or of a smaller one that has had its time.
func (c *fetchSessions) room(n int, now env.Instant) (evicted uint64, ok bool) {
	for len(c.byID) >= c.slots || c.parts+n > SessionPartitionsMax {
		front := c.used.Front()
		if front == nil {
			return evicted, false
		}
		victim := front.Value.(*fetchSession)
		if now.Sub(victim.used) <= FetchSessionIdle {
			if victim = c.smaller(n, now); victim == nil || len(c.byID) < c.slots {
				return evicted, false
			}
		}
		c.close(victim.id)
		evicted++
	}
	return evicted, true
}

// smaller finds the smallest session that has fewer than n partitions and is not new.
func (c *fetchSessions) smaller(n int, now env.Instant) (found *fetchSession) {
	for e := c.used.Front(); e != nil; e = e.Next() {
		x := e.Value.(*fetchSession)
		if len(x.parts) < n && now.Sub(x.created) > FetchSessionIdle {
			n, found = len(x.parts), x
		}
	}
	return found
}

// begin finds what a request is about: partitions of its own, or those of its session.
func (f *fetchCall) begin() kafka.ErrorCode {
	req, sessions := f.req, &f.s.sessions
	if req.Version < 7 || req.SessionEpoch == 0 || req.SessionEpoch == -1 {
		if req.Version >= 7 {
			sessions.close(req.SessionID)
			f.opens = req.SessionEpoch == 0
		}
		f.takeRequest()
		return kafka.None
	}
	x := sessions.byID[req.SessionID]
	switch {
	case x == nil:
		return kafka.FetchSessionIDNotFound
	case x.epoch != req.SessionEpoch:
		return kafka.InvalidFetchSessionEpoch
	case x.byID != (req.Version >= 13):
		return kafka.FetchSessionTopicIDError
	}
	was := len(x.parts)
	x.update(req)
	sessions.parts += len(x.parts) - was
	if sessions.parts > SessionPartitionsMax {
		sessions.close(x.id)
		return kafka.FetchSessionIDNotFound // the client goes on with full requests
	}
	if len(x.order) == 0 {
		sessions.close(x.id)
		return kafka.None
	}
	sessions.touch(x, f.s.now())
	x.epoch = nextSessionEpoch(x.epoch)
	f.join(x)
	return kafka.None
}

// join makes the call the session's. A request on another connection that still waits can
// only be one that the client gave up.
func (f *fetchCall) join(x *fetchSession) {
	if x.call != nil {
		x.call.refuse(kafka.InvalidFetchSessionEpoch)
	}
	f.session, x.call = x, f
	f.parts = f.s.takeParts(len(x.order))
	for _, p := range x.order {
		f.parts = append(f.parts, fetchPart{ref: p.topic, want: p.want})
	}
	f.locate()
}

// takeParts gives an empty slice for n partitions, the last call's if it is large enough.
func (s *Server) takeParts(n int) []fetchPart {
	parts := s.spareParts
	if cap(parts) < n {
		return make([]fetchPart, 0, n)
	}
	s.spareParts = nil
	return parts[:0]
}

// keepParts takes back the partitions of an answered call.
func (s *Server) keepParts(parts []fetchPart) {
	clear(parts)
	if n := cap(parts); n <= spareFetchParts && n > cap(s.spareParts) {
		s.spareParts = parts
	}
}

// takeRequest takes the partitions that a full request names.
func (f *fetchCall) takeRequest() {
	n := 0
	for t := range f.req.Topics {
		n += len(f.req.Topics[t].Partitions)
	}
	f.parts = f.s.takeParts(n)
	for t := range f.req.Topics {
		rt := &f.req.Topics[t]
		ref := topicRef{rt.Topic, rt.TopicID}
		for i := range rt.Partitions {
			f.parts = append(f.parts, fetchPart{ref: ref, want: wantOf(f.req.Version, &rt.Partitions[i])})
		}
	}
	f.locate()
}

func wantOf(version int16, rp *kmsg.FetchRequestTopicPartition) fetchWant {
	w := fetchWant{
		partition: rp.Partition, maxBytes: rp.PartitionMaxBytes, offset: kafka.Offset(rp.FetchOffset),
		believed: -1, lastEpoch: -1,
	}
	if version >= 9 {
		w.believed = kafka.LeaderEpoch(rp.CurrentLeaderEpoch)
	}
	if version >= 12 {
		w.lastEpoch = kafka.LeaderEpoch(rp.LastFetchedEpoch)
	}
	return w
}

// locate finds the partitions.
func (f *fetchCall) locate() {
	var topic *Topic
	var code kafka.ErrorCode
	for i := range f.parts {
		part := &f.parts[i]
		if i == 0 || part.ref != f.parts[i-1].ref {
			topic, code = f.s.find(f.req.Version >= 13, part.ref.name, part.ref.id)
		}
		part.topic, part.known = topic, code
		if code == kafka.None {
			part.p, part.known = topic.partition(part.want.partition)
		}
	}
}

// update brings the list up to date: what is named is added or changed, then what is
// forgotten leaves.
func (x *fetchSession) update(req *kmsg.FetchRequest) {
	for t := range req.Topics {
		rt := &req.Topics[t]
		topic := sharedRef{topicRef: topicRef{rt.Topic, rt.TopicID}}
		for i := range rt.Partitions {
			x.put(&topic, wantOf(req.Version, &rt.Partitions[i]))
		}
	}
	forgot := false
	for _, ft := range req.ForgottenTopics {
		for _, i := range ft.Partitions {
			key := partitionRef{topicRef{ft.Topic, ft.TopicID}, i}
			if p := x.parts[key]; p != nil {
				p.dropped, forgot = true, true
				delete(x.parts, key)
			}
		}
	}
	if !forgot {
		return
	}
	kept := x.order[:0]
	for _, p := range x.order {
		if !p.dropped {
			kept = append(kept, p)
		}
	}
	clear(x.order[len(kept):])
	x.order = kept
}

// sharedRef is a topic whose name shares the frame's bytes until it is kept.
type sharedRef struct {
	topicRef
	kept bool
}

// put adds or changes a partition.
func (x *fetchSession) put(topic *sharedRef, want fetchWant) *sessionPart {
	p := x.parts[partitionRef{topic.topicRef, want.partition}]
	if p != nil {
		p.want = want
		topic.topicRef, topic.kept = p.topic, true
		return p
	}
	if !topic.kept {
		topic.name, topic.kept = strings.Clone(topic.name), true
	}
	p = &sessionPart{topic: topic.topicRef, want: want, hw: -1, logStart: -1}
	x.parts[partitionRef{p.topic, want.partition}] = p
	x.order = append(x.order, p)
	return p
}

// open keeps what a full request asked and was told, if the cache takes another session.
func (f *fetchCall) open() (id int32) {
	s, now := f.s, f.s.now()
	if len(f.parts) == 0 {
		return 0
	}
	evicted, ok := s.sessions.room(len(f.parts), now)
	s.Counters.SessionsEvicted += evicted
	if !ok {
		s.Counters.SessionsRefused++
		return 0
	}
	x := &fetchSession{
		id: s.newSessionID(), epoch: 1, byID: f.req.Version >= 13, created: now, used: now,
		parts: make(map[partitionRef]*sessionPart, len(f.parts)),
		order: make([]*sessionPart, 0, len(f.parts)),
	}
	var topic sharedRef
	for i := range f.parts {
		part := &f.parts[i]
		if part.ref != topic.topicRef {
			topic = sharedRef{topicRef: part.ref}
		}
		x.put(&topic, part.want).told(part)
	}
	s.sessions.byID[x.id] = x
	x.place = s.sessions.used.PushBack(x)
	s.sessions.parts += len(x.parts)
	s.Counters.SessionsOpened++
	return x.id
}

// newSessionID draws an id that is not in use.
func (s *Server) newSessionID() int32 {
	for {
		id := int32(s.cfg.Env.Rand.Uint64("fetch-session")%(1<<31-1)) + 1
		if s.sessions.byID[id] == nil {
			return id
		}
	}
}

// nextSessionEpoch counts a session's requests; 0 and −1 mean something else.
func nextSessionEpoch(e int32) int32 {
	if e == 1<<31-1 {
		return 1
	}
	return e + 1
}

// told notes what a client is told of a partition, and whether that is news.
func (p *sessionPart) told(part *fetchPart) (news bool) {
	hw := part.hw
	if part.code != kafka.None {
		hw = -1
	}
	news = part.read.Bytes > 0 || part.code != kafka.None || part.diverging != nil ||
		p.hw != hw || p.logStart != part.logStart
	p.hw, p.logStart = hw, part.logStart
	return news
}

// leaveSession reduces an answer to what is news, and puts those that gave records last.
func (f *fetchCall) leaveSession() {
	x := f.session
	all, news := f.parts, f.parts[:0]
	var filled []*sessionPart
	kept := x.order[:0]
	for i, p := range x.order {
		part := &all[i]
		if part.read.Bytes > 0 {
			filled = append(filled, p)
		} else {
			kept = append(kept, p)
		}
		if p.told(part) {
			news = append(news, *part)
		}
	}
	x.order = append(kept, filled...)
	f.parts, x.call = news, nil
}

// detach ends a call's part in its session without an answer from it.
func (f *fetchCall) detach() {
	if x := f.session; x != nil && x.call == f {
		x.call = nil
	}
}
