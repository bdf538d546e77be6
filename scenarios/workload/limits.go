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
	// recordsMax and recordBytesMax bound a batch that a scenario may ask for.
	recordsMax     = 1000
	recordBytesMax = 1 << 20
	// inFlightMax is what Kafka allows an idempotent producer.
	inFlightMax = 5
	// maxBlock is the largest value a producer id request may take before it is asked again.
	attemptsMax = 1000
)
