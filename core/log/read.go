package log

import (
	"errors"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Why a log gives no bytes or takes none. Test with errors.Is.
var (
	// ErrDamaged: stored bytes are not what was written. They are never served.
	ErrDamaged = errors.New("stored batch is damaged")
	// ErrOffline: a write or sync of this log directory failed.
	ErrOffline = errors.New("log directory is offline")
	// ErrDeleted: the log was deleted.
	ErrDeleted = errors.New("log is deleted")
	// ErrOutOfRange: the offset is below the log's start or past its end.
	ErrOutOfRange = errors.New("offset is out of range")
	// ErrOffsetsExhausted: the partition has used every offset there is.
	ErrOffsetsExhausted = errors.New("log has no offsets left")
)

// ReadRequest says what to read.
type ReadRequest struct {
	From kafka.Offset
	UpTo kafka.Offset // exclusive; only batches that end at or below it are given
	// MaxBytes bounds the bytes given; MinOneBatch gives the first batch even if it is
	// larger.
	MaxBytes    int
	MinOneBatch bool
	// Chunks, if not nil, is appended to, so that a reader can reuse its slice.
	Chunks []env.Chunk
}

// ReadResult is whole batches in order, the first of which holds offset From. The receiver
// owns one reference of each chunk's Owner.
type ReadResult struct {
	Chunks []env.Chunk
	Bytes  int
	Next   kafka.Offset // offset after the last batch given, From if there is none
	Err    error
}

// TimeResult is a record found by time. Offset is −1 if there is none.
type TimeResult struct {
	Offset      kafka.Offset
	Timestamp   kafka.Timestamp
	LeaderEpoch kafka.LeaderEpoch
	Err         error
}
