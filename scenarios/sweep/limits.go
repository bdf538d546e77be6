package sweep

import "time"

const (
	// SeedsMax bounds a sweep.
	SeedsMax = 100_000_000
	// WorkersMax bounds the goroutines.
	WorkersMax = 1024
	// aheadPerWorker bounds how far a fast worker may run ahead of the slowest seed.
	aheadPerWorker = 8
	// gcPercent is GOGC during a sweep: memory is at most a few megabytes per worker.
	gcPercent = 400
	// twicePerThousand is the share of green seeds that are run twice.
	twicePerThousand = 20
	// realMax bounds the real time of one run where the caller names no bound.
	realMax = time.Minute
)
