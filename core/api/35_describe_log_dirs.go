package api

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
)

// DescribeLogDirs (key 35) tells what lies in this broker's log directories.
//
// Versions 1–5, flexible from 2.
//
// Behaviour:
//   - Every log directory is listed; topics and partitions asked for are looked up in each,
//     null asks for all. What is not here is left out.
//   - A directory that failed is KAFKA_STORAGE_ERROR and shows nothing.
//   - The size is that of the segments. The lag is 0, for no replica of this broker is
//     behind itself and none is moved between directories.
//   - The metadata log is not listed, nor what was set aside as a stray.
//
// Added by version: v1 throttle time after the reply, v3 top-level error, v4 bytes of the
// volume (KIP-827), v5 cordoned directories.
//
// Not done: the volume's total size (always −1, "unknown"), cordoned directories.
func describeLogDirs(s *Server, c *Call) {
	req := c.decoded.request.(*kmsg.DescribeLogDirsRequest)
	var resp kmsg.DescribeLogDirsResponse
	wanted := newLogFilter(req)
	for _, d := range s.cfg.LogDirs.LogDirs() {
		row := kmsg.NewDescribeLogDirsResponseDir()
		row.Dir, row.Topics = d.Path, []kmsg.DescribeLogDirsResponseDirTopic{}
		if d.Err != nil {
			row.ErrorCode = int16(kafka.KafkaStorageError)
			s.countError(c, kafka.KafkaStorageError)
		} else {
			row.UsableBytes = d.FreeBytes
			row.Topics = wanted.topics(d.Logs)
		}
		resp.Dirs = append(resp.Dirs, row)
	}
	s.answer(c, &resp)
}

var logDirsFields = []field{
	{kind: kArray, null: nullFrom(0), fields: []field{
		{kind: kString},
		{kind: kArray, fields: of(kInt32)},
	}},
}

// LogDirs shows the log directories of the broker.
type LogDirs interface {
	LogDirs() []LogDir
}

// LogDir is a log directory as clients may see it. Logs are those of partitions, by topic.
type LogDir struct {
	Path      string
	Err       error // why it is offline, nil while it works
	FreeBytes int64 // −1 if unknown
	Logs      []*log.Log
}

// logFilter is what a request asks for; nil stands for everything.
type logFilter map[kafka.TopicPartition]bool

func newLogFilter(req *kmsg.DescribeLogDirsRequest) logFilter {
	if req.Topics == nil {
		return nil
	}
	f := logFilter{}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			f[kafka.TopicPartition{Topic: t.Topic, Partition: p}] = true
		}
	}
	return f
}

// topics lists the logs that are wanted; those of one topic stand together.
func (f logFilter) topics(logs []*log.Log) []kmsg.DescribeLogDirsResponseDirTopic {
	rows := []kmsg.DescribeLogDirsResponseDirTopic{}
	for _, l := range logs {
		tp := l.TP()
		if f != nil && !f[tp] {
			continue
		}
		if n := len(rows); n == 0 || rows[n-1].Topic != tp.Topic {
			rows = append(rows, kmsg.DescribeLogDirsResponseDirTopic{Topic: tp.Topic})
		}
		row := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
		row.Partition, row.Size = tp.Partition, l.Size()
		last := &rows[len(rows)-1]
		last.Partitions = append(last.Partitions, row)
	}
	return rows
}
