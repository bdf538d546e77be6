package replica

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidwall/btree"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Fetcher asks one broker for all the partitions that this one follows from there. Its work
// grows with the partitions that have something to say, not with those it has.
type Fetcher struct {
	cfg   FetcherConfig
	parts map[Key]*fetched

	// What the next requests say, oldest first, so that none waits for ever.
	changed   []*fetched
	forgotten []Key
	// Who waits after an error, by when to wake it.
	asleep btree.BTreeG[*fetched]

	connected bool
	session   uint64
	seq       uint64 // of the next request
	inFlight  []flight
	fresh     bool        // no reply has come in this session
	resumeAt  env.Instant // no request before: the source refused a session
	order     uint64      // counts partitions, for a stable order
	now       env.Instant
}

// FetcherConfig says who asks and how much.
type FetcherConfig struct {
	Self        kafka.BrokerID
	BrokerEpoch kafka.BrokerEpoch
	// BytesMax is replica.fetch.response.max.bytes.
	BytesMax int
	// Timeout is replica.socket.timeout.ms: a request without answer for so long begins
	// another session. It must be longer than a Source waits.
	Timeout time.Duration
	// Backoff is replica.fetch.backoff.ms, after a refused session.
	Backoff time.Duration
}

// Validate tells what is impossible about the configuration.
func (c FetcherConfig) Validate() error {
	if c.BytesMax < 1 || c.Timeout <= 0 || c.Backoff <= 0 {
		return fmt.Errorf("replica: impossible configuration %+v: all must be positive", c)
	}
	return nil
}

// fetched is a followed partition.
type fetched struct {
	key     Key
	f       *Follower
	number  uint64
	queued  bool // in changed
	known   bool // to the source, in this session
	removed bool
	asleep  bool
	wakeAt  env.Instant
}

type flight struct {
	seq    uint64
	sentAt env.Instant
}

// Delivery is an answer to hand to its follower.
type Delivery struct {
	Key      Key
	Follower *Follower
	Answer   Answer
}

// NewFetcher asks for nothing yet.
func NewFetcher(cfg FetcherConfig) *Fetcher {
	return &Fetcher{
		cfg: cfg, parts: map[Key]*fetched{},
		asleep: *btree.NewBTreeG(func(a, b *fetched) bool {
			return a.wakeAt < b.wakeAt || a.wakeAt == b.wakeAt && a.number < b.number
		}),
	}
}

// Len is the number of partitions.
func (x *Fetcher) Len() int { return len(x.parts) }

// Added has a partition asked for.
func (x *Fetcher) Added(key Key, f *Follower) {
	x.Removed(key)
	x.order++
	p := &fetched{key: key, f: f, number: x.order}
	x.parts[key] = p
	x.queue(p)
}

// Removed ends that: another broker leads it, or this one.
func (x *Fetcher) Removed(key Key) {
	p := x.parts[key]
	if p == nil {
		return
	}
	delete(x.parts, key)
	x.wake(p)
	p.removed = true
	if p.known {
		x.forgotten = append(x.forgotten, key)
	}
}

// Changed tells that FollowerEffects.Moved was set for a partition.
func (x *Fetcher) Changed(key Key) {
	if p := x.parts[key]; p != nil {
		x.wake(p)
		x.queue(p)
	}
}

// Connected tells that requests can be sent. What was under way on an older connection is lost.
func (x *Fetcher) Connected(now env.Instant) {
	x.now = now
	x.connected = true
	x.restart()
}

// Disconnected tells that they cannot.
func (x *Fetcher) Disconnected(now env.Instant) {
	x.now = now
	x.connected = false
	x.inFlight = x.inFlight[:0]
}

// restart begins another session, which knows of no partition.
func (x *Fetcher) restart() {
	x.session++
	x.seq, x.fresh = 0, true
	x.inFlight, x.forgotten = x.inFlight[:0], nil
	for _, p := range x.inOrder() {
		p.known = false
		if !p.asleep {
			x.queue(p)
		}
	}
}

// inOrder lists all partitions as they came.
func (x *Fetcher) inOrder() []*fetched {
	all := make([]*fetched, 0, len(x.parts))
	for _, p := range x.parts {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *fetched) int { return int(int64(a.number) - int64(b.number)) })
	return all
}

func (x *Fetcher) queue(p *fetched) {
	if !p.queued {
		p.queued = true
		x.changed = append(x.changed, p)
	}
}

