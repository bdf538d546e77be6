package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Options are the knobs of the cases. Each case reads those its description names.
type Options struct {
	Duration time.Duration // measured time of an open-ended case
	Warmup   time.Duration // load before it that is not measured
	Settle   time.Duration // pause before each measurement, after what was written is synced
	Hot      int64         // bytes of memory touched and freed before each measurement

	Size       int    // bytes of a record's value
	Partitions int    // of the topic
	Replicas   int    // its replication factor
	Acks       string // all or 1
	Codec      string // none, gzip, snappy, lz4 or zstd
	Spread     string // sticky, or uniform: each record to the next partition

	Linger   time.Duration // how long the client of produce waits for a batch to fill
	Clients  int           // clients of produce, connections of flood
	InFlight int           // requests in flight on each connection of flood
	Batch    int           // bytes of a batch of flood, before compression
	Rate     int           // records a second of latency and e2e
	Fill     int64         // bytes that consume writes, and then reads
}

// Defaults are options that say something on any machine within seconds.
func Defaults() Options {
	return Options{
		Duration: 5 * time.Second, Warmup: 2 * time.Second, Settle: time.Second,
		Size: 1024, Partitions: 6, Replicas: 1, Acks: "all", Codec: "none", Spread: "sticky",
		Linger: 5 * time.Millisecond, Clients: 1, InFlight: 5, Batch: 64 << 10, Rate: 2000, Fill: 1 << 30,
	}
}

// Validate tells the first option that makes no sense, by the name of its flag.
func (o Options) Validate() error {
	for _, c := range []struct {
		name      string
		value, at int64
		most      int64
	}{
		{"duration", int64(o.Duration), int64(time.Millisecond), int64(time.Hour)},
		{"warmup", int64(o.Warmup), 0, int64(time.Hour)},
		{"settle", int64(o.Settle), 0, int64(time.Hour)},
		{"size", int64(o.Size), stampSize, 16 << 20},
		{"partitions", int64(o.Partitions), 1, 100_000},
		{"replicas", int64(o.Replicas), 1, 100},
		{"clients", int64(o.Clients), 1, 1000},
		{"in-flight", int64(o.InFlight), 1, 1000},
		{"batch", int64(o.Batch), 1, 64 << 20},
		{"rate", int64(o.Rate), 1, 10_000_000},
		{"fill", o.Fill, 1, 1 << 50},
		{"hot", o.Hot, 0, 1 << 40},
	} {
		if c.value < c.at || c.value > c.most {
			return fmt.Errorf("--%s: want %s to %s", c.name, bound(c.name, c.at), bound(c.name, c.most))
		}
	}
	for _, c := range []struct {
		name, value string
		known       []string
	}{
		{"acks", o.Acks, []string{"all", "1"}},
		{"codec", o.Codec, []string{"none", "gzip", "snappy", "lz4", "zstd"}},
		{"spread", o.Spread, []string{"sticky", "uniform"}},
	} {
		if !slices.Contains(c.known, c.value) {
			return fmt.Errorf("--%s %q: want %s", c.name, c.value, strings.Join(c.known, ", "))
		}
	}
	return nil
}

func bound(name string, v int64) string {
	if name == "duration" || name == "warmup" || name == "settle" {
		return time.Duration(v).String()
	}
	return fmt.Sprint(v)
}

// Plan is a run: every case against every target, several times over.
type Plan struct {
	Targets     []Target
	Cases       []string // of CaseNames
	Repetitions int
	Options     Options
}

// Measurement is one case on one target, once.
type Measurement struct {
	Case       string
	Setup      string // the options that matter to the case, in words
	Target     string
	Repetition int // from 1
	Began      time.Time
	Figures    Figures
	Latency    *hdrhistogram.Histogram // in nanoseconds; nil where none was measured
	Err        error
}

// Validate tells what makes no sense before anything is started.
func (p Plan) Validate() error {
	if p.Repetitions < 1 || p.Repetitions > 1000 {
		return errors.New("--reps: want 1 to 1000")
	}
	if len(p.Cases) == 0 {
		return fmt.Errorf("which case? want some of: %s", strings.Join(CaseNames(), ", "))
	}
	names := map[string]bool{}
	for _, t := range p.Targets {
		if names[t.Name] {
			return fmt.Errorf("two targets are called %q", t.Name)
		}
		names[t.Name] = true
	}
	for _, name := range p.Cases {
		c, ok := cases[name]
		if !ok {
			return fmt.Errorf("no case %q; want some of: %s", name, strings.Join(CaseNames(), ", "))
		}
		if c.starts {
			for _, t := range p.Targets {
				if len(t.Command) == 0 {
					return fmt.Errorf("case %s wants --start-command %s=COMMAND", name, t.Name)
				}
			}
		}
	}
	return p.Options.Validate()
}

// Steps is how many measurements the plan makes.
func (p Plan) Steps() int { return len(p.Cases) * len(p.Targets) * p.Repetitions }

// Run makes the measurements and hands each to seen. A measurement that failed carries its
// error, and the run goes on; the error returned is the first of them, or the context's.
func (p Plan) Run(ctx context.Context, seen func(Measurement)) error {
	if err := p.reach(ctx); err != nil {
		return err
	}
	var first error
	for _, name := range p.Cases {
		for rep := range p.Repetitions {
			for _, i := range rand.Perm(len(p.Targets)) { // nobody always comes after the same one
				if err := p.prepare(ctx); err != nil {
					return err
				}
				m := p.measure(ctx, cases[name], p.Targets[i])
				m.Repetition = rep + 1
				if err := ctx.Err(); err != nil {
					return err
				}
				if m.Err != nil {
					m.Err = fmt.Errorf("%s on %s: %w", name, m.Target, m.Err)
					if first == nil {
						first = m.Err
					}
				}
				seen(m)
			}
		}
	}
	return first
}

// reach makes a wrong address an error at once, and not after a minute of measurements.
func (p Plan) reach(ctx context.Context) error {
	if slices.ContainsFunc(p.Cases, func(name string) bool { return cases[name].starts }) {
		return nil // not yet there, and should not be
	}
	for _, t := range p.Targets {
		client, err := t.client()
		if err != nil {
			return err
		}
		ask, cancel := context.WithTimeout(ctx, reachMax)
		err = client.Ping(ask)
		cancel()
		client.Close()
		if err != nil {
			return fmt.Errorf("no broker answers at %s (%s): %w", strings.Join(t.Addrs, ","), t.Name, err)
		}
	}
	return nil
}

// prepare gives each measurement the same start: no dirty pages of the one before it, and,
// if asked for, memory that the machine has at hand.
func (p Plan) prepare(ctx context.Context) error {
	syncDisks()
	touch(p.Options.Hot)
	return sleep(ctx, p.Options.Settle)
}

func (p Plan) measure(ctx context.Context, c benchCase, t Target) Measurement {
	r := &run{target: t, o: p.Options}
	m := Measurement{Case: c.name, Setup: c.setup(p.Options), Target: t.Name, Began: time.Now()}
	m.Err = c.run(ctx, r)
	m.Figures, m.Latency = r.figures, r.latency
	return m
}

// sleep waits, or returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sleepWhile is sleep that also ends when the work it waits for has failed.
func sleepWhile(ctx context.Context, d time.Duration, failure *firstError) error {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if failure.get() != nil {
			return failure.get()
		}
		if left <= 0 {
			return nil
		}
		if err := sleep(ctx, min(left, 100*time.Millisecond)); err != nil {
			return err
		}
	}
}
