package log

import (
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/record"
)

// Dir is one log directory.
type Dir struct{ cfg DirConfig }

// Log is one partition.
type Log struct{ dir *Dir }

// Recovery tells what opening the directory found.
type Recovery struct{}

// ProducerCheck is the answer to a batch of an idempotent producer.
type ProducerCheck struct {
	Code      kafka.ErrorCode
	Duplicate bool // Base and Timestamp are of the first append
	Base      kafka.Offset
	Timestamp kafka.Timestamp
}

func OpenDir(cfg DirConfig) (*Dir, error)            { return nil, ErrOffline }
func (d *Dir) Recovery() Recovery                    { return Recovery{} }
func (d *Dir) All() []*Log                           { return nil }
func (d *Dir) Log(tp kafka.TopicPartition) *Log      { return nil }
func (d *Dir) Delete(l *Log)                         {}
func (d *Dir) DiskDone(done env.Completion) *Effects { return nil }
func (d *Dir) Drained() *Effects                     { return nil }
func (d *Dir) Tick(now env.Instant)                  {}
func (d *Dir) Idle() bool                            { return true }
func (d *Dir) Close() error                          { return nil }
func (d *Dir) Err() error                            { return nil }
func (d *Dir) SetBrokerEpoch(e kafka.BrokerEpoch)    {}
func (d *Dir) Create(tp kafka.TopicPartition, id kafka.TopicID, cfg Config) (*Log, error) {
	return nil, ErrOffline
}

func (l *Log) TP() kafka.TopicPartition                 { return kafka.TopicPartition{} }
func (l *Log) ID() kafka.TopicID                        { return kafka.TopicID{} }
func (l *Log) Start() kafka.Offset                      { return 0 }
func (l *Log) End() kafka.Offset                        { return 0 }
func (l *Log) DurableEnd() kafka.Offset                 { return 0 }
func (l *Log) Size() int64                              { return 0 }
func (l *Log) Config() Config                           { return Config{} }
func (l *Log) SetConfig(cfg Config)                     {}
func (l *Log) BeginEpoch(e kafka.LeaderEpoch)           {}
func (l *Log) LatestEpoch() kafka.LeaderEpoch           { return -1 }
func (l *Log) Err() error                               { return nil }
func (l *Log) EpochAt(o kafka.Offset) kafka.LeaderEpoch { return -1 }
func (l *Log) EndOffsetFor(e kafka.LeaderEpoch) (kafka.LeaderEpoch, kafka.Offset) {
	return -1, -1
}
func (l *Log) Append(b record.Batch, owner env.Buffer, e kafka.LeaderEpoch) (kafka.Offset, error) {
	return 0, ErrOffline
}
func (l *Log) CheckProducer(b record.Batch) ProducerCheck           { return ProducerCheck{} }
func (l *Log) Read(r ReadRequest) (ReadResult, env.Tag)             { return ReadResult{}, 0 }
func (l *Log) MaxTimestamp(upTo kafka.Offset) (TimeResult, env.Tag) { return TimeResult{}, 0 }
func (l *Log) OffsetForTime(ts kafka.Timestamp, upTo kafka.Offset) (TimeResult, env.Tag) {
	return TimeResult{}, 0
}
func (l *Log) Scan(from kafka.Offset, fn func(record.Batch) error) error { return nil }
