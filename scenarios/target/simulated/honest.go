package simulated

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/core/log"
	"github.com/tidemark-log/tidemark/core/record"
	"github.com/tidemark-log/tidemark/scenarios"
)

// honest holds the broker to telling of damage (L17): a copy of what is stored is recovered
// and read in a world of its own. What it gives is what was appended, and what it does not
// give it complains of.
func (r *run) honest() {
	if !r.budget.damaged || r.budget.all {
		return
	}
	dirs, err := r.recoverAside()
	if errors.Is(err, env.ErrIO) || err != nil && dirs == nil {
		r.counts["run/damage-noticed"]++
		return // it would not even start
	}
	for _, rep := range r.ledger.order {
		if !rep.damaged || rep.deleted {
			continue
		}
		r.ledger.saw("L17")
		if note := r.readDamaged(rep, dirs); note != "" {
			r.end(scenarios.Violated, fmt.Sprintf("ledger.L17: %s: %s", rep.tp, note), r.budget.String())
		}
	}
}

// readDamaged reads a log that was damaged. It returns what is wrong with what came.
func (r *run) readDamaged(rep *replica, dirs []*log.Dir) string {
	l := findLog(dirs, rep.tp)
	told := slices.ContainsFunc(dirs, func(d *log.Dir) bool { return d.Recovery().DamageCount > 0 })
	if l == nil {
		if told {
			return ""
		}
		return "the log is gone and nothing says so"
	}
	i := 0
	err := l.Scan(l.Start(), func(b record.Batch) error {
		got := written{int64(b.BaseOffset()), int64(b.NextOffset()), int64(b.LeaderEpoch()), int64(b.CRC())}
		for i < len(rep.batches) && rep.batches[i].base < got.base {
			i++
		}
		if !b.CRCValid() || i >= len(rep.batches) || rep.batches[i] != got {
			return fmt.Errorf("%w: batch %v", errServed, got)
		}
		i++
		return nil
	})
	switch {
	case errors.Is(err, errServed):
		return err.Error()
	case err != nil || told:
		r.counts["run/damage-noticed"]++
	case i < len(rep.batches):
		return fmt.Sprintf("reading ends at batch %d of %d and nothing says why", i, len(rep.batches))
	}
	return ""
}

var errServed = errors.New("what was never appended is given as if it were")
