package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidemark-log/tidemark/scenarios/target/process"
)

func demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Kill a real broker under load, then show how the simulator finds a bug",
		Long: `Demo does the main job three times over, in about a minute.

It starts a broker on real files, lets a Kafka client write to it, ends it with SIGKILL
again and again, and counts what was acknowledged. It then puts the same code under power
losses in the simulator, by seed. At last, given a deliberately broken build, it shows
how that is caught.`,
		Example: `  make demo
  tidemark demo --kills 10`,
		Args: exactArgs(0, "no arguments"),
	}
	var d demo
	flags := cmd.Flags()
	flags.IntVar(&d.kills, "kills", 5, "how often to kill the broker")
	flags.IntVar(&d.seeds, "seeds", 150, "seeds per scenario in the simulator")
	flags.StringVar(&d.broken, "broken", "", "path of a deliberately broken tidemark binary to catch")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d.out = cmd.OutOrStdout()
		return d.run(cmd.Context())
	}
	return cmd
}

type demo struct {
	out    io.Writer
	kills  int
	seeds  int
	broken string
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

func (d *demo) run(ctx context.Context) error {
	began := time.Now()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := d.killReal(ctx, self); err != nil {
		return err
	}
	if err := d.sweepSimulated(ctx, self); err != nil {
		return err
	}
	if err := d.catchBroken(ctx); err != nil {
		return err
	}
	d.say("\nDone in %v. Next: tidemark dev, tidemark sim list, README.md.",
		time.Since(began).Round(time.Second))
	return nil
}

const (
	demoPartitions = 3
	demoValueBytes = 1024
	demoLoadFor    = 700 * time.Millisecond // between two kills
)

// killReal runs the crash story on a real process and real files.
func (d *demo) killReal(ctx context.Context, self string) error {
	dir, err := os.MkdirTemp("", "tidemark-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	port, err := process.FreePort()
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(dir, "broker.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cfg := process.Config{Binary: self, Dir: dir, Port: port, Log: log}
	broker, err := process.Start(ctx, cfg)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, tail(log.Name()))
	}
	defer func() { broker.Kill() }()
	d.say("1. A real broker, killed under load")
	d.say("   broker  tidemark serve on %s, process %d, fsync before every acknowledgement", broker.Addr(),
		broker.Pid())
	load, err := process.StartLoad(ctx, broker.Addr(), process.LoadConfig{
		Topic: "demo", Partitions: demoPartitions, ValueBytes: demoValueBytes, InFlight: 256,
	})
	if err != nil {
		return err
	}
	d.say("   client  franz-go, acks=all, idempotent, %d partitions, %d-byte records", demoPartitions,
		demoValueBytes)
	for kill := 1; kill <= d.kills; kill++ {
		if broker, err = d.killOnce(ctx, cfg, broker, load, kill); err != nil {
			return fmt.Errorf("%w\n%s", err, tail(log.Name()))
		}
	}
	return d.audit(ctx, broker, load)
}

// killOnce lets the load run, kills, starts again, and waits until work goes on.
func (d *demo) killOnce(
	ctx context.Context, cfg process.Config, broker *process.Broker, load *process.Load, kill int,
) (*process.Broker, error) {
	if err := sleep(ctx, demoLoadFor); err != nil {
		return broker, err
	}
	load.Gap()
	acked := load.Count()
	broker.Kill()
	again, err := process.Start(ctx, cfg)
	if err != nil {
		return broker, err
	}
	for load.Count() == acked {
		if err := sleep(ctx, time.Millisecond); err != nil {
			return again, err
		}
	}
	d.say("   kill %d  after %d acknowledged records; next acknowledgement %v later",
		kill, acked, load.Gap().Round(time.Millisecond))
	return again, nil
}

// audit counts every acknowledged record.
func (d *demo) audit(ctx context.Context, broker *process.Broker, load *process.Load) error {
	acked, err := load.Stop(ctx)
	if err != nil {
		return err
	}
	report, err := process.Audit(ctx, broker.Addr(), "demo", acked)
	if err != nil {
		return err
	}
	d.say("   audit   %d acknowledged, %d read back: %d lost, %d doubled",
		report.Acked, report.Read, report.Lost, report.Doubled)
	if !report.OK() {
		return exitErrorf(exitSafety, "%s", report.First)
	}
	return broker.Stop(ctx)
}

// sleep waits, or returns early when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tail returns the end of a log file, for an error that needs it.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	const keep = 2000
	return string(text[max(0, len(text)-keep):])
}
