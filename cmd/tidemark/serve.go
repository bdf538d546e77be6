package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tidemark-log/tidemark/node"
	"github.com/tidemark-log/tidemark/node/config"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a broker",
		Long: `Serve runs a broker with a configuration file of Kafka's form and keys. An empty log
directory is formatted at the first start. SIGTERM or Ctrl-C stops it cleanly.`,
		Example: `  tidemark serve --config server.properties`,
		Args:    exactArgs(0, "no arguments besides flags"),
	}
	path := cmd.Flags().StringP("config", "c", "", "server.properties of this broker (required)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *path == "" {
			return usageErrorf("serve wants --config FILE; tidemark dev runs without one")
		}
		cfg, err := config.Load(*path, os.Environ())
		if err != nil {
			return &exitError{exitUsage, err}
		}
		return runNode(cmd.Context(), cfg, nil)
	}
	return cmd
}

// runNode runs a node until ctx ends or it fails; ready is called when it serves.
func runNode(ctx context.Context, cfg *config.Config, ready func(*node.Node)) error {
	limitMemory()
	n, err := node.Start(cfg, newLogger())
	if err != nil {
		return err
	}
	if ready != nil {
		ready(n)
	}
	select {
	case <-ctx.Done():
		return n.Stop()
	case err := <-n.Failed():
		_ = n.Stop() // the failure is what the operator must hear
		return err
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

// newLogger writes for people on a terminal and as JSON lines elsewhere.
func newLogger() *slog.Logger {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		return slog.New(tint.NewHandler(os.Stderr, &tint.Options{TimeFormat: "15:04:05.000"}))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, nil))
}
