package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/scenarios/claims"
	"github.com/tidemark-log/tidemark/scenarios/target/simulated"
)

func verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Have every durability claim shown, and every permitted loss",
		Long: `Verify runs the table of durability claims: each cell is a fault under a flush policy.
A cell that holds must lose nothing in any of its seeds; a cell that may lose must be seen
to, by a witness in fixed steps and by seeds. A cell whose fault did not happen is UNSEEN,
and so is one that may lose and did not.`,
		Example: `  tidemark verify --rows R1
  tidemark verify --rows R1 --cells power/group,power/os --seeds 1000`,
		Args: exactArgs(0, "no arguments"),
	}
	var o verifyOptions
	rows := cmd.Flags().StringSlice("rows", claims.Names(), "rows of the table")
	cmd.Flags().StringSliceVar(&o.cells, "cells", nil, "only these cells, as fault/flush")
	cmd.Flags().IntVar(&o.seeds, "seeds", 0,
		"seeds per cell that holds, and a quarter of that for others (0: what the row says)")
	cmd.Flags().StringVar(&o.jsonl, "jsonl", "",
		"write a JSON line per cell to this file (- for standard output, instead of the table)")
	cmd.Flags().IntVar(&o.workers, "workers", 0, "runs at a time (0: one per processor)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.seeds < 0 {
			return usageErrorf("--seeds %d: want a number of seeds", o.seeds)
		}
		cells, err := o.choose(*rows)
		if err != nil {
			return err
		}
		return o.verify(cells, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

type verifyOptions struct {
	cells   []string
	seeds   int
	jsonl   string
	workers int
}

// choose lists the cells asked for.
func (o *verifyOptions) choose(rows []string) ([]claims.Cell, error) {
	var chosen []claims.Cell
	found := map[string]bool{}
	for _, name := range rows {
		row, err := claims.Load(name)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		for _, c := range row.Cells() {
			want := len(o.cells) == 0
			for _, cell := range o.cells {
				if cell == c.String() {
					want, found[cell] = true, true
				}
			}
			if want {
				chosen = append(chosen, c)
			}
		}
	}
	for _, cell := range o.cells {
		if !found[cell] {
			return nil, usageErrorf("--cells %s: there is no such cell in %s", cell, strings.Join(rows, ", "))
		}
	}
	return chosen, nil
}

// cellLine is a cell in --jsonl; it says nothing that two runs would not say alike.
type cellLine struct {
	Row      string            `json:"row"`
	Cell     string            `json:"cell"`
	Claim    string            `json:"claim"`
	Verdicts map[string]string `json:"verdicts"`
	Seeds    int               `json:"seeds"`
	Faulty   int               `json:"faulty"`
	Found    map[string]uint64 `json:"first_loss,omitempty"`
	Why      string            `json:"why,omitempty"`
}

func (o *verifyOptions) verify(cells []claims.Cell, out, diag io.Writer) (err error) {
	lines, done, err := beginRuns(o.jsonl, out)
	if err != nil {
		return err
	}
	defer closeOutput(&err, done)
	if o.jsonl == "-" {
		out = io.Discard
	}
	cfg := claims.Config{Seeds: o.seeds, Workers: o.workers, Runner: simulated.Runner}
	total := 0
	for _, c := range cells {
		total += cfg.Runs(c)
	}
	bar := newProgress(diag, "verify", int64(total))
	defer bar.end()
	cfg.Done = bar.step
	table := verifyTable{out: out}
	for _, c := range cells {
		v, err := claims.Verify(cfg, c)
		if err != nil {
			return err
		}
		table.add(v)
		if err := writeCell(lines, v); err != nil {
			return err
		}
	}
	bar.end()
	return table.end()
}

func writeCell(w io.Writer, v *claims.Verdict) error {
	if w == nil {
		return nil
	}
	l := cellLine{Row: v.Cell.Row.Name, Cell: v.Cell.String(), Claim: "holds", Verdicts: map[string]string{},
		Seeds: v.Seeds, Faulty: v.Faulty, Why: v.Why()}
	if !v.Cell.Claim.Holds() {
		l.Claim, l.Found = "may lose, "+v.Cell.Claim.Witness, map[string]uint64{}
	}
	for i, p := range v.Cell.Row.Properties {
		l.Verdicts[p.Name] = string(v.Words[i])
		if v.Found[i] > 0 && l.Found != nil {
			l.Found[p.Name] = v.Found[i]
		}
	}
	b, err := json.Marshal(l)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write line: %w", err)
	}
	return nil
}

// verifyTable prints the verdicts, row by row.
type verifyTable struct {
	out     io.Writer
	row     string
	code    int
	why     []string
	seeds   int
	elapsed time.Duration
	broken  *scenarios.Result
}

func (t *verifyTable) add(v *claims.Verdict) {
	row := v.Cell.Row
	if t.row != row.Name {
		t.row = row.Name
		fmt.Fprintf(t.out, "%s  %s\n  %-18s", row.Name, row.Title, "")
		for _, p := range row.Properties {
			fmt.Fprintf(t.out, " %-26s", p.Name)
		}
		fmt.Fprintln(t.out, " runs with the fault")
	}
	fmt.Fprintf(t.out, "  %-18s", v.Cell)
	for i, w := range v.Words {
		text := string(w)
		if w == claims.MayLose {
			text += fmt.Sprintf(" (%s, seed %d)", v.Cell.Claim.Witness, v.Found[i])
		}
		fmt.Fprintf(t.out, " %-26s", text)
	}
	fmt.Fprintf(t.out, " %d of %d\n", v.Faulty, v.Seeds)
	t.seeds += v.Seeds + v.Telling
	t.elapsed += v.Elapsed
	if code := v.ExitCode(); code != exitOK {
		t.why = append(t.why, fmt.Sprintf("%s %s: %s", row.Name, v.Cell, v.Why()))
		if t.code == exitOK || t.code == exitInconclusive {
			t.code = code
		}
		if t.broken == nil {
			t.broken = v.Broken
		}
	}
}

// end tells what is wrong, and of the first broken run how it came to that.
func (t *verifyTable) end() error {
	fmt.Fprintf(t.out, "%d runs in %s\n", t.seeds, t.elapsed.Round(time.Millisecond))
	if len(t.why) == 0 {
		return nil
	}
	if t.broken != nil && t.broken.Report != "" {
		fmt.Fprintln(t.out, indent(t.broken.Report))
	}
	return exitErrorf(t.code, "%s", strings.Join(t.why, "\n"))
}
