package scenarios

import "time"

const (
	// fileBytesMax bounds a scenario file.
	fileBytesMax = 256 << 10
	// durationMax bounds the simulated time of a run.
	durationMax = 24 * time.Hour
	// brokersMax is what one scenario may ask for.
	brokersMax = 1
	// countMax bounds any number of clients or partitions in a scenario.
	countMax = 100
	// descriptorsMin is the least number of open files with which a broker can start.
	descriptorsMin = 64
)
