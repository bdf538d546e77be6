// Package record knows the bytes of Kafka's record batch, format 2: frame, read, judge,
// build and compress them. No other room knows the layout (docs/formats/record-batch.md).
//
//	bytes ──▶ First, Batches ──▶ Batch ──▶ accessors      header fields, no parsing
//	                               │  ──▶ setters         base offset, leader epoch, append time
//	                               ├────▶ Inspector.Inspect   a client's batch: Summary or Problem
//	                               └────▶ Inspector.Records   what is inside, decompressed
//	records ─▶ Builder ──────────▶ Batch
//
// A Batch is the bytes themselves: reading a field costs a load, and what a broker
// changes (base offset, leader epoch, append time) is patched in place. Bytes from
// outside are bounded before anything is allocated or inflated (limits.go).
//
// Deliberately absent: formats 0 and 1 (gone since Kafka 4.0), goroutines and pools (the
// caller owns an Inspector per goroutine), decisions that need a topic's configuration
// (core/api), records rewritten by compaction (core/log).
//
// Read batch.go, frame.go, parse.go, then inspect.go and builder.go; the codecs are in
// deflate.go and inflate.go. Tests hold Inspect against a naive second reader
// (naive_test.go) and the layout against golden bytes (testdata/).
package record
