package node

import "time"

const (
	// buffersRetainedMax bounds the memory that the buffer pool keeps for reuse.
	buffersRetainedMax = 32 << 20
	// departuresLogged is how many ended connections are logged in full per departureWindow;
	// the rest of a flood becomes one line of counts when the window ends.
	departuresLogged = 20
	departureWindow  = 10 * time.Second
	// departureReasonsMax bounds the reasons counted apart in a window.
	departureReasonsMax = 16
	// bytesHeldMax is from where on memory for record bytes counts as short: requests under
	// way, the tail caches, and replies that nobody has read.
	bytesHeldMax = 128 << 20
	// inflatedUsual is up to where batches are judged side by side, as many as there are
	// cores: eight times the usual largest batch. What inflates to more, up to the bound of
	// core/record, is judged one at a time, because each takes that memory.
	inflatedUsual = 8 << 20
	// largeDecoderIdle is how long that decoder keeps its memory for the next one.
	largeDecoderIdle = 10 * time.Second
	// quietMax is how long a clean stop waits until everything is written out.
	quietMax = time.Minute
	// lookUpMax bounds the look-up of a name that clients are told.
	lookUpMax = 5 * time.Second
	// answerMax is how long somebody who watches waits for the event loop. The loop answers
	// in milliseconds, or something is wrong with it.
	answerMax = 5 * time.Second
	// progressEvery and progressLogEvery pace what is told of a recovery, to those who look
	// and to the log.
	progressEvery    = 200 * time.Millisecond
	progressLogEvery = 10 * time.Second
)
