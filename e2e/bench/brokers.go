package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tidemark-log/tidemark/cmd/tidemark/bench"
	"github.com/tidemark-log/tidemark/e2e/kafka"
	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

// Names of the targets, as the tables and the goals have them.
const (
	pageCache = "kafka"
	synced    = "kafka-fsync"
	ours      = "tidemark"
)

// lay gets ready what is measured: directories, commands, and which topics to make.
func (c *comparison) lay(ctx context.Context, dir string) error {
	peer, err := c.layKafka(ctx, filepath.Join(dir, "kafka"))
	switch {
	case err == nil:
		fsync := peer
		fsync.Name, fsync.Configs = synced, maps.Clone(peer.Configs)
		fsync.Configs["flush.messages"] = "1"
		c.targets = append(c.targets, peer, fsync)
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		reason, _, _ := strings.Cut(err.Error(), "\n")
		c.say("skipped: Apache Kafka, as %s; Tidemark is measured alone", reason)
	}
	tidemark, err := layTidemark(c.binary, filepath.Join(dir, "tidemark"))
	c.targets = append(c.targets, tidemark)
	return err
}

func (c *comparison) layKafka(ctx context.Context, dir string) (bench.Target, error) {
	// Without this a deleted topic keeps its files for a minute, and the disk fills.
	t := bench.Target{Name: pageCache, Configs: map[string]string{"file.delete.delay.ms": "1000"}}
	c.say("Apache Kafka %s: fetched from Maven Central unless it is here", kafka.Version)
	k, err := kafka.Install(ctx)
	if err != nil {
		return t, err
	}
	port, err1 := process.FreePort()
	controller, err2 := process.FreePort()
	if err := errors.Join(err1, err2, os.MkdirAll(dir, 0o755)); err != nil {
		return t, err
	}
	t.Addrs = []string{"127.0.0.1:" + strconv.Itoa(port)}
	t.Command, err = k.Format(ctx, dir, port, controller)
	return t, err
}

func layTidemark(binary, dir string) (bench.Target, error) {
	t := bench.Target{Name: ours}
	port, err := process.FreePort()
	if err := errors.Join(err, os.MkdirAll(dir, 0o755)); err != nil {
		return t, err
	}
	path := filepath.Join(dir, "server.properties")
	properties := fmt.Sprintf("process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://127.0.0.1:%d\n"+
		"log.dirs=%s\ntidemark.admin.address=\n", port, filepath.Join(dir, "data"))
	t.Addrs = []string{"127.0.0.1:" + strconv.Itoa(port)}
	t.Command = []string{binary, "serve", "--config", path}
	return t, os.WriteFile(path, []byte(properties), 0o644)
}

// byName picks targets; those that are not there are left out.
func (c *comparison) byName(names ...string) []bench.Target {
	var some []bench.Target
	for _, name := range names {
		for _, t := range c.targets {
			if t.Name == name {
				some = append(some, t)
			}
		}
	}
	return some
}

// startAll starts the brokers and returns what stops them.
func (c *comparison) startAll(ctx context.Context) (stop func(), err error) {
	var servers []*bench.Server
	stop = func() {
		for _, s := range servers {
			s.End()
		}
	}
	for _, t := range c.byName(pageCache, ours) {
		s, err := bench.StartServer(t.Command)
		if err == nil {
			servers = append(servers, s)
			err = s.FirstAck(ctx, t)
		}
		if err != nil {
			stop()
			return nil, fmt.Errorf("start %s: %w", t.Name, err)
		}
	}
	return stop, nil
}
