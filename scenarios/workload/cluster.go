package workload

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// topic is what the clients know of a topic. They share it: one host, one view.
type topic struct {
	name    string
	id      kafka.TopicID
	leaders []leader
}

type leader struct {
	addr  string
	epoch int32
}

// key names a partition in the history. Topics without an id have none there either.
func (t *topic) key(partition int32) history.Key {
	k := history.Key{Topic: t.name, Partition: partition}
	if !t.id.IsZero() {
		k.TopicID = t.id.String()
	}
	return k
}

// preferred are the versions spoken where the cluster offers them; lower ones are used down
// to the lowest named.
var preferred = map[kmsg.Key]struct{ low, high int16 }{
	kmsg.Produce:        {3, 13},
	kmsg.Fetch:          {4, 16},
	kmsg.ListOffsets:    {7, 9},
	kmsg.Metadata:       {9, 12},
	kmsg.CreateTopics:   {5, 7},
	kmsg.DeleteTopics:   {4, 6},
	kmsg.InitProducerID: {2, 4},
}

// The versions from which these requests name topics by id alone.
const (
	produceByID = 13
	fetchByID   = 13
)

// client is one process of the workload: a fiber with one connection.
type client struct {
	w       *Workload
	f       *Fiber
	proc    int32
	conn    *Conn
	backoff time.Duration
	written uint64 // records of this process so far, where several producers follow each other
}

// connect makes sure of a connection to addr, dialling until there is one. It reports false
// when the host closed. Whatever went wrong before is forgotten with the connection.
func (c *client) connect(addr func() string) bool {
	for c.conn == nil || c.conn.Dead() != nil {
		if c.conn != nil && !c.pause() {
			return false
		}
		conn, err := c.f.Dial(addr())
		switch {
		case errors.Is(err, errStopped):
			return false
		case err != nil:
			if !c.pause() {
				return false
			}
		default:
			c.conn = conn
		}
	}
	return true
}

// pause waits after a failure, longer each time until calm is called.
func (c *client) pause() bool {
	c.backoff = min(max(2*c.backoff, backoffMin), backoffMax)
	half := int(c.backoff / 2)
	return c.f.Sleep(time.Duration(half + c.f.Draw("workload.backoff", half)))
}

func (c *client) calm() { c.backoff = 0 }

// drop ends the connection.
func (c *client) drop() {
	if c.conn != nil {
		c.conn.Close(errClosedByPeer)
		c.conn = nil
	}
}

// ask sends a request at the version agreed on.
func (c *client) ask(req kmsg.Request) (kmsg.Response, error) {
	c.w.version(req)
	return c.conn.Ask(req)
}

func (w *Workload) version(req kmsg.Request) { req.SetVersion(w.versions[kmsg.Key(req.Key())]) }

// negotiate asks the cluster what it speaks. All its members are taken to speak alike.
func (c *client) negotiate() error {
	req := kmsg.NewPtrApiVersionsRequest()
	req.SetVersion(3)
	req.ClientSoftwareName, req.ClientSoftwareVersion = clientID, "1"
	kresp, err := c.conn.Ask(req)
	if err != nil {
		return err
	}
	resp := kresp.(*kmsg.ApiVersionsResponse)
	offered := map[kmsg.Key]kmsg.ApiVersionsResponseApiKey{}
	for _, k := range resp.ApiKeys {
		offered[kmsg.Key(k.ApiKey)] = k
	}
	versions := map[kmsg.Key]int16{}
	for _, key := range slices.Sorted(maps.Keys(preferred)) {
		want := preferred[key]
		has, ok := offered[key]
		v := min(want.high, has.MaxVersion)
		if !ok || v < want.low || v < has.MinVersion {
			return fmt.Errorf("workload: the cluster offers %s %d..%d, want one of %d..%d", key.Name(),
				has.MinVersion, has.MaxVersion, want.low, want.high)
		}
		versions[key] = v
	}
	w := c.w
	w.versions = versions
	return nil
}

// bootstrap is the next address to begin with.
func (w *Workload) bootstrap() string {
	w.bootstraps++
	return w.cfg.Bootstrap[w.bootstraps%len(w.cfg.Bootstrap)]
}

// leaderOf is the address of a partition's leader as far as known.
func (w *Workload) leaderOf(t *topic, partition int32) func() string {
	return func() string {
		if l := t.leaders[partition]; l.addr != "" {
			return l.addr
		}
		return w.bootstrap()
	}
}

// metadata asks for one topic, notes what it learned and records the operation. It returns
// nil where the topic is unknown or no answer came.
func (c *client) metadata(name string, partition int32) *topic {
	id := c.w.rec.Begin(history.Op{Process: c.proc, Kind: history.Metadata, Topic: name, Partition: partition})
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr(name)}}
	kresp, err := c.ask(req)
	if err != nil {
		c.w.rec.End(id, history.Info).Error = err.Error()
		return nil
	}
	resp := kresp.(*kmsg.MetadataResponse)
	if len(resp.Topics) != 1 || resp.Topics[0].ErrorCode != 0 {
		op := c.w.rec.End(id, history.Fail)
		if len(resp.Topics) == 1 {
			op.Code = resp.Topics[0].ErrorCode
		}
		return nil
	}
	t := c.w.learn(resp)
	op := c.w.rec.End(id, history.Ok)
	op.Partitions = int32(len(t.leaders))
	if !t.id.IsZero() {
		op.TopicID = t.id.String()
	}
	if int(partition) < len(t.leaders) {
		op.LeaderEpoch = t.leaders[partition].epoch
	}
	return t
}

