// Package kafka fetches Apache Kafka's own tools from Maven Central and runs them, so that
// they can be pointed at Tidemark's brokers and files.
//
// The jars are kept in the user's cache directory. Without Java or Maven, Install says so
// with ErrNoJava, and the tests that need it skip.
package kafka
