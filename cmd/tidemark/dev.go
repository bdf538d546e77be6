package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark/node"
	"github.com/tidemark-log/tidemark/node/config"
)

func devCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a broker for development, without a configuration file",
		Long: `Dev runs one broker on loopback with Kafka's defaults. It is the broker that serve runs
and keeps the same promises; only where it listens and keeps its files is chosen for you.
The files are kept: the next dev with the same --dir finds its topics again.`,
		Example: `  tidemark dev
  tidemark dev --dir ./data --port 19092`,
		Args: exactArgs(0, "no arguments besides flags"),
	}
	dir := cmd.Flags().String("dir", "",
		"keep the files here (default: tidemark-dev in the user's cache directory)")
	port := cmd.Flags().Int("port", 9092, "port on 127.0.0.1; 0 takes a free one")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *dir == "" {
			cache, err := os.UserCacheDir()
			if err != nil {
				return usageErrorf("no cache directory here (%v); give --dir", err)
			}
			*dir = filepath.Join(cache, "tidemark-dev")
		}
		cfg, err := devConfig(*dir, *port)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		err = runNode(cmd.Context(), cfg, life{ready: func(n *node.Node) {
			fmt.Fprintf(cmd.OutOrStdout(), "ready: %s   files in %s   stop with Ctrl-C\n", n.Addr(), *dir)
		}})
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w; --port takes another, 0 a free one", err)
		}
		return err
	}
	return cmd
}

// devConfig says where dev listens and keeps its files, and nothing else: everything that a
// promise rests on is as serve has it.
func devConfig(dir string, port int) (*config.Config, error) {
	return config.Parse("dev", fmt.Sprintf("process.roles=broker,controller\nnode.id=1\n"+
		"listeners=PLAINTEXT://127.0.0.1:%d\nlog.dirs=%s\n", port, strings.ReplaceAll(dir, `\`, `\\`)))
}
