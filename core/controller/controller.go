package controller

import (
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/metadata"
)

// Decision is what a decide function made of a request: the records to append as one
// batch, and the answer to give once they are committed. Without records it is a read or
// a refusal; the answer still waits for the records that the decision may have read.
type Decision[A any] struct {
	Records []metadata.Record
	Answer  A
}

// Config makes a controller.
type Config struct {
	// NewTopicID draws 16 random bytes. The controller makes a version 4 UUID of them.
	NewTopicID func() [16]byte
	// Resolver knows the static settings: num.partitions, default.replication.factor,
	// delete.topic.enable and the defaults of topic configs.
	Resolver *metadata.Resolver
}

// Controller is the state of the cluster and the decisions on it. It is a
// coordinator.Machine: Replay alone changes it.
type Controller struct {
	cfg Config

	// hard state, replayed
	timeline *metadata.Timeline
	loaded   bool // the load is over
}

// New makes a controller that knows of no record.
func New(cfg Config) *Controller {
	return &Controller{cfg: cfg, timeline: metadata.NewTimeline(metadata.NewImage())}
}

// LoadSnapshot gives the image of a snapshot to replay the log onto, from its End. It
// comes before any Replay.
func (c *Controller) LoadSnapshot(m *metadata.Image) { c.timeline.LoadSnapshot(m) }

// Replay applies one batch of records.
func (c *Controller) Replay(base kafka.Offset, records []metadata.Record) {
	if c.loaded {
		c.timeline.Apply(base, records)
	} else {
		c.timeline.Load(base, records)
	}
}

// Image is the image of all records replayed, committed or not. Decisions read it.
func (c *Controller) Image() *metadata.Image { return c.timeline.Newest() }

// Committed is the image below the high watermark. The broker acts on it.
func (c *Controller) Committed() *metadata.Image { return c.timeline.Committed() }

// Commit moves the committed image up to the high watermark and tells what changed. The
// first call ends the load, so it comes before the first decision; what was replayed until
// then becomes visible as one.
func (c *Controller) Commit(highWatermark kafka.Offset) *metadata.Delta {
	c.loaded = true
	return c.timeline.Commit(highWatermark)
}

// result is a code of the protocol with its sentence. The zero value is success.
type result struct {
	code    kafka.ErrorCode
	message string
}

func refuse(code kafka.ErrorCode, message string) result { return result{code, message} }

func (r result) ok() bool { return r.code == kafka.None }
