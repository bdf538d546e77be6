package workload

import "time"

const (
	// FibersMax bounds the clients of one host.
	FibersMax = 1000
	// requestTimeout is how long a request waits for its reply before the connection is
	// given up.
	requestTimeout = 2 * time.Second
	// dialTimeout bounds a dial the same way.
	dialTimeout = 2 * time.Second
	// backoffMin and backoffMax bound the pause after something failed.
	backoffMin = 20 * time.Millisecond
	backoffMax = 1 * time.Second
	// deliveryTimeout is when a producer gives up a batch, as delivery.timeout.ms.
	deliveryTimeout = 30 * time.Second
	// setupTimeout is how long topics may take to be created and to have leaders.
	setupTimeout = 120 * time.Second
	// fetchWait is max_wait of a fetch; it must be well below requestTimeout.
	fetchWait = 500 * time.Millisecond
	// fetchBytes bounds the answer to a fetch.
	fetchBytes = 1 << 20
	// fetchBytesMin is what a slow link brings it down to; a whole batch comes in any case.
	fetchBytesMin = 1 << 10
	// recordsMax and recordBytesMax bound a batch that a scenario may ask for.
	recordsMax     = 1000
	recordBytesMax = 1 << 20
	// inFlightMax is what Kafka allows an idempotent producer.
	inFlightMax = 5
	// attemptsMax bounds the attempts recorded for one batch.
	attemptsMax = 1000
)
