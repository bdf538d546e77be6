package claims

import (
	"fmt"
	"time"

	"github.com/tidemark-log/tidemark/scenarios"
	"github.com/tidemark-log/tidemark/scenarios/sweep"
)

// Config is a verification to do.
type Config struct {
	// Runner makes what runs seeds of the scenario, one after the other; one for each of several
	// goroutines.
	Runner func(s *scenarios.Scenario) func(seed uint64) *scenarios.Result
	// Seeds is the number per cell that holds; 0: what the row says.
	Seeds int
	// Workers is the number of goroutines; 0: one per processor.
	Workers int
	// Done, if set, is told of each run.
	Done func()
}

// Word is the verdict on a cell's property.
type Word string

// The verdicts.
const (
	Holds    Word = "HOLDS"
	MayLose  Word = "MAY LOSE" // as claimed, and seen to
	Violated Word = "VIOLATED" // what is claimed is not so
	Unseen   Word = "UNSEEN"   // nothing wrong, and nothing shown
)

// Verdict is what the runs of a cell showed.
type Verdict struct {
	Cell  Cell
	Seeds int
	// Faulty is the number of runs in which the fault happened.
	Faulty int
	// Words are the verdicts, by property, and Found the first seeds that lost; 0: none did.
	Words []Word
	Found []uint64
	// Told counts the runs of the witness that lost, by property, of Telling.
	Told    []int
	Telling int
	// Status is the worst way in which a run ended otherwise, and Broken that run: a promise
	// that holds even where records may be lost.
	Status scenarios.Status
	Broken *scenarios.Result
	// Elapsed is the real time.
	Elapsed time.Duration
}

// Runs is the number of runs that Verify makes for a cell.
func (cfg *Config) Runs(c Cell) int {
	n := cfg.seeds(c)
	if !c.Claim.Holds() {
		n += witnessSeeds
	}
	return n
}

func (cfg *Config) seeds(c Cell) int {
	n := cfg.Seeds
	if n == 0 {
		n = c.Row.Seeds
	}
	if !c.Claim.Holds() {
		n = max(1, n/lossShare)
	}
	return n
}

// Verify has a cell shown. The error is of the scenario.
func Verify(cfg Config, c Cell) (*Verdict, error) {
	props := len(c.Row.Properties)
	v := &Verdict{Cell: c, Seeds: cfg.seeds(c), Status: scenarios.Green, Words: make([]Word, props),
		Found: make([]uint64, props), Told: make([]int, props)}
	began := time.Now()
	if witness, err := c.Witness(); err != nil {
		return nil, err
	} else if witness != nil {
		v.Telling = witnessSeeds
		if err := cfg.sweep(witness, witnessSeeds, v.told); err != nil {
			return nil, err
		}
	}
	s, err := c.Scenario()
	if err != nil {
		return nil, err
	}
	if err := cfg.sweep(s, v.Seeds, v.ran); err != nil {
		return nil, err
	}
	v.judge()
	v.Elapsed = time.Since(began)
	return v, nil
}

func (cfg *Config) sweep(s *scenarios.Scenario, seeds int, each func(*scenarios.Result)) error {
	_, err := sweep.Sweep(sweep.Config{Scenario: s, From: 1, To: uint64(seeds), Workers: cfg.Workers,
		Runner: func() func(uint64) *scenarios.Result { return cfg.Runner(s) },
		Done: func(r *scenarios.Result) {
			each(r)
			if cfg.Done != nil {
				cfg.Done()
			}
		}})
	return err
}

// lost tells whether a run lost the property: the checker's complaint was allowed, because a
// fault had destroyed the only copy.
func lost(r *scenarios.Result, p Property) bool { return r.Counts["void/"+p.Loss] > 0 }

// told takes a run of the witness.
func (v *Verdict) told(r *scenarios.Result) {
	v.broke(r)
	for i, p := range v.Cell.Row.Properties {
		if lost(r, p) {
			v.Told[i]++
		}
	}
}

// ran takes a run of the cell.
func (v *Verdict) ran(r *scenarios.Result) {
	v.broke(r)
	for _, name := range v.Cell.Fault.Seen {
		if r.Counts[name] > 0 {
			v.Faulty++
			break
		}
	}
	for i, p := range v.Cell.Row.Properties {
		if lost(r, p) && v.Found[i] == 0 {
			v.Found[i] = r.Seed
		}
	}
}

// broke notes a run that broke something which no claim gives up.
func (v *Verdict) broke(r *scenarios.Result) {
	if r.Status != scenarios.Green && v.Broken == nil {
		v.Status, v.Broken = r.Status, r
	}
}

// judge says what the runs amount to.
func (v *Verdict) judge() {
	for i := range v.Words {
		switch {
		case v.Broken != nil, v.Cell.Claim.Holds() && v.Found[i] > 0:
			v.Words[i] = Violated
		case v.Faulty*100 < v.Seeds*seenPercent:
			v.Words[i] = Unseen
		case v.Cell.Claim.Holds():
			v.Words[i] = Holds
		case v.Told[i] < v.Telling || v.Found[i] == 0:
			v.Words[i] = Unseen
		default:
			v.Words[i] = MayLose
		}
	}
}

// ExitCode is the exit code of a command that verified this cell.
func (v *Verdict) ExitCode() int {
	code := v.Status.ExitCode()
	for _, w := range v.Words {
		switch {
		case code != 0:
		case w == Violated:
			code = scenarios.Violated.ExitCode()
		case w == Unseen:
			code = scenarios.Inconclusive.ExitCode()
		}
	}
	return code
}

// Why says in one sentence what is wrong with the cell, or "".
func (v *Verdict) Why() string {
	if v.Broken != nil {
		return fmt.Sprintf("seed %d is %s: %s", v.Broken.Seed, v.Broken.Status, v.Broken.Verdict)
	}
	if v.Faulty*100 < v.Seeds*seenPercent {
		return fmt.Sprintf("the fault happened in %d of %d runs only", v.Faulty, v.Seeds)
	}
	for i, p := range v.Cell.Row.Properties {
		switch {
		case v.Words[i] == Violated:
			return fmt.Sprintf("seed %d lost %s, which is claimed to hold", v.Found[i], p.Name)
		case v.Words[i] == Unseen && v.Told[i] < v.Telling:
			return fmt.Sprintf("witness %s lost %s in %d of %d runs only", v.Cell.Claim.Witness, p.Name, v.Told[i],
				v.Telling)
		case v.Words[i] == Unseen:
			return fmt.Sprintf("no seed of %d lost %s, which may be lost", v.Seeds, p.Name)
		}
	}
	return ""
}
