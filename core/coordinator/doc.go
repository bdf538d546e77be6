// Package coordinator is the runtime under everything that decides by records: it
// appends what was decided, replays it at once, and holds each reply until the high
// watermark has passed what the reply rests on.
//
//	decide (reads state) ──▶ Submit(records, ticket) ──▶ Log.Append
//	                                                └──▶ Machine.Replay, at once
//	HighWatermarkAdvanced ──▶ released tickets, in order
//	LeadershipLost, LogFailed ──▶ all tickets, with a code
//
// Replay is the only writer of the machine's state, on the leader as at load, so the
// state is the fold of the log. A decision or a read may rest on records that are not yet
// committed; its reply then waits for the newest of them. So replies are linearizable
// without further thought, and no reply is ever taken back.
//
// Deliberately absent: bytes (the log adapter encodes), time, soft state, and what is
// decided. A ticket is whatever the loop needs to find the waiting caller; the runtime
// never looks at it.
//
// Read runtime.go, then runtime_test.go, which states the laws.
package coordinator
