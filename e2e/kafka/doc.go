// Package kafka fetches Apache Kafka from Maven Central: its own tools, so that they can be
// pointed at Tidemark's brokers and files, and the broker, to be measured beside ours.
//
// The jars are kept in the user's cache directory. Without Java or Maven, Install says so
// with ErrNoJava, and the tests that need it skip.
package kafka
