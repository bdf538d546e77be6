package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark/cmd/tidemark/bench"
)

func benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench CASE…",
		Short: "Measure any brokers that speak Kafka's protocol, side by side",
		Long: `Bench puts load on brokers and prints what came of it: throughput, latency by
percentile, and for servers on this machine their CPU time and memory. The cases are

` + caseList() + `
Every case runs against each target in turn, several times over, each time in a new random
order. The figures are median [least–most]; on a machine that is not yours alone, trust the
ratios to the first target more than either figure. Latency is counted from when a record
was due, so a server that stalls cannot hide the records that it held up.

No percentile below generator_lag_p99_ms means anything, and where stolen_cores is a tenth
or more the machine's host was busy: run it again. If generator_cores is near one, produce
shows how fast the client is; flood shows the server.

A target is NAME=HOST:PORT[,HOST:PORT…], and a query sets configs of the topics made on it,
so that one broker can be two targets. Topics are deleted at the end of each measurement.`,
		Example: `  tidemark bench produce --bootstrap localhost:9092
  tidemark bench latency e2e --rate 20000 --html latency.html
  tidemark bench flood consume --clients 4 \
    --target 'kafka=localhost:19092' \
    --target 'kafka-fsync=localhost:19092?flush.messages=1' \
    --target tidemark=localhost:9092
  tidemark bench start --start-command 'tidemark dev --port 9092'`,
	}
	b := &benchRun{plan: bench.Plan{Options: bench.Defaults()}}
	bootstrap := bootstrapFlag(cmd)
	b.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b.out, b.diag, b.plan.Cases = cmd.OutOrStdout(), cmd.ErrOrStderr(), args
		if err := b.prepare(*bootstrap); err != nil {
			return err
		}
		return b.run(cmd.Context())
	}
	return cmd
}

func caseList() string {
	var b strings.Builder
	for _, name := range bench.CaseNames() {
		fmt.Fprintf(&b, "  %-9s %s\n", name, bench.About(name))
	}
	return b.String()
}

type benchRun struct {
	plan     bench.Plan
	targets  []string
	commands []string
	fillMiB  int64
	hotMiB   int64
	jsonl    string
	html     string

	out, diag io.Writer
	seen      []bench.Measurement
}

func (b *benchRun) flags(cmd *cobra.Command) {
	o, flags := &b.plan.Options, cmd.Flags()
	flags.StringArrayVarP(&b.targets, "target", "t", nil,
		"NAME=HOST:PORT to measure instead of --bootstrap; may be given again to compare")
	flags.IntVar(&b.plan.Repetitions, "reps", 3, "measurements of each case on each target")
	flags.DurationVar(&o.Duration, "duration", o.Duration, "measured time of a case")
	flags.DurationVar(&o.Warmup, "warmup", o.Warmup, "load before it that is not measured")
	flags.DurationVar(&o.Settle, "settle", o.Settle, "pause before each measurement, after a sync of all disks")
	flags.Int64Var(&b.hotMiB, "hot", 0,
		"MiB of memory to touch before each measurement, if a virtual machine's host took back what was free")
	flags.IntVar(&o.Size, "size", o.Size, "bytes of a record's value")
	flags.IntVar(&o.Partitions, "partitions", o.Partitions, "partitions of the topic")
	flags.IntVar(&o.Replicas, "replication-factor", o.Replicas, "copies of each partition")
	flags.StringVar(&o.Acks, "acks", o.Acks, "wait for: 1 (the leader), all (every in-sync replica)")
	flags.StringVar(&o.Codec, "codec", o.Codec, "none, gzip, snappy, lz4 or zstd")
	flags.StringVar(&o.Spread, "spread", o.Spread,
		"produce: sticky, or uniform (each record to the next partition)")
	flags.DurationVar(&o.Linger, "linger", o.Linger, "produce: how long the client waits for a batch to fill")
	flags.IntVar(&o.Clients, "clients", o.Clients, "produce: clients; flood: connections")
	flags.IntVar(&o.InFlight, "in-flight", o.InFlight, "flood: requests in flight on each connection")
	flags.IntVar(&o.Batch, "batch", o.Batch, "flood, consume: bytes of a batch")
	flags.IntVar(&o.Rate, "rate", o.Rate, "latency, e2e: records a second")
	flags.Int64Var(&b.fillMiB, "fill", o.Fill>>20, "consume: MiB to write, and then to read")
	flags.StringArrayVar(&b.commands, "start-command", nil,
		"start: COMMAND that starts the server, or TARGET=COMMAND; split at spaces")
	flags.StringVar(&b.jsonl, "jsonl", "",
		"write a JSON line per measurement to this file (- for standard output, instead of the tables)")
	flags.StringVar(&b.html, "html", "", "write tables and plots to this file, one page that needs nothing else")
}

// prepare turns flags into a plan, or says which of them makes no sense.
func (b *benchRun) prepare(bootstrap string) error {
	b.plan.Options.Fill, b.plan.Options.Hot = b.fillMiB<<20, b.hotMiB<<20
	if len(b.targets) == 0 {
		b.targets = []string{"broker=" + bootstrap}
	}
	for _, text := range b.targets {
		t, err := bench.ParseTarget(text)
		if err != nil {
			return usageErrorf("%w", err)
		}
		b.plan.Targets = append(b.plan.Targets, t)
	}
	for _, text := range b.commands {
		if err := b.setCommand(text); err != nil {
			return err
		}
	}
	if err := b.plan.Validate(); err != nil {
		return usageErrorf("%w", err)
	}
	return nil
}

// setCommand finds whose start command this is: without a name, that of the only target.
func (b *benchRun) setCommand(text string) error {
	targets := b.plan.Targets
	for i, t := range targets {
		if command, ok := strings.CutPrefix(text, t.Name+"="); ok {
			targets[i].Command = strings.Fields(command)
			return nil
		}
	}
	if len(targets) > 1 {
		return usageErrorf("--start-command %q: want TARGET=COMMAND, as there are several targets", text)
	}
	targets[0].Command = strings.Fields(text)
	return nil
}

func (b *benchRun) run(ctx context.Context) error {
	if b.jsonl == "" {
		return b.measure(ctx, io.Discard)
	}
	lines, done, err := createOutput(b.jsonl, b.out)
	if err != nil {
		return err
	}
	err = b.measure(ctx, lines)
	return cmp.Or(err, done())
}

func (b *benchRun) measure(ctx context.Context, lines io.Writer) error {
	bar := newProgress(b.diag, "measuring", int64(b.plan.Steps()))
	encoder := json.NewEncoder(lines)
	var unwritten error
	failed := b.plan.Run(ctx, func(m bench.Measurement) {
		bar.step()
		b.seen = append(b.seen, m)
		if err := encoder.Encode(m); err != nil && unwritten == nil {
			unwritten = err
		}
	})
	bar.end()
	return cmp.Or(failed, b.show(), unwritten)
}

// show prints what was measured, also if the run ended early.
func (b *benchRun) show() error {
	results := bench.Results(b.plan.Targets, b.seen)
	if b.jsonl != "-" {
		for i, r := range results {
			if i > 0 {
				fmt.Fprintln(b.out)
			}
			if err := r.Table(b.out); err != nil {
				return err
			}
			if err := r.Plot(b.out); err != nil {
				return err
			}
		}
	}
	if b.html == "" || len(results) == 0 {
		return nil
	}
	w, done, err := createOutput(b.html, b.out)
	if err != nil {
		return err
	}
	if err := bench.Page(w, bench.Machine(), results); err != nil {
		return err
	}
	return done()
}
