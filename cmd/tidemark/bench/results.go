package bench

import (
	"maps"
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what all repetitions of one case showed.
type Result struct {
	Case, Setup string
	Targets     []string // in the order they were given; the first is the base of ratios
	Rows        []Row
	Latency     []*hdrhistogram.Histogram // by target, all repetitions in one; nil if none

	values map[string][]map[int]float64 // by figure, target and repetition
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
	r := &Result{Case: first.Case, Setup: first.Setup, Latency: make([]*hdrhistogram.Histogram, len(targets)),
		values: map[string][]map[int]float64{}}
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
				if r.values[f.Name] == nil {
					r.values[f.Name] = make([]map[int]float64, len(targets))
					r.Rows = append(r.Rows, Row{Name: f.Name})
				}
				if r.values[f.Name][i] == nil {
					r.values[f.Name][i] = map[int]float64{}
				}
				r.values[f.Name][i][m.Repetition] = f.Value
			}
		}
	}
	for i, row := range r.Rows {
		r.Rows[i].Cells = make([]Cell, len(targets))
		for k, t := range r.Targets {
			r.Rows[i].Cells[k] = r.cell(row.Name, k)
			if k > 0 {
				r.Rows[i].Cells[k].Ratio = r.Ratio(row.Name, t, r.Targets[0])
			}
		}
	}
	return r
}

func (r *Result) cell(figure string, target int) Cell {
	values := slices.Collect(maps.Values(r.values[figure][target]))
	if len(values) == 0 {
		return Cell{}
	}
	return Cell{Count: len(values), Median: median(values), Min: slices.Min(values), Max: slices.Max(values)}
}

// Ratio is the median of a figure's ratios between two targets, taken repetition by
// repetition; 0 if there is none.
func (r *Result) Ratio(figure, target, base string) float64 {
	i, k := slices.Index(r.Targets, target), slices.Index(r.Targets, base)
	if i < 0 || k < 0 || r.values[figure] == nil {
		return 0
	}
	var ratios []float64
	for rep, v := range r.values[figure][i] {
		if b := r.values[figure][k][rep]; b != 0 {
			ratios = append(ratios, v/b)
		}
	}
	if len(ratios) == 0 {
		return 0
	}
	return median(ratios)
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
