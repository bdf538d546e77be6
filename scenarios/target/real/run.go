package real

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidemark-log/tidemark/checker"
	"github.com/tidemark-log/tidemark/checker/history"
	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/trace"
	"github.com/tidemark-log/tidemark/netx"
	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/scenarios/workload"
)

// Options say where to run.
type Options struct {
	// Bootstrap are addresses of the cluster, host:port.
	Bootstrap []string
	// Suffix makes the run's topics its own, as in orders-x7f3; "" draws one.
	Suffix string
	// Duration replaces the scenario's, if not 0.
	Duration time.Duration
	// Seed draws what the clients do.
	Seed uint64
}

// Run runs the scenario's clients until its duration is over and they have come to rest, and
// judges what they saw. The error is ctx's.
func Run(ctx context.Context, s *scenarios.Scenario, opt Options) (*scenarios.Result, error) {
	began := time.Now()
	res := &scenarios.Result{Scenario: s.Name, Seed: opt.Seed, Counts: map[string]int{}}
	if opt.Duration == 0 {
		opt.Duration = time.Duration(s.Duration)
	}
	if opt.Suffix == "" {
		opt.Suffix = fmt.Sprintf("%06x", rand.Uint32()>>8)
	}
	c := &clients{loop: netx.NewLoop()}
	c.recorder = history.NewRecorder(s.Name, opt.Seed, func() int64 { return int64(c.loop.Now()) })
	w, err := workload.New(mix(s, opt), c.recorder)
	if err != nil {
		res.Status, res.Verdict = scenarios.Broken, err.Error()
		return res, nil
	}
	c.workload = w
	if err := c.start(opt.Seed); err != nil {
		return nil, err
	}
	defer c.stop()
	if err := c.drive(ctx, s, opt, res); err != nil {
		return nil, err
	}
	c.loop.Do(func() {
		c.workload.Close()
		res.History = c.recorder.Finish()
	})
	res.Real = time.Since(began)
	judge(s, res)
	return res, nil
}

// mix is the scenario's workload under names of its own.
func mix(s *scenarios.Scenario, opt Options) workload.Config {
	cfg := s.Workload(nil)
	cfg.Bootstrap = opt.Bootstrap
	rename := func(name *string) { *name += "-" + opt.Suffix }
	for i := range cfg.Topics {
		rename(&cfg.Topics[i].Name)
		for key := range cfg.Topics[i].Configs {
			// Internal keys are for small simulated worlds; Kafka refuses them.
			if strings.HasPrefix(key, "internal.") {
				delete(cfg.Topics[i].Configs, key)
			}
		}
	}
	for i := range cfg.Producers {
		rename(&cfg.Producers[i].Topic)
	}
	for i := range cfg.Readers {
		rename(&cfg.Readers[i].Topic)
	}
	for i := range cfg.Listers {
		rename(&cfg.Listers[i].Topic)
	}
	for i := range cfg.Churn {
		rename(&cfg.Churn[i].Topic)
	}
	return cfg
}

// clients is the workload on a loop of its own.
type clients struct {
	loop     *netx.Loop
	net      *netx.Net
	recorder *history.Recorder
	workload *workload.Workload
	ended    chan struct{}
}

func (c *clients) start(seed uint64) error {
	c.net = netx.New(netx.Config{Loop: c.loop, Buffers: heap{}})
	h, err := c.workload.Boot(&env.Env{Clock: c.loop, Net: c.net, Rand: &dice{seed: seed,
		n: map[string]uint64{}},
		Host: still{}, Tracer: still{}, Rare: still{}, Buffers: heap{}})
	if err != nil {
		return err
	}
	c.ended = make(chan struct{})
	go func() {
		defer close(c.ended)
		c.loop.Run(h)
	}()
	return nil
}

func (c *clients) stop() {
	c.loop.Do(c.workload.Close)
	c.net.Shutdown()
	c.loop.Stop()
	<-c.ended
}

// drive waits for the topics, lets the clients work, and waits until they rest.
func (c *clients) drive(ctx context.Context, s *scenarios.Scenario, opt Options,
	res *scenarios.Result) error {
	var failed error
	for ready := false; !ready; {
		c.loop.Do(func() { ready, failed = c.workload.Ready(), c.workload.Err() })
		if failed != nil {
			res.Status, res.Verdict = scenarios.Broken, failed.Error()
			return nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
	if err := pause(ctx, opt.Duration); err != nil {
		return err
	}
	c.loop.Do(c.workload.Stop)
	var waiting []string
	for end := time.Now().Add(time.Duration(s.Recovery)); ; {
		var idle bool
		c.loop.Do(func() { idle, waiting = c.workload.Idle(), c.workload.Waiting() })
		if idle {
			return nil
		}
		if time.Now().After(end) {
			res.Status, res.Verdict = scenarios.Stuck, "not at rest: "+strings.Join(waiting, ", ")
			return nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// judge checks the history. Nobody knows the final log, so the checks are weaker.
func judge(s *scenarios.Scenario, res *scenarios.Result) {
	healed := res.Status == ""
	res.Checked = checker.Check(res.History, checker.Options{Fresh: !s.Checks.Prefix, Healed: healed,
		Allowed: s.Checks.Allow})
	for _, c := range res.Checked.Counters {
		res.Counts["check/"+c.Check] = c.N
	}
	for i := range res.History.Ops {
		o := &res.History.Ops[i]
		res.Counts["op/"+o.Kind.String()+"-"+o.Result.String()]++
	}
	status, verdict := res.Checked.Status()
	if status != checker.Holds {
		res.Report = res.Checked.Render(res.History)
	}
	switch {
	case status == checker.Violated:
		res.Status, res.Verdict = scenarios.Violated, verdict
	case status == checker.Inconclusive && healed:
		res.Status, res.Verdict = scenarios.Inconclusive, verdict
	case healed:
		res.Status = scenarios.Green
	}
}

// dice draws by seed and purpose. What happens still depends on the cluster's timing.
type dice struct {
	seed uint64
	n    map[string]uint64
}

// Uint64 implements env.Rand.
func (d *dice) Uint64(purpose string) uint64 {
	d.n[purpose]++
	h := d.seed
	for _, b := range []byte(purpose) {
		h = (h ^ uint64(b)) * 0x100000001b3
	}
	return rand.New(rand.NewPCG(h, d.n[purpose])).Uint64()
}

// still are the parts of a world that clients do not use.
type still struct{}

// BootID implements env.Host.
func (still) BootID() string { return "client" }

// Trace implements env.Tracer.
func (still) Trace(trace.Event) {}

// Rare implements env.Rare.
func (still) Rare(string) bool { return false }

// heap hands out plain memory.
type heap struct{}

// Get implements env.Buffers.
func (heap) Get(n int) env.Buffer {
	b := &buffer{bytes: make([]byte, n)}
	b.refs.Store(1)
	return b
}

type buffer struct {
	bytes []byte
	refs  atomic.Int32
}

var errOverReleased = errors.New("real: buffer released too often")

func (b *buffer) Bytes() []byte { return b.bytes }
func (b *buffer) Retain()       { b.refs.Add(1) }
func (b *buffer) Release() {
	if b.refs.Add(-1) < 0 {
		panic(errOverReleased)
	}
}
