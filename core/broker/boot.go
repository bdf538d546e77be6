package broker

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tidemark-log/tidemark/core/controller"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
)

// tagShift puts a directory's number into the high byte of its tags.
const tagShift = 56

var errBootTwice = errors.New("broker: boot of a broker that was booted before")

// Boot opens the log directories, replays the metadata log and starts the registration of
// this broker. It blocks on the disk; after it returned nil, events may come. Requests that
// arrive before the registration is durable are kept until it is.
func (b *Broker) Boot() error {
	if b.runtime != nil || b.stopped {
		return errBootTwice
	}
	if err := b.openDirs(); err != nil {
		return err
	}
	b.runtime = b.newRuntime()
	if err := b.loadMetadata(); err != nil {
		return err
	}
	if err := b.setStraysAside(); err != nil {
		return err
	}
	if err := b.openMetalog(); err != nil {
		return err
	}
	b.incarnation = b.drawID()
	b.deleteRemoved()
	b.apply(b.control.Commit(b.metalog.DurableEnd()))
	if err := b.formatCluster(); err != nil {
		return err
	}
	if err := b.register(); err != nil {
		return err
	}
	for _, d := range b.dirs {
		b.carryOut(d, d.Drained())
	}
	b.keepTicking()
	return nil
}

func (b *Broker) openDirs() error {
	for i, path := range b.cfg.LogDirs {
		d := &directory{path: path, number: i}
		if err := b.openDir(d); err != nil {
			return err
		}
		d.recovery = d.Recovery()
		b.dirs = append(b.dirs, d)
	}
	return nil
}

func (b *Broker) openDir(d *directory) error {
	cfg := b.cfg.Log
	cfg.Path, cfg.Env, cfg.Node = d.path, b.env, b.cfg.NodeID
	cfg.TagBase, cfg.Number = env.Tag(d.number+1)<<tagShift, d.number
	if cfg.ProducerExpiry == 0 {
		cfg.ProducerExpiry = b.settings.producerLife
	}
	opened, err := log.OpenDir(cfg.Defaults())
	if err != nil {
		return fmt.Errorf("broker: log directory %s: %w", d.path, err)
	}
	d.Dir, d.partitions = opened, len(opened.All())
	return nil
}

// openMetalog finds the metadata log where it was loaded from, or makes a new one.
func (b *Broker) openMetalog() (err error) {
	first := b.dirs[0]
	if b.metalog = first.Log(metadataTP); b.metalog == nil {
		b.metalog, err = first.Create(metadataTP, kafka.MetadataTopicID, metadataLogConfig())
	}
	if err != nil {
		return fmt.Errorf("broker: metadata log: %w", err)
	}
	b.metalog.SetConfig(metadataLogConfig())
	b.metalog.BeginEpoch(b.metaEpoch)
	return nil
}

// formatCluster writes the cluster's id into a new metadata log, and compares it with an
// old one's.
func (b *Broker) formatCluster() error {
	id := b.cfg.ClusterID
	if id == "" && b.control.Image().ClusterID() == "" {
		id = kafka.TopicID(b.drawID()).String()
	}
	d := b.control.FormatCluster(controller.FormatCluster{ClusterID: id})
	if d.Answer.Code != kafka.None {
		return fmt.Errorf("broker: cluster id: %v: %s", d.Answer.Code, d.Answer.Message)
	}
	if len(d.Records) > 0 {
		submit(b, d, func(controller.ClusterFormatted, kafka.ErrorCode) {})
	}
	return nil
}

// register announces this incarnation. Serving starts when the announcement is durable;
// partitions then lead in a new epoch.
func (b *Broker) register() error {
	d := b.control.RegisterBroker(controller.RegisterBroker{
		ID: b.cfg.NodeID, Incarnation: b.incarnation, Rack: b.cfg.Rack,
		Listeners: b.cfg.listeners(), PreviousEnded: true,
	})
	if d.Answer.Code != kafka.None {
		return fmt.Errorf("broker: register: %v: %s", d.Answer.Code, d.Answer.Message)
	}
	b.epoch = d.Answer.Epoch
	submit(b, d, func(answer controller.BrokerRegistered, code kafka.ErrorCode) {
		if code == kafka.None {
			b.registered(answer)
		}
	})
	if b.runtime.Ready() != kafka.None {
		return fmt.Errorf("broker: register: %w", log.ErrOffline)
	}
	return nil
}

// registered starts to serve.
func (b *Broker) registered(answer controller.BrokerRegistered) {
	b.ready = true
	for _, d := range b.dirs {
		d.SetBrokerEpoch(b.epoch)
	}
	b.trace(traceReady, [4]int64{int64(b.epoch), int64(answer.Partitions)}, "")
	for _, id := range slices.Sorted(maps.Keys(b.conns)) {
		b.start(b.conns[id])
	}
	if b.cfg.Serving != nil {
		b.cfg.Serving()
	}
}
