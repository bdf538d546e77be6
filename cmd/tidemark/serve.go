package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tidemark-log/tidemark/node"
	"github.com/tidemark-log/tidemark/node/config"
)

// stopMax bounds a clean stop: a little less than what systemd grants by default. Whatever is
// not written out by then is in the journal.
const stopMax = 80 * time.Second

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a broker",
		Long: `Serve runs a broker with a configuration file of Kafka's form and keys. An empty log
directory is formatted at the first start. Environment variables named as in Apache
Kafka's image go before the file: KAFKA_LOG_DIRS is log.dirs.

SIGTERM or Ctrl-C stops it cleanly, a second one at once; SIGHUP has it read the
file again. Metrics and health are at http://127.0.0.1:9644.`,
		Example: `  tidemark serve --config server.properties
  KAFKA_NODE_ID=1 KAFKA_LOG_DIRS=/data tidemark serve`,
		Args: exactArgs(0, "no arguments besides flags"),
	}
	path := cmd.Flags().StringP("config", "c", "", "server.properties of this broker")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *path == "" && !inEnvironment("KAFKA_NODE_ID", "KAFKA_BROKER_ID") {
			return usageErrorf("serve wants --config FILE, or KAFKA_NODE_ID in the environment; " +
				"tidemark dev runs without either")
		}
		read := func() (*config.Config, error) { return config.Load(*path, os.Environ()) }
		cfg, err := read()
		if err != nil {
			return &exitError{exitUsage, err}
		}
		return runNode(cmd.Context(), cfg, life{reread: read})
	}
	return cmd
}

func inEnvironment(names ...string) bool {
	for _, name := range names {
		if _, ok := os.LookupEnv(name); ok {
			return true
		}
	}
	return false
}

// life is what differs between the commands that run a node.
type life struct {
	ready  func(*node.Node)               // called when it serves; may be nil
	reread func() (*config.Config, error) // what SIGHUP asks for; nil: it stops the node
}

// runNode runs a node until ctx ends or it fails.
func runNode(ctx context.Context, cfg *config.Config, life life) error {
	limitMemory()
	view := newRecoveryView(os.Stderr)
	log := newLogger(view)
	manager := managerOf(os.Getenv)
	defer manager.close()
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	progress := func(p node.Progress) {
		view.show(p)
		manager.recovering(p)
	}
	n, err := startNode(ctx, log, func() (*node.Node, error) {
		return node.Start(cfg, node.Options{Log: log, Version: buildVersion(), Progress: progress})
	})
	view.end()
	if n == nil {
		return err
	}
	manager.ready(n)
	if life.ready != nil {
		life.ready(n)
	}
	for {
		select {
		case <-hangup:
			if life.reread == nil {
				return stopNode(n, manager)
			}
			reload(n, log, life.reread)
		case <-ctx.Done():
			return stopNode(n, manager)
		case err := <-n.Failed():
			_ = stopNode(n, manager) // the failure is what the operator must hear
			return err
		}
	}
}

// heapMax is what a broker's heap may need: one large batch that is judged, at its bound, and
// the connections and images of a large cluster. Record bytes are outside the heap.
const heapMax = 256 << 20

// limitMemory has the garbage collector run sooner when the heap nears what it can need,
// instead of letting a burst of large requests double it. GOMEMLIMIT overrides it.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapMax)
	}
}

// startNode starts a node, unless ctx ends before it is up: recovery may be left at any
// moment, as by a crash. It gives neither node nor error then.
func startNode(ctx context.Context, log *slog.Logger, start func() (*node.Node, error)) (*node.Node, error) {
	type started struct {
		node *node.Node
		err  error
	}
	up := make(chan started, 1)
	go func() {
		n, err := start()
		up <- started{n, err}
	}()
	select {
	case s := <-up:
		return s.node, s.err
	case <-ctx.Done():
		log.Info("stopped during the start; nothing is lost, and the next one begins anew")
		return nil, nil
	}
}

// stopNode stops cleanly, unless a second signal says that it must end now.
func stopNode(n *node.Node, manager *manager) error {
	manager.stopping()
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	return awaitStop(n.Stop, again)
}

// awaitStop waits for a clean stop, but not longer than stopMax, and not past another signal:
// what is not written out by then is recovered by the next start.
func awaitStop(stop func() error, again <-chan os.Signal) error {
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	late := time.NewTimer(stopMax)
	defer late.Stop()
	const lost = "what was acknowledged is safe, and the next start recovers as after a crash"
	select {
	case err := <-stopped:
		return err
	case <-again:
		return exitErrorf(exitInterrupted, "stopped at once, as asked: %s", lost)
	case <-late.C:
		return fmt.Errorf("not stopped after %s, so ended at once: %s", stopMax, lost)
	}
}

// reload does what SIGHUP asks for.
func reload(n *node.Node, log *slog.Logger, reread func() (*config.Config, error)) {
	cfg, err := reread()
	if err == nil {
		err = n.Reload(cfg)
	}
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		log.Error(line)
	}
	log.Error("the configuration has mistakes; nothing was changed")
}

// newLogger writes for people on a terminal and as JSON lines elsewhere.
func newLogger(out io.Writer) *slog.Logger {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return slog.New(tint.NewHandler(out, &tint.Options{TimeFormat: "15:04:05.000"}))
	}
	return slog.New(slog.NewJSONHandler(out, nil))
}
