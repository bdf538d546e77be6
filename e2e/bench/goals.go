package main

import (
	"fmt"
	"io"

	"github.com/tidemark-log/tidemark/cmd/tidemark/bench"
)

// goal is a ratio of Tidemark's figure to a peer's. The gate must hold; the aim is what to
// be proud of. Both are bounds from below where more is better, else from above.
type goal struct {
	what      string
	stage     string
	figure    string
	against   string
	gate, aim float64
	more      bool
}

// goals are those of docs/performance.md, which says where they come from.
var goals = []goal{
	{"flood, throughput", "flood", bench.Throughput, pageCache, 0.9, 1.2, true},
	{"flood, throughput", "flood", bench.Throughput, synced, 3, 5, true},
	{"flood, CPU per GB", "flood", bench.CPUPerGB, pageCache, 0.8, 0.5, false},
	{"produce, throughput", "produce", bench.Throughput, pageCache, 0.8, 0.95, true},
	{"produce, throughput", "produce", bench.Throughput, synced, 1.6, 2, true},
	{"produce, CPU per GB", "produce", bench.CPUPerGB, pageCache, 0.8, 0.75, false},
	{"acknowledgement p50 at 2,000/s", "latency-2000", bench.AckP50, pageCache, 2, 1.3, false},
	{"acknowledgement p50 at 2,000/s", "latency-2000", bench.AckP50, synced, 0.1, 0.04, false},
	{"acknowledgement p50 at 20,000/s", "latency-20000", bench.AckP50, pageCache, 2, 1.3, false},
	{"acknowledgement p50 at 20,000/s", "latency-20000", bench.AckP50, synced, 0.1, 0.04, false},
	{"end to end p50 at 2,000/s", "e2e", bench.AckP50, pageCache, 1, 0.7, false},
	{"consume, throughput", "consume", bench.Throughput, pageCache, 1, 1.4, true},
	{"consume, CPU per GB", "consume", bench.CPUPerGB, pageCache, 1.1, 0.7, false},
	{"start to first acknowledgement", "start", bench.FirstAck, pageCache, 0.1, 0.03, false},
	{"memory after produce", "produce", bench.Resident, pageCache, 0.2, 0.1, false},
	{"memory when idle", "start", bench.IdleResident, pageCache, 0.1, 0.05, false},
	{"CPU when idle", "start", bench.IdleCPU, pageCache, 0.2, 0.05, false},
}

// held says how a ratio stands to its goal.
func (g goal) held(ratio float64) string {
	reaches := func(bound float64) bool { return g.more == (ratio >= bound) || ratio == bound }
	switch {
	case reaches(g.aim):
		return "aim reached"
	case reaches(g.gate):
		return "gate held"
	}
	return "**missed**"
}

// printGoals writes the table of docs/performance.md. Without a peer there are no ratios.
func printGoals(out io.Writer, results []*bench.Result) {
	fmt.Fprintln(out, "| | Tidemark | Kafka | ratio | gate | aim | |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|")
	for _, g := range goals {
		own, peer, ok := g.cells(results)
		if !ok {
			continue
		}
		sign := "≤"
		if g.more {
			sign = "≥"
		}
		ratio, verdict := "–", ""
		if peer.Count > 0 && (own.Ratio > 0 || peer.Median > 0) {
			ratio, verdict = fmt.Sprintf("%.3g×", own.Ratio), g.held(own.Ratio)
		}
		what := g.what
		if g.against == synced {
			what += " (Kafka with fsync)"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s %g× | %s %g× | %s |\n", what, own, peer, ratio,
			sign, g.gate, sign, g.aim, verdict)
	}
}

// cells finds the figure of both; the ratio to the peer is in the first.
func (g goal) cells(results []*bench.Result) (own, peer bench.Cell, ok bool) {
	for _, r := range results {
		if r.Case == g.stage {
			own, ok = r.Cell(g.figure, ours)
			peer, _ = r.Cell(g.figure, g.against)
			own.Ratio = r.Ratio(g.figure, ours, g.against)
			return own, peer, ok
		}
	}
	return own, peer, false
}
