// Package broker is the event loop of one shard: it routes each event to one machine and
// carries out what the machine decided.
//
//	           ┌ conn ──▶ api.Call ──▶ api handlers ──▶ log, controller
//	event ──▶ Broker                                        │
//	           └ disk ──▶ log.Dir ──▶ Effects ──▶ Partition ─┴▶ replies in order
//
// Boot opens the log directories, replays the metadata log and registers the broker;
// everything it does about partitions afterwards is a difference between two committed
// images of the metadata. Logs that belong to no partition are set aside before. That and the
// snapshots of the metadata are the only times that this room touches a file.
//
// Deliberately absent: goroutines, sockets, files, meaning of requests (core/api), bytes
// (core/log), decisions about topics (core/controller), replication.
//
// Read broker.go, boot.go, strays.go, conn.go, effects.go, agenda.go, metasnap.go, metaload.go.
// limits_test.go relates the limits of all rooms. Stories of requests and replies are in ../api/testdata.
package broker
