package log

import (
	"math"
	"time"
)

const (
	// SegmentBytesMax bounds a segment, because an index entry holds 31 bits of position.
	SegmentBytesMax = math.MaxInt32

	// maxRelative is the largest distance of an offset, or a position, from a segment's start.
	maxRelative = math.MaxInt32

	// journalFileBytesDefault: large enough that a checkpoint pays for itself, small
	// enough that boot reads a few of them in a second.
	journalFileBytesDefault = 64 << 20
	journalFileBytesMin     = 16 << 10
	journalFilesDefault     = 16
	journalFilesMin         = 2

	// tailCacheBytesDefault holds what consumers and followers at the tail still read; the
	// page cache has what is older, and that is not the memory of this process.
	tailCacheBytesDefault = 32 << 20

	// cachedOverhead is what an entry of the tail cache costs beside its bytes, counted
	// so that tiny batches cannot fill the memory.
	cachedOverhead = 128

	// evictAhead is how many batches are hurried to their segments when the oldest in
	// memory cannot go, because it is in no file yet.
	evictAhead = 16

	producerExpiryDefault = 24 * time.Hour
	flushAgeDefault       = time.Second

	// producerWindow is how many batches of a producer are remembered: as many as a
	// client may have in flight.
	producerWindow = 5

	// checkpointAge bounds how long a restart after a quiet time would replay.
	checkpointAge = time.Minute

	// checkpointShare: a checkpoint starts when so many (one in …) of the journal's files
	// are full.
	checkpointShare = 4

	// segmentWriteBytes is how much is gathered before a group log's segment is written
	// behind the journal; segmentWriteMax and segmentWritePieces bound one write.
	segmentWriteBytes  = 256 << 10
	segmentWriteMax    = 4 << 20
	segmentWritePieces = 1024

	// syncJobsMax bounds the logs that a checkpoint syncs at a time, so that it leaves
	// the device to the journal.
	syncJobsMax = 8

	// writeOutJobsMax bounds the same at a stop, when nobody else needs the device.
	writeOutJobsMax = 64

	// sideBytes is how much is appended to a log before a checkpoint also saves its
	// indexes and producer state. It bounds what boot reads per log.
	sideBytes = 4 << 20

	// readBytesMax bounds one read of the disk; a larger request gets less. A single
	// batch may be larger.
	readBytesMax = 8 << 20

	// readSlack is read beside what was asked for, because reading begins at an index
	// entry before it, and most batches then fit.
	readSlack = 16 << 10

	// aheadBytesMax bounds what is read before somebody asks for it, in one directory; and
	// aheadMax the places where that happens, since each is looked at.
	aheadBytesMax = 16 << 20
	aheadMax      = 32

	// lookupBytes is how much a lookup by time reads at once.
	lookupBytes = 256 << 10

	// openFilesMax bounds the closed segments kept open for reading.
	openFilesMax = 256

	// indexCacheBytes bounds the indexes of closed segments kept in memory.
	indexCacheBytes = 64 << 20

	// indexFileMax bounds an index file boot or a read loads.
	indexFileMax = 256 << 20

	// snapshotBytesMax bounds a producer snapshot: a million batches.
	snapshotBytesMax = 64 << 20

	// checkpointBytesMax bounds a checkpoint file: a hundred thousand partitions.
	checkpointBytesMax = 32 << 20

	// bootSyncLogs is how many logs boot syncs together: enough that they share the device's
	// work, few enough that progress is seen.
	bootSyncLogs = 512

	// scanBytes is how much boot reads at a time, and scanAheadBytes how far the disk is told
	// to go on meanwhile: enough that neither waits for the other.
	scanBytes      = 1 << 20
	scanAheadBytes = 16 << 20

	// damagesMax bounds the damages that a recovery lists; the rest is counted.
	damagesMax = 100

	// blobKeyMax and blobMax bound what PutBlob keeps.
	blobKeyMax = 255
	blobMax    = 32 << 10
)
