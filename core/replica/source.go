package replica

import (
	"fmt"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Source answers one follower broker's Fetcher for all partitions that are led here.
//
//	RequestReceived ─▶ Judge: each to its Leader ─▶ Judged ─┐
//	                   Grew: a log or high watermark moved ─┼─▶ Reads ─▶ ReadDone ─┐
//	                                                        └──────────────────────┴─▶ Reply
//
// Reading may take a disk; whoever is read has its turn when it is done, and the reply does
// not wait for it. All queues are in the order of arrival, so that a small reply starves no
// partition.
type Source struct {
	cfg      SourceConfig
	follower kafka.BrokerID

	// The session: none before the first request.
	open        bool
	brokerEpoch kafka.BrokerEpoch
	session     uint64
	seq         uint64 // of the next request
	parts       map[Key]*served

	request *parked // the request that waits for its reply
	wanted  fifo    // who asks and may be given records
	telling fifo    // who has something to tell
	reading int     // bytes that reads under way may bring
	loaded  int     // bytes that were read and not sent
	replied uint64  // replies sent in this session
	life    uint64  // counts sessions, to tell a read of an older one
}

// SourceConfig bounds the replies.
type SourceConfig struct {
	// PartitionBytesMax bounds what one partition gives a reply, unless its first batch is
	// larger: replica.fetch.max.bytes.
	PartitionBytesMax int
	// BytesMax bounds the records of a reply, and what is read ahead of it, whatever the
	// follower asks for: replica.fetch.response.max.bytes.
	BytesMax int
	// WaitMax is how long a reply waits for something to tell: replica.fetch.wait.max.ms.
	WaitMax time.Duration
}

// Validate tells what is impossible about the configuration.
func (c SourceConfig) Validate() error {
	if c.PartitionBytesMax < 1 || c.BytesMax < c.PartitionBytesMax || c.WaitMax <= 0 {
		return fmt.Errorf("replica: impossible configuration %+v: a reply must hold a partition's bytes", c)
	}
	return nil
}

type parked struct {
	seq      uint64
	bytesMax int
	deadline env.Instant
	now      bool // answered with what there is, if only nothing
}

// served is a partition of the session.
type served struct {
	key     Key
	leader  *Leader // nil if it is not led here
	fetch   Fetch   // the newest
	verdict Verdict // on it
	asks    bool    // nothing was sent for it since it was named
	sentIn  uint64  // replies of the session up to the one with its last records or error

	toldHW, toldStart kafka.Offset

	version uint64 // counts reads, to tell a late one
	reads   bool
	records []byte
	wanted  bool // in Source.wanted
	telling bool // in Source.telling
	gone    bool
}

// Read asks for whole batches of a log, from an offset on: as many as fit into BytesMax, but
// at least one. ReadDone must follow.
type Read struct {
	Key      Key
	From     kafka.Offset
	BytesMax int
	version  uint64
	life     uint64
}

// NewSource serves a follower that has not asked yet. Keep it as long as the process lives,
// whatever becomes of connections: it knows which sessions are past.
func NewSource(cfg SourceConfig, follower kafka.BrokerID) *Source {
	return &Source{cfg: cfg, follower: follower, brokerEpoch: -1}
}

// Len is the number of partitions in the session.
func (s *Source) Len() int { return len(s.parts) }

// RequestReceived takes a request. judge are the fetches to give to their leaders, each
// followed by Judged; reply, if not nil, is to be sent at once, before any other.
func (s *Source) RequestReceived(now env.Instant, r *Request) (judge []Ask, reply *Reply) {
	switch {
	case r.BrokerEpoch < s.brokerEpoch:
		return nil, &Reply{Session: r.Session, Seq: r.Seq, Code: kafka.StaleBrokerEpoch}
	case r.Seq == 0 && (r.BrokerEpoch > s.brokerEpoch || r.Session > s.session):
		s.begin(r) // never one that is past, evicted or not: what it says is old
	case !s.open || r.BrokerEpoch > s.brokerEpoch || r.Session > s.session:
		return nil, &Reply{Session: r.Session, Seq: r.Seq, Code: kafka.FetchSessionIDNotFound}
	case r.Session < s.session || r.Seq < s.seq:
		return nil, nil // late, or a second time
	case r.Seq > s.seq:
		s.Evict() // a request was lost, and what it said
		return nil, &Reply{Session: r.Session, Seq: r.Seq, Code: kafka.InvalidFetchSessionEpoch}
	}
	if s.request != nil {
		s.request.now = true
		reply = s.Reply(now)
	}
	s.seq = r.Seq + 1
	s.request = &parked{
		seq: r.Seq, bytesMax: min(r.BytesMax, s.cfg.BytesMax), deadline: now.Add(s.cfg.WaitMax),
	}
	for _, key := range r.Forgotten {
		s.drop(key)
	}
	for i := range r.Parts {
		judge = append(judge, s.ask(&r.Parts[i], r))
	}
	return judge, reply
}

// begin begins a session.
func (s *Source) begin(r *Request) {
	s.Evict()
	s.open, s.brokerEpoch, s.session = true, r.BrokerEpoch, r.Session
	s.parts = make(map[Key]*served, len(r.Parts))
	s.replied = 0
}

// Evict forgets the session: the connection is gone, or its memory is needed. The follower is
// told with its next request, and begins another.
func (s *Source) Evict() {
	for _, p := range s.parts {
		p.gone = true
	}
	s.open, s.parts, s.request = false, nil, nil
	s.wanted, s.telling = fifo{}, fifo{}
	s.reading, s.loaded = 0, 0
	s.life++
}

// ask notes what a request says of a partition.
func (s *Source) ask(a *Ask, r *Request) Ask {
	a.Broker, a.BrokerEpoch = r.Broker, r.BrokerEpoch
	p := s.parts[a.Key]
	if p == nil {
		p = &served{key: a.Key, toldHW: kafka.NoOffset, toldStart: kafka.NoOffset}
		s.parts[a.Key] = p
	}
	if p.fetch.Offset != a.Offset || p.fetch.LeaderEpoch != a.LeaderEpoch {
		s.unload(p)
	}
	p.fetch = a.Fetch
	// Made before it knew what was sent: it proves something and asks for nothing new.
	p.asks = r.Seen >= p.sentIn
	return *a
}

// unload drops what was read for a position that is none any more.
func (s *Source) unload(p *served) {
	p.version++
	p.reads = false
	s.loaded -= len(p.records)
	p.records = nil
}

// Judged brings the verdict of the leader on a fetch; leader is nil if the partition is not
// led here, and v then says so.
func (s *Source) Judged(key Key, leader *Leader, v Verdict) {
	p := s.parts[key]
	if p == nil {
		return
	}
	p.leader, p.verdict = leader, v
	if !v.Accepts() {
		s.unload(p)
		s.tell(p)
		return
	}
	if min(leader.HighWatermark(), p.fetch.Offset) > p.fetch.HighWatermark {
		p.toldHW = kafka.NoOffset
	}
	if leader.LogStart() > p.fetch.LogStart {
		p.toldStart = kafka.NoOffset
	}
	s.look(p)
}

// Grew tells that the log end, the high watermark or the log start of a partition moved.
func (s *Source) Grew(key Key) {
	if p := s.parts[key]; p != nil && p.leader != nil && p.verdict.Accepts() {
		s.look(p)
	}
}

// NotLed tells that a partition is not led here any more, or in another epoch.
func (s *Source) NotLed(key Key) {
	if p := s.parts[key]; p != nil {
		s.unload(p)
		p.leader = nil
		p.verdict = Verdict{Code: kafka.NotLeaderOrFollower, Diverging: NoEpochEnd}
		s.tell(p)
	}
}

// look enters a partition where it has something to get or to tell.
func (s *Source) look(p *served) {
	if !p.asks {
		return
	}
	if p.leader.LogEnd() > p.fetch.Offset && !p.reads && p.records == nil && !p.wanted {
		p.wanted = true
		s.wanted.push(p)
	}
	if p.leader.HighWatermark() != p.toldHW || p.leader.LogStart() != p.toldStart {
		s.tell(p)
	}
}

func (s *Source) tell(p *served) {
	if p.asks && !p.telling {
		p.telling = true
		s.telling.push(p)
	}
}

func (s *Source) drop(key Key) {
	if p := s.parts[key]; p != nil {
		s.unload(p)
		p.gone = true
		delete(s.parts, key)
	}
}

// Reads are the logs to read for the reply that is due. Call it when no further event is
// waiting, and Reply after those that are done at once.
func (s *Source) Reads() (reads []Read) {
	if s.request == nil {
		return nil
	}
	for budget := s.request.bytesMax - s.reading - s.loaded; budget > 0; {
		p, ok := s.wanted.pop()
		if !ok {
			break
		}
		p.wanted = false
		if p.gone || !p.asks || p.leader == nil || p.leader.LogEnd() <= p.fetch.Offset {
			continue
		}
		if p.fetch.Offset < p.leader.LogStart() { // it was deleted since the fetch was judged
			p.verdict.Code = kafka.OffsetOutOfRange
			s.tell(p)
			continue
		}
		n := min(budget, s.cfg.PartitionBytesMax)
		p.version++
		p.reads = true
		s.reading += n
		budget -= n
		reads = append(reads, Read{p.key, p.fetch.Offset, n, p.version, s.life})
	}
	return reads
}

// ReadDone brings what was read: whole batches, or none and why. They stay in use until the
// reply that has them was sent.
func (s *Source) ReadDone(r Read, records []byte, code kafka.ErrorCode) {
	if r.life != s.life {
		return
	}
	s.reading -= r.BytesMax
	p := s.parts[r.Key]
	if p == nil || p.version != r.version || !p.reads {
		return
	}
	p.reads = false
	if code != kafka.None {
		p.verdict.Code = code
	}
	p.records = records
	s.loaded += len(records)
	s.tell(p)
}

// Reply is the reply to send now, nil for none.
func (s *Source) Reply(now env.Instant) *Reply {
	req := s.request
	if req == nil || s.telling.empty() && !req.now && now < req.deadline {
		return nil
	}
	// Each request is answered once, in the order they came.
	if req.seq != s.replied {
		invariant.Violated("replica.one-reply-per-request", "b%d session=%d seq=%d replied=%d",
			s.follower, s.session, req.seq, s.replied)
	}
	r := &Reply{Session: s.session, Seq: req.seq}
	for bytes := 0; bytes < req.bytesMax && len(r.Parts) < PartsPerRequestMax; {
		p, ok := s.telling.pop()
		if !ok {
			break
		}
		p.telling = false
		if p.gone || !p.asks {
			continue
		}
		bytes += len(p.records)
		r.Parts = append(r.Parts, s.told(p))
	}
	s.request = nil
	s.replied++
	return r
}

// told is what a reply says of a partition.
func (s *Source) told(p *served) Told {
	a := Answer{
		Verdict: p.verdict, LeaderEpoch: p.fetch.LeaderEpoch, From: p.fetch.Offset, Records: p.records,
	}
	if p.leader != nil {
		a.HighWatermark, a.LogStart, a.LogEnd = p.leader.HighWatermark(), p.leader.LogStart(), p.leader.LogEnd()
	}
	if p.verdict.Accepts() {
		p.toldHW, p.toldStart = a.HighWatermark, a.LogStart
	}
	if !p.verdict.Accepts() || len(p.records) > 0 {
		p.asks, p.sentIn = false, s.replied+1
		s.loaded -= len(p.records)
		p.records = nil
	}
	return Told{p.key, a}
}

// Deadline is when Reply is due although there is nothing to tell, if ok.
func (s *Source) Deadline() (at env.Instant, ok bool) {
	if s.request == nil {
		return 0, false
	}
	return s.request.deadline, true
}

// fifo is a queue of partitions.
type fifo struct {
	items []*served
	head  int
}

func (q *fifo) empty() bool { return q.head == len(q.items) }

func (q *fifo) push(p *served) { q.items = append(q.items, p) }

func (q *fifo) pop() (*served, bool) {
	if q.empty() {
		return nil, false
	}
	p := q.items[q.head]
	q.items[q.head] = nil
	q.head++
	if q.empty() {
		q.items, q.head = q.items[:0], 0
	}
	return p, true
}
