package simulated

import "time"

const (
	// setupMax bounds the simulated time until topics exist and clients run.
	setupMax = 120 * time.Second
	// stopMax bounds a clean stop of the broker at the end, stopsMax the attempts, and
	// stopPause is the quiet before each.
	stopMax   = 30 * time.Second
	stopsMax  = 3
	stopPause = 500 * time.Millisecond
	// aimMax is how long an aimed crash waits for an append before it strikes anyway.
	aimMax = 2 * time.Second
	// aimSpread is how long after the append an aimed crash strikes, at most: about the
	// time from there to the reply.
	aimSpread = 600 * time.Microsecond
	// pauseMin and pauseMax bound a pause of the broker, log-uniform: some are over before
	// anybody misses it, some outlast a request's time.
	pauseMin = 20 * time.Millisecond
	pauseMax = 3 * time.Second
	// bootCrashesMax bounds crashes in recovery in a row, so that recovery ends.
	bootCrashesMax = 5
	// bootOpsMax bounds the blocking disk operation at which a boot is cut short.
	bootOpsMax = 120
	// superviseMax bounds how long a broker whose log directory is offline goes on.
	superviseMax = 500 * time.Millisecond
	// linkLeast is the capacity that a link has for good, in bytes per second: all that clients
	// ask for at one time must come within their patience once all is healed. Narrower pipes are
	// faults, and end with the others.
	linkLeast = 256 << 10
	// refusalsMax bounds the boots in a row that may end with an error once all is healed.
	refusalsMax = 5
	// scriptRetry is when a step that found nothing to act on is tried again, and rotTries
	// how many batches from the newest on the step that damages one tries.
	scriptRetry = 100 * time.Millisecond
	rotTries    = 100
	// probeEvery is the share of crashes before which the synced image is recovered aside:
	// one in so many.
	probeEvery = 4
	// journalFileBytes is the size of journal files where the scenario names none.
	journalFileBytes = 256 << 10
	// ledgerNotesMax bounds what the ledger reports of one run.
	ledgerNotesMax = 5
)
