package broker

import (
	"slices"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/coordinator"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// ticket is called when what a reply rests on is committed, or with a code instead.
type ticket func(kafka.ErrorCode)

var _ api.Admin = (*Broker)(nil)

// CreateTopics implements api.Admin.
func (b *Broker) CreateTopics(req controller.CreateTopics,
	done func([]controller.TopicCreated, kafka.ErrorCode)) {
	decide(b, (*controller.Controller).CreateTopics, req, done)
}

// DeleteTopics implements api.Admin.
func (b *Broker) DeleteTopics(req controller.DeleteTopics,
	done func([]controller.TopicDeleted, kafka.ErrorCode)) {
	decide(b, (*controller.Controller).DeleteTopics, req, done)
}

// CreatePartitions implements api.Admin.
func (b *Broker) CreatePartitions(req controller.CreatePartitions,
	done func([]controller.PartitionsCreated, kafka.ErrorCode)) {
	decide(b, (*controller.Controller).CreatePartitions, req, done)
}

// IncrementalAlterConfigs implements api.Admin.
func (b *Broker) IncrementalAlterConfigs(req controller.IncrementalAlterConfigs,
	done func([]controller.ConfigsAltered, kafka.ErrorCode)) {
	req.Broker = b.cfg.NodeID
	decide(b, (*controller.Controller).IncrementalAlterConfigs, req, done)
}

// AlterConfigs implements api.Admin.
func (b *Broker) AlterConfigs(req controller.AlterConfigs,
	done func([]controller.ConfigsAltered, kafka.ErrorCode)) {
	req.Broker = b.cfg.NodeID
	decide(b, (*controller.Controller).AlterConfigs, req, done)
}

// AllocateProducerIDs implements api.Admin.
func (b *Broker) AllocateProducerIDs(done func(controller.ProducerIDsAllocated, kafka.ErrorCode)) {
	req := controller.AllocateProducerIDs{Broker: b.cfg.NodeID, Epoch: b.epoch}
	decide(b, (*controller.Controller).AllocateProducerIDs, req, done)
}

// decide has the controller decide on a request, if it can write down what it decides.
func decide[R, A any](b *Broker, how func(*controller.Controller, R) controller.Decision[A], req R,
	done func(A, kafka.ErrorCode)) {
	if code := b.runtime.Ready(); code != kafka.None {
		var none A
		done(none, code)
		return
	}
	submit(b, how(b.control, req), done)
}

// submit appends what was decided and answers once it is committed.
func submit[A any](b *Broker, d controller.Decision[A], done func(A, kafka.ErrorCode)) {
	b.release(b.runtime.Submit(d.Records, func(code kafka.ErrorCode) {
		if code != kafka.None {
			var none A
			done(none, code)
			return
		}
		done(d.Answer, kafka.None)
	}))
}

// release calls the tickets whose time has come. A ticket may submit again, so the list is
// taken out of the runtime first.
func (b *Broker) release(eff *coordinator.Effects[ticket]) {
	for _, r := range slices.Clone(eff.Replies) {
		r.Ticket(r.Code)
	}
}

// newRuntime makes the coordinator over the metadata log.
func (b *Broker) newRuntime() *coordinator.Runtime[metadata.Record, ticket] {
	return coordinator.New[metadata.Record, ticket](coordinator.Config[metadata.Record]{
		Log: metalog{b},
		NewMachine: func() coordinator.Machine[metadata.Record] {
			b.control = controller.New(controller.Config{NewTopicID: b.drawID, Resolver: b.resolver})
			return b.control
		},
	})
}

// drawID draws 16 random bytes.
func (b *Broker) drawID() (id [16]byte) {
	for half := range 2 {
		v := b.env.Rand.Uint64("id")
		for i := range 8 {
			id[half*8+i] = byte(v >> (8 * i))
		}
	}
	return id
}
