package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/tidemark-log/tidemark/core/record"
)

// batchBytesMax bounds what one batch of a damaged file may make this command allocate.
const batchBytesMax = 256 << 20

// foundBatch is a batch and where it starts in its file.
type foundBatch struct {
	position int64
	batch    record.Batch // valid during the step
}

// segmentBatches reads a segment file batch by batch. It ends with an error where the file
// holds something else than whole batches.
func segmentBatches(path string) iter.Seq2[foundBatch, error] {
	return func(yield func(foundBatch, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(foundBatch{}, err)
			return
		}
		defer f.Close()
		in := bufio.NewReaderSize(f, 1<<20)
		var buf []byte
		for position := int64(0); ; position += int64(len(buf)) {
			buf, err = readBatch(in, buf)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(foundBatch{position, buf}, err) || err != nil {
				return
			}
		}
	}
}

// readBatch reads the next batch into buf, or a larger one. io.EOF is the end of the file
// between two batches.
func readBatch(in *bufio.Reader, buf []byte) ([]byte, error) {
	head, err := in.Peek(record.PeekMin)
	if len(head) == 0 {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%d bytes at the end are no whole batch", len(head))
	}
	size, err := record.PeekLen(head)
	if err != nil {
		return nil, err
	}
	if size > batchBytesMax {
		return nil, fmt.Errorf("a batch of %d bytes is more than this command reads (%d)", size, batchBytesMax)
	}
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	if _, err := io.ReadFull(in, buf); err != nil {
		return nil, fmt.Errorf("the last batch is cut short: %w", io.ErrUnexpectedEOF)
	}
	return buf, nil
}
