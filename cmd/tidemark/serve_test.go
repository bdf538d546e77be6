package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tidemark-log/tidemark/node"
	"github.com/tidemark-log/tidemark/node/config"
)

// A stop ends: with the node, at a second signal, or when a disk has hung long enough.
func TestStopIsBounded(t *testing.T) {
	broken := errors.New("a disk failed")
	for name, c := range map[string]struct {
		takes  time.Duration
		fails  error
		signal time.Duration // of the second one, 0 for none
		ends   time.Duration
		code   int
	}{
		"clean":         {takes: time.Second, ends: time.Second, code: exitOK},
		"with an error": {takes: time.Second, fails: broken, ends: time.Second, code: exitFailure},
		"a second signal": {
			takes: time.Hour, signal: 3 * time.Second, ends: 3 * time.Second, code: exitInterrupted,
		},
		"a disk that hangs":       {takes: time.Hour, ends: stopMax, code: exitFailure},
		"a signal after the stop": {takes: time.Second, signal: 2 * time.Second, ends: time.Second, code: exitOK},
		"an impatient signal": {
			takes: time.Second, signal: time.Millisecond, ends: time.Millisecond, code: exitInterrupted,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				again := make(chan os.Signal, 1)
				if c.signal > 0 {
					time.AfterFunc(c.signal, func() { again <- syscall.SIGTERM })
				}
				began := time.Now()
				err := awaitStop(func() error {
					time.Sleep(c.takes) // of the bubble's time
					return c.fails
				}, again)
				require.Equal(t, c.ends, time.Since(began))
				require.Equal(t, c.code, exitCode(err))
				synctest.Wait()
				time.Sleep(2 * time.Hour) // lets the stop that nobody waits for end
			})
		})
	}
}

// A recovery may take long; who does not want to wait for its end need not.
func TestStartCanBeLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	n, err := startNode(ctx, slog.New(slog.DiscardHandler), func() (*node.Node, error) {
		cancel()
		<-release
		return nil, nil
	})
	require.Nil(t, n)
	require.NoError(t, err)
}

// Dev is serve, but for where it listens and keeps its files: whoever tests against it tests
// what production runs. Compared is what both tell a client, not what they were given.
func TestDevPromisesWhatServePromises(t *testing.T) {
	dir := t.TempDir()
	dev, err := devConfig(t.TempDir(), 0)
	require.NoError(t, err)
	serve, err := config.Parse("server.properties",
		"node.id=1\nlisteners=PLAINTEXT://127.0.0.1:0\nlog.dirs="+dir+"\n")
	require.NoError(t, err)
	require.Equal(t, serve.Net, dev.Net)
	require.Equal(t, serve.Log, dev.Log)
	require.Equal(t, serve.Own, dev.Own)

	told := func(cfg *config.Config) map[string]string {
		cfg.Admin = ""
		n, err := node.Start(cfg, node.Options{})
		require.NoError(t, err)
		defer func() { require.NoError(t, n.Stop()) }()
		client, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()))
		require.NoError(t, err)
		defer client.Close()
		admin := kadm.NewClient(client)
		_, err = admin.CreateTopic(t.Context(), -1, -1, nil, "t")
		require.NoError(t, err)
		broker, err := admin.DescribeBrokerConfigs(t.Context(), 1)
		require.NoError(t, err)
		topic, err := admin.DescribeTopicConfigs(t.Context(), "t")
		require.NoError(t, err)
		values := map[string]string{}
		for _, r := range append(broker, topic...) {
			for _, c := range r.Configs {
				values[r.Name+" "+c.Key] = c.MaybeValue()
			}
		}
		return values
	}
	inDev, inServe := told(dev), told(serve)
	require.Greater(t, len(inServe), 100)
	chosen := []string{"1 listeners", "1 log.dirs"}
	for _, key := range chosen {
		require.Contains(t, inServe, key)
		delete(inServe, key)
		delete(inDev, key)
	}
	if !maps.Equal(inDev, inServe) {
		require.Equal(t, inServe, inDev)
	}
}
