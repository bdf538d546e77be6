package broker

import (
	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/env"
)

// Broker is one shard's logic. It implements env.Handler; calls never overlap.
type Broker struct {
	cfg Config
}

var _ env.Handler = (*Broker)(nil)

// New makes a broker that does nothing before Boot.
func New(cfg Config) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Broker{cfg: cfg}, nil
}

// Decode is the hook for env.Received.Decoded: pure, for any goroutine.
func Decode(class env.Class, frame []byte) any {
	if class != env.ClassClient {
		return nil
	}
	return api.Decode(class, frame)
}

// Boot opens the log directories, replays the metadata log and starts the registration of
// this broker. It blocks on the disk; after it returned nil, events may come. Requests that
// arrive before the registration is durable are kept until it is.
func (b *Broker) Boot() error { return nil }

// Stop ends the broker cleanly and blocks on the disk: open calls are given up, logs are
// written out and marked clean. No event may follow.
func (b *Broker) Stop() error { return nil }

// TimerFired implements env.Handler.
func (b *Broker) TimerFired(key env.TimerKey) {}

// ConnAccepted implements env.Handler.
func (b *Broker) ConnAccepted(c env.ConnID, info env.ConnInfo) {}

// ConnDialed implements env.Handler.
func (b *Broker) ConnDialed(c env.ConnID, err error) {}

// FrameReceived implements env.Handler.
func (b *Broker) FrameReceived(c env.ConnID, f env.Received) {}

// ConnWritable implements env.Handler.
func (b *Broker) ConnWritable(c env.ConnID) {}

// ConnClosed implements env.Handler.
func (b *Broker) ConnClosed(c env.ConnID, err error) {}

// DiskDone implements env.Handler.
func (b *Broker) DiskDone(done env.Completion) {}

// Drained implements env.Handler.
func (b *Broker) Drained() {}
