package metadata

import (
	"iter"
	"slices"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// Partition is the state of one partition in an Image. It is shared between images and
// must not be changed.
type Partition struct {
	Leader         kafka.BrokerID // NoLeader if there is none
	LeaderEpoch    kafka.LeaderEpoch
	PartitionEpoch int32
	Replicas       []kafka.BrokerID // in order of preference
	ISR            []kafka.BrokerID
}

// HasReplica tells whether b holds a replica.
func (p *Partition) HasReplica(b kafka.BrokerID) bool { return slices.Contains(p.Replicas, b) }

// partitionPage is a run of partitions that is copied as a whole when one changes.
type partitionPage struct {
	owner uint64 // generation of the image that may still write it, see edit
	slots [partitionPageSize]*Partition
}

// Topic is a topic of an Image. It is shared between images and must not be changed.
type Topic struct {
	Name    string
	ID      kafka.TopicID
	Configs Configs // set on the topic itself; effective values come from a Resolver

	owner uint64
	count int32
	pages []*partitionPage
}

// PartitionCount is the number of partitions, numbered from 0.
func (t *Topic) PartitionCount() int32 { return t.count }

// Partition returns partition i, or nil if there is none.
func (t *Topic) Partition(i int32) *Partition {
	if i < 0 || i >= t.count {
		return nil
	}
	return t.pages[i/partitionPageSize].slots[i%partitionPageSize]
}

// Partitions yields the partitions in order.
func (t *Topic) Partitions() iter.Seq2[int32, *Partition] {
	return func(yield func(int32, *Partition) bool) {
		for i := range t.count {
			if !yield(i, t.Partition(i)) {
				return
			}
		}
	}
}

// ConfigEntry is one explicitly set config.
type ConfigEntry struct{ Key, Value string }

// Configs are explicitly set configs, ordered by key. They are shared and must not be
// changed.
type Configs []ConfigEntry

// Get returns the value set for key.
func (c Configs) Get(key string) (string, bool) {
	i, ok := c.find(key)
	if !ok {
		return "", false
	}
	return c[i].Value, true
}

func (c Configs) find(key string) (int, bool) {
	return slices.BinarySearchFunc(c, key, func(e ConfigEntry, k string) int {
		return strings.Compare(e.Key, k)
	})
}

// With returns a copy in which key has value, or is absent when value is nil.
func (c Configs) With(key string, value *string) Configs {
	i, ok := c.find(key)
	switch {
	case value == nil && !ok:
		return c
	case value == nil:
		return slices.Concat(c[:i], c[i+1:])
	case ok:
		out := slices.Clone(c)
		out[i].Value = *value
		return out
	}
	return slices.Concat(c[:i], Configs{{key, *value}}, c[i:])
}

// Broker is a registered broker.
type Broker struct {
	ID          kafka.BrokerID
	Epoch       kafka.BrokerEpoch
	Incarnation IncarnationID
	Fenced      bool // not to be sent clients to, not to be made leader
	Rack        string
	Listeners   []Listener
}

// Listener returns the address announced under name.
func (b *Broker) Listener(name string) (Listener, bool) {
	for _, l := range b.Listeners {
		if l.Name == name {
			return l, true
		}
	}
	return Listener{}, false
}
