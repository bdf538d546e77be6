package controller_test

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// cluster is a controller with its log, as the scripts drive it: what is decided is
// appended, replayed and committed at once.
type cluster struct {
	t       testing.TB
	static  map[string]string
	control *controller.Controller
	log     []batch
	end     kafka.Offset
	drawn   uint64

	snapshot []byte // if not nil, what a start begins with
}

// batch is one decision's records as bytes, so that every story also tells whether what
// is decided can be written and read.
type batch struct {
	base    kafka.Offset
	records [][]byte
}

func newCluster(t testing.TB) *cluster {
	c := &cluster{t: t}
	c.start()
	return c
}

// start makes a controller from the log, as a restart does.
func (c *cluster) start() {
	resolver, err := metadata.NewResolver(1, c.static)
	if err != nil {
		c.t.Fatal(err)
	}
	c.control = controller.New(controller.Config{NewTopicID: c.draw, Resolver: resolver})
	c.load()
}

// load replays the log, onto a snapshot if there is one.
func (c *cluster) load() {
	from := kafka.Offset(0)
	if c.snapshot != nil {
		image, header, err := metadata.LoadSnapshot(c.snapshot)
		if err != nil {
			c.t.Fatal(err)
		}
		c.control.LoadSnapshot(image)
		from = header.End
		c.control.Commit(from)
	}
	for _, b := range c.log {
		if b.base >= from {
			c.replay(b)
		}
	}
}

// takeSnapshot makes a snapshot of what is committed, for the starts to come.
func (c *cluster) takeSnapshot() metadata.SnapshotID {
	w := metadata.NewSnapshotWriter(c.control.Committed(), metadata.SnapshotOptions{LeaderEpoch: 1})
	c.snapshot = []byte{}
	for {
		b, err := w.Next()
		if err != nil {
			c.t.Fatal(err)
		}
		if b == nil {
			return w.ID()
		}
		c.snapshot = append(c.snapshot, b...)
	}
}

// draw gives ids that can be told apart by eye.
func (c *cluster) draw() (id [16]byte) {
	c.drawn++
	binary.BigEndian.PutUint16(id[:], uint16(c.drawn))
	id[15] = byte(c.drawn)
	return id
}

func (c *cluster) append(records []metadata.Record) {
	b := batch{base: c.end}
	for _, r := range records {
		encoded, err := metadata.EncodeRecord(r)
		if err != nil {
			c.t.Fatal(err)
		}
		b.records = append(b.records, encoded)
	}
	if len(records) == 0 {
		return
	}
	c.log = append(c.log, b)
	c.replay(b)
}

func (c *cluster) replay(b batch) {
	records := make([]metadata.Record, len(b.records))
	for i, encoded := range b.records {
		r, err := metadata.DecodeRecord(encoded)
		if err != nil {
			c.t.Fatal(err)
		}
		records[i] = r
	}
	c.control.Replay(b.base, records)
	c.end = b.base + kafka.Offset(len(records))
	c.control.Commit(c.end)
}

// run tells a decision: the records it appends, then the rows of its answer.
func run[A any](c *cluster, d controller.Decision[A], rows ...string) string {
	var b strings.Builder
	for i, r := range d.Records {
		fmt.Fprintf(&b, "%d %s\n", c.end+kafka.Offset(i), r)
	}
	for _, row := range rows {
		b.WriteString("-> " + row + "\n")
	}
	c.append(d.Records)
	return b.String()
}

func row(code kafka.ErrorCode, message, good string) string {
	if code == kafka.None {
		return strings.TrimSpace("NONE " + good)
	}
	return fmt.Sprintf("%s: %s", code, message)
}

func TestControllerTellsItsStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		c := newCluster(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			c.t = t
			return c.command(t, d)
		})
	})
}

func (c *cluster) command(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "static":
		c.static = map[string]string{}
		for _, f := range strings.Fields(d.Input) {
			key, value, _ := strings.Cut(f, "=")
			c.static[key] = value
		}
		c.start()
	case "format":
		var id string
		d.ScanArgs(t, "cluster", &id)
		decision := c.control.FormatCluster(controller.FormatCluster{ClusterID: id})
		a := decision.Answer
		return run(c, decision, row(a.Code, a.Message, "cluster="+a.ClusterID))
	case "register":
		return c.register(t, d)
	case "fence":
		return c.fence(t, d)
	case "create":
		return c.create(t, d)
	case "grow":
		return c.grow(t, d)
	case "propose":
		return c.propose(t, d)
	case "alter":
		return c.alter(t, d)
	case "replace":
		return c.replace(t, d)
	case "delete":
		return c.delete(t, d)
	case "producer-ids":
		return c.producerIDs(t, d)
	case "snapshot":
		return c.takeSnapshot().String() + "\n"
	case "restart":
		before := c.control.Image().String()
		c.start()
		if after := c.control.Image().String(); after != before {
			d.Fatalf(t, "the log gives another image:\n%s\nwas\n%s", after, before)
		}
		return fmt.Sprintf("%d batches, %d records\n", len(c.log), c.end)
	case "image":
		return c.control.Committed().String()
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	return ""
}

