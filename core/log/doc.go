// Package log keeps the bytes of partitions on disk and tells how far they are safe.
//
//	             Append                           Read, OffsetForTime
//	                │                                     ▲
//	        ┌───────▼────────┐  tail cache (newest bytes) │
//	        │ Log: accounting├────────────────────────────┤
//	        └──┬──────────┬──┘                            │
//	    group  │          │ os                            │
//	┌──────────▼───┐      │      ┌──────────────────┐     │
//	│ journal: one │      └─────▶│ segments, indexes├─────┘
//	│ write a group├──behind it─▶│ (page cache)     │
//	└──────────────┘             └────────┬─────────┘
//	       ▲ files reused                 │ synced at checkpoints, in the background
//	       └──────────────────────────────┘
//
// A Dir is a log directory: the unit that fails as a whole, with one journal. A Log is a
// partition in it. Both are machines: inputs are calls, effects are returned, and nothing
// is said to be durable before the disk has reported it.
//
// Two flush policies. Under FlushGroup a batch is acknowledged when the journal group that
// carries it is durable; its segment is written behind the journal and trusted only after a
// checkpoint. Under FlushOS a batch is acknowledged when it is in the page cache of its
// segment; what a power loss leaves is read back and cut at the first bad batch.
//
// A volume that is nearly full takes no more of clients' records and loses nothing that it
// took: space.go.
//
// Deliberately absent: replication, high watermarks (callers say how far readers may see),
// validation of what clients send (record.Inspect), timers per partition.
//
// Read config.go, dir.go and log.go; then write.go, checkpoint.go and sync.go (how bytes
// become safe), flush.go (when, under FlushOS), start.go and retention.go (how they go), read.go,
// ahead.go and times.go, boot.go, boothome.go, replay.go, recover.go and bootsync.go. Formats are
// in docs/formats. Stories: testdata/; laws: law_test.go.
package log