func (x *Fetcher) sleep(p *fetched, until env.Instant) {
	p.asleep, p.wakeAt = true, until
	x.asleep.Set(p)
}

func (x *Fetcher) wake(p *fetched) {
	if p.asleep {
		x.asleep.Delete(p)
		p.asleep = false
	}
}

// Next is the request to send now, nil for none. Call it when no further event is waiting, so
// that one request says all that has changed, until it is nil.
func (x *Fetcher) Next(now env.Instant) *Request {
	x.now = now
	if !x.connected || now < x.resumeAt || len(x.inFlight) >= RequestsInFlightMax {
		return nil
	}
	r := &Request{
		Broker: x.cfg.Self, BrokerEpoch: x.cfg.BrokerEpoch, Session: x.session, Seq: x.seq,
		Seen: x.seq - uint64(len(x.inFlight)), BytesMax: x.cfg.BytesMax,
		Parts: x.takeChanged(), Forgotten: x.forgotten,
	}
	// One request always lies at the source, for it to tell what is new; a second one only if
	// it says something.
	if len(r.Parts)+len(r.Forgotten) == 0 && (len(x.inFlight) > 0 || len(x.parts) == 0) {
		return nil
	}
	x.forgotten = nil
	x.inFlight = append(x.inFlight, flight{x.seq, now})
	x.seq++
	return r
}

// takeChanged empties the queue into asks, up to what a request may hold.
func (x *Fetcher) takeChanged() []Ask {
	var asks []Ask
	n := 0
	for ; n < len(x.changed) && len(asks) < PartsPerRequestMax; n++ {
		p := x.changed[n]
		p.queued = false
		if p.removed {
			continue
		}
		if req, ok := p.f.Position(); ok {
			p.known = true
			asks = append(asks, Ask{p.key, req})
		} else if _, until, waits := p.f.Waits(); waits {
			x.wake(p)
			x.sleep(p, until)
		}
	}
	x.changed = slices.Delete(x.changed, 0, n)
	return asks
}

// ReplyReceived takes a reply and tells which answers to hand to Follower.Answered. A reply
// of another session, or one that came before, is about nothing; one that comes too early
// tells that another was lost.
func (x *Fetcher) ReplyReceived(now env.Instant, r *Reply) []Delivery {
	x.now = now
	if r.Session != x.session || len(x.inFlight) == 0 || r.Seq < x.inFlight[0].seq {
		return nil
	}
	if r.Seq > x.inFlight[0].seq || r.Code != kafka.None {
		if x.fresh { // again and again at once would be a storm
			x.resumeAt = now.Add(x.cfg.Backoff)
		}
		x.restart()
		return nil
	}
	x.inFlight = slices.Delete(x.inFlight, 0, 1)
	x.fresh = false
	deliveries := make([]Delivery, 0, len(r.Parts))
	for _, told := range r.Parts {
		p := x.parts[told.Key]
		if p == nil {
			continue
		}
		deliveries = append(deliveries, Delivery{told.Key, p.f, told.Answer})
		if !told.Accepts() || len(told.Records) > 0 {
			x.queue(p) // the source tells nothing more of it before it is asked again
		}
	}
	return deliveries
}

// Tick reports that time has passed. It is due at Deadline.
func (x *Fetcher) Tick(now env.Instant) {
	// Back-offs are measured on a clock that never steps back.
	if now < x.now {
		invariant.Violated("replica.fetcher-time-never-back", "now=%s->%s", x.now, now)
	}
	x.now = now
	if len(x.inFlight) > 0 && now >= x.inFlight[0].sentAt.Add(x.cfg.Timeout) {
		x.restart()
	}
	for p, ok := x.asleep.Min(); ok && p.wakeAt <= now; p, ok = x.asleep.Min() {
		x.wake(p)
		p.f.Tick(now)
		x.queue(p)
	}
}

// Deadline is when Tick, and Next after it, is due, if ok.
func (x *Fetcher) Deadline() (at env.Instant, ok bool) {
	const never = env.Instant(1<<63 - 1)
	at = never
	if len(x.inFlight) > 0 {
		at = x.inFlight[0].sentAt.Add(x.cfg.Timeout)
	}
	if p, some := x.asleep.Min(); some {
		at = min(at, p.wakeAt)
	}
	if x.connected && x.resumeAt > x.now && len(x.parts) > 0 {
		at = min(at, x.resumeAt)
	}
	return at, at != never
}
