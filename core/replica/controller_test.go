package replica_test

import (
	"slices"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/replica"
)

// modelController is what the replicas need of a controller, without a log of its own: the
// state of one partition, changed by compare and set, with the ELR of KIP-966.
type modelController struct {
	minISR  int
	unclean bool
	state   replica.State
	brokers []replica.Broker // by id − 1
	epochs  kafka.BrokerEpoch
	history []image // all states, in order; a node reads them one by one
	// electedUncleanly tells that the present leader may lack what was committed.
	electedUncleanly bool
}

type image struct {
	state   replica.State
	brokers []replica.Broker
}

func newModelController(n, minISR int) *modelController {
	c := &modelController{minISR: minISR}
	for id := kafka.BrokerID(1); id <= kafka.BrokerID(n); id++ {
		c.epochs++
		c.brokers = append(c.brokers, replica.Broker{ID: id, Epoch: c.epochs})
		c.state.Replicas = append(c.state.Replicas, id)
	}
	c.state.ISR = slices.Clone(c.state.Replicas)
	c.state.Leader = 1
	c.commit()
	return c
}

func (c *modelController) broker(id kafka.BrokerID) *replica.Broker { return &c.brokers[id-1] }

func (c *modelController) commit() {
	c.history = append(c.history, image{c.state, slices.Clone(c.brokers)})
}

// inSync gives the partition another ISR; who leaves it while it is too small is eligible.
func (c *modelController) inSync(isr []kafka.BrokerID) {
	eligible := slices.Clone(c.state.ELR)
	for _, id := range c.state.ISR {
		if !slices.Contains(eligible, id) {
			eligible = append(eligible, id)
		}
	}
	eligible = slices.DeleteFunc(eligible, func(id kafka.BrokerID) bool { return slices.Contains(isr, id) })
	if len(isr) >= min(c.minISR, len(c.state.Replicas)) {
		eligible = nil
	}
	c.state.ISR, c.state.ELR = isr, eligible
	c.state.PartitionEpoch++
}

func without(ids []kafka.BrokerID, id kafka.BrokerID) []kafka.BrokerID {
	return slices.DeleteFunc(slices.Clone(ids), func(x kafka.BrokerID) bool { return x == id })
}

// register begins another incarnation of a broker, fenced. Whoever may have lost something
// leaves ISR and ELR with it (R-INCARNATION).
func (c *modelController) register(id kafka.BrokerID, loss bool) {
	c.epochs++
	*c.broker(id) = replica.Broker{ID: id, Epoch: c.epochs, Fenced: true}
	c.leave(id)
	if loss {
		c.state.ELR = without(c.state.ELR, id)
	}
	c.elect()
	c.commit()
}

func (c *modelController) leave(id kafka.BrokerID) {
	if c.state.Leader == id {
		c.state.Leader = -1
		c.state.LeaderEpoch++
	}
	if slices.Contains(c.state.ISR, id) || slices.Contains(c.state.ELR, id) {
		c.inSync(without(c.state.ISR, id))
	}
}

func (c *modelController) fence(id kafka.BrokerID) {
	c.broker(id).Fenced = true
	c.leave(id)
	c.elect()
	c.commit()
}

func (c *modelController) unfence(id kafka.BrokerID) {
	c.broker(id).Fenced = false
	c.elect()
	c.commit()
}

func (c *modelController) live(id kafka.BrokerID) bool { return !c.broker(id).Fenced }

// elect finds a leader if there is none: from the ISR, else from the ELR, else, if that is
// allowed, from whoever lives (R-ELECT).
func (c *modelController) elect() {
	if c.state.Leader >= 0 {
		return
	}
	if i := slices.IndexFunc(c.state.ISR, c.live); i >= 0 {
		c.lead(c.state.ISR[i], c.state.ISR, false)
	} else if i := slices.IndexFunc(c.state.ELR, c.live); i >= 0 && len(c.state.ISR) == 0 {
		c.lead(c.state.ELR[i], []kafka.BrokerID{c.state.ELR[i]}, false)
	} else if i := slices.IndexFunc(c.state.Replicas, c.live); i >= 0 && c.unclean {
		c.state.ISR, c.state.ELR = nil, nil
		c.lead(c.state.Replicas[i], []kafka.BrokerID{c.state.Replicas[i]}, true)
	}
}

func (c *modelController) lead(id kafka.BrokerID, isr []kafka.BrokerID, unclean bool) {
	c.state.Leader = id
	c.state.LeaderEpoch++
	c.inSync(isr)
	c.electedUncleanly = unclean
}

// move elects another member of the ISR.
func (c *modelController) move(id kafka.BrokerID) {
	if slices.Contains(c.state.ISR, id) && c.live(id) && id != c.state.Leader {
		c.lead(id, c.state.ISR, false)
		c.commit()
	}
}

// alter answers AlterPartition.
func (c *modelController) alter(from kafka.BrokerID, p *replica.Proposal) (kafka.ErrorCode, replica.State) {
	switch {
	case from != c.state.Leader || p.LeaderEpoch != c.state.LeaderEpoch:
		return kafka.FencedLeaderEpoch, replica.State{}
	case p.PartitionEpoch != c.state.PartitionEpoch:
		return kafka.InvalidUpdateVersion, replica.State{}
	}
	isr := make([]kafka.BrokerID, 0, len(p.ISR))
	for _, m := range p.ISR {
		if b := c.broker(m.ID); b.Fenced || b.Epoch != m.Epoch {
			return kafka.IneligibleReplica, replica.State{}
		}
		isr = append(isr, m.ID)
	}
	c.inSync(isr)
	c.commit()
	return kafka.None, c.state
}