// learn makes a topic from a Metadata reply about one topic.
func (w *Workload) learn(resp *kmsg.MetadataResponse) *topic {
	rt := &resp.Topics[0]
	t := &topic{id: rt.TopicID}
	if rt.Topic != nil {
		t.name = *rt.Topic
	}
	addrs := map[int32]string{}
	for _, b := range resp.Brokers {
		addrs[b.NodeID] = b.Host + ":" + strconv.Itoa(int(b.Port))
	}
	t.leaders = make([]leader, len(rt.Partitions))
	for _, p := range rt.Partitions {
		if p.Partition >= 0 && int(p.Partition) < len(t.leaders) && p.ErrorCode == 0 {
			t.leaders[p.Partition] = leader{addrs[p.Leader], p.LeaderEpoch}
		}
	}
	return t
}

// ready tells whether every partition has a leader.
func (t *topic) ready() bool {
	for _, l := range t.leaders {
		if l.addr == "" {
			return false
		}
	}
	return len(t.leaders) > 0
}

// createTopic asks until it is there. It reports false when the host closed.
func (c *client) createTopic(want Topic) bool {
	for {
		if !c.connect(c.w.bootstrap) {
			return false
		}
		code, err := c.createOnce(want)
		switch {
		case errors.Is(err, errStopped):
			return false
		case err == nil && (code == kafka.None || code == kafka.TopicAlreadyExists):
			c.calm()
			return true
		case err == nil && !retriable(code):
			c.w.fail(fmt.Errorf("workload: create topic %s: %s", want.Name, code))
			return false
		}
		if !c.pause() {
			return false
		}
	}
}

func (c *client) createOnce(want Topic) (kafka.ErrorCode, error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(requestTimeout.Milliseconds())
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = want.Name, want.Partitions, want.Replication
	if t.ReplicationFactor == 0 {
		t.ReplicationFactor = -1
	}
	for _, k := range sortedKeys(want.Configs) {
		t.Configs = append(t.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: k,
			Value: kmsg.StringPtr(want.Configs[k])})
	}
	req.Topics = append(req.Topics, t)
	id := c.w.rec.Begin(history.Op{Process: c.proc, Kind: history.CreateTopic, Topic: want.Name,
		Partitions: want.Partitions})
	kresp, err := c.ask(req)
	if err != nil {
		c.w.rec.End(id, history.Info).Error = err.Error()
		return 0, err
	}
	resp := kresp.(*kmsg.CreateTopicsResponse)
	if len(resp.Topics) != 1 {
		c.w.rec.End(id, history.Info).Error = errMalformed.Error()
		return 0, errMalformed
	}
	code := kafka.ErrorCode(resp.Topics[0].ErrorCode)
	op := c.w.rec.End(id, topicResult(code))
	op.Code = int16(code)
	if tid := kafka.TopicID(resp.Topics[0].TopicID); !tid.IsZero() {
		op.TopicID = tid.String()
	}
	return code, nil
}

// topicResult tells what a code proves about a creation or deletion.
func topicResult(code kafka.ErrorCode) history.Result {
	switch code {
	case kafka.None:
		return history.Ok
	case kafka.RequestTimedOut, kafka.NotController, kafka.UnknownServerError:
		return history.Info
	}
	return history.Fail
}

// retriable tells the codes after which the same request may succeed.
func retriable(code kafka.ErrorCode) bool {
	switch code {
	case kafka.UnknownTopicOrPartition, kafka.LeaderNotAvailable, kafka.NotLeaderOrFollower,
		kafka.RequestTimedOut, kafka.ReplicaNotAvailable, kafka.CoordinatorLoadInProgress,
		kafka.CoordinatorNotAvailable, kafka.NotCoordinator, kafka.NotEnoughReplicas,
		kafka.NotEnoughReplicasAfterAppend, kafka.NotController, kafka.KafkaStorageError,
		kafka.FencedLeaderEpoch, kafka.UnknownLeaderEpoch, kafka.OffsetNotAvailable,
		kafka.ThrottlingQuotaExceeded, kafka.UnknownTopicID, kafka.CorruptMessage,
		kafka.FetchSessionIDNotFound, kafka.InvalidFetchSessionEpoch:
		return true
	}
	return false
}

// refresh asks who leads the topic's partitions now, and leaves the connection if that is
// somebody else. It reports false when the host closed.
func (c *client) refresh(t *topic, partition int32) bool {
	was := t.leaders[partition].addr
	if now := c.metadata(t.name, partition); now != nil && now.id == t.id && len(now.leaders) == len(t.leaders) {
		t.leaders = now.leaders
	}
	if t.leaders[partition].addr != was {
		c.drop()
	}
	return !c.f.stopped
}
