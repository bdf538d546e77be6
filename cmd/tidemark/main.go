package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run()) }

// run is the command in its process, from the signals to the exit code.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return exitCode(rootCommand().ExecuteContext(ctx))
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "tidemark",
		Short: "A distributed log that speaks Kafka and can prove its own durability",
		Long: `Tidemark is two things in one binary: a log you can run, which every Kafka client
uses unchanged, and a proof you can run, which puts the same code under crashes and
power losses by seed and judges what clients saw.`,
		Example: `  tidemark demo                                   see both in a minute
  tidemark dev                                    a broker on localhost:9092
  tidemark sim run single/power --seed 7          one scenario, one seed`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return &exitError{exitUsage, err}
	})
	root.AddCommand(commands()...)
	return root
}

// commands lists the verbs in the order the help shows them.
func commands() []*cobra.Command {
	return []*cobra.Command{
		serveCommand(),
		devCommand(),
		demoCommand(),
		topicCommand(),
		produceCommand(),
		consumeCommand(),
		benchCommand(),
		logCommand(),
		simCommand(),
		verifyCommand(),
		invariantsCommand(),
		versionCommand(),
	}
}

// exactArgs is cobra.ExactArgs with a usage exit code and a sentence that helps.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageErrorf("%s takes %s; see %s --help", cmd.CommandPath(), what, cmd.CommandPath())
		}
		return nil
	}
}
