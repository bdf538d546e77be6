package broker

import (
	"strings"

	"github.com/tidemark-log/tidemark/core/invariant"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/metadata"
	"github.com/tidemark-log/tidemark/core/record"
)

// checkSnapshot compares a snapshot that was read with what the log says, as far back as it is
// there: alone if it has its beginning, else from the older snapshot on. It costs a second
// replay, so it is done in simulations only.
func (b *Broker) checkSnapshot(l *log.Log, older []metadata.SnapshotID, got *metadata.Image) {
	image := metadata.NewImage()
	if l.Start() > 0 {
		if len(older) == 0 {
			return
		}
		loaded, err := b.openSnapshot(l, older[len(older)-1])
		if err != nil {
			return // damaged: it serves nobody
		}
		image = loaded.image
	}
	err := scanMetadata(l, image.End(), got.End(), func(batch record.Batch, records []metadata.Record) {
		image = image.Apply(batch.BaseOffset(), records)
	})
	if err != nil {
		return // damaged
	}
	// A start from the snapshot must be a start from the log.
	if a, z := firstDifference(image, got); a != z || image.End() != got.End() {
		invariant.Violated("broker.snapshot-is-the-log", "end=%d of %d log=%s snapshot=%s",
			image.End(), got.End(), a, z)
	}
}

// firstDifference are the first lines in which two images differ as text, "" where one has no
// more. The text is made of the image itself, not by what writes snapshots.
func firstDifference(x, y *metadata.Image) (string, string) {
	a, z := strings.Split(x.String(), "\n"), strings.Split(y.String(), "\n")
	for len(a) > 0 && len(z) > 0 && a[0] == z[0] {
		a, z = a[1:], z[1:]
	}
	return strings.Join(a[:min(1, len(a))], ""), strings.Join(z[:min(1, len(z))], "")
}
