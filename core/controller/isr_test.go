package controller_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// propose takes one partition a line: topic, partition, leader epoch, partition epoch and
// the ISR as broker@epoch,… The request comes from broker=, registered with epoch=.
func (c *cluster) propose(t *testing.T, d *datadriven.TestData) string {
	var broker int32
	var epoch int64
	d.ScanArgs(t, "broker", &broker)
	d.ScanArgs(t, "epoch", &epoch)
	req := controller.AlterPartition{Broker: kafka.BrokerID(broker), Epoch: kafka.BrokerEpoch(epoch)}
	names := strings.Split(strings.TrimSpace(d.Input), "\n")
	for i, line := range names {
		f := strings.Fields(line)
		names[i] = f[0] + "-" + f[1]
		p := controller.ProposeISR{
			Partition: int32(number(t, f[1])), LeaderEpoch: kafka.LeaderEpoch(number(t, f[2])),
			PartitionEpoch: int32(number(t, f[3])),
		}
		if topic := c.control.Image().Topic(f[0]); topic != nil {
			p.TopicID = topic.ID
		}
		for _, m := range f[4:] {
			id, of, _ := strings.Cut(m, "@")
			p.ISR = append(p.ISR, controller.ISRMember{
				ID: kafka.BrokerID(number(t, id)), Epoch: kafka.BrokerEpoch(number(t, of)),
			})
		}
		req.Partitions = append(req.Partitions, p)
	}
	decision := c.control.AlterPartition(req)
	if a := decision.Answer; a.Code != kafka.None {
		return run(c, decision, row(a.Code, a.Message, ""))
	}
	rows := make([]string, len(names))
	for i, a := range decision.Answer.Partitions {
		made := fmt.Sprintf("leader=%d leader-epoch=%d partition-epoch=%d isr=%d",
			a.Leader, a.LeaderEpoch, a.PartitionEpoch, a.ISR)
		rows[i] = names[i] + " " + row(a.Code, a.Message, made)
	}
	return run(c, decision, rows...)
}

// proposals is a cluster of one partition whose leaders propose what they like, now or
// late, while brokers start anew and are fenced.
type proposals struct {
	*cluster
	t    *rapid.T
	late []controller.AlterPartition // sent, and may arrive again at any time
	next byte
}

func (p *proposals) partition() (*metadata.Topic, *metadata.Partition) {
	topic := p.control.Image().Topic("t")
	return topic, topic.Partition(0)
}

func (p *proposals) step() {
	id := kafka.BrokerID(rapid.Int32Range(1, 4).Draw(p.t, "broker"))
	switch rapid.IntRange(0, 5).Draw(p.t, "step") {
	case 0:
		p.next++
		p.append(p.control.RegisterBroker(controller.RegisterBroker{
			ID: id, Incarnation: metadata.IncarnationID{2, p.next}, PreviousEnded: true,
			Listeners: []metadata.Listener{{Name: "PLAINTEXT"}},
		}).Records)
	case 1:
		b := p.control.Image().Broker(id)
		p.append([]metadata.Record{&metadata.RegisterBrokerRecord{
			ID: b.ID, Epoch: b.Epoch, Incarnation: b.Incarnation,
			Fenced: rapid.Bool().Draw(p.t, "fenced"), Listeners: b.Listeners,
		}})
	case 2:
		if len(p.late) > 0 {
			p.arrives(rapid.SampledFrom(p.late).Draw(p.t, "late"))
		}
	default:
		req := p.drawn(id)
		p.late = append(p.late, req)
		if rapid.Bool().Draw(p.t, "at once") {
			p.arrives(req)
		}
	}
}

// drawn is a proposal that is right more often than not: of the leader, about the state as
// it is, with the epochs that are registered.
func (p *proposals) drawn(id kafka.BrokerID) controller.AlterPartition {
	m := p.control.Image()
	topic, now := p.partition()
	if rapid.IntRange(0, 4).Draw(p.t, "led") > 0 {
		id = now.Leader
	}
	change := controller.ProposeISR{
		TopicID: topic.ID, LeaderEpoch: now.LeaderEpoch, PartitionEpoch: now.PartitionEpoch,
	}
	if rapid.IntRange(0, 7).Draw(p.t, "epochs") == 0 {
		change.LeaderEpoch += kafka.LeaderEpoch(rapid.Int32Range(-1, 1).Draw(p.t, "leader epoch"))
		change.PartitionEpoch += rapid.Int32Range(-1, 1).Draw(p.t, "partition epoch")
	}
	for _, member := range rapid.SliceOfN(rapid.Int32Range(1, 4), 0, 4).Draw(p.t, "isr") {
		if n := kafka.BrokerID(member); n != id {
			old := rapid.SampledFrom([]kafka.BrokerEpoch{0, 0, 0, 0, 0, 1}).Draw(p.t, "earlier registration")
			change.ISR = append(change.ISR, controller.ISRMember{ID: n, Epoch: m.Broker(n).Epoch - old})
		}
	}
	if rapid.IntRange(0, 9).Draw(p.t, "with itself") > 0 {
		change.ISR = append(change.ISR, controller.ISRMember{ID: id, Epoch: m.Broker(id).Epoch})
	}
	return controller.AlterPartition{
		Broker: id, Epoch: m.Broker(id).Epoch,
		Partitions: slices.Repeat([]controller.ProposeISR{change}, rapid.IntRange(1, 2).Draw(p.t, "copies")),
	}
}

// arrives holds a decision against the state before and after it.
func (p *proposals) arrives(req controller.AlterPartition) {
	m := p.control.Image()
	_, before := p.partition()
	d := p.control.AlterPartition(req)
	accepted := 0
	for i, a := range d.Answer.Partitions {
		if a.Code != kafka.None {
			continue
		}
		accepted++
		asked := req.Partitions[i]
		if req.Broker != before.Leader || asked.LeaderEpoch != before.LeaderEpoch ||
			asked.PartitionEpoch != before.PartitionEpoch || a.PartitionEpoch != before.PartitionEpoch+1 {
			p.t.Fatalf("%+v accepted as %+v in %+v", asked, a, before)
		}
		for _, member := range asked.ISR {
			if b := m.Broker(member.ID); b.Fenced || b.Epoch != member.Epoch {
				p.t.Fatalf("%+v accepted, registered is %+v", member, b)
			}
		}
	}
	if accepted > 1 || accepted != len(d.Records) {
		p.t.Fatalf("%d of %d accepted, %d records", accepted, len(req.Partitions), len(d.Records))
	}
	p.append(d.Records)
	_, after := p.partition()
	if accepted == 0 && after != before {
		p.t.Fatalf("refused, and yet %+v", after)
	}
	if after.Leader != before.Leader || after.LeaderEpoch != before.LeaderEpoch {
		p.t.Fatalf("a change of the ISR is no election: %+v, was %+v", after, before)
	}
	for i, id := range after.ISR {
		if slices.Contains(after.ISR[:i], id) || !after.HasReplica(id) {
			p.t.Fatalf("isr %v of %v", after.ISR, after.Replicas)
		}
	}
	if !slices.Contains(after.ISR, after.Leader) {
		p.t.Fatalf("leader %d outside %v", after.Leader, after.ISR)
	}
}

// Over all proposals, in time or late, right or wrong: one is accepted only from the leader
// and about the state as it is, with members that are registered under the epochs it names
// and not fenced; each state is followed by one change at most.
func TestProposalIsAcceptedOnlyAsItWasMeant(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := &proposals{cluster: clusterOf(t, 4), t: rt}
		p.mustCreate("t", 1, 3)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			p.step()
		}
	})
}
