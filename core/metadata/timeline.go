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
	loaded    *Image   // if set, pending[0]: all that Load was given, which commits as one
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

// LoadSnapshot starts the load at the image of a snapshot instead of the empty one. It is
// committed like all that is loaded: with the first high watermark at or above its end.
func (t *Timeline) LoadSnapshot(m *Image) {
	// What was there before would be forgotten.
	if len(t.pending) > 0 || t.committed.end > 0 {
		invariant.Violated("metadata.snapshot-first", "end=%d after %d batches at %d",
			m.end, len(t.pending), t.committed.end)
	}
	t.loaded = m
	t.pending = append(t.pending, m)
}

// Load adds one batch found in the log at a start, before any Apply. All that is loaded
// commits as one: while the high watermark is not known, an image for each batch of a
// long log would be kept for nothing.
func (t *Timeline) Load(base kafka.Offset, records []Record) {
	// Loading over batches that were applied would commit them too late.
	if len(t.pending) > 0 && t.pending[len(t.pending)-1] != t.loaded {
		invariant.Violated("metadata.load-first", "base=%d after %d batches", base, len(t.pending))
	}
	t.loaded = t.Newest().Apply(base, records)
	t.loaded.touched = touched{}
	t.pending = append(t.pending[:0], t.loaded)
}

// Apply adds one batch, not yet committed.
func (t *Timeline) Apply(base kafka.Offset, records []Record) {
	t.pending = append(t.pending, t.Newest().Apply(base, records))
}

// Commit moves the committed image up to the high watermark and tells what changed. A
// batch commits as a whole or not at all (invariant Q14).
func (t *Timeline) Commit(highWatermark kafka.Offset) *Delta {
	from, changed, whole := t.committed, touched{}, false
	for len(t.pending) > 0 && t.pending[0].end <= highWatermark {
		t.committed = t.pending[0]
		changed.add(&t.committed.touched)
		if t.committed == t.loaded {
			t.loaded, whole = nil, true
		}
		t.pending[0] = nil
		t.pending = t.pending[1:]
	}
	t.checkWhole(highWatermark)
	if whole {
		return Diff(from, t.committed)
	}
	return changed.delta(from, t.committed)
}

func (t *Timeline) checkWhole(highWatermark kafka.Offset) {
	if len(t.pending) == 0 || t.pending[0] == t.loaded {
		return
	}
	// Q13, Q14: the high watermark moves in whole batches, so it cannot lie in one.
	if next := t.pending[0]; next.end-kafka.Offset(next.applied) < highWatermark {
		invariant.Violated("metadata.commit-whole-batches", "hw=%d batch ends at %d", highWatermark, next.end)
	}
}
