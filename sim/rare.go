package sim

import (
	"maps"
	"slices"

	"github.com/tidemark-log/tidemark/sim/engine"
)

// rareEnabled is the share of names that are on in a run.
const rareEnabled = 0.25

// RareCount tells what happened at one rare point, over all hosts and lives.
type RareCount struct {
	Name    string
	Enabled bool    // on in this run
	Chance  float64 // of each call, if enabled
	Reached uint64
	Fired   uint64
}

// rares decides the rare branches of a world: which names are on, and each call.
type rares struct {
	choice engine.Choice
	off    bool
	byName map[string]*rarePoint
}

type rarePoint struct {
	RareCount
	choice engine.Choice
}

func newRares(c engine.Choice, off bool) rares {
	return rares{choice: c.Of("rare"), off: off, byName: make(map[string]*rarePoint)}
}

func (r *rares) point(name string) *rarePoint {
	p := r.byName[name]
	if p == nil {
		p = &rarePoint{choice: r.choice.Of(name)}
		p.Name = name
		p.Enabled = !r.off && p.choice.Chance(0, rareEnabled)
		p.Chance = 0.01 + 0.49*engine.Unit(p.choice.Uint64(1))
		r.byName[name] = p
	}
	return p
}

func (r *rares) counts() []RareCount {
	var out []RareCount
	for _, name := range slices.Sorted(maps.Keys(r.byName)) {
		out = append(out, r.byName[name].RareCount)
	}
	return out
}

// rare is the env.Rare of one host. The ordinals count per host and name, so a rare point
// reached more often on one host shifts nothing on another.
type rare struct {
	all    *rares
	host   uint64
	points map[string]*rareOfHost
}

type rareOfHost struct {
	point  *rarePoint
	choice engine.Choice
	n      uint64
}

func (r *rare) Rare(name string) bool {
	p := r.points[name]
	if p == nil {
		point := r.all.point(name)
		p = &rareOfHost{point: point, choice: point.choice.Of("host").Num(r.host)}
		r.points[name] = p
	}
	p.point.Reached++
	if !p.point.Enabled {
		return false
	}
	p.n++
	if !p.choice.Chance(p.n, p.point.Chance) {
		return false
	}
	p.point.Fired++
	return true
}
