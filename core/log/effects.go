package log

import (
	"github.com/tidemark-log/tidemark/core/env"
)

// Effects is what the owner of a Dir has to act on. It is valid until the next input.
type Effects struct {
	// Durable lists the logs whose durable end moved, in the order it moved.
	Durable []*Log
	// Started lists the logs whose start moved, some of them twice.
	Started []*Log
	// Reads lists the reads that are finished, in the order they finished.
	Reads []ReadDone
	// Space tells that Tight has changed.
	Space bool
	// Failed is set once, when the directory went offline: nothing in it is acknowledged
	// from now on.
	Failed error
}

func (e *Effects) reset() {
	clear(e.Durable)
	clear(e.Started)
	clear(e.Reads)
	e.Durable, e.Started, e.Reads = e.Durable[:0], e.Started[:0], e.Reads[:0]
	e.Space, e.Failed = false, nil
}

// ReadDone is the outcome of a read that had to go to the disk.
type ReadDone struct {
	Tag    env.Tag
	Log    *Log
	Result ReadResult // of Read
	Time   TimeResult // of OffsetForTime and MaxTimestamp
}
