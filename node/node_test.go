package node

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemark-log/tidemark/node/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testConfig(t *testing.T, dir string, id int) *config.Config {
	t.Helper()
	cfg, err := config.Parse("test", fmt.Sprintf("process.roles=broker,controller\nnode.id=%d\n"+
		"listeners=PLAINTEXT://127.0.0.1:0\nlog.dirs=%s\ntidemark.journal.file.bytes=1048576\n"+
		"tidemark.admin.address=\n", id, dir))
	require.NoError(t, err)
	return cfg
}

// The identity that the first start writes is what later starts find, and a node with
// another id is refused before it can do harm.
func TestDirectoryKeepsItsIdentity(t *testing.T) {
	dir := t.TempDir()
	first, err := Start(testConfig(t, dir, 1), Options{})
	require.NoError(t, err)
	cluster := first.ClusterID()
	require.NoError(t, first.Stop())

	again, err := Start(testConfig(t, dir, 1), Options{})
	require.NoError(t, err)
	require.Equal(t, cluster, again.ClusterID())
	require.NoError(t, again.Stop())

	_, err = Start(testConfig(t, dir, 2), Options{})
	require.ErrorContains(t, err, "belongs to node 1")
}

func TestSecondProcessOnADirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	first, err := Start(testConfig(t, dir, 1), Options{})
	require.NoError(t, err)
	_, err = Start(testConfig(t, dir, 1), Options{})
	require.ErrorContains(t, err, "in use by")
	require.NoError(t, first.Stop())
}

// A file from a future version, or a mangled one, stops the start and stays as it is.
func TestUnreadableIdentityChangesNothing(t *testing.T) {
	for name, text := range map[string]string{
		"future":  "version=2\ncluster.id=x\nnode.id=1\n",
		"no node": "version=1\ncluster.id=x\n",
		"garbage": "\x00\x01\x02",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, metaFile)
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			_, err := Start(testConfig(t, dir, 1), Options{})
			require.ErrorContains(t, err, path)
			left, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(left))
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.LessOrEqual(t, len(entries), 2, "only the lock may be new: %v", entries)
		})
	}
}

// Somebody who tries Tidemark on Kafka's directory finds it as it was.
func TestKafkasDirectoryIsRefusedAndLeftAlone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, metaFile),
		[]byte("#\n#Wed Nov 25 20:20:15 UTC 2026\ncluster.id=x\nversion=1\nnode.id=1\ndirectory.id=y\n"), 0o644))
	for _, name := range []string{"__cluster_metadata-0", "orders-0"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		path := filepath.Join(dir, name, "00000000000000000000.log")
		require.NoError(t, os.WriteFile(path, []byte("kafka's"), 0o644))
	}
	_, err := Start(testConfig(t, dir, 1), Options{})
	require.ErrorContains(t, err, "it is a directory of Apache Kafka")
	left, err := os.ReadFile(filepath.Join(dir, "orders-0", "00000000000000000000.log"))
	require.NoError(t, err)
	require.Equal(t, "kafka's", string(left))
	require.NoDirExists(t, filepath.Join(dir, "journal"))
}
