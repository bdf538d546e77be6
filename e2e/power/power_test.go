package power

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// mounted returns a file system for the length of the test.
func mounted(t *testing.T, seed uint64) (*FS, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := Mount(dir, seed)
	if errors.Is(err, ErrNoFUSE) {
		t.Skipf("skipped: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Unmount()) })
	return f, dir
}

// The file system keeps what was fsynced with its name, and somewhere among the seeds it
// loses what was not: a test bed that cannot lose would prove nothing.
func TestSyncedFilesSurviveAndOthersMayNot(t *testing.T) {
	lost := 0
	for seed := range uint64(8) {
		f, dir := mounted(t, seed)
		writeFile(t, filepath.Join(dir, "synced"), true)
		syncDir(t, dir)
		writeFile(t, filepath.Join(dir, "unsynced"), false)

		_, err := f.PowerLoss(nil)
		require.NoError(t, err)
		text, err := os.ReadFile(filepath.Join(dir, "synced"))
		require.NoError(t, err)
		require.Equal(t, "some bytes", string(text))
		if text, err := os.ReadFile(filepath.Join(dir, "unsynced")); err != nil || string(text) != "some bytes" {
			lost++
		}
	}
	require.Positive(t, lost)
}

func writeFile(t *testing.T, path string, sync bool) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	_, err = f.WriteString("some bytes")
	require.NoError(t, err)
	if sync {
		require.NoError(t, f.Sync())
	}
	require.NoError(t, f.Close())
}

func syncDir(t *testing.T, path string) {
	t.Helper()
	d, err := os.Open(path)
	require.NoError(t, err)
	require.NoError(t, d.Sync())
	require.NoError(t, d.Close())
}
