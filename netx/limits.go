package netx

import "time"

// Limits of the network boundary. Configurable ones have their default here.
const (
	// FrameMaxDefault is socket.request.max.bytes.
	FrameMaxDefault = 100 << 20
	// sendQueueHigh is where Send starts to answer false, in bytes queued on a connection:
	// several fetch replies of the usual size, so that a fast reader never waits.
	sendQueueHigh = 8 << 20
	// sendQueueLow is where a connection that was full becomes writable again.
	sendQueueLow = sendQueueHigh / 2
	// sendQueuesMax is how much may be queued on all connections together before the bound
	// of each falls to sendQueueCrowded: what clients do not read.
	sendQueuesMax    = 96 << 20
	sendQueueCrowded = 64 << 10
	// inboxBytesMax bounds the frames that wait for the loop; readers begin no further
	// frame beyond it, so each connection may exceed it by one.
	inboxBytesMax = 64 << 20
	// connInboxBytesMax is the same for one connection.
	connInboxBytesMax = 16 << 20
	// smallFrame is up to where a frame needs no share of the budget: every request but a
	// produce, and thousands of them half read must stay cheap.
	smallFrame = 16 << 10
	// readingBytesMax is that budget: what larger frames under way hold together, besides
	// one that may go beyond it. Sixty-four produces of the usual largest size at a time are
	// more than the loop takes from the inbox meanwhile.
	readingBytesMax = 64 << 20
	// A frame that others wait for must bring dawdleBytes in each dawdleWindow: a thirtieth
	// of what the slowest network in use can do.
	dawdleWindow = 3 * time.Second
	dawdleBytes  = 128 << 10
	// readStep is what a reader asks for before any byte of a larger frame has arrived, so
	// that a length alone costs little. It holds a produce request with a batch of 1 MiB, the
	// largest that common clients send, so that its bytes are moved only once.
	readStep = 1<<20 + 64<<10
	// readBufferBytes is the read-ahead of a connection: small, for thousands of idle ones.
	readBufferBytes = 8 << 10
	// shortcutMax is up to how many bytes of replies the loop sends by itself: an
	// acknowledgement, not a fetch of records. Copying more would hold up the others.
	shortcutMax = 8 << 10
	// writevMax is how many buffers one system call takes (IOV_MAX).
	writevMax = 1024
	// sendfileMax bounds one sendfile call, so that the deadline is looked at in between.
	sendfileMax = 4 << 20
	// lingerMax bounds how long a connection that is to be closed may take its last bytes.
	lingerMax = 10 * time.Second
	// dialTimeoutDefault bounds an outbound connection's set-up.
	dialTimeoutDefault = 10 * time.Second
	// acceptPause keeps a process without descriptors from spinning in accept.
	acceptPause = 50 * time.Millisecond
	// turnRounds is how many rounds of events a goroutine handles that happened to have the
	// turn, before it hands the turn to the loop's own.
	turnRounds = 8
	// eventsPerFlush is how many events the loop handles before it wakes the writers.
	eventsPerFlush = 64
)
