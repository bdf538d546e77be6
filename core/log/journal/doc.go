// Package journal makes durable what must be durable before it is spoken of: one per log
// directory, one write to the device per group.
//
//	Collect ─▶ ┌ collecting ┐ Submit  ┌ in flight ┐ Done ─▶ durable below n+1
//	           │ group n+1  │ ──────▶ │ group n   │
//	           └────────────┘         └─────┬─────┘
//	                                        ▼
//	file 0  [g3|g4|g5 ]  full               one WriteAt{Durable} at a block border
//	file 1  [g6|g7|·· ]  current
//	file 2  [g1|g2|·· ]  older generation: free, its groups are below the checkpoint
//
// One write is in flight; what arrives meanwhile is collected into the next group. Every
// group says below which sequence all groups were durable when it was written (synced
// below) and below which they are no longer needed (checkpoint below). A file is used
// again only after a durable group carries a checkpoint past everything in it. The next file
// is made in the background before the current one is full; only boot and stop wait for one,
// a small one. A group that finds no file waits: for a checkpoint, or for room on the volume.
//
// At boot Scan reads all files and changes nothing. Groups from the checkpoint up to the
// newest whole one must all be whole: what is missing or bad below a synced-below mark is
// rot and refuses the start; what is bad at the end was in flight and is dropped. Start
// seals: one durable group of a new generation, so that nothing older is replayed again.
//
// Deliberately absent: what entries mean (core/log), partial replay, repair.
//
// Read format.go, group.go, journal.go, files.go, then scan.go, passover.go, notes.go. Byte tables are in
// docs/formats/journal.md; stories in testdata/.
package journal
