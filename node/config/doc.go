// Package config turns a server.properties file into one Config.
//
//	server.properties ─▶ ParseProperties ─▶ keys and lines ─▶ checked against core/metadata's
//	                                                          table and our own few keys
//	                                                              │
//	                     Config, with every mistake found ◀───────┘ listeners, identity, sizes
//
// The file is Apache Kafka's: its sample for a combined node starts a broker unchanged. The
// names, defaults and bounds of Kafka's keys live in core/metadata, because DescribeConfigs
// shows them too; the keys that only Tidemark has are in own.go and begin with "tidemark.".
// A mistake names file, line, key, what was found and what is expected, and all mistakes of a
// file are told at once.
//
// Deliberately absent: environment variables, a second file format, values that change while
// the broker runs (those are metadata), and defaults that depend on the machine.
//
// Read config.go, then load.go, listeners.go and properties.go. Stories of bad files are in
// testdata/; page_test.go writes docs/operations/configuration.md.
package config
