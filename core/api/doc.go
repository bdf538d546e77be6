// Package api is the Kafka surface: what a client may ask and what it is told.
//
//	frame ─▶ Decode (pure, any goroutine) ─▶ *Decoded
//	                                            │ loop
//	Partition ◀── handlers, one file per API ◀──┘──▶ controller
//	    │ high watermark moved, read done           │ committed
//	    └──────────▶ Call answered ◀────────────────┘
//
// A handler checks, asks a machine and answers its Call, at once or when what it waits
// for has happened. Calls of one connection are started in the order they came in; the
// broker sends their replies in that order whatever order they are answered in.
//
// Deliberately absent: sockets, order of replies, pausing (core/broker), the layout of
// records (core/record), where bytes are (core/log), what a topic is (core/metadata).
//
// Read table.go, call.go and decode.go, then 00_produce.go with partition.go, then
// 01_fetch.go. docs/protocol.md is generated from the header comments of the numbered
// files. Scripts: testdata/.
package api
