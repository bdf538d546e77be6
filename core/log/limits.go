package log

import "time"

const (
	// SegmentBytesMax bounds a segment, because an index entry holds 31 bits of position.
	SegmentBytesMax = 1<<31 - 1

	// journalFileBytesDefault: large enough that a checkpoint pays for itself, small
	// enough that boot reads a few of them in a second.
	journalFileBytesDefault = 64 << 20
	journalFileBytesMin     = 16 << 10
	journalFilesDefault     = 16
	journalFilesMin         = 2

	// tailCacheBytesDefault holds what consumers and followers at the tail still read.
	tailCacheBytesDefault = 128 << 20
	producerExpiryDefault = 24 * time.Hour
	flushAgeDefault       = time.Second
)
