package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/scenarios/target/simulated"
)

func simCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Run failure scenarios in the simulator, by seed",
		Long: `Sim runs the broker's own code in a simulated world: one goroutine, a clock that jumps,
a network and a disk that fail by seed. The same seed is the same run, on any machine.`,
	}
	cmd.AddCommand(simListCommand(), simRunCommand(), simSweepCommand())
	return cmd
}

// folderFlag lets users keep scenarios of their own.
func folderFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("scenarios", "", "folder with scenario files of your own")
}

func simListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the scenarios and what each claims",
		Args:  exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range scenarios.Names() {
				s, err := scenarios.Load(name, "")
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-28s %s\n", name, strings.Join(strings.Fields(s.Claim), " "))
			}
			return nil
		},
	}
}

func simRunCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run one seed of a scenario and show what happened",
		Example: `  tidemark sim run single/power --seed 7
  tidemark sim run single/crash --seed 7 --trace run.trace`,
		Args: exactArgs(1, "a scenario; tidemark sim list names them"),
	}
	folder := folderFlag(cmd)
	seed := cmd.Flags().Uint64("seed", 1, "the number that decides everything")
	trace := cmd.Flags().String("trace", "",
		"write the trace, one line per decision, to this file (- for standard output)")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		s, err := loadScenario(args[0], *folder)
		if err != nil {
			return err
		}
		var opts simulated.Options
		if *trace != "" {
			out, done, opened := createOutput(*trace, cmd.OutOrStdout())
			if opened != nil {
				return opened
			}
			defer closeOutput(&err, done)
			opts.Trace = out
		}
		began := time.Now()
		result := simulated.Run(s, *seed, opts)
		result.Real = time.Since(began)
		return showRun(cmd.OutOrStdout(), result)
	}
	return cmd
}

func loadScenario(name, folder string) (*scenarios.Scenario, error) {
	s, err := scenarios.Load(name, folder)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return s, nil
}

// showRun tells of one run and turns its status into the command's error.
func showRun(out io.Writer, r *scenarios.Result) error {
	ratio := r.Simulated.Seconds() / max(r.Real.Seconds(), 1e-9)
	fmt.Fprintf(out, "%s seed %d: %s\n", r.Scenario, r.Seed, r.Status)
	fmt.Fprintf(out, "  %v simulated in %v (%.0f times real time), hash %016x\n",
		r.Simulated.Round(time.Millisecond), r.Real.Round(time.Millisecond), ratio, r.Hash)
	if r.Status == scenarios.Green {
		return showCounts(out, r)
	}
	if r.Report != "" {
		fmt.Fprintln(out, indent(r.Report))
	}
	return exitErrorf(r.Status.ExitCode(), "%s seed %d: %s", r.Scenario, r.Seed, r.Verdict)
}

// showCounts lists what happened in a green run, so that one sees it was not vacuous.
func showCounts(out io.Writer, r *scenarios.Result) error {
	for _, name := range slices.Sorted(maps.Keys(r.Counts)) {
		if n := r.Counts[name]; n > 0 {
			fmt.Fprintf(out, "  %8d  %s\n", n, name)
		}
	}
	return nil
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}

// createOutput opens a file for a command's lines; "-" is standard output.
func createOutput(path string, stdout io.Writer) (io.Writer, func() error, error) {
	if path == "-" {
		w := bufio.NewWriter(stdout)
		return w, w.Flush, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, nil, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return w, func() error { return errors.Join(w.Flush(), f.Close()) }, nil
}

// closeOutput ends what createOutput began. A command that could not write all of it fails.
func closeOutput(err *error, done func() error) {
	if closed := done(); *err == nil {
		*err = closed
	}
}
