// Command client runs Go clients of others under the contract of e2e/clients:
//
//	client sarama    BOOTSTRAP     IBM/sarama
//	client kafka-go  BOOTSTRAP     segmentio/kafka-go, partition readers
//
// It is a module of its own, so that their dependencies stay out of the product's go.mod.
//
// Read main.go, then sarama.go and kafkago.go.
package main
