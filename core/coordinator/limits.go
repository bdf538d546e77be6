package coordinator

// ParkedMax bounds the replies that wait for the high watermark. Beyond it a decision is
// refused before it is appended (COORDINATOR_NOT_AVAILABLE, which clients retry): the log
// has stalled, and to queue more would only hide that.
const ParkedMax = 65_536

// RecordsMax bounds the records of one decision, which become one atomic batch.
const RecordsMax = 200_000
