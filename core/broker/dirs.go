package broker

import (
	"slices"

	"github.com/tidemark-log/tidemark/core/api"
	"github.com/tidemark-log/tidemark/core/log"
)

var _ api.LogDirs = (*Broker)(nil)

// LogDirs implements api.LogDirs.
func (b *Broker) LogDirs() []api.LogDir {
	out := make([]api.LogDir, len(b.dirs))
	for i, d := range b.dirs {
		out[i] = api.LogDir{Path: d.path, Err: d.Err(), Logs: d.All(), FreeBytes: -1}
		if d.Err() != nil {
			continue
		}
		out[i].FreeBytes = b.env.Disk.Free(d.path)
		if i == 0 { // the metadata log is nobody's partition
			out[i].Logs = slices.DeleteFunc(slices.Clone(d.All()), func(l *log.Log) bool {
				return l == b.metalog
			})
		}
	}
	return out
}
