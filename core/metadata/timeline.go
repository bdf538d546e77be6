package metadata

import (
	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/kafka"
)

// Timeline keeps the newest image, which decisions read, and the committed one, which
// the broker acts on, with the images between them. Structure is shared, so the ones
// between cost what they changed. The zero value is not usable.
type Timeline struct {
	committed *Image
	pending   []*Image // one per batch above committed, oldest first
}

// NewTimeline starts a timeline at an image that is committed.
func NewTimeline(at *Image) *Timeline { return &Timeline{committed: at} }

// Newest is the image of all records applied.
func (t *Timeline) Newest() *Image {
	if n := len(t.pending); n > 0 {
		return t.pending[n-1]
	}
	return t.committed
}

// Committed is the image of the records below the high watermark (invariant Q13).
func (t *Timeline) Committed() *Image { return t.committed }

// Apply adds one batch, not yet committed.
func (t *Timeline) Apply(base kafka.Offset, records []Record) {
	t.pending = append(t.pending, t.Newest().Apply(base, records))
}

// Commit moves the committed image up to the high watermark and tells what changed. A
// batch commits as a whole or not at all (invariant Q14).
func (t *Timeline) Commit(highWatermark kafka.Offset) *Delta {
	from, changed := t.committed, touched{}
	for len(t.pending) > 0 && t.pending[0].end <= highWatermark {
		t.committed = t.pending[0]
		changed.add(&t.committed.touched)
		t.pending[0] = nil
		t.pending = t.pending[1:]
	}
	// Q13, Q14: the high watermark moves in whole batches, so it cannot lie in one.
	if len(t.pending) > 0 && t.pending[0].end-kafka.Offset(t.pending[0].applied) < highWatermark {
		invariant.Violated("metadata.commit-whole-batches", "hw=%d batch ends at %d",
			highWatermark, t.pending[0].end)
	}
	return changed.delta(from, t.committed)
}
