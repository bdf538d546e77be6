package workload

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// reader fetches from one partition.
type reader struct {
	*client
	cfg   *Reader
	t     *topic
	part  int32
	key   history.Key
	place uint32

	position int64
	seek     bool        // position does not follow from the last poll
	began    env.Instant // when the last poll did
	limit    int32       // of bytes: less on a link that was too slow for the last answer
}

func newReader(c *client, cfg *Reader, t *topic, part int32) *reader {
	r := &reader{client: c, cfg: cfg, t: t, part: part, key: t.key(part), seek: true, limit: cfg.BytesMax}
	r.place = placeHash(r.key)
	return r
}

// runTail follows the log from its start.
func runTail(c *client, cfg *Reader, t *topic, part int32) {
	r := newReader(c, cfg, t, part)
	c.w.working(c.proc, "tail")
	for r.connect(c.w.leaderOf(t, part)) {
		n, code, ok := r.fetch(fetchWait)
		switch {
		case c.f.stopped:
			return
		case !ok && !r.recover(code):
			return
		case ok && n == 0 && r.sawQuiet():
			c.w.rested(c.proc)
		}
	}
}

// sawQuiet tells whether the last poll began after the last producer had finished.
func (r *reader) sawQuiet() bool {
	return r.w.quietAt != 0 && r.began > r.w.quietAt
}

// runReread reads everything there is, from the start or from anywhere, again and again.
func runReread(c *client, cfg *Reader, t *topic, part int32) {
	r := newReader(c, cfg, t, part)
	for c.f.Sleep(around(c.f, cfg.Pause)) {
		end, ok := r.end()
		if !ok {
			continue
		}
		r.position, r.seek = 0, true
		if c.f.Draw("workload.reread.random", 2) == 1 {
			r.position = int64(c.f.Draw("workload.reread.position", int(end)+1))
		}
		for r.position < end && !c.f.stopped {
			if !r.connect(c.w.leaderOf(t, part)) {
				return
			}
			if _, code, ok := r.fetch(0); !ok && !r.recover(code) {
				return
			}
		}
	}
}

// end asks for the end of the log; ok is false if there was no answer.
func (r *reader) end() (end int64, ok bool) {
	if !r.connect(r.w.leaderOf(r.t, r.part)) {
		return 0, false
	}
	o, ok := r.listOffsets(r.t, r.part, timestampLatest)
	return o, ok
}

// fetch polls once. It returns the number of records, and where there was no answer with
// records an error code (0 for no reply at all) with ok false.
func (r *reader) fetch(wait time.Duration) (n int, code kafka.ErrorCode, ok bool) {
	rec := r.w.rec
	r.began = r.f.Now()
	id := rec.Begin(history.Op{Process: r.proc, Kind: history.Fetch, Topic: r.key.Topic, TopicID: r.key.TopicID,
		Partition: r.part, Position: r.position, Seek: r.seek})
	kresp, err := r.ask(r.request(wait))
	if err != nil {
		r.limit = max(r.limit/2, fetchBytesMin)
		rec.End(id, history.Info).Error = err.Error()
		return 0, 0, false
	}
	resp := kresp.(*kmsg.FetchResponse)
	if resp.ErrorCode != 0 {
		rec.End(id, history.Fail).Code = resp.ErrorCode
		return 0, kafka.ErrorCode(resp.ErrorCode), false
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		rec.End(id, history.Info).Error = errMalformed.Error()
		return 0, 0, false
	}
	rp := &resp.Topics[0].Partitions[0]
	if rp.ErrorCode != 0 {
		rec.End(id, history.Fail).Code = rp.ErrorCode
		return 0, kafka.ErrorCode(rp.ErrorCode), false
	}
	records := r.records(rp.RecordBatches)
	op := rec.End(id, history.Ok)
	op.Records = records
	r.calm()
	r.limit = min(2*r.limit, r.cfg.BytesMax)
	r.seek = false
	if n = len(records); n > 0 {
		r.position = records[n-1].Offset + 1
	}
	return n, 0, true
}

// records reads a reply's batches. The first may begin before the position; a torn last one
// is left for the next poll, as Kafka's clients do.
func (r *reader) records(b []byte) []history.Record {
	var out []history.Record
	for len(b) > 0 {
		batch, rest, err := record.First(b)
		if err != nil {
			break
		}
		out = r.w.decoder.Append(out, batch, r.place, r.position)
		b = rest
	}
	return out
}

func (r *reader) request(wait time.Duration) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	r.w.version(req)
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(wait.Milliseconds()), 1, r.limit
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic = r.t.name
	if req.GetVersion() >= fetchByID {
		rt.Topic, rt.TopicID = "", r.t.id
	}
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition, rp.FetchOffset, rp.PartitionMaxBytes = r.part, r.position, r.limit
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

// recover does what a consumer does about an error. It reports false when the host closed.
func (r *reader) recover(code kafka.ErrorCode) bool {
	if code == kafka.OffsetOutOfRange {
		// The position came from the log itself; what became of it is for the checker.
		r.position, r.seek = 0, true
	}
	if code != kafka.None && !r.refresh(r.t, r.part) {
		return false
	}
	return r.pause()
}

// around draws a duration whose mean is d.
func around(f *Fiber, d time.Duration) time.Duration {
	return d/2 + time.Duration(f.Draw("workload.pause", int(d)))
}
