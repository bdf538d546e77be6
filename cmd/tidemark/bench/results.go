package bench

import (
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what all repetitions of one case showed.
type Result struct {
	Case, Setup string
	Targets     []string // in the order they were given; the first is the base of ratios
	Rows        []Row
	Latency     []*hdrhistogram.Histogram // by target, all repetitions in one; nil if none
}

// Row is one figure of a case.
type Row struct {
	Name  string
	Cells []Cell // by target
}

// Cell is one figure of one target over the repetitions. Without a value, Count is 0.
type Cell struct {
	Count            int
	Median, Min, Max float64
	// Ratio is the median of the ratios to the first target, taken repetition by repetition,
	// so that what slowed the whole machine down for a while cancels out. 0: there is none.
	Ratio float64
}

// Results sums measurements up, case by case.
func Results(targets []Target, all []Measurement) []*Result {
	var results []*Result
	for _, m := range all {
		i := slices.IndexFunc(results, func(r *Result) bool { return r.Case == m.Case && r.Setup == m.Setup })
		if i < 0 {
			results = append(results, newResult(targets, m, all))
		}
	}
	return results
}

func newResult(targets []Target, first Measurement, all []Measurement) *Result {
	r := &Result{Case: first.Case, Setup: first.Setup, Latency: make([]*hdrhistogram.Histogram, len(targets))}
	values := map[string][]map[int]float64{} // figure, target, repetition
	for i, t := range targets {
		r.Targets = append(r.Targets, t.Name)
		for _, m := range all {
			if m.Case != r.Case || m.Setup != r.Setup || m.Target != t.Name {
				continue
			}
			if m.Latency != nil {
				if r.Latency[i] == nil {
					r.Latency[i] = newHistogram()
				}
				r.Latency[i].Merge(m.Latency)
			}
			for _, f := range m.Figures {
				if values[f.Name] == nil {
					values[f.Name] = make([]map[int]float64, len(targets))
					r.Rows = append(r.Rows, Row{Name: f.Name})
				}
				if values[f.Name][i] == nil {
					values[f.Name][i] = map[int]float64{}
				}
				values[f.Name][i][m.Repetition] = f.Value
			}
		}
	}
	for i := range r.Rows {
		r.Rows[i].Cells = cells(values[r.Rows[i].Name])
	}
	return r
}

func cells(byTarget []map[int]float64) []Cell {
	out := make([]Cell, len(byTarget))
	for i, byRepetition := range byTarget {
		var values, ratios []float64
		for rep, v := range byRepetition {
			values = append(values, v)
			if base := byTarget[0][rep]; base != 0 {
				ratios = append(ratios, v/base)
			}
		}
		if len(values) == 0 {
			continue
		}
		out[i] = Cell{Count: len(values), Median: median(values), Min: slices.Min(values), Max: slices.Max(values)}
		if i > 0 && len(ratios) > 0 {
			out[i].Ratio = median(ratios)
		}
	}
	return out
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// Cell is the figure of that name and target, and whether it was measured.
func (r *Result) Cell(figure, target string) (Cell, bool) {
	i := slices.Index(r.Targets, target)
	for _, row := range r.Rows {
		if row.Name == figure && i >= 0 {
			return row.Cells[i], row.Cells[i].Count > 0
		}
	}
	return Cell{}, false
}
