package admin

import "time"

// Limits of a port that a few programs ask now and then.
const (
	// connectionsMax bounds the connections; more wait in the kernel's queue.
	connectionsMax = 32
	// headerBytesMax bounds a request's head. Bodies are not read.
	headerBytesMax = 8 << 10
	// readMax bounds how long a request may take to arrive, and idleMax how long a
	// connection may wait for the next.
	readMax = 5 * time.Second
	idleMax = 2 * time.Minute
	// writeMax bounds an answer, the wait for the event loop included.
	writeMax = 30 * time.Second
	// leaveMax is how long Close waits for answers under way, and for connections that have
	// not asked anything yet.
	leaveMax = 200 * time.Millisecond
)
