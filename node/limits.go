package node

import "time"

const (
	// buffersRetainedMax bounds the memory that the buffer pool keeps for reuse.
	buffersRetainedMax = 32 << 20
	// quietMax is how long a clean stop waits for writes under way.
	quietMax = 30 * time.Second
)
