// Package hostile puts clients that wish it ill on a broker process, while an honest one,
// the canary, writes and reads:
//
//	slow loris, half frames, garbage, impossible lengths and counts  ┐
//	bombs of every codec, records nobody fetches, floods, idlers     ├─▶ tidemark serve
//	canary: franz-go, one record after another, written and read     ┘
//
// What must hold: the canary meets no error and no disconnect, the broker's memory stays
// below a bound, and its log has the reason of every closed connection without a line each.
//
// Deliberately absent: malformed record batches and messages one by one, which the fuzz
// targets of core/record and core/api have.
//
// Read attacks_test.go, then canary_test.go and siege_test.go. The memory of a process is
// read from Linux's proc file system.
package hostile
