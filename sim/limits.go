package sim

import "time"

const (
	// HostsMax bounds the machines of a world.
	HostsMax = 1 << 10
	// TraceRing is how many of the last trace events a failure shows.
	TraceRing = 50
	// InboxMax bounds the events a host that is busy or paused keeps; beyond it the world
	// is broken, because senders are bounded.
	InboxMax = 1 << 20
	// BufferQuarantine is how many released buffers of a world and a size stay poisoned before
	// their memory is used again, so that a late read of one finds poison.
	BufferQuarantine = 64
	// DiskFaultsMax bounds the faults of a disk whose records are kept up to date; one more
	// is only counted as armed.
	DiskFaultsMax = 1 << 16
	// SpinEventsMax bounds the events within SpinStretch of simulated time; more is a
	// live-lock. The busiest worlds have a tenth of it.
	SpinEventsMax = 1 << 20
	SpinStretch   = 100 * time.Millisecond
	// spinBlamed is how many of the last of them are counted by who had them, and spinShares
	// how many of those are named.
	spinBlamed = 1 << 12
	spinShares = 3
	// QuarantineBytes bounds what one size class keeps in quarantine.
	QuarantineBytes = 4 << 20
)
