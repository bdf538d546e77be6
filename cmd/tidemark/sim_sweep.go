package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/scenarios/sweep"
	"github.com/tidemark-log/tidemark/scenarios/target/simulated"
)

func simSweepCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sweep SCENARIO…",
		Short: "Run many seeds of scenarios and sum up what they showed",
		Long: `Sweep runs a range of seeds of each scenario. It is green when no seed broke a promise
and every coverage goal was reached often enough; a goal that was missed makes the sweep
UNSEEN. Some seeds are run twice, and two runs of one seed must agree to the last event.

The summary tells how fast it was, by the clock and per second of processor time. JSON lines
hold nothing measured: the same seeds give the same bytes, on any machine.`,
		Example: `  tidemark sim sweep single/crash single/power --seeds 1..2000
  tidemark sim sweep single/power --seeds 1..100 --jsonl power.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageErrorf("tidemark sim sweep takes scenarios; tidemark sim list names them")
			}
			return nil
		},
	}
	var o sweepOptions
	folder := folderFlag(cmd)
	seeds := cmd.Flags().String("seeds", "1..100", "first..last seed")
	cmd.Flags().StringVar(&o.jsonl, "jsonl", "",
		"write a JSON line per seed to this file (- for standard output, instead of the summary)")
	cmd.Flags().BoolVar(&o.stop, "stop-at-failure", false, "end at the first seed that is not green")
	cmd.Flags().IntVar(&o.workers, "workers", 0, "runs at a time (0: one per processor)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if o.from, o.to, err = parseSeeds(*seeds); err != nil {
			return err
		}
		list := make([]*scenarios.Scenario, len(args))
		for i, name := range args {
			if list[i], err = loadScenario(name, *folder); err != nil {
				return err
			}
		}
		return o.sweepAll(list, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

type sweepOptions struct {
	from, to uint64
	jsonl    string
	stop     bool
	workers  int
}

func parseSeeds(text string) (from, to uint64, err error) {
	first, last, ranged := strings.Cut(text, "..")
	if !ranged {
		last = first
	}
	from, err1 := strconv.ParseUint(first, 10, 64)
	to, err2 := strconv.ParseUint(last, 10, 64)
	if err1 != nil || err2 != nil || to < from {
		return 0, 0, usageErrorf("--seeds %q: want first..last, for example 1..1000", text)
	}
	return from, to, nil
}

// sweepGCPercent trades memory for speed: a run allocates a lot and lives for milliseconds.
const sweepGCPercent = 400

// beginRuns prepares for many runs and opens the file of --jsonl, if there is to be one; nil
// lines if not.
func beginRuns(jsonl string, out io.Writer) (lines io.Writer, done func() error, err error) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(sweepGCPercent)
	}
	if jsonl == "" {
		return nil, func() error { return nil }, nil
	}
	return createOutput(jsonl, out)
}

func (o *sweepOptions) sweepAll(list []*scenarios.Scenario, out, diag io.Writer) (err error) {
	lines, done, err := beginRuns(o.jsonl, out)
	if err != nil {
		return err
	}
	defer closeOutput(&err, done)
	var failed error
	for _, s := range list {
		summary, err := o.sweep(s, lines, diag)
		if err != nil {
			return err
		}
		if o.jsonl != "-" {
			showSweep(out, summary)
		} else if speed := summary.Speed(); speed != "" {
			fmt.Fprintf(diag, "%s: %s\n", s.Name, speed)
		}
		if code := summary.ExitCode(); code != exitOK && failed == nil {
			failed = exitErrorf(code, "%s: %s", s.Name, outcomeSentence(summary))
		}
		if failed != nil && o.stop {
			break
		}
	}
	return failed
}

func (o *sweepOptions) sweep(s *scenarios.Scenario, lines, diag io.Writer) (*sweep.Summary, error) {
	bar := newProgress(diag, s.Name, int64(o.to-o.from+1))
	defer bar.end()
	return sweep.Sweep(sweep.Config{
		Scenario: s, From: o.from, To: o.to, Workers: o.workers, StopAtFailure: o.stop, Lines: lines,
		Runner: func() func(uint64) *scenarios.Result { return simulated.Runner(s) },
		Done:   func(*scenarios.Result) { bar.step() },
	})
}

// showSweep prints the summary, and of a failure what contradicts and how to see it again.
func showSweep(out io.Writer, s *sweep.Summary) {
	fmt.Fprint(out, s)
	if s.First == nil {
		return
	}
	if s.First.Report != "" {
		fmt.Fprintln(out, indent(s.First.Report))
	}
	fmt.Fprintf(out, "again: tidemark sim run %s --seed %d\n", s.Scenario, s.First.Seed)
}

func outcomeSentence(s *sweep.Summary) string {
	if s.First != nil {
		return fmt.Sprintf("seed %d is %s: %s", s.First.Seed, s.First.Status, s.First.Verdict)
	}
	var names []string
	for _, g := range s.Unseen() {
		names = append(names, g.Name)
	}
	return "nothing wrong, but too rarely seen: " + strings.Join(names, ", ")
}
