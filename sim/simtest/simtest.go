package simtest

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-log/tidemark/sim"
	"github.com/tidemark-log/tidemark/sim/engine"
	"github.com/tidemark-log/tidemark/sim/simnet"
)

var onlySeed = flag.String("simtest.seed", "", "run simtest.Run with this seed only")

const (
	seedsDefault = 10
	// checkEvery is the share of seeds that are run twice: the first, and 1 of so many.
	checkEvery = 10
)

// World is the world of one seed, and the test it belongs to. T is the seed's subtest.
type World struct {
	*sim.World
	T *testing.T
}

// Option changes a Run.
type Option func(*options)

type options struct {
	first, seeds uint64
	config       []func(seed uint64, cfg *sim.Config)
}

// Seeds sets how many seeds are run. Default: 10.
func Seeds(n int) Option { return func(o *options) { o.seeds = uint64(n) } }

// From sets the first seed. Default: 0.
func From(seed uint64) Option { return func(o *options) { o.first = seed } }

// Storm draws a network with faults for each seed: delays, resets, half-open connections,
// refused dials. Default: a calm network.
func Storm() Option {
	return Config(func(seed uint64, cfg *sim.Config) {
		cfg.Net = simnet.Drawn(engine.NewChoice(seed))
	})
}

// Config lets fn change the world's configuration before each run. Default: the zero
// sim.Config with the seed.
func Config(fn func(seed uint64, cfg *sim.Config)) Option {
	return func(o *options) { o.config = append(o.config, fn) }
}

// Run runs story once per seed, each in a subtest with its own world.
func Run(t *testing.T, story func(w *World), opts ...Option) {
	t.Helper()
	o := options{seeds: seedsDefault}
	for _, opt := range opts {
		opt(&o)
	}
	if *onlySeed != "" {
		seed, err := strconv.ParseUint(*onlySeed, 10, 64)
		if err != nil {
			t.Fatal("simtest: -simtest.seed:", err)
		}
		o.first, o.seeds = seed, 1
	}
	for i := range o.seeds {
		seed := o.first + i
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Helper()
			hash, events := o.run(t, seed, story)
			if i%checkEvery != 0 || t.Failed() {
				return
			}
			if again, n := o.run(t, seed, story); again != hash || n != events {
				t.Errorf("simtest: seed %d is not deterministic: hash %x after %d events, then %x after %d",
					seed, hash, events, again, n)
			}
		})
	}
}

func (o *options) run(t *testing.T, seed uint64, story func(w *World)) (hash, events uint64) {
	cfg := sim.Config{}
	for _, fn := range o.config {
		fn(seed, &cfg)
	}
	cfg.Seed = seed
	w := &World{World: sim.NewWorld(cfg), T: t}
	defer func() {
		if t.Failed() {
			w.explain()
		}
	}()
	story(w)
	w.noFailure()
	return w.Hash(), w.Events()
}

// explain tells how to see a failure again, and what happened last.
func (w *World) explain() {
	root, _, _ := strings.Cut(w.T.Name(), "/")
	w.T.Logf("seed %d failed at %s; to run it alone:\n\tgo test -run '^%s$' -simtest.seed=%d",
		w.Seed(), w.Now(), root, w.Seed())
	w.T.Logf("last events:\n\t%s", strings.Join(w.LastTrace(), "\n\t"))
}

func (w *World) noFailure() {
	w.T.Helper()
	err := w.Failure()
	if err == nil {
		return
	}
	var f *sim.Failure
	if errors.As(err, &f) {
		w.T.Fatal(f.Report())
	}
	w.T.Fatal(err)
}

// RunFor lets d pass. A failure of the world ends the test.
func (w *World) RunFor(d time.Duration) {
	w.T.Helper()
	_ = w.Run(w.Now().Add(d)) // noFailure tells
	w.noFailure()
}

// Await lets time pass until done holds, and ends the test if that takes longer than limit.
func (w *World) Await(limit time.Duration, what string, done func() bool) {
	w.T.Helper()
	ok, _ := w.RunUntil(w.Now().Add(limit), done) // noFailure tells
	w.noFailure()
	if !ok {
		w.T.Fatalf("not within %s: %s", limit, what)
	}
}
