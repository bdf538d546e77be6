package claims

const (
	// witnessSeeds is how often a witness is told; it must lose each time.
	witnessSeeds = 5
	// seenPercent is the share of a cell's runs in which its fault must have happened.
	seenPercent = 90
	// lossShare is the share of a row's seeds that a cell that may lose gets: finding a loss
	// takes few, and the rest of them shows that nothing else breaks.
	lossShare = 4
)
