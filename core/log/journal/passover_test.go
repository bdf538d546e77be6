package journal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/core/log/journal"
)

// The journal of a broker that once lagged has many files, of which a start needs few. Every
// other test of this room compares what such a scan finds with a full one.
func TestFilesBelowTheCheckpointAreNotRead(t *testing.T) {
	r := newRig(nil)
	r.cfg.Files = 8
	_, _, err := r.open()
	require.NoError(t, err)
	write := func(n int) {
		for i := range n {
			e := entry(i, 5000)
			r.j.Collect(&e, nil, false)
			for r.j.Waiting() { // for a file, at times
				_, err := r.j.Submit()
				require.NoError(t, err)
				r.steps.Run()
			}
		}
	}
	write(14) // files of two groups each
	r.j.SetCheckpoint(r.j.Durable())
	write(4)
	r.disk.Kill()
	got, report, err := r.open()
	require.NoError(t, err)
	require.GreaterOrEqual(t, r.passed, 3)
	require.Len(t, got, 4)
	require.Equal(t, journal.Seq(4), report.Last-report.First+1)
}
