package replica

// ReplicasMax bounds the replicas of a partition. The leader looks at each of them whenever
// one of them fetches.
const ReplicasMax = 64
