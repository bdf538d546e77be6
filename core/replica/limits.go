package replica

// ReplicasMax bounds the replicas of a partition. The leader looks at each of them whenever
// one of them fetches.
const ReplicasMax = 64

// RequestsInFlightMax bounds the requests of a Fetcher without reply: one that lies at the
// source until there is something to tell, and one that says what has changed meanwhile.
const RequestsInFlightMax = 2

// PartsPerRequestMax bounds the partitions that one request names and one reply tells of, so
// that neither grows with the partitions of a broker. The rest is in the next.
const PartsPerRequestMax = 4096
