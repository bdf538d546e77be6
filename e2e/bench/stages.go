package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/cmd/tidemark/bench"
)

// stage is some cases with the options they share.
type stage struct {
	name    string // what goals refer to
	cases   string
	targets []string
	reps    int
	options func(*bench.Options)
}

var everybody = []string{pageCache, synced, ours}

// hot keeps the first gigabytes within reach: on a virtual machine whose host has taken free
// memory back, filling the page cache would be measured, and not the broker.
const hot = 2 << 30

// warmups are what Kafka's compiler sees before anything counts, about a minute in all.
var warmups = []stage{
	{cases: "produce", targets: []string{pageCache}, reps: 1, options: lasting(15 * time.Second)},
	{cases: "flood", targets: []string{pageCache}, reps: 1, options: lasting(15 * time.Second)},
	{cases: "latency", targets: []string{pageCache}, reps: 1, options: lasting(15 * time.Second)},
	{cases: "consume", targets: []string{pageCache}, reps: 2, options: lasting(time.Second)},
}

func lasting(d time.Duration) func(*bench.Options) {
	return func(o *bench.Options) { o.Duration, o.Warmup, o.Rate, o.Clients = d, time.Second, 10_000, 2 }
}

var stages = []stage{
	{name: "flood", cases: "flood", targets: everybody, reps: 3,
		options: func(o *bench.Options) { o.Clients, o.Hot = 4, hot }},
	{name: "produce", cases: "produce", targets: everybody, reps: 3,
		options: func(o *bench.Options) { o.Hot = hot }},
	{name: "latency-2000", cases: "latency", targets: everybody, reps: 3, options: atRate(2000)},
	{name: "latency-20000", cases: "latency", targets: everybody, reps: 3, options: atRate(20_000)},
	{name: "e2e", cases: "e2e", targets: []string{pageCache, ours}, reps: 3,
		options: atRate(2000)},
	{name: "consume", cases: "consume", targets: []string{pageCache, ours}, reps: 3,
		options: func(o *bench.Options) { o.Fill = 1 << 30 }},
}

func atRate(n int) func(*bench.Options) {
	return func(o *bench.Options) { o.Rate = n }
}

// starts is measured first, when there is nothing to recover yet.
var starts = stage{name: "start", cases: "start", targets: []string{pageCache, ours}, reps: 3,
	options: func(*bench.Options) {}}

// pick keeps the stages that were asked for; none asked for is all.
func (c *comparison) pick(only string) error {
	if only == "" {
		c.start, c.stages = true, stages
		return nil
	}
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(stages, func(s stage) bool { return s.name == name })
		switch {
		case name == starts.name:
			c.start = true
		case i < 0:
			var known []string
			for _, s := range append([]stage{starts}, stages...) {
				known = append(known, s.name)
			}
			return fmt.Errorf("no stage %q; want some of: %s", name, strings.Join(known, ","))
		default:
			c.stages = append(c.stages, stages[i])
		}
	}
	return nil
}

func (c *comparison) measureAll(ctx context.Context) error {
	if c.start {
		if err := c.measure(ctx, starts); err != nil {
			return err
		}
	}
	if len(c.stages) == 0 {
		return nil
	}
	stop, err := c.startAll(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if len(c.byName(pageCache)) > 0 {
		c.say("warming Kafka up")
	}
	for _, s := range warmups {
		if len(c.byName(s.targets...)) == 0 {
			continue
		}
		if _, err := c.load(ctx, s); err != nil {
			return err
		}
	}
	for _, s := range c.stages {
		if err := c.measure(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// measure puts a stage's load on its targets and keeps and shows what came of it.
func (c *comparison) measure(ctx context.Context, s stage) error {
	c.say("%s", s.name)
	seen, err := c.load(ctx, s)
	if err != nil {
		return err
	}
	for _, r := range bench.Results(c.byName(s.targets...), seen) {
		if err := r.Table(c.out); err != nil {
			return err
		}
		if _, err := c.out.Write([]byte("\n")); err != nil {
			return err
		}
		r.Case = s.name
		c.results = append(c.results, r)
	}
	return nil
}

func (c *comparison) load(ctx context.Context, s stage) ([]bench.Measurement, error) {
	p := bench.Plan{Targets: c.byName(s.targets...), Cases: []string{s.cases}, Repetitions: s.reps,
		Options: bench.Defaults()}
	p.Options.Duration, p.Options.Warmup, p.Options.Settle = 3*time.Second, time.Second, 500*time.Millisecond
	s.options(&p.Options)
	p.Options.Duration = p.Options.Duration * time.Duration(c.percent) / 100
	p.Options.Warmup = p.Options.Warmup * time.Duration(c.percent) / 100
	p.Options.Fill = max(1, p.Options.Fill*int64(c.percent)/100)
	if err := p.Validate(); err != nil {
		return nil, err
	}
	var seen []bench.Measurement
	err := p.Run(ctx, func(m bench.Measurement) {
		seen = append(seen, m)
		_ = c.lines.Encode(m) // the tables have it too
	})
	return seen, err
}
