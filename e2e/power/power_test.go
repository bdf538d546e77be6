package power

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemark-log/tidemark/e2e/stage"
)

// mounted returns a file system for the length of the test.
func mounted(t *testing.T, seed uint64) (*FS, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := Mount(dir, seed)
	if errors.Is(err, ErrNoFUSE) {
		stage.Skip(t, err.Error())
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

// A write with O_DSYNC is durable when it returns, and nothing else is with it.
func TestDurableWriteCoversItselfAlone(t *testing.T) {
	lost := 0
	for seed := range uint64(16) {
		f, dir := mounted(t, seed)
		path := filepath.Join(dir, "file")
		writeFile(t, path, true)
		syncDir(t, dir)
		buffered, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		_, err = buffered.WriteAt([]byte("other bytes"), 8192)
		require.NoError(t, err)
		require.NoError(t, buffered.Close())
		durable, err := os.OpenFile(path, os.O_RDWR|syscall.O_DSYNC, 0)
		require.NoError(t, err)
		_, err = durable.WriteAt([]byte("kept"), 16384)
		require.NoError(t, err)
		require.NoError(t, durable.Close())

		_, err = f.PowerLoss(nil)
		require.NoError(t, err)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "kept", string(text[16384:]))
		if string(text[8192:8203]) != "other bytes" {
			lost++
		}
	}
	require.Positive(t, lost)
}

// The model knows reads and writes only: a product that mapped its files would be tested
// for nothing, so it may not. Direct I/O, which the journal wants, is there.
func TestFilesAreNotMappedAndDirectIOIsThere(t *testing.T) {
	_, dir := mounted(t, 1)
	path := filepath.Join(dir, "file")
	writeFile(t, path, true)
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_DIRECT|syscall.O_DSYNC, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	require.ErrorIs(t, err, syscall.ENODEV)
}
