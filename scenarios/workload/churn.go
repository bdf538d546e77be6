package workload

import (
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// runChurn creates a topic, writes and reads it, deletes it, and begins anew under the same
// name: a recreated topic must be empty, and a deleted one must stay away.
func runChurn(c *client, cfg *Churn, name string) {
	want := Topic{Name: name, Partitions: 1, Configs: cfg.Configs}
	for !c.w.stopping {
		if !c.createTopic(want) {
			return
		}
		t := c.find(name)
		if t == nil || !c.use(t) {
			return
		}
		if !c.f.Sleep(around(c.f, cfg.Pause)) || !c.deleteTopic(t) || !c.f.Sleep(around(c.f, cfg.Pause)) {
			return
		}
		if !c.connect(c.w.bootstrap) {
			return
		}
		c.metadata(name, 0)
	}
}

// find waits until the topic has a leader. It returns nil when the host closed.
func (c *client) find(name string) *topic {
	for c.connect(c.w.bootstrap) {
		if t := c.metadata(name, 0); t != nil && t.ready() {
			c.calm()
			return t
		}
		if !c.pause() {
			break
		}
	}
	return nil
}

// use writes a few batches, each sent until it is settled, and reads the topic from its start.
func (c *client) use(t *topic) bool {
	p := &producer{client: c, t: t, cfg: &Producer{Acks: -1, InFlight: 1, RecordsMax: 3, BytesMax: 100, Rate: 1}}
	p.counter = c.written
	p.open()
	for range 3 {
		c.w.working(c.proc, producersPrefix)
		p.window = append(p.window, p.newBatch(c.f.Now()))
		for len(p.window) > 0 {
			if !p.step() {
				return false
			}
		}
	}
	c.written = p.counter
	r := newReader(c, &Reader{BytesMax: fetchBytes}, t, 0)
	for range 2 {
		if !c.connect(c.w.leaderOf(t, 0)) {
			return false
		}
		if _, code, ok := r.fetch(0); !ok && !r.recover(code) {
			return false
		}
	}
	return true
}

// deleteTopic asks until the topic is gone. It reports false when the host closed.
func (c *client) deleteTopic(t *topic) bool {
	for c.connect(c.w.bootstrap) {
		code, err := c.deleteOnce(t)
		switch {
		case errors.Is(err, errStopped):
			return false
		case err == nil && (code == kafka.None || code == kafka.UnknownTopicOrPartition ||
			code == kafka.UnknownTopicID):
			c.calm()
			return true
		}
		if !c.pause() {
			return false
		}
	}
	return false
}

func (c *client) deleteOnce(t *topic) (kafka.ErrorCode, error) {
	key := t.key(0)
	id := c.w.rec.Begin(history.Op{Process: c.proc, Kind: history.DeleteTopic, Topic: key.Topic,
		TopicID: key.TopicID})
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = int32(requestTimeout / time.Millisecond)
	c.w.version(req)
	if req.GetVersion() >= 6 && !t.id.IsZero() {
		req.Topics = []kmsg.DeleteTopicsRequestTopic{{TopicID: t.id}}
	} else {
		req.TopicNames = []string{t.name}
		req.Topics = []kmsg.DeleteTopicsRequestTopic{{Topic: kmsg.StringPtr(t.name)}}
	}
	kresp, err := c.conn.Ask(req)
	if err != nil {
		c.w.rec.End(id, history.Info).Error = err.Error()
		return 0, err
	}
	resp := kresp.(*kmsg.DeleteTopicsResponse)
	if len(resp.Topics) != 1 {
		c.w.rec.End(id, history.Info).Error = errMalformed.Error()
		return 0, errMalformed
	}
	code := kafka.ErrorCode(resp.Topics[0].ErrorCode)
	c.w.rec.End(id, topicResult(code)).Code = int16(code)
	return code, nil
}
