package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidemark-log/tidemark/core/env"
	"github.com/tidemark-log/tidemark/sim/engine"
)

// FailureSpin names the failure of a world in which something happens again and again and
// the time hardly moves: a live-lock. Without it such a run would never end.
const FailureSpin = "spin"

// spin counts events within one stretch of simulated time. The last part of a stretch that
// is about to have too many is counted by who has them.
type spin struct {
	until  env.Instant // end of the stretch
	events int
	by     map[string]int
}

// step counts an event. Its time does not fall.
func (s *spin) step(w *World, ev *engine.Event) {
	if ev.At >= s.until {
		s.until, s.events, s.by = ev.At.Add(SpinStretch), 0, nil
	}
	if s.events++; s.events > SpinEventsMax-spinBlamed {
		s.blame(w, ev)
	}
}

// blame counts an event by its host and kind, and ends the world with the last one allowed.
func (s *spin) blame(w *World, ev *engine.Event) {
	if s.by == nil {
		s.by = map[string]int{}
	}
	name, id := "the world itself", int32(-1)
	if ev.Host != engine.NoHost {
		name, id = w.hosts[ev.Host].cfg.Name, w.hosts[ev.Host].cfg.ID
	}
	s.by[name+" ("+w.eventName(ev)+")"]++
	if s.events < SpinEventsMax {
		return
	}
	w.fail(&Failure{Host: name, ID: id, Name: FailureSpin, Detail: fmt.Sprintf(
		"%d events within %s, and no end; of the last %d: %s", s.events, time.Duration(SpinStretch), spinBlamed,
		s.shares())})
}

// shares lists who had the events, most first.
func (s *spin) shares() string {
	type share struct {
		who string
		n   int
	}
	var all []share
	for _, who := range slices.Sorted(maps.Keys(s.by)) {
		all = append(all, share{who, s.by[who]})
	}
	slices.SortStableFunc(all, func(a, b share) int { return b.n - a.n })
	var words []string
	for _, a := range all[:min(len(all), spinShares)] {
		words = append(words, fmt.Sprintf("%d of %s", a.n, a.who))
	}
	return strings.Join(words, ", ")
}

// eventName says what an event is, for people.
func (w *World) eventName(ev *engine.Event) string {
	if _, own := ev.Target.(*life); own {
		return [...]string{"start", "timer", "disk completion", "call"}[ev.Op]
	}
	switch ev.Target.(type) {
	case *caller:
		return "call"
	case *waker:
		return "wake"
	}
	return "network"
}
