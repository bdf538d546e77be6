// Package compat lets clients nobody here wrote use a broker process, unchanged:
//
//	clients (e2e/clients)   write, read back, read what others wrote, find offsets, administer
//	kcat                    the same from a command line
//	Kafka's tools           every verb that a broker without groups can answer, and
//	                        kafka-dump-log over every file that all of them left behind
//
// `make compat` runs it and ends with the versions that took part and what was skipped. It
// is not part of `make test`: it asks registries, and takes minutes.
//
// Deliberately absent: consumer groups, which are not built yet.
//
// Read records_test.go (what is written), then clients_test.go, tools_test.go.
package compat
