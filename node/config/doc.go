// Package config turns a server.properties file, and the environment over it, into one
// Config.
//
//	server.properties ─▶ ParseProperties ─▶ keys and lines ┐
//	KAFKA_… variables ─────────────────────▶ keys and names ┴▶ checked against core/metadata's
//	                                                          table and our own few keys
//	                                                              │
//	                     Config, with every mistake found ◀───────┘ listeners, identity, sizes
//
// The file is Apache Kafka's: its sample for a combined node starts a broker unchanged. The
// names, defaults and bounds of Kafka's keys live in core/metadata, because DescribeConfigs
// shows them too; the keys that only Tidemark has are in own.go and begin with "tidemark.".
// A mistake names file, line, key, what was found and what is expected, and all mistakes of a
// file are told at once. Changes compares two Configs, for a file that is read again.
//
// Deliberately absent: a second file format, values that clients change while the broker
// runs (those are metadata), and defaults that depend on the machine.
//
// Read config.go, then load.go, environment.go, listeners.go, changes.go and properties.go.
// Stories of bad files are in testdata/; page_test.go writes
// docs/operations/configuration.md.
package config
