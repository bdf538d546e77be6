// Package nodetest runs a real broker inside a test: real sockets on loopback, real files
// in the test's temporary directory, any Kafka client.
//
//	broker := nodetest.Start(t)
//	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
//
// Its sibling sim/simtest gives a deterministic world instead; nodetest is for the code that
// needs a broker to talk to. It is the production broker, with its fsync before each
// acknowledgement. Nothing is global, so tests may run in parallel.
package nodetest
