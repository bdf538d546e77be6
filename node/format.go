package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/core/kafka"
	"github.com/tidemark-log/tidemark/core/log"
)

// metaFile is Kafka's name of the file that says whose directory this is.
const metaFile = "meta.properties"

// identity is meta.properties.
type identity struct {
	clusterID   string
	nodeID      kafka.BrokerID
	directoryID string
}

// identify reads the identity of each log directory, and formats the empty ones, unless one
// that there was is missing. It returns the cluster's id, and puts the directory with the
// metadata log first in dirs.
func identify(dirs []string, node kafka.BrokerID) (string, error) {
	found := make([]*identity, len(dirs))
	cluster := ""
	for i, dir := range dirs {
		id, err := readIdentity(dir)
		if err != nil {
			return "", err
		}
		if found[i] = id; id == nil {
			continue
		}
		if err := checkOurs(dir); err != nil {
			return "", err
		}
		if id.nodeID != node {
			return "", fmt.Errorf("node: %s belongs to node %d, and this is node %d (node.id)", dir, id.nodeID, node)
		}
		if cluster != "" && id.clusterID != cluster {
			return "", fmt.Errorf("node: %s belongs to cluster %s, and another log directory to %s", dir,
				id.clusterID, cluster)
		}
		cluster = id.clusterID
	}
	known, err := readSiblings(dirs)
	if err != nil {
		return "", err
	}
	if err := known.missing(dirs, found); err != nil {
		return "", err
	}
	if cluster == "" {
		cluster = newID()
	}
	for i, dir := range dirs {
		if found[i] != nil {
			continue
		}
		found[i] = &identity{cluster, node, newID()}
		if err := writeIdentity(dir, *found[i]); err != nil {
			return "", err
		}
	}
	return cluster, known.update(dirs, found)
}

// checkOurs refuses a directory of Apache Kafka, whose meta.properties looks like ours. Its
// logs could be read, but its metadata cannot, and a start would change what it finds.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	logs := ""
	for _, e := range entries {
		if e.IsDir() && e.Name() == log.JournalFolder {
			return nil
		}
		if _, err := kafka.ParseTopicPartition(e.Name()); err == nil && e.IsDir() {
			logs = e.Name()
		}
	}
	if logs == "" { // a start that got no further
		return nil
	}
	return fmt.Errorf("node: %s holds logs (%s) and no journal: it is a directory of Apache Kafka, or half of "+
		"one of ours; nothing was changed. Give this node an empty directory", dir, logs)
}

// newID is a random id in Kafka's form.
func newID() string {
	for {
		var id kafka.TopicID
		_, _ = rand.Read(id[:]) // never fails, says its documentation
		if s := id.String(); s[0] != '-' {
			return s // one that no tool takes for an option
		}
	}
}

func readIdentity(dir string) (*identity, error) {
	path := filepath.Join(dir, metaFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	values := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(key, "#") {
			values[key] = value
		}
	}
	if values["version"] != "1" {
		return nil, fmt.Errorf("node: %s: version is %q, and this build reads only version 1", path,
			values["version"])
	}
	id, err := strconv.ParseInt(values["node.id"], 10, 32)
	if err != nil || values["cluster.id"] == "" {
		return nil, fmt.Errorf("node: %s: want cluster.id and a number as node.id, found %q and %q",
			path, values["cluster.id"], values["node.id"])
	}
	return &identity{values["cluster.id"], kafka.BrokerID(id), values["directory.id"]}, nil
}

func writeIdentity(dir string, id identity) error {
	return writeWhole(dir, metaFile, fmt.Sprintf("version=1\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n",
		id.clusterID, id.nodeID, id.directoryID))
}

// writeWhole writes a file so that it is there whole or not at all.
func writeWhole(dir, name, text string) error {
	path := filepath.Join(dir, name)
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
