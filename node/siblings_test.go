package node

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// startStop starts a node and stops it cleanly.
func startStop(t *testing.T, dirs string) error {
	t.Helper()
	n, err := Start(testConfig(t, dirs, 1), Options{})
	if err != nil {
		return err
	}
	require.NoError(t, n.Stop())
	return nil
}

// An empty directory in place of one that held logs is a volume that is not mounted. Taken
// for a new one, its partitions would begin anew and what was acknowledged would be gone.
func TestMissingDirectoryIsRefused(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	require.NoError(t, startStop(t, a+","+b))
	require.ErrorContains(t, startStop(t, a), "last at "+b+", is in none of log.dirs")
	require.ErrorContains(t, startStop(t, b), "last at "+a+", is in none of log.dirs")

	require.NoError(t, os.Rename(b, b+"-unmounted"))
	require.ErrorContains(t, startStop(t, a+","+b), "is its volume mounted")
	require.NoFileExists(t, filepath.Join(b, metaFile))
	require.NoError(t, startStop(t, a+","+b+"-unmounted,"+b))

	copied := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(copied, os.DirFS(a)))
	require.ErrorContains(t, startStop(t, a+","+b+"-unmounted,"+b+","+copied), "one is a copy of the other")
}

// A directory that is gone for good may be given up, in the others' own words.
func TestDirectoryMayBeGivenUp(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	require.NoError(t, startStop(t, a+","+b))
	id, err := readIdentity(b)
	require.NoError(t, err)
	list := filepath.Join(a, siblingsFile)
	text, err := os.ReadFile(list)
	require.NoError(t, err)
	line := id.directoryID + "=" + b + "\n"
	require.Contains(t, string(text), line)
	require.NoError(t, os.WriteFile(list, text[:len(text)-len(line)], 0o644))
	require.NoError(t, startStop(t, a))
}

// The metadata log stays where it is, whatever order log.dirs has.
func TestOrderOfLogDirsDoesNotMatter(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	require.NoError(t, startStop(t, a+","+b))
	require.DirExists(t, filepath.Join(a, "__cluster_metadata-0"))
	require.NoError(t, startStop(t, b+","+a))
	require.NoError(t, startStop(t, b+","+t.TempDir()+","+a))
	require.NoDirExists(t, filepath.Join(b, "__cluster_metadata-0"))
}
