package sweep

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tidemark-log/tidemark/scenarios"
)

// Config is a sweep to do.
type Config struct {
	// Scenario gives the goals; its name stands in the summary.
	Scenario *scenarios.Scenario
	// Runner makes what runs one seed after the other, one for each of several goroutines.
	Runner func() func(seed uint64) *scenarios.Result
	// From and To are the first and last seed.
	From, To uint64
	// Workers is the number of goroutines; 0: one per processor.
	Workers int
	// StopAtFailure ends the sweep at the first seed that is not green.
	StopAtFailure bool
	// RealMax bounds the real time of one run; 0: a minute, a thousand times the usual.
	RealMax time.Duration
	// Lines, if set, gets one JSON line per seed and one for the summary.
	Lines io.Writer
	// Done, if set, is told of each seed, in order.
	Done func(r *scenarios.Result)
}

// Sweep runs the seeds. The error is of the configuration or of Lines.
func Sweep(cfg Config) (*Summary, error) {
	if cfg.To < cfg.From || cfg.To-cfg.From >= SeedsMax || cfg.Runner == nil {
		return nil, fmt.Errorf("sweep: seeds %d..%d: want a first and a last, at most %d", cfg.From, cfg.To,
			SeedsMax)
	}
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	cfg.Workers = min(cfg.Workers, WorkersMax)
	if cfg.RealMax <= 0 {
		cfg.RealMax = realMax
	}
	// A run makes much garbage and keeps little; collecting less often is a third faster.
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	began, used := time.Now(), cpuTime()
	s := newSummary(&cfg)
	var err error
	fanOut(&cfg, func(r *scenarios.Result) bool {
		s.add(r)
		if cfg.Lines != nil && err == nil {
			err = writeLine(cfg.Lines, s.line(r))
		}
		if cfg.Done != nil {
			cfg.Done(r)
		}
		return err == nil && !(cfg.StopAtFailure && r.Status != scenarios.Green)
	})
	s.finish(time.Since(began), cpuTime()-used)
	if cfg.Lines != nil && err == nil {
		err = writeLine(cfg.Lines, s.lastLine())
	}
	return s, err
}

// fanOut runs the seeds on all workers and hands over the results in order of seed until take
// reports false.
func fanOut(cfg *Config, take func(*scenarios.Result) bool) {
	var (
		wg      sync.WaitGroup
		stop    = make(chan struct{})
		tickets = make(chan uint64)
		results = make(chan *scenarios.Result)
		// A ticket is given out for each place among the results kept ahead.
		places = make(chan struct{}, cfg.Workers*aheadPerWorker)
	)
	wg.Go(func() {
		defer close(tickets)
		for seed := cfg.From; ; seed++ {
			select {
			case places <- struct{}{}:
			case <-stop:
				return
			}
			select {
			case tickets <- seed:
			case <-stop:
				return
			}
			if seed == cfg.To {
				return
			}
		}
	})
	for range cfg.Workers {
		wg.Go(func() {
			w := worker{cfg, cfg.Runner()}
			for seed := range tickets {
				select {
				case results <- w.runSeed(seed):
				case <-stop:
					return
				}
			}
		})
	}
	inOrder(cfg, results, places, take)
	close(stop)
	wg.Wait()
}

// inOrder keeps results that came early until their turn.
func inOrder(cfg *Config, results <-chan *scenarios.Result, places <-chan struct{},
	take func(*scenarios.Result) bool) {
	early := map[uint64]*scenarios.Result{}
	for next := cfg.From; ; {
		r := early[next]
		if r == nil {
			r = <-results
			early[r.Seed] = r
			continue
		}
		delete(early, next)
		<-places
		if !take(r) || next == cfg.To {
			return
		}
		next++
	}
}

// worker runs seeds one after the other.
type worker struct {
	cfg *Config
	run func(seed uint64) *scenarios.Result
}

// runSeed runs a seed, and again if it failed or was chosen for it.
func (w *worker) runSeed(seed uint64) *scenarios.Result {
	r := w.runBounded(seed)
	r.Seed = seed
	if r.Status == scenarios.Green && !chosen(seed) || r.Endless {
		return r
	}
	again := w.runBounded(seed)
	if again.Hash != r.Hash || again.Status != r.Status || again.Verdict != r.Verdict {
		r.Verdict = fmt.Sprintf("two runs differ: %s %016x %q and %s %016x %q", r.Status, r.Hash, r.Verdict,
			again.Status, again.Hash, again.Verdict)
		r.Status = scenarios.Nondeterministic
	}
	return r
}

// runBounded runs a seed, but does not wait for ever. The world ends what happens again and
// again; only a loop in which nothing happens at all is left, and no goroutine can be ended
// from outside: it stays behind, and the seed is reported.
func (w *worker) runBounded(seed uint64) *scenarios.Result {
	ended := make(chan *scenarios.Result, 1)
	run := w.run
	go func() { ended <- run(seed) }()
	limit := time.NewTimer(w.cfg.RealMax)
	defer limit.Stop()
	select {
	case r := <-ended:
		return r
	case <-limit.C:
		w.run = w.cfg.Runner() // what the old one has is in use
		return &scenarios.Result{Seed: seed, Status: scenarios.Stuck, Endless: true, Verdict: fmt.Sprintf(
			"endless: no end after %s of real time: something loops within one event", w.cfg.RealMax)}
	}
}

// chosen picks the seeds that are run twice, the same ones in every sweep.
func chosen(seed uint64) bool {
	x := (seed + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	x ^= x >> 31
	return x%1000 < twicePerThousand
}
