package metadata

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
)

// String implements Record.
func (r *ClusterRecord) String() string { return "cluster id=" + r.ClusterID }

// String implements Record.
func (r *FeatureLevelRecord) String() string {
	return fmt.Sprintf("feature-level name=%s level=%d", r.Name, r.Level)
}

// String implements Record.
func (r *RegisterBrokerRecord) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "register-broker id=%d epoch=%d incarnation=%s fenced=%t",
		r.ID, r.Epoch, r.Incarnation, r.Fenced)
	if r.Rack != "" {
		fmt.Fprintf(&b, " rack=%q", r.Rack)
	}
	for _, l := range r.Listeners {
		b.WriteString(" listener=" + l.String())
	}
	return b.String()
}

// String implements Record.
func (r *TopicRecord) String() string { return fmt.Sprintf("topic name=%s id=%s", r.Name, r.ID) }

// String implements Record.
func (r *PartitionRecord) String() string {
	return fmt.Sprintf("partition topic-id=%s partition=%d leader=%d leader-epoch=%d "+
		"partition-epoch=%d replicas=%s isr=%s",
		r.TopicID, r.Partition, r.Leader, r.LeaderEpoch, r.PartitionEpoch,
		joinIDs(r.Replicas), joinIDs(r.ISR))
}

// String implements Record.
func (r *PartitionChangeRecord) String() string {
	return fmt.Sprintf("partition-change topic-id=%s partition=%d leader=%d leader-epoch=%d "+
		"partition-epoch=%d isr=%s",
		r.TopicID, r.Partition, r.Leader, r.LeaderEpoch, r.PartitionEpoch, joinIDs(r.ISR))
}

// String implements Record.
func (r *RemoveTopicRecord) String() string { return "remove-topic id=" + r.ID.String() }

// String implements Record.
func (r *ConfigRecord) String() string {
	if r.Value == nil {
		return fmt.Sprintf("config %s key=%s removed", r.Resource, r.Key)
	}
	return fmt.Sprintf("config %s key=%s value=%q", r.Resource, r.Key, *r.Value)
}

// String implements Record.
func (r *ProducerIDsRecord) String() string {
	return fmt.Sprintf("producer-ids broker=%d epoch=%d next=%d", r.Broker, r.Epoch, r.Next)
}

// String implements Record.
func (r *SnapshotHeaderRecord) String() string {
	return fmt.Sprintf("snapshot-header end=%d leader-epoch=%d timestamp=%d", r.End, r.LeaderEpoch, r.Timestamp)
}

// String implements Record.
func (r *SnapshotFooterRecord) String() string {
	return fmt.Sprintf("snapshot-footer records=%d digest=%08x", r.Records, r.Digest)
}

// String is name://host:port/protocol.
func (l Listener) String() string {
	return l.Name + "://" + l.Host + ":" + strconv.Itoa(int(l.Port)) + "/" + l.Protocol
}

// String is the id in hexadecimal.
func (i IncarnationID) String() string { return hex.EncodeToString(i[:]) }

// String is type:name, with the name quoted because it may be empty.
func (r Resource) String() string {
	kind := "resource" + strconv.Itoa(int(r.Type))
	switch r.Type {
	case ResourceTopic:
		kind = "topic"
	case ResourceBroker:
		kind = "broker"
	}
	return kind + ":" + strconv.Quote(r.Name)
}

func joinIDs(ids []kafka.BrokerID) string {
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = id.String()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// String lists the image as text, one fact a line, in a fixed order. It is for tests and
// tools; a large cluster gives a large text.
func (m *Image) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster id=%s end=%d next-producer-id=%d\n", m.clusterID, m.end, m.nextProducerID)
	for _, f := range m.features {
		fmt.Fprintf(&b, "feature %s=%s\n", f.Key, f.Value)
	}
	for broker := range m.Brokers() {
		fmt.Fprintf(&b, "broker %d epoch=%d incarnation=%s", broker.ID, broker.Epoch, broker.Incarnation)
		if broker.Fenced {
			b.WriteString(" fenced")
		}
		if broker.Rack != "" {
			fmt.Fprintf(&b, " rack=%q", broker.Rack)
		}
		for _, l := range broker.Listeners {
			b.WriteString(" " + l.String())
		}
		b.WriteByte('\n')
	}
	m.configs.Scan(func(name string, c Configs) bool {
		fmt.Fprintf(&b, "configs %s%s\n", Resource{Type: ResourceBroker, Name: name}, c)
		return true
	})
	for t := range m.Topics() {
		fmt.Fprintf(&b, "topic %s id=%s%s\n", t.Name, t.ID, t.Configs)
		for i, p := range t.Partitions() {
			fmt.Fprintf(&b, "  %d leader=%d leader-epoch=%d partition-epoch=%d replicas=%s isr=%s\n",
				i, p.Leader, p.LeaderEpoch, p.PartitionEpoch, joinIDs(p.Replicas), joinIDs(p.ISR))
		}
	}
	return b.String()
}

// String lists the configs, each with a space before it.
func (c Configs) String() string {
	var b strings.Builder
	for _, e := range c {
		fmt.Fprintf(&b, " %s=%q", e.Key, e.Value)
	}
	return b.String()
}
