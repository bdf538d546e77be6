package log

import "github.com/tidemark-log/tidemark/core/log/journal"

// Stats are a directory's numbers for whoever exports them; counts are since OpenDir.
type Stats struct {
	Logs     int
	Segments int
	Bytes    int64 // of all segments
	Tight    bool  // clients' appends are refused for want of room

	Journal     journal.Stats
	Waiting     int64 // bytes that wait for the journal
	Checkpoints uint64

	CachedBytes int64 // in the tail cache
	CacheLimit  int64
	ReadsCached uint64 // reads that the tail cache answered
	ReadsAhead  uint64 // reads of what was read ahead of a consumer
	ReadsDisk   uint64 // reads that went to segment files
}

// counts are the numbers that nothing else keeps.
type counts struct {
	checkpoints, readsCached, readsAhead, readsDisk uint64
}

// Stats looks at every segment, which is for a scrape and not for the data path.
func (d *Dir) Stats() Stats {
	s := Stats{
		Logs: len(d.order), Tight: d.space.tight, Journal: d.journal.Stats(), Waiting: d.journal.WaitingBytes(),
		Checkpoints: d.counts.checkpoints, CachedBytes: d.cache.bytes, CacheLimit: d.cache.limit,
		ReadsCached: d.counts.readsCached, ReadsAhead: d.counts.readsAhead, ReadsDisk: d.counts.readsDisk,
	}
	for _, l := range d.order {
		s.Segments += len(l.segments)
		s.Bytes += l.Size()
	}
	return s
}
