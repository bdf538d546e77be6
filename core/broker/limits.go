package broker

import "time"

const (
	// PipelineCallsMax bounds the requests of one connection between arrival and reply.
	// Clients keep at most 5 produces in flight, some more of other kinds; at the bound
	// the connection is read no further until replies have gone out.
	PipelineCallsMax = 64
	// PipelineBytesMax bounds the bytes of those requests; one request may be larger,
	// and then is alone.
	PipelineBytesMax = 32 << 20
	// UnsentBytesMax bounds the replies of one connection that wait to be sent. Beyond
	// it no further request is started: a client that does not read must not make the
	// broker hold megabytes of records for it.
	UnsentBytesMax = 64 << 20

	// tickInterval paces background work of the log directories while there is any.
	tickInterval = 100 * time.Millisecond

	// strayNameMax is the longest name a file system takes.
	strayNameMax = 255

	// forever is longer than a process lives, and may be added to an instant.
	forever = 100 * 365 * 24 * time.Hour

	// dirsMax bounds the log directories: a directory's number is the high byte of its
	// tags, and 0 is nobody's.
	dirsMax = 255
)
