package bench

import "time"

const (
	// answerMax bounds every wait for one answer of a broker.
	answerMax = 30 * time.Second
	// reachMax bounds the first word with a target.
	reachMax = 10 * time.Second
	// lagMax is how late an open loop may get before the case is given up: a server that is
	// this far behind will not catch up, and the run would never end.
	lagMax = 10 * time.Second
	// latencyMax is the longest latency a histogram tells apart; longer ones count as it.
	latencyMax = time.Minute
	// responseMax bounds what a broker may make us read at once.
	responseMax = 256 << 20
	// ticksMax is how often in a second an open loop wakes. Records that are due between two
	// wakes are due at the first of them, so they go out as a burst.
	ticksMax = 1000
	// A fetch of the consume case: as much as a mirror would ask for.
	fetchBytesMax          = 16 << 20
	fetchPartitionBytesMax = 1 << 20
	fetchWaitMax           = 500 * time.Millisecond
	// payloadsKept is how many different values are made; they are sent in turn.
	payloadsKept = 1024
	// stampSize is the room that end to end needs in a value for the time it was due.
	stampSize = 8
	// idleFor is how long a server that has just started is watched idling.
	idleFor = 2 * time.Second
)
