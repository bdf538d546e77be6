package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topic is a measurement's own topic, gone when it ends.
type topic struct {
	target  Target
	name    string
	id      [16]byte
	leaders []int32 // by partition
	brokers map[int32]string
	admin   *kgo.Client
}

// createTopic makes a topic and returns when every partition has a leader that answers.
func createTopic(ctx context.Context, t Target, o Options) (*topic, error) {
	admin, err := t.client()
	if err != nil {
		return nil, err
	}
	k := &topic{target: t, name: fmt.Sprintf("tidemark-bench-%d", time.Now().UnixNano()), admin: admin,
		leaders: make([]int32, o.Partitions), brokers: map[int32]string{}}
	ctx, cancel := context.WithTimeout(ctx, 4*answerMax)
	defer cancel()
	configs := map[string]*string{}
	for key, value := range t.Configs {
		configs[key] = &value
	}
	kafka := kadm.NewClient(admin)
	created, err := kafka.CreateTopic(ctx, int32(o.Partitions), int16(o.Replicas), configs, k.name)
	if err != nil {
		admin.Close()
		if created.ErrMessage != "" {
			err = fmt.Errorf("%w: %s", err, created.ErrMessage)
		}
		return nil, fmt.Errorf("create a topic: %w", err)
	}
	var last error
	err = eventually(ctx, func() bool {
		last = k.discover(ctx)
		return last == nil
	})
	if err != nil {
		k.delete()
		return nil, fmt.Errorf("wait for the leaders of a new topic: %w (%w)", err, last)
	}
	return k, nil
}

// discover learns the topic's id and leaders, or says why some partition is not served yet.
func (k *topic) discover(ctx context.Context) error {
	req := kmsg.NewPtrMetadataRequest()
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &k.name
	req.Topics = append(req.Topics, asked)
	res, err := req.RequestWith(ctx, k.admin)
	if err != nil {
		return err
	}
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != len(k.leaders) {
		return fmt.Errorf("metadata has no whole topic %s", k.name)
	}
	for _, b := range res.Brokers {
		k.brokers[b.NodeID] = fmt.Sprintf("%s:%d", b.Host, b.Port)
	}
	k.id = res.Topics[0].TopicID
	for _, p := range res.Topics[0].Partitions {
		if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
			return err
		}
		if p.Partition < 0 || int(p.Partition) >= len(k.leaders) || k.brokers[p.Leader] == "" {
			return fmt.Errorf("partition %d of %s has no leader", p.Partition, k.name)
		}
		k.leaders[p.Partition] = p.Leader
	}
	ends, err := kadm.NewClient(k.admin).ListEndOffsets(ctx, k.name)
	if err != nil {
		return err
	}
	return ends.Error()
}

// delete also runs when the measurement was interrupted.
func (k *topic) delete() {
	ctx, cancel := context.WithTimeout(context.Background(), answerMax)
	defer cancel()
	_, _ = kadm.NewClient(k.admin).DeleteTopics(ctx, k.name) // best effort: the figures are there
	k.admin.Close()
}

// led lists the partitions by the broker that leads them.
func (k *topic) led() map[int32][]int32 {
	by := map[int32][]int32{}
	for partition, leader := range k.leaders {
		by[leader] = append(by[leader], int32(partition))
	}
	return by
}

// producer opens a client that writes to the topic as the options say.
func (k *topic) producer(o Options, linger time.Duration) (*kgo.Client, error) {
	opts := []kgo.Opt{
		kgo.DefaultProduceTopic(k.name), kgo.ProducerLinger(linger), kgo.ProducerBatchCompression(codecOf(o.Codec)),
	}
	if o.Acks == "1" {
		opts = append(opts, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite(),
			kgo.MaxProduceRequestsInflightPerBroker(o.InFlight))
	}
	if o.Spread == "uniform" {
		opts = append(opts, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	}
	return k.target.client(opts...)
}

func codecOf(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}
