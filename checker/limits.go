package checker

import "time"

const (
	// anomaliesMax bounds what a verdict lists; the rest is counted.
	anomaliesMax = 50
	// anomaliesPerCheckMax keeps one broken promise from hiding the others.
	anomaliesPerCheckMax = 5
	// searchTimeout is the default time for each window of the porcupine search.
	searchTimeout = 10 * time.Second
	// producerExpiry is the default of producer.id.expiration.ms.
	producerExpiry = 24 * time.Hour
	// modelPercent is the default share of partitions that porcupine searches as well.
	modelPercent = 25
	// timelineOpsMax bounds the operations drawn for one anomaly.
	timelineOpsMax = 12
	// timelineWidth is the width of a drawn timeline in characters.
	timelineWidth = 48
)