func (c *cluster) register(t *testing.T, d *datadriven.TestData) string {
	req := controller.RegisterBroker{Listeners: []metadata.Listener{
		{Name: "PLAINTEXT", Host: "h", Port: 9092, Protocol: "PLAINTEXT"},
	}}
	var id int32
	var incarnation string
	d.ScanArgs(t, "id", &id)
	d.ScanArgs(t, "incarnation", &incarnation)
	d.MaybeScanArgs(t, "cluster", &req.ClusterID)
	d.MaybeScanArgs(t, "host", &req.Listeners[0].Host)
	d.MaybeScanArgs(t, "listener", &req.Listeners[0].Name)
	req.ID, req.PreviousEnded = kafka.BrokerID(id), d.HasArg("previous-ended")
	copy(req.Incarnation[:], incarnation)
	if d.HasArg("no-listeners") {
		req.Listeners = nil
	}
	decision := c.control.RegisterBroker(req)
	answer := decision.Answer
	return run(c, decision, row(answer.Code, answer.Message,
		fmt.Sprintf("epoch=%d partitions=%d", answer.Epoch, answer.Partitions)))
}

// fence writes the record that heartbeats will cause one day.
func (c *cluster) fence(t *testing.T, d *datadriven.TestData) string {
	var id int32
	d.ScanArgs(t, "id", &id)
	b := c.control.Image().Broker(kafka.BrokerID(id))
	c.append([]metadata.Record{&metadata.RegisterBrokerRecord{
		ID: b.ID, Epoch: b.Epoch, Incarnation: b.Incarnation, Fenced: true, Listeners: b.Listeners,
	}})
	return ""
}

// create takes one topic a line: name, partitions=, rf=, assign=p:b,b;p:b, key=value.
func (c *cluster) create(t *testing.T, d *datadriven.TestData) string {
	req := controller.CreateTopics{ValidateOnly: d.HasArg("validate-only")}
	for line := range strings.Lines(d.Input) {
		req.Topics = append(req.Topics, parseTopic(t, strings.Fields(line)))
	}
	decision := c.control.CreateTopics(req)
	var rows []string
	for i, a := range decision.Answer {
		if a.Name != req.Topics[i].Name {
			d.Fatalf(t, "row %d is of %q", i, a.Name)
		}
		rows = append(rows, fmt.Sprintf("%q %s", a.Name, row(a.Code, a.Message,
			fmt.Sprintf("id=%s partitions=%d rf=%d%s", a.ID, a.Partitions, a.ReplicationFactor, own(a.Configs)))))
	}
	return run(c, decision, rows...)
}

// own lists the configs that are the topic's own, of all that the answer names.
func own(configs []metadata.EffectiveConfig) string {
	var b strings.Builder
	for _, e := range configs {
		if e.Source == metadata.SourceTopic {
			b.WriteString(" " + e.Key.Name + "=" + e.Value)
		}
	}
	return b.String()
}

func parseTopic(t *testing.T, fields []string) controller.CreateTopic {
	topic := controller.CreateTopic{Partitions: -1, ReplicationFactor: -1}
	for i, f := range fields {
		key, value, found := strings.Cut(f, "=")
		switch {
		case i == 0:
			topic.Name = strings.Trim(f, `"`)
		case key == "partitions":
			topic.Partitions = int32(number(t, value))
		case key == "rf":
			topic.ReplicationFactor = int16(number(t, value))
		case key == "assign":
			for _, part := range strings.Split(value, ";") {
				p, brokers, _ := strings.Cut(part, ":")
				a := controller.Assignment{Partition: int32(number(t, p))}
				for _, b := range metadata.SplitList(brokers) {
					a.Brokers = append(a.Brokers, kafka.BrokerID(number(t, b)))
				}
				topic.Assignments = append(topic.Assignments, a)
			}
		case found:
			topic.Configs = append(topic.Configs, controller.ConfigSetting{Key: key, Value: &value})
		default:
			topic.Configs = append(topic.Configs, controller.ConfigSetting{Key: key})
		}
	}
	return topic
}

func number(t *testing.T, s string) int64 {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// delete takes one topic a line: a name, id=… or both.
func (c *cluster) delete(t *testing.T, d *datadriven.TestData) string {
	var req controller.DeleteTopics
	for line := range strings.Lines(d.Input) {
		var topic controller.DeleteTopic
		for _, f := range strings.Fields(line) {
			text, isID := strings.CutPrefix(f, "id=")
			if !isID {
				topic.Name = strings.Trim(f, `"`)
				continue
			}
			id, err := kafka.ParseTopicID(text)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			topic.ID = id
		}
		req.Topics = append(req.Topics, topic)
	}
	decision := c.control.DeleteTopics(req)
	var rows []string
	for _, a := range decision.Answer {
		rows = append(rows, fmt.Sprintf("%q %s", a.Name, row(a.Code, a.Message, "id="+a.ID.String())))
	}
	return run(c, decision, rows...)
}

func (c *cluster) producerIDs(t *testing.T, d *datadriven.TestData) string {
	var broker int32
	var epoch int64
	d.ScanArgs(t, "broker", &broker)
	d.ScanArgs(t, "epoch", &epoch)
	decision := c.control.AllocateProducerIDs(controller.AllocateProducerIDs{
		Broker: kafka.BrokerID(broker), Epoch: kafka.BrokerEpoch(epoch),
	})
	a := decision.Answer
	return run(c, decision, row(a.Code, a.Message, fmt.Sprintf("first=%d count=%d", a.First, a.Count)))
}
