package engine

// EventsMax bounds the events waiting at once. A world that reaches it has a leak: each
// host may have one timer event and each connection a bounded number of frames.
const EventsMax = 1 << slotBits

// FaultsActiveMax bounds the faults that last at the same time; one more stays calm. Plans
// are capped far below.
const FaultsActiveMax = 1 << 12
